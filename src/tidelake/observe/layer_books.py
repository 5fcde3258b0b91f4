"""The books beyond the lake, by the ledgers of raw, silver and gold.

raw      every row of the lake is loaded, set aside, or waits
silver   rows of the loads up to its watermark = new events + repeats
gold     new events up to its load = the events that it counts
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tidelake.observe.books import Finding


@dataclass(frozen=True, slots=True)
class RawBooks:
    """One table of raw: rows loaded (those that retention dropped included) and set aside.

    `unexplained` are rows that the lake has beyond these, and no reconcile could tell which.
    """

    table: str
    loaded: int = 0
    set_aside: int = 0
    unexplained: int = 0

    @property
    def accounted(self) -> int:
        return self.loaded + self.set_aside


@dataclass(frozen=True, slots=True)
class SilverBooks:
    """What the windows say that silver took, and what the loads up to its watermark brought.

    `removed` are rows that a reconcile with the lake took out of loads that silver had already.
    """

    to_load_id: int = 0
    loaded: int = 0
    raw_rows: int = 0
    new_events: int = 0
    repeats: int = 0
    rejects_loaded: int = 0
    rejects: int = 0
    uneven_windows: int = 0  # their rows are not their new events and repeats
    removed: int = 0


@dataclass(frozen=True, slots=True)
class GoldBooks:
    """The published gold: the events that it counts, and silver's up to the same load.

    `expected` is None while gold is made from a silver that was rebuilt since.
    """

    version: int
    to_load_id: int
    events: int
    expected: int | None


@dataclass(frozen=True, slots=True)
class LayerBooks:
    """All layers beyond the lake at one moment."""

    events: RawBooks
    rejects: RawBooks
    silver: SilverBooks
    gold: GoldBooks | None

    def wrong(self) -> list[Finding]:
        """Everything that does not add up."""
        return [*_of_raw(self.events), *_of_raw(self.rejects), *self._of_silver(), *self._of_gold()]

    def _of_silver(self) -> Iterator[Finding]:
        silver = self.silver
        why = f"; {silver.removed:,} of them left raw since" if silver.removed else ""
        mend = "`tidelake rebuild silver` makes it anew"
        for what, loaded, taken in (
            ("rows of events", silver.loaded, silver.raw_rows),
            ("rejects", silver.rejects_loaded, silver.rejects),
        ):
            if loaded != taken:
                yield Finding(
                    "silver",
                    f"silver took {taken:,} {what} up to load {silver.to_load_id:,}, the loads "
                    f"brought {loaded:,} ({loaded - taken:+,}){why}: {mend}",
                )
        if silver.uneven_windows:
            yield Finding(
                "silver",
                f"{silver.uneven_windows:,} windows of silver took other rows than their new "
                f"events and repeats are: {mend}",
            )

    def _of_gold(self) -> Iterator[Finding]:
        gold = self.gold
        if gold is not None and gold.expected is not None and gold.events != gold.expected:
            yield Finding(
                "gold",
                f"gold version {gold.version} counts {gold.events:,} events up to load "
                f"{gold.to_load_id:,}, silver {gold.expected:,} ({gold.events - gold.expected:+,}):"
                " `tidelake rebuild gold` makes it anew",
            )


def _of_raw(raw: RawBooks) -> Iterator[Finding]:
    if raw.unexplained:
        yield Finding(
            "raw",
            f"the lake's {raw.table} has {raw.unexplained:+,} rows against those loaded and set "
            "aside, and a comparison could not tell which: `tidelake status --recount`",
        )
