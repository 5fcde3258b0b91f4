"""Bodies are cut into records by slices."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidelake.collect.cut import array, cut, lines
from tidelake.collect.exchange import Refusal
from tidelake.collect.scan import elements, members

NDJSON = "application/x-ndjson"
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
space = st.text(" \t\r\n", max_size=3)


@given(st.binary())
def test_lines_and_empty_lines_together_are_the_body(body: bytes) -> None:
    kept = lines(body)
    every = [line.removesuffix(b"\r") for line in body.split(b"\n")]
    assert kept == [line for line in every if line]


@given(st.lists(values), st.lists(space, min_size=2, max_size=2), st.booleans())
def test_array_elements_are_slices_whose_join_is_the_array(
    found: list[object], around: list[str], ascii_only: bool
) -> None:
    texts = [json.dumps(value, ensure_ascii=ascii_only) for value in found]
    gap = ("," + around[0]).join(texts)
    body = f"{around[0]}[{around[1]}{gap}{around[1]}]{around[0]}".encode("utf-8", "surrogatepass")
    wanted = [text.encode("utf-8", "surrogatepass") for text in texts]
    assert array(body) == wanted
    assert elements(body) == wanted


@given(st.dictionaries(st.text(), values), space)
def test_members_are_slices_by_name(found: dict[str, object], gap: str) -> None:
    body = json.dumps(found, separators=("," + gap, gap + ":" + gap)).encode()
    sliced = members(body)
    assert {name: json.loads(value) for name, value in sliced.items()} == found


@given(
    st.binary(max_size=60)
    | st.text('[]{}",:\\ae10 \n', max_size=60).map(str.encode)
    | st.text('[]{}",:\\ae10 \n', max_size=60).map(lambda text: f"[{text}]".encode()),
    st.sampled_from([NDJSON, "application/json", ""]),
)
def test_a_body_is_cut_or_refused_and_nothing_is_added(body: bytes, media_type: str) -> None:
    try:
        records = cut(body, media_type)
    except Refusal:
        return  # anything else that is raised is a fault
    at = 0
    for record in records:
        assert record
        at = body.index(record, at) + len(record)


def test_one_bad_element_does_not_cost_its_neighbours() -> None:
    body = b'[{"a":1}, {"a":NaN}, "\\ud800", {"a":[1}}, {"b":"]"}]'
    assert array(body) == [
        b'{"a":1}',
        b'{"a":NaN}',
        b'"\\ud800"',
        b'{"a":[1}}',
        b'{"b":"]"}',
    ]


def test_elements_nested_deeper_than_the_decoder_goes_are_cut() -> None:
    deep = b"[" * 5000 + b"]" * 5000
    assert array(b"[" + deep + b',{"a":1}]') == [deep, b'{"a":1}']


@pytest.mark.parametrize(
    "body", [b"[", b'["', b'["a]', b"[1,]", b"[,1]", b"[1]]", b"[1] x", b'[{"a":1}', b"[1,,2]"]
)
def test_an_array_that_can_not_be_cut_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        cut(body, "application/json")
    assert refused.value.status == 400


def test_an_empty_array_holds_no_records() -> None:
    assert cut(b" [ ] ", "application/json") == []


@pytest.mark.parametrize("media_type", ["", "application/json", "text/plain"])
def test_without_a_line_type_the_body_itself_says_what_it_is(media_type: str) -> None:
    pretty = b'{\n  "a": 1\n}\n'
    cut_pretty = b'{\n  "a": 1,\n'
    assert cut(pretty, media_type) == [pretty]
    assert cut(cut_pretty, media_type) == [cut_pretty]
    assert cut(b'{"a":1}\n{"a":\n', media_type) == [b'{"a":1}', b'{"a":']
    assert cut(b'\n{"a":1}\n{"a":2}', media_type) == [b'{"a":1}', b'{"a":2}']


def test_lines_end_with_or_without_carriage_return() -> None:
    assert cut(b'{"a":1}\r\n\r\n \nnot json\r\n[1]', NDJSON) == [
        b'{"a":1}',
        b" ",
        b"not json",
        b"[1]",
    ]


GOOD = [b'{"event_id":"1"}', b'{"event_id":"2"}']


@pytest.mark.parametrize(
    "first", [b'{"event_id":', b"nonsense", b'{"a":NaN}', b'{"a":"\\ud800"}', b" "]
)
@pytest.mark.parametrize("media_type", ["", "application/json"])
def test_a_bad_first_line_does_not_cost_its_neighbours(first: bytes, media_type: str) -> None:
    assert cut(b"\n".join([first, *GOOD]), media_type) == [first, *GOOD]


def test_lines_with_half_a_surrogate_pair_each_are_lines() -> None:
    halves = [b'{"a":"\\ud800"}', b'{"b":"\\udfff"}']
    assert cut(b"\n".join(halves), "") == halves


@pytest.mark.parametrize(
    "body",
    [
        b'{\n"a": NaN,\n"b": [\n{"c": 1},\n{"d": 2}\n]\n}',
        b'{\n"a": "\\ud800",\n"b": [\n{}\n]}\n',
        b'{\n"a": [\n1\n]\n',
    ],
)
def test_a_record_over_several_lines_stays_one(body: bytes) -> None:
    assert cut(body, "") == [body]


def test_a_byte_order_mark_belongs_to_no_record() -> None:
    mark = b"\xef\xbb\xbf"
    assert cut(mark + b"\n".join(GOOD), "") == GOOD
    assert cut(mark + b"\n".join(GOOD), NDJSON) == GOOD
    assert cut(mark + b"[" + b",".join(GOOD) + b"]", "") == GOOD
    assert cut(mark + GOOD[0], "application/json") == GOOD[:1]


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python a call runs: what holds up all other requests."""
    count = 0

    def traced(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


MANY = 1_000_000


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"1\n" * MANY, NDJSON),
        (b"1\n" * MANY, ""),
        (b"[" + b"1," * MANY + b"1]", ""),
        (b"[" + b'"",' * MANY + b"NaN]", ""),
    ],
)
def test_too_many_records_are_refused_before_they_are_built(body: bytes, media_type: str) -> None:
    def refused() -> None:
        with pytest.raises(Refusal) as raised:
            cut(body, media_type)
        assert (raised.value.status, raised.value.code) == (413, "too_many_records")

    tracemalloc.start()
    try:
        refused()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(body)
    assert lines_run(refused) < 1000


@pytest.mark.parametrize(
    "body", [b"[" * MANY + b"]" * MANY, b'[{"a":[' + b"{}," * MANY + b"NaN]}]"]
)
def test_what_one_element_holds_costs_no_python(body: bytes) -> None:
    found: list[bytes] = []
    assert lines_run(lambda: found.extend(cut(body, ""))) < 1000
    assert found == [body[1:-1]]


def test_an_array_of_the_most_records_is_taken() -> None:
    assert len(cut(b"[" + b"1," * 99_999 + b"1]", "")) == 100_000
    with pytest.raises(Refusal):
        cut(b"[" + b"1," * 100_000 + b"1]", "")
