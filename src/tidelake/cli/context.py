"""What every command knows: the settings, read once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from tidelake.settings import Section, Settings

S = TypeVar("S", bound="Section")


def settings_of(ctx: typer.Context) -> Settings:
    """Settings from `tidelake.toml`, `TIDELAKE_*` and `--home`; raises `SetupError`."""
    from tidelake import settings

    return settings.load(home=home_of(ctx))


def home_of(ctx: typer.Context) -> str | None:
    """What `--home` says; none where it was not given."""
    home = ctx.find_root().obj
    return home if isinstance(home, str) else None


def overridden(section: S, given: Mapping[str, object], command: str) -> S:
    """A section of the settings with what options of `command` say; None is not given.

    Raises `UsageError` for a value that the setting does not take.
    """
    from pydantic import ValidationError

    from tidelake.errors import UsageError

    changes = {name: value for name, value in given.items() if value is not None}
    try:
        return section.model_validate(section.model_dump() | changes)
    except ValidationError as exc:
        wrong = exc.errors()[0]
        raise UsageError(
            f"--{'.'.join(map(str, wrong['loc']))} {wrong['input']!r}: {wrong['msg']}",
            hint=f"tidelake {command} --help says what may be given.",
        ) from exc


def day_of(text: str) -> date | None:
    """The day of an option; None where it is empty. Raises `UsageError` for another text."""
    from tidelake.errors import UsageError

    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(f"{text!r} is no day", hint="Write it as 2026-11-23.") from exc
