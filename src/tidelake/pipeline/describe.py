"""What can be set and what columns there are, as text: for `tidelake settings` and the docs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tidelake.event import export
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.settings import Section, Settings, WriteKey, masked, names

SETTINGS_FILE = "docs/settings.md"

_INTRODUCTION = """\
<!-- Made by `tidelake settings --markdown`; do not edit. -->
# Settings

A setting is read from the environment (`TIDELAKE_<SECTION>_<FIELD>`), else from `tidelake.toml`
(`field` under `[section]`) in the working folder or at `$TIDELAKE_CONFIG`, else it has its default.
A name that is not in this table is an error, so that a typo does not pass in silence.

| variable | in tidelake.toml | default | what it is |
|---|---|---|---|
"""

_KEYS = """
## Write keys

Keys stand in `tidelake.toml` alone, as `[collect.keys.<project>]`, hashed:

    [collect.keys.shop]
    sha256 = "…"                          # printf %s THE-KEY | sha256sum
    origins = ["https://shop.example"]
    requests_per_s = 100

| field | default | what it is |
|---|---|---|
"""


def settings_rows(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Variable, place in the file, value in force without passwords, meaning: a row a setting."""
    rows = []
    for variable, path in names().items():
        section = settings if len(path) == 1 else getattr(settings, path[0])
        info = type(section).model_fields[path[-1]]
        value = getattr(section, path[-1])
        rows.append((variable, ".".join(path), masked(_shown(value)), info.description or ""))
    return rows


def settings_markdown() -> str:
    """The table of all settings with their defaults: the text of `docs/settings.md`."""
    rows = []
    for variable, path in names().items():
        info = _field(path)
        default = "`.tidelake`" if path == ("home",) else f"`{_shown(info.default)}`"
        rows.append(f"| `{variable}` | `{'.'.join(path)}` | {default} | {info.description} |")
    keys = [
        f"| `{name}` | `{'required' if info.is_required() else _shown(info.default)}` "
        f"| {info.description} |"
        for name, info in WriteKey.model_fields.items()
    ]
    return _INTRODUCTION + "\n".join(rows) + "\n" + _KEYS + "\n".join(keys) + "\n"


def columns(table: str) -> list[tuple[str, str, str, str]]:
    """Name, type, path and meaning of a table's columns."""
    contract: Contract = {"events": EVENTS, "rejected_events": REJECTED}[table]
    return [
        (f.name, f.type.value, ".".join(f.path), f.meaning + (f" ({f.unit})" if f.unit else ""))
        for f in contract
    ]


def write_exports(root: Path) -> list[Path]:
    """Writes every generated file below `root`; gives those whose text changed."""
    texts = {file: export.export(language) for language, file in export.FILES.items()}
    texts[SETTINGS_FILE] = settings_markdown()
    changed = []
    for file, text in texts.items():
        path = root / file
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            changed.append(path)
    return changed


def _field(path: tuple[str, ...]) -> FieldInfo:
    section: type[Section] = Settings
    for step in path[:-1]:
        kind = section.model_fields[step].annotation
        assert isinstance(kind, type)
        section = kind
    return section.model_fields[path[-1]]


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = "***" if value.get_secret_value() else ""
    return value if isinstance(value, str) and value else json.dumps(value, default=str)
