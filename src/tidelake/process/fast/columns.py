"""Decoded records as rows of the events table, and which of them are sure after all."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from msgspec.structs import astuple

from tidelake.event.contract import Contract
from tidelake.event.fields import Type
from tidelake.event.identity import framed, key_prefix
from tidelake.event.registry import Registry
from tidelake.event.schemas.arrow import ARROW_TYPES
from tidelake.event.verdicts import Flag
from tidelake.process.agent import AGENT_COLUMNS, PLACE_COLUMNS, describe_request
from tidelake.process.envelope import Envelope
from tidelake.process.fast import shape
from tidelake.process.fast.decode import Decoded
from tidelake.process.fast.times import instants
from tidelake.process.items import ITEM_TYPES, encode
from tidelake.process.rules import DAY_US, Rules
from tidelake.process.tables import schema_of

TIMESTAMP = ARROW_TYPES[Type.TIMESTAMP]
# Integers that may not fit into 64 bits; the slow decoder turns them into floats.
LONG_DIGITS = re.compile(rb"\d{19}")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of each decoded record besides its body, one entry a record."""

    received_at: pa.Int64Array
    source: pa.StringArray
    source_position: pa.StringArray
    envelopes: Sequence[Envelope]


@dataclass
class Draft:
    """The columns so far: values as decoded, then arrays; and the rows that are in doubt."""

    found: Decoded
    arrival: Arrival
    contract: Contract
    rules: Rules
    values: dict[str, Sequence[Any]] = field(default_factory=dict)
    arrays: dict[str, pa.Array] = field(default_factory=dict)
    flags: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    doubtful: set[int] = field(default_factory=set)

    @property
    def count(self) -> int:
        return len(self.found.rows)

    @cached_property
    def projects(self) -> list[str | None]:
        return [envelope.project for envelope in self.arrival.envelopes]

    def doubt(self, mask: pa.BooleanArray) -> None:
        """Leaves the rows of the mask to the slow decoder."""
        if pc.any(mask, min_count=0).as_py():
            self.doubtful.update(pc.indices_nonzero(mask).to_pylist())


def events_of(
    found: Decoded, arrival: Arrival, contract: Contract, rules: Rules
) -> tuple[pa.Table, set[int]]:
    """The rows of all decoded records, and the indices of those that are in doubt after all."""
    draft = Draft(found, arrival, contract, rules)
    for step in STEPS:
        step(draft)
    nothing = _nothing(contract, len(found.rows))
    columns = [draft.arrays.get(name, empty) for name, empty in nothing.items()]
    return pa.Table.from_arrays(columns, schema=schema_of(contract)), draft.doubtful


@lru_cache(maxsize=8)
def _nothing(contract: Contract, count: int) -> Mapping[str, pa.Array]:
    """For each column an array of nulls; arrays never change, so chunks share them."""
    return {column.name: pa.nulls(count, column.type) for column in schema_of(contract)}


def take_apart(draft: Draft) -> None:
    shapes = shape.shapes(draft.contract)
    draft.values.update(shapes.record.filled(draft.found.records))
    draft.values.update(shapes.doc.filled(draft.found.docs))


def describe(draft: Draft) -> None:
    """Fills columns from the request, for the rows whose request tells something."""
    country = draft.rules.country
    rows = [
        row
        for row, envelope in enumerate(draft.arrival.envelopes)
        if envelope.browser or country is not None
    ]
    if not rows:
        return
    names = (*AGENT_COLUMNS, *PLACE_COLUMNS)
    nothing = [None] * len(draft.found.rows)
    columns = {name: list(draft.values.get(name, nothing)) for name in names}
    for row in rows:
        known = {name: column[row] for name, column in columns.items()}
        flags: set[str] = set()
        describe_request(known, flags, None, draft.arrival.envelopes[row], country)
        for name, column in columns.items():
            column[row] = known[name]
        if flags:
            draft.flags[row] |= flags
    draft.values.update(columns)


def fill(draft: Draft) -> None:
    """Makes an array of every column that clients state."""
    for column in draft.contract.sent_fields:
        values = draft.values.get(column.name)
        if values is None:
            continue
        if column.type is Type.TIMESTAMP:
            draft.arrays[column.name] = _times(draft, values)
        else:
            draft.arrays[column.name] = pa.array(values, ARROW_TYPES[column.type])


def check_users(draft: Draft) -> None:
    """Leaves records without a user to the slow decoder."""
    nobody = [None] * draft.count
    users = draft.values.get("user_id", nobody)
    if None in users:
        pairs = enumerate(zip(users, draft.values.get("anonymous_id", nobody), strict=True))
        draft.doubtful.update(row for row, ids in pairs if ids == (None, None))


def name_types(draft: Draft) -> None:
    """Resolves each distinct type once."""
    known_as = Resolved(draft.rules.registry)
    names = [known_as[name] for name in draft.values["event_name"]]
    draft.arrays["event_type"] = pa.array([name for name, _ in names], pa.string())
    if not known_as.all_known:
        for row, (_, known) in enumerate(names):
            if not known:
                draft.flags[row].add(Flag.UNKNOWN_TYPE.value)


