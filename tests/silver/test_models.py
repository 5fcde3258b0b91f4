"""The models by themselves: given and expected rows, and columns that the contract explains."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.silver.stand import Stand

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.event.fields import Field
from tidelake.event.schemas.postgres import POSTGRES_TYPES
from tidelake.transform.project import project_folder

SILVER = project_folder() / "models" / "silver"

#: Names that silver shortens, by the start that it leaves out.
SHORTENED = (
    "session_info_",
    "user_agent_",
    "location_",
    "engagement_",
    "performance_",
    "order_",
    "metadata_",
)

#: Columns of facts that mean something else than the contract's of that name.
OWN = {"project", "country", "currency", "items"}


def models() -> list[dict[str, Any]]:
    files = sorted(SILVER.rglob("*.yml"))
    return [model for file in files for model in yaml.safe_load(file.read_text()).get("models", ())]


def columns_of(model: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in model["columns"]}


MODELS = {model["name"]: model for model in models()}

#: Those that tell of one event, or of what came with it.
CARRIED = [
    *(
        name
        for name, model in MODELS.items()
        if {"event_day", "event_key"} <= set(columns_of(model))
    ),
    "devices",
    "pii_locations",
    "locations",
    "rejected_events",
]


def test_every_model_of_silver_says_its_grain_and_its_columns() -> None:
    assert set(MODELS) == {file.stem for file in SILVER.rglob("*.sql")}
    for name, model in MODELS.items():
        assert model["description"].startswith("One row per "), name
        assert all(column["description"] for column in model["columns"]), name


@pytest.mark.parametrize("name", CARRIED)
def test_columns_that_are_carried_over_say_what_the_contract_says(name: str) -> None:
    contract = REJECTED if name == "rejected_events" else EVENTS
    own = OWN if name not in ("locations", "pii_locations") else set()
    carried = {name: field for field in contract for name in names_of(field)}
    found = {name: column for name, column in columns_of(MODELS[name]).items() if name in carried}
    assert {
        name: (column["data_type"], column["description"].strip())
        for name, column in found.items()
        if name not in own
    } == {
        name: (POSTGRES_TYPES[carried[name].type], meaning(carried[name]))
        for name in found
        if name not in own
    }


def names_of(field: Field) -> list[str]:
    short = [field.name.removeprefix(start) for start in SHORTENED if field.name.startswith(start)]
    return [field.name, *short]


def meaning(field: Field) -> str:
    return f"{field.meaning} ({field.unit})" if field.unit else field.meaning


def test_given_rows_become_the_expected_ones(
    silver: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt.cli.main import dbtRunner

    silver.send(b"{")  # the tables must be there: dbt reads their types
    silver.take()
    for name, value in silver.dbt.environment.items():
        monkeypatch.setenv(name, value)
    done = dbtRunner().invoke(
        [
            "test",
            "--select=path:models/silver,test_type:unit",
            "--target=silver",
            "--quiet",
            f"--project-dir={silver.dbt.project}",
            f"--profiles-dir={silver.dbt.project}",
            f"--target-path={silver.dbt.state / 'unit'}",
            f"--log-path={silver.dbt.state / 'logs'}",
        ]
    )
    assert done.exception is None
    results = done.result.results
    assert {node.node.name: node.message for node in results if node.status != "pass"} == {}
    assert len(results) > 15
