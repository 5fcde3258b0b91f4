"""The contract as msgspec structs: one for the record, one for `_doc`, one for each object below.

A struct accepts only what the slow decoder accepts without a flag. Where the contract wants one
member to be two things (a text column `page.url` and a column `page.url.host` below it), only null
is accepted, so that the slow decoder settles it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import astuple

from tidelake.event.contract import Contract
from tidelake.event.fields import Type
from tidelake.event.verdicts import ID_COLUMNS, MAX_ID_BYTES
from tidelake.process.formats.native import ITEM_LISTS, PRODUCT, TRAITS
from tidelake.process.items import ITEM_TYPES

Long = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
# An empty id is for the slow decoder, and so is one that may have more bytes than allowed: msgspec
# counts characters, of which each has four bytes at most.
Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_BYTES // 4)]
Time = str | int | float

MEMBER_TYPES: dict[Type, Any] = {
    Type.STRING: str,
    Type.LONG: Long,
    Type.DOUBLE: float,
    Type.BOOLEAN: bool,
    Type.TIMESTAMP: Time,
}
REQUIRED = {"event_id": Id, "event_name": Id, "event_time": Time}

# What else is read of `_doc`, named like a column where it can not be one.
ORDER_ITEMS, CART_ITEMS, ONE_PRODUCT, TRAITS_OBJECT = (
    "order.items",
    "cart.items",
    "product.",
    "traits.",
)

Item = msgspec.defstruct(
    "Item", [(name, MEMBER_TYPES[type] | None, None) for name, type in ITEM_TYPES.items()], gc=False
)


@dataclass(slots=True)
class Node:
    """One member while the tree grows: what is asked of it, and the members below it."""

    types: list[Any] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    below: dict[str, Node] = field(default_factory=dict)

    def at(self, path: Sequence[str]) -> Node:
        node = self
        for step in path:
            node = node.below.setdefault(step, Node())
        return node

    @property
    def is_object(self) -> bool:
        return bool(self.below) and not self.types

    @property
    def is_required(self) -> bool:
        return any(column in REQUIRED for column in self.columns)

    def ask(self, type: Any, column: str | None = None) -> None:
        if type not in self.types:
            self.types.append(type)
        if column:
            self.columns.append(column)


@dataclass(frozen=True, slots=True)
class Shape:
    """A struct, and what each of its fields fills, in order: columns, a further shape, or none."""

    struct: type[Struct]
    steps: tuple[str, ...]  # member that each field is read from
    columns: tuple[tuple[str, ...], ...]
    below: tuple[Shape | None, ...]
    empty: Struct | None  # stands in for an object that is not there

    def filled(self, objects: Sequence[Any]) -> Iterator[tuple[str, Sequence[Any]]]:
        """The values of every column below this shape, one an object; nothing if all are empty."""
        if objects.count(self.empty) == len(objects):
            return
        if None in objects:
            objects = [self.empty if one is None else one for one in objects]
        fields = zip(*map(astuple, objects), strict=True)
        for columns, shape, values in zip(self.columns, self.below, fields, strict=True):
            for column in columns:
                yield column, values
            if shape is not None:
                yield from shape.filled(values)

    def field_at(self, path: Sequence[str]) -> tuple[str, ...]:
        """The attributes that lead to the member at the path."""
        field = self.steps.index(path[0])
        name = self.struct.__struct_fields__[field]
        shape = self.below[field]
        return (name, *shape.field_at(path[1:])) if len(path) > 1 and shape else (name,)


@dataclass(frozen=True, slots=True)
class Shapes:
    """How a native record is decoded: its own members first, with `_doc` as bytes, then `_doc`."""

    record: Shape
    doc: Shape


@lru_cache(maxsize=16)
def shapes(contract: Contract) -> Shapes:
    """The shapes of a contract, those of evolved columns included."""
    root = _tree(contract)
    doc = root.below["_doc"]
    root.below["_doc"] = Node([Raw])
    return Shapes(record=_shape("Record", root), doc=_shape("Doc", doc))


def product_shape(contract: Contract) -> Shape:
    """The shape of `_doc.product`, whose first members are those of an item."""
    doc = shapes(contract).doc
    found = doc.below[doc.steps.index(PRODUCT[-1])]
    assert found is not None  # _tree asks for its members
    return found


def _tree(contract: Contract) -> Node:
    root = Node()
    for path, items in zip(ITEM_LISTS, (ORDER_ITEMS, CART_ITEMS), strict=True):
        root.at(path).ask(list[Item], items)  # type: ignore[valid-type]  # made at run time
    root.at(PRODUCT).columns.append(ONE_PRODUCT)
    for name, item_type in ITEM_TYPES.items():
        root.at((*PRODUCT, name)).ask(MEMBER_TYPES[item_type])
    root.at(TRAITS).ask(dict[str, Any], TRAITS_OBJECT)
    for column in contract.sent_fields:
        if column.path != ("_doc",):
            usual = Id if column.name in ID_COLUMNS else MEMBER_TYPES[column.type]
            root.at(column.path).ask(REQUIRED.get(column.name, usual), column.name)
    return root


def _shape(name: str, node: Node) -> Shape:
    below = {step: _shape(step, child) for step, child in node.below.items() if child.is_object}
    # msgspec wants required fields first, and names that are identifiers.
    steps = sorted(node.below, key=lambda step: not node.below[step].is_required)
    fields = [_field(f"f{at}", node.below[step], below.get(step)) for at, step in enumerate(steps)]
    renamed = {f"f{at}": step for at, step in enumerate(steps)}
    struct = msgspec.defstruct(name, fields, rename=renamed, eq=False, frozen=True, gc=False)
    return Shape(
        struct,
        tuple(steps),
        tuple(tuple(node.below[step].columns) for step in steps),
        tuple(below.get(step) for step in steps),
        None if any(child.is_required for child in node.below.values()) else struct(),
    )


def _field(name: str, node: Node, shape: Shape | None) -> Any:
    if shape is not None:
        return name, shape.struct | None, shape.empty
    if node.is_required:
        return name, node.types[0]
    if node.types == [Raw]:
        return name, Raw, Raw(b"")
    # Asked for as two things: only null is sure.
    sure = len(node.types) == 1 and not node.below
    return name, node.types[0] | None if sure else None, None
