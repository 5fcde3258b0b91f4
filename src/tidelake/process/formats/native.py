"""The native format: flat members and the nested document `_doc`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tidelake.event.contract import Contract
from tidelake.event.verdicts import Flag
from tidelake.process.clock import stated_time
from tidelake.process.columns import Path, lookup, pick
from tidelake.process.items import canonical_items, canonical_traits
from tidelake.process.statement import Context, Received, Statement
from tidelake.process.text import Parsed, parse_record, utf8

NAMES = {"event_name": "event_type", "event_time": "timestamp"}
TRAITS: Path = ("_doc", "traits")
# Where products stand: the first that is there counts.
ITEM_LISTS: tuple[Path, ...] = (("_doc", "order", "items"), ("_doc", "cart", "items"))
PRODUCT: Path = ("_doc", "product")


def read(received: Received, context: Context) -> Statement:
    """The statement of a native record; raises `Refused`."""
    parsed = parse_record(utf8(received.body))
    record = parsed.members
    flags: set[str] = set()
    columns = pick(record, paths(context.contract), flags)
    time = columns.pop("event_time", None)
    doc, rest, doc_at = split(parsed)
    return Statement(
        columns=columns,
        flags=flags,
        doc=doc,
        rest=rest,
        doc_at=doc_at,
        time=None if time is None else stated_time("timestamp", time),
        items=canonical_items(products(record, flags), flags),
        traits=canonical_traits(lookup(record, TRAITS, flags), flags),
        names=NAMES,
    )


@lru_cache(maxsize=16)
def paths(contract: Contract) -> tuple[tuple[str, Path], ...]:
    return tuple((f.name, f.path) for f in contract.sent_fields if f.path != ("_doc",))


def split(parsed: Parsed) -> tuple[str | None, str, int | None]:
    """`_doc`, `_rest` and `_doc_at`: `rest[:at] + doc + rest[at+4:]` is the record as received."""
    if "_doc" not in parsed.spans:
        return None, parsed.text, None
    start, end = parsed.spans["_doc"]
    before = parsed.text[:start]
    rest = f"{before}null{parsed.text[end:]}"
    return parsed.text[start:end], rest, len(before.encode())


def products(record: dict[str, Any], flags: set[str]) -> Any:
    """The list of products of a native record, as sent; one product is a list of one."""
    for path in ITEM_LISTS:
        found = lookup(record, path, flags)
        if found is not None:
            return found
    product = lookup(record, PRODUCT, flags)
    if product is None:
        return None
    if not isinstance(product, dict):
        flags.add(Flag.WRONG_TYPE.of("items"))
        return None
    return [product]
