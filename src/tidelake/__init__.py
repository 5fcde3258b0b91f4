"""tidelake: events in, lakehouse out.

The rooms, in the order in which an event passes them:

    generate    realistic mock events from a seed and a clock
    collect     an HTTP request becomes durable raw records, or a stated refusal
    sources     raw records with a position: inbox, files
    process     raw records become events and rejected events; pure
    lake        Parquet, committed exactly once to Apache Iceberg; care, time travel
    warehouse   the embedded PostgreSQL and its migrations
    observe     metrics, health, the books, the monitor

Under all of them lie `event` (the contract), `batch` (what moves), `files` and `inbox` (how bytes
become durable), `errors`, `settings` and `metrics`. Rooms do not import each other; `pipeline`
joins them.
"""

__version__ = "0.1.0"
