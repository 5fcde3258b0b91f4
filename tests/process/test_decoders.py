"""Fast decoders may only accept: whatever was sent, the slow decoder's verdict stands."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidelake.batch import RawBatch
from tidelake.event.contract import EVENTS, Contract
from tidelake.event.verdicts import Flag, Reason
from tidelake.generate import GeneratorSpec, generate
from tidelake.process import Accepted, Rules, process
from tidelake.process.fast.accept import accept
from tidelake.process.tables import table_of

from .batches import EVENT, GROWN, RULES, batch_of, judged
from .hostile import records

CORPUS_RECORDS = 60_000
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([EVENT["timestamp"], "page_view", "\0", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
HOLDERS = sorted({f.path[1] for f in EVENTS.sent_fields if len(f.path) == 3})
STEPS = sorted({f.path[-1] for f in GROWN.sent_fields})
DOCS = st.dictionaries(
    st.sampled_from(HOLDERS), st.dictionaries(st.sampled_from(STEPS), JSON, max_size=4) | JSON
)


def assert_same_verdicts(batch: RawBatch, contract: Contract, rules: Rules) -> Counter[str]:
    """Both decoders agree; gives how often each reason and flag was seen."""
    verdicts = judged(batch, contract, rules)
    accepted = [v.row for v in verdicts if isinstance(v, Accepted)]
    refused = [v for v in verdicts if not isinstance(v, Accepted)]
    done = process(batch, contract, rules)
    assert_same_rows(done.events.to_pylist(), table_of(contract, accepted).to_pylist(), batch)
    reasons = done.rejected.select(["reason", "field", "detail"]).to_pylist()
    assert reasons == [{"reason": r.reason, "field": r.field, "detail": r.detail} for r in refused]
    seen = Counter(r.reason.value for r in refused)
    seen.update(f.partition(":")[0] for row in accepted for f in row["quality_flags"])
    seen["accepted fast"] = len(accept(batch, contract, rules)[1])
    return seen


def assert_same_rows(
    fast: list[dict[str, Any]], slow: list[dict[str, Any]], batch: RawBatch
) -> None:
    if fast == slow:
        return
    bodies = batch.records["body"].to_pylist()
    by_position = {row["source_position"]: row for row in fast}
    for row in slow:
        position = row["source_position"]
        body = bodies[int(position.rpartition("/")[2]) - 1]
        assert by_position.pop(position, None) == row, body
    assert by_position == {}


@pytest.mark.slow
def test_a_corpus_of_hostile_records_is_judged_alike_by_both_decoders() -> None:
    seen: Counter[str] = Counter()
    for seed in range(CORPUS_RECORDS // 1000):
        contract = GROWN if seed % 3 == 0 else EVENTS
        batch = batch_of(list(records(contract, seed, 1000)))
        seen.update(assert_same_verdicts(batch, contract, RULES))
    # The corpus reaches what it is meant to reach.
    assert seen["accepted fast"] > CORPUS_RECORDS // 10
    never = {Reason.UNKNOWN_MESSAGE, Reason.DAMAGED_FRAME, Reason.UNPROCESSABLE}
    assert {reason for reason in Reason if not seen[reason]} == never
    assert all(seen[flag] for flag in (Flag.WRONG_TYPE, Flag.REPLACED_TEXT, Flag.UNKNOWN_TYPE))


@settings(max_examples=300, deadline=None)
@given(DOCS, st.booleans(), st.booleans())
def test_any_document_is_judged_alike_by_both_decoders(
    doc: Any, ascii_only: bool, grown: bool
) -> None:
    text = json.dumps({**EVENT, "_doc": doc}, ensure_ascii=ascii_only)
    batch = batch_of([text.encode("utf-8", "surrogatepass")])
    assert_same_verdicts(batch, GROWN if grown else EVENTS, RULES)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | st.text(alphabet='{}[]",:\\ue0+-.1tfn \n', max_size=30))
def test_any_bytes_are_judged_alike_by_both_decoders(body: bytes | str) -> None:
    assert_same_verdicts(
        batch_of([body if isinstance(body, bytes) else body.encode()]), EVENTS, RULES
    )


@pytest.mark.parametrize(
    "envelope",
    [
        {"project": "shop", "ua": "python-requests/2.3", "ip": "9.9.9.9"},
        {"project": "shop", "ua": CHROME, "ip": "9.9.9.9"},
        {"ua": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
    ],
)
def test_what_the_request_tells_is_used_alike_by_both_decoders(envelope: dict[str, Any]) -> None:
    bodies = list(records(EVENTS, 7, 500))
    rules = Rules(country=Countries())
    seen = assert_same_verdicts(batch_of(bodies, envelope=envelope), EVENTS, rules)
    assert bool(seen["bot"]) == ("Googlebot" in envelope["ua"])


def test_generated_events_all_take_the_fast_decoder() -> None:
    spec = GeneratorSpec(
        start=datetime(2026, 11, 20, tzinfo=UTC), end=datetime(2026, 11, 24, tzinfo=UTC), count=3000
    )
    for chunk in islice(generate(spec), 3):
        batch = batch_of(chunk.records.to_pylist())
        seen = assert_same_verdicts(batch, EVENTS, RULES)
        assert seen == {"accepted fast": len(chunk)}


class Countries:
    """A country lookup that knows two networks."""

    def __call__(self, ip: str) -> str | None:
        return {"9": "CH", "85": "DE"}.get(ip.partition(".")[0])
