"""Silver and gold: runs the dbt project over windows of new rows and publishes gold as files."""
