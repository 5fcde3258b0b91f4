"""How far each layer is behind the one before it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits before a layer, in `what` (records, commits, loads), and the age of the oldest.

    `rows` are the rows behind it. None is what can not be known.
    """

    layer: str
    waiting: int | None
    what: str
    rows: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Gold:
    """The published gold: version, the load up to which it stands, its age in seconds."""

    version: int
    to_load_id: int
    age_s: float
