"""CloudEvents 1.0, structured (the record is the event) and binary (attributes in the envelope).

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md. Data in the native nested
shape fills the native columns. The specification knows no user, so none is required.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidelake.event.contract import EVENTS
from tidelake.event.registry import Registry
from tidelake.event.verdicts import Reason
from tidelake.process.clock import stated_time
from tidelake.process.columns import Path, evolved_paths, lookup, pick
from tidelake.process.formats.native import TRAITS, products
from tidelake.process.items import canonical_items, canonical_traits
from tidelake.process.refusal import Refused, shown
from tidelake.process.statement import Context, Received, Statement
from tidelake.process.text import parse_object, utf8

NAMES = {"event_id": "id", "event_name": "type", "event_time": "time"}
# Who it was: in the data as the native format or as JavaScript writes it, else an extension
# attribute, whose name the specification wants in lower case without underscores.
PEOPLE = {
    "user_id": ("user_id", "userId", "userid"),
    "anonymous_id": ("anonymous_id", "anonymousId", "anonymousid"),
    "previous_id": ("previous_id", "previousId", "previousid"),
    "group_id": ("group_id", "groupId", "groupid"),
}
SHAPE: tuple[tuple[str, Path], ...] = tuple(
    (field.name, field.path)
    for field in EVENTS.sent_fields
    if field.path[0] in ("_doc", "metadata") and len(field.path) > 1
)
# First labels of a reversed domain name, besides the two letters of a country.
TOP_DOMAINS = frozenset({"com", "org", "net", "io", "dev", "app", "cloud", "edu", "gov", "info"})


def read(received: Received, context: Context) -> Statement:
    """The statement of a CloudEvent; raises `Refused`."""
    text = utf8(received.body)
    attributes, doc, data = _taken_apart(text, received)
    source, event_id, name = (_required(attributes, name) for name in ("source", "id", "type"))
    if attributes.get("specversion") != "1.0":
        version = shown(attributes.get("specversion"))
        raise Refused(Reason.UNKNOWN_MESSAGE, None, f'specversion is {version}, not "1.0"')
    flags: set[str] = set()
    native = _native(data)
    columns = pick(native, SHAPE, flags) | _people(attributes, data)
    columns |= pick({"_doc": doc}, evolved_paths(context.contract), flags)
    columns |= {"event_id": event_id, "event_name": name}
    columns["event_type"] = type_of(name, context.rules.registry)
    time = attributes.get("time")
    return Statement(
        columns=columns,
        flags=flags,
        doc=text,
        identity=f"{len(source)}:{source}{event_id}",
        time=None if time is None else stated_time("time", time),
        user_required=False,
        time_required=False,
        items=canonical_items(products(native, flags), flags),
        traits=canonical_traits(lookup(native, TRAITS, flags), flags),
        names=NAMES,
    )


def type_of(name: str, registry: Registry) -> str:
    """The event type behind a CloudEvents type, without domain and version.

    `com.example.shop.order.completed.v1` is `order.completed` where the registry knows that, else
    `shop.order.completed`. A last word alone is not looked for: `ad.click` is no `click`.
    """
    labels = name.split(".")
    if len(labels) > 1 and _is_version(labels[-1]):
        labels.pop()
    domain = labels[0]
    if len(labels) > 2 and (domain in TOP_DOMAINS or (len(domain) == 2 and domain.isalpha())):
        labels = labels[2:]
    candidates = [labels[start:] for start in range(max(1, len(labels) - 1))]
    for candidate in candidates:
        if registry.resolve(" ".join(candidate))[1]:
            return " ".join(candidate)
    return " ".join(labels) or name


def _taken_apart(text: str, received: Received) -> tuple[Mapping[str, Any], Any, Any]:
    """Attributes, the document that `_doc` is, and the data in it."""
    attributes = received.envelope.ce
    if attributes:
        data = _binary_data(text, attributes)
        return attributes, data, data
    event = parse_object(text)
    return event, event, event.get("data")


def _binary_data(text: str, attributes: Mapping[str, Any]) -> Any:
    """The object that the data of a binary event is; data of another kind fills no columns."""
    declared = str(attributes.get("datacontenttype", "")).partition(";")[0].strip().lower()
    is_json = declared.endswith(("/json", "+json"))
    if "\0" in text:
        raise Refused(Reason.NOT_JSON, None, "holds a NUL byte, which no text column can hold")
    if (declared and not is_json) or not text:
        return None
    try:
        return parse_object(text)
    except Refused as refused:
        if is_json and refused.reason is not Reason.NOT_AN_OBJECT:
            raise
        return None


def _native(data: Any) -> dict[str, Any]:
    """The data as a native record: it is one, or it is what a native record has in `_doc`."""
    if not isinstance(data, dict):
        return {}
    return data if isinstance(data.get("_doc"), dict) else {**data, "_doc": data}


def _people(attributes: Mapping[str, Any], data: Any) -> dict[str, Any]:
    stated = data if isinstance(data, dict) else {}
    found = {}
    for column, names in PEOPLE.items():
        places = [stated.get(name) for name in names[:2]] + [attributes.get(names[2])]
        value = next((value for value in places if value is not None), None)
        if value is not None:
            found[column] = value
    return found


def _required(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    column = {"id": "event_id", "type": "event_type"}.get(name)
    if value is None or value == "":
        detail = f"{name} is {'missing' if value is None else 'empty'}"
        raise Refused(Reason.MISSING_FIELD, column, detail)
    if not isinstance(value, str):
        raise Refused(Reason.WRONG_TYPE, column, f"{name} is {shown(value)}, not text")
    return value


def _is_version(label: str) -> bool:
    return label.lstrip("v").isdigit()
