"""The raw layer: the lake's rows in PostgreSQL, loaded file by file, each row exactly once.

tables     raw.events and raw.rejected_events, made from the contract, and their day partitions
records    which records (stream and number) the rows of a file are
ledger     what has been loaded: a row a file, and sums
copying    Arrow batches into a table by binary COPY
refused    the rows among many that PostgreSQL does not take
holdings   which records the loads hold, page by page
load       one file in one transaction
reconcile  what differs between ledger and lake, record by record
retention  days of load that are dropped
merge      loads of such days, put together
refill     raw made anew from the lake, beside the old one
"""
