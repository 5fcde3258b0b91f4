"""The models by themselves: given and expected rows, and columns that mean what the contract says."""

from __future__ import annotations

from pathlib import Path
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
SHORTENED = ("session_info_", "user_agent_", "location_", "engagement_", "performance_", "order_", "metadata_")

#: Columns that mean something else than the contract's of that name.
OWN = {"project", "country", "quantity", "items", "timezone_of_reports"}


def models() -> list[dict[str, Any]]:
    files = sorted(SILVER.rglob("*.yml"))
    return [model for file in files for model in yaml.safe_load(file.read_text()).get("models", ())]


MODELS = {model["name"]: model for model in models()}


def test_every_model_of_silver_says_its_grain_and_its_columns() -> None:
    assert set(MODELS) == {file.stem for file in SILVER.rglob("*.sql")}
    for name, model in MODELS.items():
        assert model["description"].startswith("One row per "), name
        assert all(column["description"] for column in model["columns"]), name


@pytest.mark.parametrize("name", MODELS)
def test_columns_that_are_carried_over_say_what_the_contract_says(name: str) -> None:
    contract = REJECTED if name == "rejected_events" else EVENTS
    carried = {name: field for field in contract for name in names_of(field)}
    checked = [column for column in MODELS[name]["columns"] if column["name"] in set(carried) - OWN]
    for column in checked:
        field = carried[column["name"]]
        assert column["data_type"] == POSTGRES_TYPES[field.type], column["name"]
        assert meaning(field).startswith(column["description"].strip()), column["name"]


def names_of(field: Field) -> list[str]:
    short = [field.name.removeprefix(start) for start in SHORTENED if field.name.startswith(start)]
    return [field.name, *short]


def meaning(field: Field) -> str:
    return f"{field.meaning} ({field.unit})" if field.unit else field.meaning


def test_given_rows_become_the_expected_ones(silver: Stand, tmp_path: Path) -> None:
    from dbt.cli.main import dbtRunner

    silver.take()
    with silver.dbt.at_home():
        done = dbtRunner().invoke(["test", "--select", "path:models/silver,test_type:unit"])
    assert done.exception is None
    found = {result.node.name: result.message for result in done.result.results if result.status != "pass"}
    assert found == {}
    assert len(done.result.results) > 15
