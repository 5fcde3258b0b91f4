"""The contract's own promises: names, ids, and what a field may be."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tidelake.errors import UsageError
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.event.fields import Field, Type, column_name, sent

CONTRACTS = pytest.mark.parametrize("contract", [EVENTS, REJECTED], ids=lambda c: c.table)
# Every id that was ever given, with its column. Lines are added here and never changed: a column
# that is dropped keeps its line, so that its id is not given to another one.
GIVEN_IDS = json.loads((Path(__file__).parent / "field_ids.json").read_text("utf-8"))


@CONTRACTS
def test_no_two_fields_share_a_column(contract: Contract) -> None:
    names = Counter(field.name.lower() for field in contract)
    assert [name for name, count in names.items() if count > 1] == []


@CONTRACTS
def test_no_two_fields_share_an_id_also_not_with_a_list_element(contract: Contract) -> None:
    ids = [field.id for field in contract]
    ids += [field.element_id for field in contract if field.type is Type.STRINGS]
    assert len(set(ids)) == len(ids)


@CONTRACTS
def test_a_field_id_is_given_once_and_for_ever(contract: Contract) -> None:
    given = GIVEN_IDS[contract.table]
    assert {str(field.id): field.name for field in contract}.items() <= given.items()


def test_a_column_is_named_by_its_path_below_doc() -> None:
    renamed = {"event_name": ("event_type",), "event_time": ("timestamp",)}
    for field in EVENTS.sent_fields:
        assert field.path == renamed.get(field.name) or field.name == column_name(field.path)


def test_every_field_that_clients_send_may_be_null_but_what_identifies_the_event() -> None:
    required = {field.name for field in EVENTS.sent_fields if field.required}
    assert required == {"event_id", "event_name", "event_time"}


def test_a_path_with_an_empty_step_is_refused() -> None:
    with pytest.raises(UsageError, match="empty step"):
        sent(900, ".page..url", Type.STRING, "")


def test_a_contract_grows_by_evolved_fields_but_never_twice_by_one_name() -> None:
    plan = Field(900, "plan", Type.STRING, "", ("_doc", "plan"))
    grown = EVENTS.with_fields((plan,))
    assert grown.names == (*EVENTS.names, "plan")
    assert grown != EVENTS
    with pytest.raises(UsageError, match="already has a column 'plan'"):
        grown.with_fields((plan,))


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(UsageError, match="events has no column 'colour'"):
        EVENTS["colour"]
