"""Native records as structs: those that are surely right; `judge` settles the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from tidelake.event.contract import Contract
from tidelake.event.verdicts import MAX_DEPTH
from tidelake.process.fast.shape import shapes

UNSURE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


@dataclass(slots=True)
class Decoded:
    """Records that were decoded, in order; `rows` are their rows in the batch."""

    rows: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    records: list[Struct] = field(default_factory=list)
    docs: list[Struct | None] = field(default_factory=list)
    doc_texts: list[memoryview | None] = field(default_factory=list)  # None: there is no `_doc`
    doc_ats: list[int | None] = field(default_factory=list)


def decode(bodies: pa.BinaryArray, asked: pa.BooleanArray, contract: Contract) -> Decoded:
    """Decodes the bodies that are asked for and surely right."""
    read_record, read_doc, doc_field, no_doc = _decoders(contract)
    found = Decoded()
    for row, start, view in _slices(bodies, pc.and_(asked, _plain(bodies))):
        body = bytes(view)
        if body.count(b"{") + (b"[" in body and body.count(b"[")) > MAX_DEPTH:
            continue  # may be nested too deep
        try:
            record = read_record(view)
            raw = getattr(record, doc_field)
            text = memoryview(raw)
            doc = read_doc(raw) if text else no_doc
        except UNSURE:
            continue
        found.rows.append(row)
        found.bodies.append(body)
        found.records.append(record)
        found.docs.append(doc)
        found.doc_texts.append(text or None)
        # `raw` lies within the body, and only its address tells where: its text may stand there
        # twice, and its name may be escaped.
        found.doc_ats.append(pa.py_buffer(raw).address - start if text else None)
    return found


@lru_cache(maxsize=16)
def _decoders(contract: Contract) -> tuple[Any, Any, str, Struct | None]:
    found = shapes(contract)
    (doc_field,) = found.record.field_at(("_doc",))
    return (
        msgspec.json.Decoder(found.record.struct).decode,
        msgspec.json.Decoder(found.doc.struct).decode,
        doc_field,
        found.doc.empty,
    )


def _slices(
    bodies: pa.BinaryArray, wanted: pa.BooleanArray
) -> Iterator[tuple[int, int, memoryview]]:
    """Row, address and bytes of each body that is wanted, without copying."""
    _, offsets, data = bodies.buffers()
    if data is None or not len(bodies):
        return
    ends = pa.Array.from_buffers(
        pa.int32(), len(bodies) + 1, [None, offsets], offset=bodies.offset
    ).to_pylist()
    view, base = memoryview(data), data.address
    for row in pc.indices_nonzero(wanted).to_pylist():
        start = ends[row]
        yield row, base + start, view[start : ends[row + 1]]


def _plain(bodies: pa.BinaryArray) -> pa.BooleanArray:
    """Which bodies msgspec can be trusted with.

    It checks the whole grammar, also of what it skips, but not UTF-8 there; and a U+0000, which
    columns can not hold, is written as an escape or not at all. Depth is looked at in `decode`.
    """
    # As a pattern, since Arrow's search for plain text takes forty times as long.
    without_nul = pc.invert(pc.match_substring_regex(bodies, r"\\u0000"))
    return pc.and_(without_nul, _utf8(bodies))


def _utf8(bodies: pa.BinaryArray) -> pa.BooleanArray:
    try:
        bodies.cast(pa.string())  # checks every value
        return pa.repeat(True, len(bodies))
    except pa.ArrowInvalid:
        return pa.array([_is_utf8(body) for body in bodies.to_pylist()], pa.bool_())


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
