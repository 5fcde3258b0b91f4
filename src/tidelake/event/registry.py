"""The event type registry: which types exist, what they mean, which names clients use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from tidelake.errors import SetupError

# Between words: what is neither letter nor digit, and the humps of camelCase and HTTPError.
_BETWEEN = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event; `fields` are the extra members of `_doc` that it usually has."""

    name: str
    meaning: str
    owner: str
    fields: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registry:
    """The known event types by name, and by every alias."""

    types: Mapping[str, EventType]
    aliases: Mapping[str, str]

    def resolve(self, sent: str) -> tuple[str, bool]:
        """The type for a name as sent, and whether the registry knows it; unknown names pass."""
        name = snake_case(sent)
        name = self.aliases.get(name, name)
        return name, name in self.types


@lru_cache(maxsize=10_000)
def snake_case(sent: str) -> str:
    """`Order Completed`, `orderCompleted` and `order-completed` are `order_completed`."""
    if _NAME.fullmatch(sent):
        return sent
    return "_".join(word.lower() for word in _BETWEEN.split(sent) if word) or sent


def load(extra: Path | None = None) -> Registry:
    """The types that come with tidelake, and those of the user's own YAML file, which win."""
    import yaml

    types = dict(_packaged())
    if extra is not None:
        try:
            types |= _parse(yaml.safe_load(extra.read_text("utf-8")), str(extra))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
            raise SetupError(
                f"the event types in {extra} can not be read: {exc}",
                hint="Write them like the packaged event_types.yaml, "
                "or unset TIDELAKE_PROCESS_EVENT_TYPES.",
            ) from exc
    aliases = {snake_case(alias): t.name for t in types.values() for alias in t.aliases}
    return Registry(types, aliases)


@cache
def _packaged() -> dict[str, EventType]:
    import yaml

    text = resources.files("tidelake.event").joinpath("event_types.yaml").read_text("utf-8")
    return _parse(yaml.safe_load(text), "event_types.yaml")


def _parse(document: Any, where: str) -> dict[str, EventType]:
    if not isinstance(document, dict):
        raise SetupError(
            f"{where} is not a mapping of type names", hint="Write `name: {meaning: …}`."
        )
    return {name: _one(name, entry, where) for name, entry in document.items()}


def _one(name: Any, entry: Any, where: str) -> EventType:
    if not (isinstance(name, str) and _NAME.fullmatch(name) and isinstance(entry, dict)):
        raise SetupError(
            f"{where}: {name!r} is not an event type",
            hint="A type is `snake_case_name:` followed by meaning, owner, fields, aliases.",
        )
    unknown = set(entry) - {"meaning", "owner", "fields", "aliases"}
    if unknown or not isinstance(entry.get("meaning"), str):
        raise SetupError(
            f"{where}: {name} has {sorted(unknown) or 'no meaning'}",
            hint="A type has meaning (text), owner (text), fields (list), aliases (list).",
        )
    return EventType(
        name,
        entry["meaning"],
        str(entry.get("owner", "")),
        tuple(map(str, entry.get("fields", ()))),
        tuple(map(str, entry.get("aliases", ()))),
    )
