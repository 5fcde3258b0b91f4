"""Products and traits as the one canonical JSON that all formats share."""

from __future__ import annotations

from typing import Any

import msgspec

from tidelake.event.fields import Type
from tidelake.event.verdicts import Flag
from tidelake.process.columns import TYPED, Wrong
from tidelake.process.text import clean

WRONG_ITEMS = Flag.WRONG_TYPE.of("items")
ITEM_TYPES = {
    "product_id": Type.STRING,
    "sku": Type.STRING,
    "name": Type.STRING,
    "category": Type.STRING,
    "price": Type.DOUBLE,
    "quantity": Type.LONG,
}
# One encoder for both decoders: equal values are equal text.
encode = msgspec.json.Encoder().encode


def canonical_items(products: Any, flags: set[str]) -> str | None:
    """A list of products as JSON: six members each, null where absent or of a wrong type.

    What is no list gives null, what is no object is left out; either, and every member of a wrong
    type, is flagged once as `wrong_type:items`.
    """
    if products is None:
        return None
    if not isinstance(products, list):
        flags.add(WRONG_ITEMS)
        return None
    objects = [product for product in products if isinstance(product, dict)]
    if len(objects) < len(products):
        flags.add(WRONG_ITEMS)
    return encode([_item(product, flags) for product in objects]).decode()


def canonical_traits(traits: Any, flags: set[str]) -> str | None:
    """An object as JSON text that every database can read."""
    if traits is None:
        return None
    if not isinstance(traits, dict):
        flags.add(Flag.WRONG_TYPE.of("traits"))
        return None
    cleaned = _cleaned(traits)
    if cleaned != traits:
        flags.add(Flag.REPLACED_TEXT.of("traits"))
    return encode(cleaned).decode()


def _item(product: dict[str, Any], flags: set[str]) -> dict[str, Any]:
    return {name: _member(product.get(name), type, flags) for name, type in ITEM_TYPES.items()}


def _member(value: Any, type: Type, flags: set[str]) -> Any:
    if value is None:
        return None
    result = TYPED[type](value)
    if isinstance(result, Wrong):
        flags.add(WRONG_ITEMS)
        return None
    if isinstance(result, str) and (text := clean(result)) != result:
        flags.add(Flag.REPLACED_TEXT.of("items"))
        return text
    return result


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(element) for element in value]
    if isinstance(value, dict):
        return {clean(key): _cleaned(member) for key, member in value.items()}
    return value
