"""PyIceberg, DuckDB and Apache Spark 4 read the same lake, row by row and column by column."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest
from pyiceberg.table import Table

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.extensions import load_extensions
from tidelake.lake.tables import load_table

from .checksums import DUCKDB, SPARK, Checksum, kinds_of, of_table, pairs, select
from .conftest import Filled

pytestmark = pytest.mark.spark

TABLES = [EVENTS.table, REJECTED.table]
LONGEST_SPARK_RUN_S = 600
EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
PACKAGE = "spark.sql.catalog.lake"


@pytest.fixture(scope="module")
def by_spark(lake: Filled, root: Path) -> dict[str, dict[str, Checksum]]:
    """Checksums of both tables, read by one Spark session."""
    kinds = {name: kinds_of(arrow_of(table_of(lake, name)).schema) for name in TABLES}
    number = "cast(conv({h}, 16, 10) as bigint)"
    queries = {
        name: select(kinds[name], SPARK, number, f"lake.events_db.{name}") for name in TABLES
    }
    answers = run_spark(root, configuration(lake, root), queries)
    return {name: pairs(kinds[name], answers[name][0]) for name in TABLES}


@pytest.mark.parametrize("name", TABLES)
def test_spark_reads_what_pyiceberg_reads(
    lake: Filled, by_spark: dict[str, dict[str, Checksum]], name: str
) -> None:
    assert by_spark[name] == of_table(arrow_of(table_of(lake, name)))


@pytest.mark.parametrize("name", TABLES)
def test_duckdb_reads_what_pyiceberg_reads_from_the_folder_alone(lake: Filled, name: str) -> None:
    table = table_of(lake, name)
    arrow = arrow_of(table)

    assert by_duckdb(table, kinds_of(arrow.schema)) == of_table(arrow)


def test_every_record_is_in_one_of_the_tables(
    lake: Filled, by_spark: dict[str, dict[str, Checksum]]
) -> None:
    events = by_spark[EVENTS.table]["event_key"][0]
    rejected = by_spark[REJECTED.table]["source_position"][0]

    assert rejected > 0
    assert events + rejected == lake.lines


def table_of(lake: Filled, name: str) -> Table:
    return load_table(lake.lakehouse.catalog, name)


def arrow_of(table: Table) -> Any:
    return table.scan().to_arrow()


def by_duckdb(table: Table, kinds: dict[str, str]) -> dict[str, Checksum]:
    folder = urlsplit(table.location()).path
    query = select(kinds, DUCKDB, "cast('0x' || {h} as bigint)", f"iceberg_scan('{folder}')")
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        load_extensions(connection, "avro", "iceberg")
        row = connection.execute(query).fetchone()
    assert row
    return pairs(kinds, list(row))


def configuration(lake: Filled, root: Path) -> dict[str, str]:
    """Iceberg's JdbcCatalog over the PostgreSQL that PyIceberg keeps its tables in.

    The catalog must be called `lake` here as there, and it must not cache: it would miss commits.
    """
    url = urlsplit(lake.lakehouse.database_url)
    jars = sorted((root / ".cache/spark-jars").glob("*.jar"))
    assert jars, "no jars in .cache/spark-jars: run `make test-spark`"
    return {
        "spark.jars": ",".join(map(str, jars)),
        "spark.sql.extensions": EXTENSIONS,
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        PACKAGE: "org.apache.iceberg.spark.SparkCatalog",
        f"{PACKAGE}.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        f"{PACKAGE}.uri": f"jdbc:postgresql://{url.hostname}:{url.port}{url.path}",
        f"{PACKAGE}.jdbc.user": url.username or "",
        f"{PACKAGE}.jdbc.password": url.password or "",
        f"{PACKAGE}.warehouse": lake.lakehouse.settings.warehouse,
        f"{PACKAGE}.cache-enabled": "false",
    }


def run_spark(root: Path, conf: dict[str, str], queries: dict[str, str]) -> dict[str, Any]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME")}
    java = {name: os.environ[name] for name in ("JAVA_HOME",) if name in os.environ}
    done = subprocess.run(
        [root / ".venv-spark/bin/python", Path(__file__).with_name("spark_reader.py")],
        input=json.dumps({"conf": conf, "queries": queries}),
        env=environment | java,
        timeout=LONGEST_SPARK_RUN_S,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answers
