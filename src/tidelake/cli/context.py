"""What every command knows: the settings, read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tidelake.settings import Settings


def settings_of(ctx: typer.Context) -> Settings:
    """Settings from `tidelake.toml`, `TIDELAKE_*` and `--home`; raises `SetupError`."""
    from tidelake import settings

    return settings.load(home=home_of(ctx))


def home_of(ctx: typer.Context) -> str | None:
    """What `--home` says; none where it was not given."""
    home = ctx.find_root().obj
    return home if isinstance(home, str) else None
