"""Counts gold for real: it is made once more from all of silver, and every figure is compared.

The same models make it, in a private file that is thrown away. So a figure that was changed by hand
is found wherever it stands, and nothing has to say a second time what gold is.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tidelake.errors import TidelakeError, UnavailableError
from tidelake.observe.books import Finding
from tidelake.pipeline import published
from tidelake.pipeline.lakehouse import Lakehouse
from tidelake.pipeline.published import PublishedGold
from tidelake.pipeline.recount_silver import Counted
from tidelake.transform.dbt import DbtTarget, Value
from tidelake.transform.environment import profile_environment
from tidelake.transform.project import project_folder
from tidelake.warehouse.publications import Publications
from tidelake.warehouse.roles import open_login
from tidelake.warehouse.windows import Windows

if TYPE_CHECKING:
    import duckdb

# Of the moment, not of the events: what they say is compared nowhere else either.
OF_THE_MOMENT = ("publication", "books", "pipeline_health")
MEASURES = ("BIGINT", "DOUBLE", "HUGEINT")
CLOSE = 1e-9  # sums of doubles depend on the order in which they were added

TRIES = 5  # of a count beside a pipeline that puts changes together every ten minutes

OTHER = "'(other)'"  # dbt/macros/gold/names.sql
SIDES = ("published", "fresh")
PLACES = ("project", "country")  # are kept as they are


def recount_gold(lakehouse: Lakehouse) -> Counted:
    """Compares every figure of the published gold; costs as much as `tidelake rebuild gold`.

    Nothing where none is published, or silver was rebuilt since.
    """
    gold = published.newest(lakehouse.settings.home)
    if gold is None or not _of_this_silver(lakehouse, gold):
        return Counted({}, ())
    with tempfile.TemporaryDirectory(prefix="tidelake-recount-") as folder:
        kept = Path(folder) / "published.duckdb"
        shutil.copyfile(gold.path, kept)  # it may be removed before we are done
        fresh = Path(folder) / "work.duckdb"
        for _ in range(TRIES):
            fresh.unlink(missing_ok=True)
            if _make(lakehouse, gold, fresh, Path(folder) / "dbt"):
                break
            if not _of_this_silver(lakehouse, gold):
                return Counted({}, ())
        else:
            raise UnavailableError(
                "changes of silver were put together while gold was counted",
                hint="Run it again, or while no `tidelake up` runs.",
            )
        return _compared(gold, kept, fresh)


def _of_this_silver(lakehouse: Lakehouse, gold: PublishedGold) -> bool:
    url = lakehouse.database_url
    with closing(Windows(url)) as windows, closing(Publications(url)) as publications:
        last, known = windows.last_done(), publications.get(gold.said.version)
        return (
            last is not None
            and known is not None
            and known.generation == last.generation
            and gold.said.timezone == last.timezone
        )


def _make(lakehouse: Lakehouse, gold: PublishedGold, file: Path, state: Path) -> bool:
    """Gold from nothing up to the load at which `gold` stands, in steps of windows.

    False where changes were put together meanwhile: of one that was read in a step, what takes it
    back may have been gone in a later one.
    """
    owner = lakehouse.owner_url
    url = open_login(owner, "transform") if owner else lakehouse.database_url
    target = DbtTarget(project_folder(), state, "gold", profile_environment(url, file))
    values: dict[str, Value] = {
        "timezone": gold.said.timezone,
        "version": gold.said.version,
        "published_at": datetime.now(UTC).isoformat(),
        "trouble": "",
        "names_a_day": lakehouse.settings.transform.names_a_day,
    }
    rows, reached = lakehouse.settings.transform.window_rows, 0
    with closing(Windows(url)) as windows:
        before = windows.compacted()
        while reached < gold.said.to_load_id:
            end = min(windows.ends(reached, rows) or gold.said.to_load_id, gold.said.to_load_id)
            target.run({**values, "from_load_id": reached, "to_load_id": end})
            reached = end
        return windows.compacted() == before


def _compared(gold: PublishedGold, kept: Path, fresh: Path) -> Counted:
    import duckdb

    rows, findings = dict[str, int](), list[Finding]()
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        for path, name in zip((kept, fresh), SIDES, strict=True):
            quoted = str(path).replace("'", "''")
            connection.execute(f"attach '{quoted}' as {name} (read_only)")
        for table, columns in _tables(connection).items():
            try:
                rows[f"gold.{table}"] = _count(connection, f"published.gold.{table}")
                findings += _unlike(connection, gold, table, columns)
            except duckdb.Error as exc:
                told = f"gold.{table} can not be compared with what silver gives: {exc}"
                findings.append(Finding("gold", told))
    return Counted(rows, tuple(findings))


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Columns and types of the tables that are compared."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() join duckdb_tables() "
        "using (database_name, schema_name, table_name) "
        "where database_name = 'fresh' and schema_name = 'gold' order by table_name, column_index"
    ).fetchall():
        if table not in OF_THE_MOMENT:
            found.setdefault(table, {})[column] = kind
    return found


def _unlike(
    connection: duckdb.DuckDBPyConnection, gold: PublishedGold, table: str, columns: dict[str, str]
) -> Iterator[Finding]:
    """One finding for a table that has figures other than those that silver gives, with one."""
    measures = [name for name, kind in columns.items() if kind in MEASURES]
    keys = [name for name in columns if name not in measures]
    _view(connection, table, keys, columns)
    wrong = connection.execute(_differences(keys, columns, measures)).fetchall()
    if wrong:
        *values, measure, found, expected = wrong[0]
        where = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
        yield Finding(
            "gold",
            f"gold version {gold.said.version} has {len(wrong):,} figures in gold.{table} that "
            f"silver does not give, such as {measure} of {where}: it is {found}, by silver "
            f"{expected}; `tidelake rebuild gold` makes it anew",
        )


def _view(
    connection: duckdb.DuckDBPyConnection, table: str, keys: list[str], columns: dict[str, str]
) -> None:
    """Makes the views `published_rows` and `fresh_rows`: what both sides must say alike.

    Which names of a full day count as others depends on how the windows were cut. So where either
    side has others on a day, all names of that day are others.
    """
    texts = [key for key in keys if columns[key] == "VARCHAR" and key not in PLACES]
    names = texts if "day" in keys else []
    others = ", ".join(f"bool_or({name} = {OTHER}) as {name}" for name in names)
    seen = [
        f"if(full_days.{key}, {OTHER}, side.{key}) as {key}" if key in names else key
        for key in keys
    ]
    sums = [f"sum(side.{name}) as {name}" for name in columns if name not in keys]
    for side in SIDES:
        query = f"from {side}.gold.{table}"
        if names:
            query = f"""
                with full_days as (
                    select day, project, {others}
                    from ({" union all ".join(f"from {one}.gold.{table}" for one in SIDES)})
                    group by day, project
                )
                select {", ".join(seen + sums)}
                {query} as side
                left join full_days using (day, project)
                group by all
            """
        connection.execute(f"create or replace temp view {side}_rows as {query}")


def _differences(keys: list[str], columns: dict[str, str], measures: list[str]) -> str:
    """Each figure that differs: its key, its name, what it is and what it must be."""
    using = ", ".join(keys)
    return "\nunion all\n".join(
        f"select {using}, '{name}' as measure, coalesce(a.{name}, 0), coalesce(b.{name}, 0) "
        f"from published_rows as a full join fresh_rows as b using ({using}) "
        f"where {_differ(name, columns[name])}"
        for name in measures
    )


def _differ(name: str, kind: str) -> str:
    found, expected = f"coalesce(a.{name}, 0)", f"coalesce(b.{name}, 0)"
    if kind != "DOUBLE":
        return f"{found} <> {expected}"
    return (
        f"not abs({found} - {expected}) <= {CLOSE} * greatest(abs({found}), abs({expected}), 1000)"
    )


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def recount_or_say(lakehouse: Lakehouse) -> Counted:
    """As `recount_gold`; a gold that can not be made once more is a finding, not an end."""
    try:
        return recount_gold(lakehouse)
    except TidelakeError as exc:
        return Counted({}, (Finding("gold", f"gold can not be counted: {exc.message}"),))
