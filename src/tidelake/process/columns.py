"""Values as clients sent them become values of the contract's types, or null and a flag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from tidelake.event.contract import EVENTS, Contract
from tidelake.event.fields import Field, Type, column_name
from tidelake.event.verdicts import Flag
from tidelake.process.clock import instant
from tidelake.process.text import clean

Path = tuple[str, ...]


class Wrong:
    """Stands for a value whose type is not the column's."""


WRONG = Wrong()


def _string(value: Any) -> str | Wrong:
    return value if isinstance(value, str) else WRONG


def _long(value: Any) -> int | Wrong:
    # JSON integers only: 12.0 and 1e3 arrive as floats, integers beyond 64 bits too.
    return value if isinstance(value, int) and not isinstance(value, bool) else WRONG


def _double(value: Any) -> float | Wrong:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return WRONG
    number = float(value)
    return number if abs(number) != float("inf") else WRONG


def _boolean(value: Any) -> bool | Wrong:
    return value if isinstance(value, bool) else WRONG


def _timestamp(value: Any) -> int | Wrong:
    time = instant(value)
    return WRONG if time is None else time


TYPED: Mapping[Type, Callable[[Any], Any]] = {
    Type.STRING: _string,
    Type.LONG: _long,
    Type.DOUBLE: _double,
    Type.BOOLEAN: _boolean,
    Type.TIMESTAMP: _timestamp,
}


def typed(field: Field, value: Any, flags: set[str]) -> Any:
    """The value as the column holds it; null and a flag where the type is another."""
    if value is None:
        return None
    result = TYPED[field.type](value)
    if result is WRONG:
        flags.add(Flag.WRONG_TYPE.of(field.name))
        return None
    return text_of(field.name, result, flags) if isinstance(result, str) else result


def text_of(column: str, text: str, flags: set[str]) -> str:
    """The text without what no column can hold, flagged where that changed it."""
    result = clean(text)
    if result is not text and result != text:
        flags.add(Flag.REPLACED_TEXT.of(column))
    return result


def pick(document: Any, fields: Iterable[tuple[str, Path]], flags: set[str]) -> dict[str, Any]:
    """The values at each path by column; an object on the way that is none is flagged by its path.

    `wrong_type:session_info` says that `_doc.session_info` was sent and is no object, so that every
    column below it is null.
    """
    found = ((column, lookup(document, path, flags)) for column, path in fields)
    return {column: value for column, value in found if value is not None}


def lookup(document: Any, path: Path, flags: set[str]) -> Any:
    """The value at the path, or None."""
    node = document
    for depth, step in enumerate(path):
        if node is None:
            return None
        if not isinstance(node, dict):
            flags.add(Flag.WRONG_TYPE.of(column_name(path[:depth])))
            return None
        node = node.get(step)
    return node


@lru_cache(maxsize=16)
def evolved_paths(contract: Contract) -> tuple[tuple[str, Path], ...]:
    """Columns that a user added, and their paths: in every format they are filled from `_doc`."""
    return tuple((f.name, f.path) for f in contract.sent_fields if f.name not in EVENTS.by_name)
