"""What dbt says reaches logs, readers and webhooks: no secrets and no rows of people."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.transform.conftest import TINY

from tidelake.transform.dbt import DbtTarget, ModelError
from tidelake.transform.environment import profile_environment


def test_a_gold_that_does_not_reach_postgres_says_no_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = "postgresql://transform:geheim@127.0.0.1:1/nowhere"
    environment = profile_environment(url, tmp_path / "work.duckdb", "test")
    gold = DbtTarget(TINY, tmp_path / "dbt", "gold", environment)

    with caplog.at_level(logging.INFO), pytest.raises(ModelError, match="refused") as caught:
        gold.run({"to_load_id": 1})

    assert "geheim" not in str(caught.value)
    assert "password=***" in caught.value.said
    assert "geheim" not in caplog.text


def test_a_row_that_postgres_quotes_is_not_told() -> None:
    said = (
        "Database Error in model users (models/silver/pii/pii_users.sql)\n"
        '  null value in column "events" of relation "users" violates not-null constraint\n'
        "  DETAIL:  Failing row contains (ann@example.com, null).\n"
        "  compiled code at target/run/pii_users.sql"
    )

    assert ModelError("silver", "users", said).said.splitlines() == [
        "Database Error in model users (models/silver/pii/pii_users.sql)",
        '  null value in column "events" of relation "users" violates not-null constraint',
        "  compiled code at target/run/pii_users.sql",
    ]
