"""Commands that only look log in with the least that they need, never as the database's owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tidelake.errors import TidelakeError
from tidelake.pipeline.lakehouse import opened
from tidelake.settings import Postgres
from tidelake.warehouse.roles import login_url
from tidelake.warehouse.session import connect

LOOKS = {
    "status": (("status",), "dashboard"),
    "status --recount": (("status", "--recount"), "transform"),
    "monitor": (("monitor", "--once", "--every", "0.1"), "dashboard"),
    "tail": (("tail", "-n", "1", "--no-follow"), "dashboard"),
    "trace": (("trace", "e501"), "transform"),
}


@contextmanager
def shut_out(url: str, role: str) -> Iterator[None]:
    """The role may have no connection; roles are those of the whole server."""
    with connect(url) as owner:
        (limit,) = owner.execute(
            "select rolconnlimit from pg_roles where rolname = %s", (role,)
        ).fetchone() or (-1,)
        owner.execute(f"alter role {role} connection limit 0".encode())
        try:
            yield
        finally:
            owner.execute(f"alter role {role} connection limit {limit}".encode())


@pytest.mark.parametrize("name", LOOKS)
def test_a_command_that_only_looks_works_as_its_login(
    layered: Any, run_layered: Any, name: str
) -> None:
    arguments, role = LOOKS[name]

    assert run_layered(*arguments).exit_code == 0
    with (
        shut_out(layered.url, role),
        pytest.raises(TidelakeError, match=f'too many connections for role "{role}"'),
    ):
        run_layered(*arguments)


@pytest.mark.parametrize("name", ["status", "monitor", "tail"])
def test_a_machine_that_knows_one_login_looks_with_that(
    layered: Any, run_layered: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login in ("ingest", "transform", "dashboard"):
        monkeypatch.setenv("TIDELAKE_POSTGRES_URL", login_url(layered.url, login))
        assert run_layered(*LOOKS[name][0]).exit_code == 0


def test_what_writes_is_refused_with_the_login_of_another_part(layered: Any) -> None:
    url = login_url(layered.url, "dashboard")
    settings = layered.settings.model_copy(update={"postgres": Postgres(url=url)})

    with opened(settings, "transform", reads=True) as lakehouse:
        assert lakehouse.database_url == url
    with pytest.raises(TidelakeError, match="this part works as the login transform"):
        opened(settings, "transform").__enter__()
