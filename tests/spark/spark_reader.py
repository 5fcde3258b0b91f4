"""Runs queries with Apache Spark 4 over the lake's own catalog; a program of .venv-spark.

It gets a JSON document on standard input, {"conf": {…}, "queries": {name: SQL}}, and prints
another: {name: [[…], …]}.
"""

from __future__ import annotations

import json
import sys

from pyspark.sql import SparkSession


def main() -> None:
    task = json.load(sys.stdin)
    builder = SparkSession.builder.master("local[2]").appName("tidelake")
    for name, value in task["conf"].items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        answers = {
            name: [list(row) for row in session.sql(query).collect()]
            for name, query in task["queries"].items()
        }
    finally:
        session.stop()
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
