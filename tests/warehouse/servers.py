"""What tests of the embedded server ask of it, and of its files."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tidelake.errors import TransientError
from tidelake.warehouse.cluster import find_data
from tidelake.warehouse.postmaster import Postmaster, read_postmaster
from tidelake.warehouse.server import EmbeddedPostgres
from tidelake.warehouse.session import connect

StartServer = Callable[[str], EmbeddedPostgres]


def data_of(server: EmbeddedPostgres) -> Path:
    data = find_data(server.folder)
    assert data is not None
    return data


def postmaster_of(server: EmbeddedPostgres) -> Postmaster:
    found = read_postmaster(data_of(server))
    assert found is not None
    return found


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def ask_nothing(url: str, statements: str) -> None:
    try:
        with connect(url) as connection:
            connection.execute(statements.encode())
    except TransientError as exc:
        pytest.fail(str(exc))


def write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def until(happened: Callable[[], bool], bound_s: float = 20) -> None:
    deadline = time.monotonic() + bound_s
    while not happened():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
