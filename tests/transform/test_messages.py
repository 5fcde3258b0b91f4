"""What dbt says reaches logs, readers and webhooks: no secrets and no rows of people."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.transform.conftest import TINY, Raw
from tests.transform.reading import trouble

from tidelake.pipeline.transformer import Transformer
from tidelake.transform.dbt import DbtTarget, ModelError, tellable
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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('invalid input syntax for type bigint: "ann "the\nfox" x@y.z"', "type bigint: …"),
        ('invalid byte sequence for encoding "UTF8": 0x61 0xff', 'encoding "UTF8": …'),
        ("Conversion Error: Could not convert string 'ann' to INT32\nLINE 1: …", "string …"),
        (
            'Failed to prepare query "select \'ann\'": ERROR:  relation "b" does not exist',
            'Failed to prepare query …: ERROR:  relation "b" does not exist',
        ),
        (
            'duplicate key value violates unique constraint "users_pkey"\nDETAIL:  Key (a)=(ann)',
            'constraint "users_pkey"',
        ),
        ("column users.email must appear in the GROUP BY clause", "the GROUP BY clause"),
    ],
)
def test_a_value_that_a_database_quotes_is_not_told(said: str, told: str) -> None:
    message = f"Database Error in model users (users.sql)\n  {said}\n  compiled code at users.sql"

    first, *between, last = tellable(message).splitlines()

    assert first == "Database Error in model users (users.sql)"
    assert "".join(between).endswith(told)
    assert last == "  compiled code at users.sql"


def test_what_dbt_says_of_the_project_is_told_whole() -> None:
    said = "Compilation Error in model users (users.sql)\n  'kyes' is undefined."

    assert tellable(said) == said


def test_a_value_that_fails_a_model_reaches_no_ledger_and_no_reader(
    transformer: Transformer, raw: Raw
) -> None:
    raw.load("a")
    transformer.cycle()
    raw.load("b", command="sleep ann@example.com")

    with pytest.raises(ModelError, match="the model repeats of silver failed") as caught:
        transformer.cycle()

    ((message,),) = raw.ask("select message from tidelake.windows where status = 'failed'")
    for told in (str(caught.value), str(message)):
        assert "invalid input syntax for type double precision: …" in told
        assert "ann" not in told
    assert trouble(transformer).endswith("invalid input syntax for type double precision: …")
