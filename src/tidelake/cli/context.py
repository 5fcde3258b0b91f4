"""What every command knows: the settings, read once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tidelake.settings import Settings


def settings_of(ctx: typer.Context) -> Settings:
    """Settings from `tidelake.toml`, `TIDELAKE_*` and `--home`; raises `SetupError`."""
    from tidelake import settings

    home = ctx.find_root().obj
    return settings.load(home=home if isinstance(home, Path) else None)