def place_in_time(draft: Draft) -> None:
    """Sets event_day; times too far from received_at are left to the slow decoder."""
    times = draft.arrays["event_time"].cast(pa.int64())
    ahead, rules = pc.subtract(times, draft.arrival.received_at), draft.rules
    bounds = pc.min_max(ahead).as_py()
    if bounds["max"] is not None and bounds["max"] > rules.max_ahead:
        draft.doubt(pc.greater(ahead, rules.max_ahead))
    if bounds["min"] is not None and bounds["min"] < -rules.max_age:
        draft.doubt(pc.less(ahead, -rules.max_age))
    # Nothing that is sure lies before 1970, where dividing and counting days differ.
    draft.doubt(pc.less(times, 0))
    draft.arrays["event_day"] = pc.divide(times, DAY_US).cast(pa.int32()).cast(pa.date32())


def list_items(draft: Draft) -> None:
    """The products of an order, else of a cart, else the one product, as canonical JSON."""
    order, cart, one = (
        draft.values.get(name) for name in (shape.ORDER_ITEMS, shape.CART_ITEMS, shape.ONE_PRODUCT)
    )
    texts: list[bytes | None] = [None] * len(draft.found.rows)
    if one is not None:
        absent = shape.product_shape(draft.contract).empty
        for row, product in enumerate(one):
            if product is not None and product is not absent:
                members = astuple(product)[: len(ITEM_TYPES)]
                texts[row] = b"[" + encode(shape.Item(*members)) + b"]"
    for lists in (cart, order):  # the last one wins
        for row, items in enumerate(lists or ()):
            if items is not None:
                texts[row] = encode(items)
    draft.arrays["items"] = _text_array(texts)


def list_traits(draft: Draft) -> None:
    """Traits as canonical JSON."""
    sent = draft.values.get(shape.TRAITS_OBJECT)
    if sent is None:
        return
    texts: list[bytes | None] = []
    for row, traits in enumerate(sent):
        try:
            texts.append(None if traits is None else encode(traits))
        except OverflowError:
            texts.append(None)
            draft.doubtful.add(row)
        if texts[-1] is not None and LONG_DIGITS.search(texts[-1]):
            draft.doubtful.add(row)
    draft.arrays["traits"] = _text_array(texts)


def identify(draft: Draft) -> None:
    """Makes the keys, as `event_key` does."""
    prefixes = {project: key_prefix("native", project) for project in draft.projects}
    draft.arrays["event_key"] = pa.array(
        [
            xxhash.xxh3_128_digest(prefixes[project] + framed(event_id.encode()) + framed(body))
            for project, event_id, body in zip(
                draft.projects, draft.values["event_id"], draft.found.bodies, strict=True
            )
        ],
        pa.binary(16),
    )


def keep_documents(draft: Draft) -> None:
    """The record as sent: `_doc`, the rest around it, and where it stood."""
    found = draft.found
    rests = [
        body if at is None or text is None else body[:at] + b"null" + body[at + len(text) :]
        for body, text, at in zip(found.bodies, found.doc_texts, found.doc_ats, strict=True)
    ]
    # Not the views: Arrow keeps what it is given as a view for ever (pyarrow 26), 1 kB a record.
    docs = [None if text is None else bytes(text) for text in found.doc_texts]
    draft.arrays["_doc"] = _text_array(docs)
    draft.arrays["_rest"] = _text_array(rests)
    draft.arrays["_doc_at"] = pa.array(found.doc_ats, pa.int64())


def add_arrival(draft: Draft) -> None:
    """What the source and the request say of each record."""
    arrival, envelopes = draft.arrival, draft.arrival.envelopes
    count = len(envelopes)
    draft.arrays |= {
        "received_at": arrival.received_at.cast(TIMESTAMP),
        "source": arrival.source,
        "source_position": arrival.source_position,
        "format": pa.repeat("native", count),
        "project": pa.array(draft.projects, pa.string()),
        "envelope": pa.array([envelope.text for envelope in envelopes], pa.string()),
    }


def flag(draft: Draft) -> None:
    flags = [sorted(draft.flags[row]) if row in draft.flags else () for row in range(draft.count)]
    draft.arrays["quality_flags"] = pa.array(flags, pa.list_(pa.string()))


STEPS = (
    take_apart,
    describe,
    fill,
    check_users,
    name_types,
    place_in_time,
    list_items,
    list_traits,
    identify,
    keep_documents,
    add_arrival,
    flag,
)


class Resolved(dict[str, tuple[str, bool]]):
    """Event types by the name as sent, asked of the registry once."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self.registry = registry
        self.all_known = True

    def __missing__(self, sent: str) -> tuple[str, bool]:
        found = self[sent] = self.registry.resolve(sent)
        self.all_known = self.all_known and found[1]
        return found


def _times(draft: Draft, values: Sequence[Any]) -> pa.TimestampArray:
    times = instants(values)
    if times.null_count > values.count(None):
        pairs = enumerate(zip(values, times.to_pylist(), strict=True))
        bad = (row for row, (sent, time) in pairs if sent is not None and time is None)
        draft.doubtful.update(bad)
    return times.cast(TIMESTAMP)


def _text_array(texts: Sequence[bytes | None]) -> pa.StringArray:
    """UTF-8 that was checked before, or written by us, as text without checking it again."""
    return pa.array(texts, pa.binary()).view(pa.string())
