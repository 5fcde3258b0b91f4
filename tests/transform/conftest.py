"""A migrated database with a small table of events, and a tiny dbt project over it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.parsed_once import ParsedOnce

from tidelake import settings
from tidelake.pipeline import transformer as joined
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transformer import Transformer
from tidelake.pipeline.warehouse import Warehouse, opened_warehouse
from tidelake.settings import Settings
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.session import connect

TINY = Path(__file__).parent / "tiny"
PROGRAM = Path(__file__).with_name("tiny_program.py")
WITHIN_S = 120.0

# A row's command is carried out by the model `repeats`: what a test wants to happen in mid-model.
MAKE_EVENTS = """
create schema tiny;
create table tiny.events (load_id bigint, event_key text, event_time timestamptz, command text);
create function tiny.obey(command text) returns text language plpgsql as $$
begin
    if command = 'fail' then raise exception 'told to fail'; end if;
    if command like 'sleep %' then perform pg_sleep(split_part(command, ' ', 2)::float); end if;
    return command;
end
$$;
-- dbt's own incremental tables need it.
grant temporary on database test to silver_owner;
grant usage on schema tiny to transform, silver_owner;
grant select on tiny.events to transform, silver_owner;
-- The tiny project has no logs of changes, and the live part shortens them.
set role silver_owner;
create table silver.session_changes
(load_id bigint, since_load_id bigint, sign smallint, session_key uuid);
create table silver.visitor_week_changes
(load_id bigint, since_load_id bigint, sign smallint, visitor_key uuid, week date);
reset role;
"""


@dataclass
class Raw:
    """What a loader does, without a lake; `admin_url` sees what other logins do."""

    url: str
    admin_url: str

    def load(self, *keys: str, command: str | None = None, at: str = "2026-11-24 12:00+00") -> int:
        """One load of events with these keys, in one transaction; gives its number."""
        with connect(self.url) as connection, connection.transaction():
            row = connection.execute(
                "update tidelake.load_counter set last = last + 1 returning last"
            ).fetchone()
            assert row is not None
            load_id = int(row[0])
            connection.execute(
                "insert into tidelake.loads (load_id, table_name, file_path, sequence_number, rows,"
                " load_day) values (%s, 'events', %s, %s, %s, '2026-11-24')",
                (load_id, f"file-{load_id}", load_id, len(keys)),
            )
            for key in keys:
                connection.execute(
                    "insert into tiny.events values (%s, %s, %s, %s)", (load_id, key, at, command)
                )
        return load_id

    def obey_no_more(self) -> None:
        self.ask("update tiny.events set command = null")

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with connect(self.url) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A copy of the tiny project, which nobody may write to."""
    folder = tmp_path / "project"
    shutil.copytree(TINY, folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)


@pytest.fixture
def home_settings(tmp_path: Path, database_url: str) -> Settings:
    given = {"TIDELAKE_POSTGRES_URL": database_url, "TIDELAKE_TRANSFORM_INTERVAL_S": "0.1"}
    return settings.load(given, home=tmp_path / "home")


@pytest.fixture
def warehouse(home_settings: Settings) -> Iterator[Warehouse]:
    with opened_warehouse(home_settings, "transform") as opened:
        yield opened


@pytest.fixture
def raw(warehouse: Warehouse, postgres_server: EmbeddedPostgres) -> Raw:
    found = Raw(warehouse.owner_url or "", postgres_server.admin_url)
    found.ask(MAKE_EVENTS)
    return found


@pytest.fixture
def make(
    warehouse: Warehouse, raw: Raw, project: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Transformer]]:
    """Makes transformers of this home over the tiny project."""
    monkeypatch.setattr(joined, "project_folder", lambda: project)
    monkeypatch.setattr(joined, "DbtTarget", ParsedOnce)
    made: list[Transformer] = []

    def of(another: Warehouse = warehouse) -> Transformer:
        made.append(Transformer(another, Stop()))
        return made[-1]

    yield of
    for one in made:
        one.close()


@pytest.fixture
def transformer(make: Callable[..., Transformer]) -> Transformer:
    return make()


@pytest.fixture
def start(
    warehouse: Warehouse, project: Path, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `tidelake …` over the tiny project and the same home."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str, crash_at: str = "", **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(PROGRAM), str(project)]
        command += ["--home", str(warehouse.settings.home), *arguments]
        given = {
            "TIDELAKE_POSTGRES_URL": warehouse.owner_url or "",
            "TIDELAKE_TRANSFORM_INTERVAL_S": "0.1",
            "TIDELAKE_CRASH_AT": crash_at,
            **more,
        }
        with (tmp_path / "said.log").open("ab") as log:
            process = subprocess.Popen(command, env={**os.environ, **given}, stdout=log, stderr=log)
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(WITHIN_S)


@pytest.fixture
def home(warehouse: Warehouse) -> Path:
    return warehouse.settings.home
