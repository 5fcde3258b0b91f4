"""JSON Schema of a native event as clients send it; also the OpenAPI component."""

from __future__ import annotations

from typing import Any

from tidelake.event.contract import Contract
from tidelake.event.fields import Field, Type
from tidelake.event.verdicts import ID_COLUMNS, MAX_ID_BYTES

JSON_TYPES: dict[Type, str] = {
    Type.STRING: "string",
    Type.LONG: "integer",
    Type.DOUBLE: "number",
    Type.BOOLEAN: "boolean",
}

WHOLE = {"minimum": -(2**63), "maximum": 2**63 - 1}

ITEM = {
    "type": ["object", "null"],
    "properties": {
        "product_id": {"type": ["string", "null"]},
        "sku": {"type": ["string", "null"]},
        "name": {"type": ["string", "null"]},
        "category": {"type": ["string", "null"]},
        "price": {"type": ["number", "null"]},
        "quantity": {"type": ["integer", "null"], **WHOLE},
    },
}
ITEMS = {"type": ["array", "null"], "items": {**ITEM, "type": "object"}}


def json_schema(contract: Contract) -> dict[str, Any]:
    """A draft 2020-12 schema: what is accepted without a quality flag.

    Three rules JSON Schema can not say: ids are limited in bytes, not characters; an integer is not
    written as 12.0; the time lies near the receipt.
    """
    root = _object(
        "One event. Members that the contract does not know are kept in `_doc` or `_rest`."
    )
    for field in contract.sent_fields:
        _place(root, field)
    doc = root["properties"]["_doc"]["properties"]
    for holder in ("order", "cart"):
        doc.setdefault(holder, _object(""))["properties"]["items"] = ITEMS
    doc["product"] = ITEM
    doc["traits"] = {
        "type": ["object", "null"],
        "description": "What is known of the user or group",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://tidelake.dev/schema/event.json",
        "title": "Event",
        **root,
        "type": "object",
        "required": ["event_id", "event_type", "timestamp"],
        "anyOf": [_stated("user_id"), _stated("anonymous_id")],
    }


def _stated(member: str) -> dict[str, Any]:
    """The member is there, and neither null nor empty."""
    named = {"type": "string", "minLength": 1}
    return {"required": [member], "properties": {member: named}}


def _object(description: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": ["object", "null"], "properties": {}}
    return {"description": description, **shape} if description else shape


def _place(root: dict[str, Any], field: Field) -> None:
    """Sets the field's schema at its path, making the objects on the way."""
    node = root
    for step in field.path[:-1]:
        node = node["properties"].setdefault(step, _object(""))
    if field.name == "_doc":
        node["properties"].setdefault("_doc", _object(""))["description"] = field.meaning
    else:
        node["properties"][field.path[-1]] = _value(field)


def _value(field: Field) -> dict[str, Any]:
    meaning = f"{field.meaning} ({field.unit})" if field.unit else field.meaning
    if field.type is Type.TIMESTAMP:
        return {
            "description": f"{meaning}. ISO 8601, or epoch seconds or milliseconds.",
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 0}],
        }
    json_type = JSON_TYPES[field.type]
    nullable = field.path[-1] not in ("event_id", "event_type")
    shape: dict[str, Any] = {"type": [json_type, "null"] if nullable else json_type}
    if field.name in ID_COLUMNS or field.name == "event_name":
        shape["maxLength"] = MAX_ID_BYTES
    if not nullable:
        shape["minLength"] = 1
    if field.type is Type.LONG:
        shape |= WHOLE
    return {"description": meaning, **shape}
