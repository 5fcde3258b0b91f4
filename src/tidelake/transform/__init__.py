"""Silver and gold: runs the dbt project, and publishes gold as versioned files.

project  where the dbt project lies: in the repository, or in the wheel
dbt      one target of it: parsed once, run as often as there is news, in this process
gold     the published files: the current one, a private copy to work in, the next version
workfile what a gold file says of itself: up to which load it stands, its books
wheels   DuckDB's extensions from where their wheels lie
"""
