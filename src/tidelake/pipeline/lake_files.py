"""Both lake tables in numbers, from their metadata files alone.

For whoever looks every few seconds and does nothing else with the lake: PyIceberg would cost it
150 MB. Only for lakes in a folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidelake.event.contract import EVENTS, REJECTED
from tidelake.lake.positions import positions

NAMESPACE = "events_db"  # as in lake/tables.py, which stands on PyIceberg


@dataclass(frozen=True, slots=True)
class LakeTable:
    """One table as its current snapshot says it is."""

    name: str
    rows: int
    files: int
    bytes: int
    snapshots: int
    positions: dict[str, int]


@dataclass(slots=True)
class LakeFiles:
    """Reads the metadata files of a warehouse; one is parsed again when a commit replaced it."""

    warehouse: str  # file://…
    _held: dict[str, tuple[str, LakeTable]] = field(default_factory=dict)

    def tables(self) -> list[LakeTable]:
        """Both tables; without those that are not there or lie in an object store."""
        found = (self._table(contract.table) for contract in (EVENTS, REJECTED))
        return [table for table in found if table is not None]

    def _table(self, name: str) -> LakeTable | None:
        if not self.warehouse.startswith("file://"):
            return None
        folder = Path(self.warehouse.removeprefix("file://")) / NAMESPACE / name / "metadata"
        try:
            current = (folder / "version-hint.text").read_text("utf-8").strip()
            known = self._held.get(name)
            if known is None or known[0] != current:
                document = json.loads((folder / f"{current}.metadata.json").read_bytes())
                self._held[name] = (current, _read(name, document))
        except (OSError, ValueError, KeyError):
            self._held.pop(name, None)  # expired between both reads: the next look finds another
            return None
        return self._held[name][1]


def _read(name: str, document: dict[str, Any]) -> LakeTable:
    current = document.get("current-snapshot-id")
    snapshots = document.get("snapshots", [])
    summary: dict[str, Any] = next(
        (s["summary"] for s in snapshots if s["snapshot-id"] == current), {}
    )
    return LakeTable(
        name,
        rows=int(summary.get("total-records", 0)),
        files=int(summary.get("total-data-files", 0)),
        bytes=int(summary.get("total-files-size", 0)),
        snapshots=len(snapshots),
        positions=positions(document["properties"]),
    )
