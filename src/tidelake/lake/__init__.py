"""The lake: Iceberg tables, their Parquet files, the committer, care, time travel."""
