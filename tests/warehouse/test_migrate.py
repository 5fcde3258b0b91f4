from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tidelake.errors import IncompatibleError, SetupError
from tidelake.warehouse.lease import Lease
from tidelake.warehouse.migrate import Migration, migrate, shipped_migrations

ONE = Migration("0001_one", "create table one (n int);\n")
TWO = Migration("0002_two", "create table two (n int);\ncreate index on two (n);\n")
BROKEN = Migration("0003_broken", "create table three (n int); insert into three values (1/0);")


def recorded(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        query = "select name from tidelake.migrations order by applied_at, name"
        return [name for (name,) in connection.execute(query)]


def exists(url: str, table: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("select to_regclass(%s)", (table,)).fetchone() != (None,)


def test_every_shipped_migration_is_applied_once_in_order_and_recorded(database_url: str) -> None:
    names = [migration.name for migration in shipped_migrations()]
    assert migrate(database_url) == names
    assert recorded(database_url) == names
    assert migrate(database_url) == []
    assert recorded(database_url) == names


def test_shipped_migrations_are_numbered_without_gaps() -> None:
    numbers = [int(migration.name[:4]) for migration in shipped_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_tables_have_the_columns_that_others_rely_on(url: str) -> None:
    query = """
        select table_name, string_agg(column_name, ' ' order by ordinal_position)
        from information_schema.columns where table_schema = 'tidelake' group by 1
    """
    with psycopg.connect(url) as connection:
        found = dict(connection.execute(query).fetchall())

    window = "to_load_id from_load_id generation timezone status started_at finished_at raw_rows "
    window += "new_events repeats rejected failed_model message models compacted"
    relied_on = {
        "commits": "commit_id table_name snapshot_id sequence_number operation committed_at "
        "prepared_at records files bytes raw_bytes positions",
        "consumers": "table_name consumer sequence_number updated_at",
        "data_tests": "layer test status failures message tested_at",
        "lease": "name holder expires_at",
        "load_counter": "only_row last",
        "load_totals": "table_name files rows set_aside last_load_id unexplained epoch "
        "brought_back_at unnamed_up_to",
        "loads": "load_id table_name file_path sequence_number rows set_aside load_day loaded_at "
        "dropped_at",
        "migrations": "name checksum applied_at",
        "windows": window,
        "windows_next": window,
    }
    assert {name: found[name] for name in relied_on} == relied_on


def test_a_new_migration_is_applied_to_a_database_that_has_the_older_ones(
    database_url: str,
) -> None:
    assert migrate(database_url, [ONE]) == ["0001_one"]
    assert migrate(database_url, [ONE, TWO]) == ["0002_two"]
    assert exists(database_url, "two")


def test_starters_at_once_apply_each_migration_once(database_url: str) -> None:
    slow = Migration("0001_one", ONE.sql + "select pg_sleep(0.2);")
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(database_url, [slow, TWO]), range(4)))
    assert sorted(name for names in applied for name in names) == ["0001_one", "0002_two"]


def test_an_applied_migration_that_was_edited_is_refused(database_url: str) -> None:
    migrate(database_url, [ONE])
    edited = Migration(ONE.name, ONE.sql + "-- harmless\n")
    with pytest.raises(IncompatibleError, match="0001_one was edited"):
        migrate(database_url, [edited, TWO])
    assert not exists(database_url, "two")


def test_other_line_ends_are_not_an_edit(database_url: str) -> None:
    migrate(database_url, [ONE, TWO])
    assert migrate(database_url, [ONE, Migration(TWO.name, TWO.sql.replace("\n", "\r\n"))]) == []


def test_a_database_that_is_newer_is_refused(database_url: str) -> None:
    migrate(database_url, [ONE, TWO])
    with pytest.raises(IncompatibleError, match=r"newer than this tidelake: .* has .* 0002_two"):
        migrate(database_url, [ONE])


def test_a_migration_slipped_in_before_an_applied_one_is_refused(database_url: str) -> None:
    migrate(database_url, [TWO])
    with pytest.raises(IncompatibleError, match="0001_one comes before 0002_two"):
        migrate(database_url, [ONE, TWO])


def test_a_failing_migration_leaves_nothing_and_those_before_it_stay(database_url: str) -> None:
    with pytest.raises(SetupError, match=r"0003_broken failed on .*: division by zero"):
        migrate(database_url, [ONE, TWO, BROKEN])
    assert recorded(database_url) == ["0001_one", "0002_two"]
    assert not exists(database_url, "three")


def test_a_database_without_migrations_says_what_to_run(database_url: str) -> None:
    lease = Lease(database_url, "committer", "me", 10)
    with pytest.raises(SetupError, match="is not set up") as caught:
        lease.take()
    assert caught.value.hint == "run `tidelake init`"
    lease.close()
