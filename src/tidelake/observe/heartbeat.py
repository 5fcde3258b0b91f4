"""Heartbeats: what each part of a running pipeline says of itself, once a second.

A part writes `run/<part>.json` in the home; the monitor and `up` read them all. They are no record
of anything: lost at a crash, and written anew by the next start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STALE_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last word of one part; `at` is epoch seconds."""

    part: str
    pid: int
    at: float
    values: Mapping[str, Any]

    def stale(self, now: float) -> bool:
        return now - self.at > STALE_AFTER_S

    @property
    def concern(self) -> str:
        """What is wrong, before what is to be known though the part works; empty for neither."""
        return str(self.values.get("trouble") or self.values.get("alert") or "")


def beat(home: Path, part: str, now: float, values: Mapping[str, Any]) -> None:
    """Replaces the part's heartbeat; readers see the old one or the new one, never half of it."""
    folder = home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"pid": os.getpid(), "at": now, "values": values})
    # Not through `files`: a heartbeat is worth nothing after a crash, so nothing is synced.
    fresh = folder / f".{part}.json.new"
    fresh.write_text(text, "utf-8")
    fresh.replace(folder / f"{part}.json")


def read(home: Path) -> dict[str, Heartbeat]:
    """The heartbeats of all parts; one that can not be read counts as absent."""
    found = {}
    for path in sorted((home / "run").glob("*.json")):
        try:
            said = json.loads(path.read_text("utf-8"))
            found[path.stem] = Heartbeat(path.stem, said["pid"], said["at"], said["values"])
        except (OSError, ValueError, KeyError):
            continue
    return found


def forget(home: Path, part: str) -> None:
    """Removes the part's heartbeat: it stopped on purpose."""
    (home / "run" / f"{part}.json").unlink(missing_ok=True)
