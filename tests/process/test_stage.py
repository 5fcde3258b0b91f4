"""A batch becomes two tables: every record in exactly one of them, in order."""

from __future__ import annotations

import pickle
from dataclasses import replace
from importlib import import_module
from typing import Any

import pyarrow as pa
import pytest

from tidelake.batch import Gap, RawBatch
from tidelake.event.contract import EVENTS, REJECTED
from tidelake.event.schemas.arrow import arrow_schema
from tidelake.process import Rules, process
from tidelake.process.fast.accept import CHUNK_RECORDS

from .batches import EVENT, GROWN, NOON, RULES, STREAM, batch_of, body_of

SEGMENT = {"type": "track", "event": "Order Completed", "messageId": "m", "userId": "u"}


def mixed(count: int) -> RawBatch:
    """Records of which the fast decoder takes some, the slow one others, and some are refused."""
    odd = {**EVENT, "user_id": "a\0"}
    kinds = [(body_of(EVENT), "native"), (body_of(odd), "native"), (b"{", "native")]
    kinds.append((body_of(SEGMENT), "segment"))
    chosen = [kinds[at % 4] for at in range(count)]
    batch = batch_of([body for body, _ in chosen])
    formats = pa.array([format for _, format in chosen])
    return replace(batch, records=batch.records.set_column(4, "format", formats))


def test_both_tables_have_exactly_the_contract_s_schema() -> None:
    for batch in (mixed(8), batch_of([])):
        done = process(batch, GROWN, RULES)
        assert done.events.schema.equals(arrow_schema(GROWN), check_metadata=True)
        assert done.rejected.schema.equals(arrow_schema(REJECTED), check_metadata=True)
        done.events.validate(full=True)
        done.rejected.validate(full=True)


@pytest.mark.parametrize("count", [1, 7, 2 * CHUNK_RECORDS + 3])
def test_every_record_is_in_exactly_one_table_in_order_of_its_number(count: int) -> None:
    done = process(mixed(count), EVENTS, RULES)
    places = [f"{STREAM}/{number}" for number in range(1, count + 1)]
    rejected = done.rejected["source_position"].to_pylist()
    assert rejected == places[2::4]
    assert done.events["source_position"].to_pylist() == [p for p in places if p not in rejected]


def test_a_part_of_a_batch_gives_the_rows_of_that_part() -> None:
    whole, tail = process(mixed(40), EVENTS, RULES), mixed(40).without(range(1, 22))
    assert process(tail, EVENTS, RULES).events.to_pylist() == whole.events.to_pylist()[16:]
    sliced = replace(mixed(40), records=mixed(40).records[21:], numbers=mixed(40).numbers[21:])
    assert process(sliced, EVENTS, RULES).events.to_pylist() == whole.events.to_pylist()[16:]


def test_the_same_batch_gives_the_same_tables_also_in_another_process() -> None:
    once = process(mixed(40), EVENTS, RULES)
    batch, contract, rules = pickle.loads(pickle.dumps((mixed(40), EVENTS, Rules())))
    again = process(batch, contract, rules)
    assert (again.events, again.rejected) == (once.events, once.rejected)


def test_lost_records_are_one_row_that_says_what_was_lost() -> None:
    gaps = (Gap(11, 40, "frame at 4096: payload crc"), Gap(51, 51, "zeroes"))
    batch = batch_of([body_of(EVENT), b"{"], gaps=gaps)
    numbers = pa.array([10, 50], pa.int64())
    done = process(replace(batch, numbers=numbers, first=10, last=51), EVENTS, RULES)
    columns = ["reason", "detail", "body", "source_position", "records", "received_at"]
    assert [tuple(row.values()) for row in done.rejected.select(columns).to_pylist()] == [
        ("damaged_frame", "frame at 4096: payload crc", b"", f"{STREAM}/11", 30, NOON),
        ("not_json", done.rejected["detail"][1].as_py(), b"{", f"{STREAM}/50", 1, NOON),
        ("damaged_frame", "zeroes", b"", f"{STREAM}/51", 1, NOON),
    ]


def test_a_batch_of_nothing_but_a_gap_has_no_time_to_give_it() -> None:
    done = process(batch_of([], gaps=(Gap(1, 5, "lost"),)), EVENTS, RULES)
    assert done.rejected["received_at"].cast(pa.int64()).to_pylist() == [0]
    assert done.rejected["source"].to_pylist() == ["inbox"]


def test_a_format_that_nobody_reads_is_refused() -> None:
    batch = batch_of([b"{}"], format="cdc")
    done = process(batch, EVENTS, RULES)
    assert done.rejected["reason"].to_pylist() == ["unknown_message"]


def test_a_fault_of_our_own_rejects_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(draft: Any) -> None:
        raise ZeroDivisionError("secret of a user")

    monkeypatch.setattr(import_module("tidelake.process.judge"), "STEPS", (fails,))
    done = process(batch_of([b"{", body_of({**EVENT, "user_id": "\0"})]), EVENTS, RULES)
    assert done.rejected["reason"].to_pylist() == ["not_json", "unprocessable"]
    assert "ZeroDivisionError at test_stage.py" in done.rejected["detail"][1].as_py()
    assert "secret" not in done.rejected["detail"][1].as_py()


def test_a_fault_in_the_fast_decoder_leaves_all_to_the_slow_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = process(mixed(40), EVENTS, RULES)

    def fails(draft: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tidelake.process.fast.columns.STEPS", (fails,))
    done = process(mixed(40), EVENTS, RULES)
    assert (done.events, done.rejected) == (wanted.events, wanted.rejected)
