"""Positions and counters as table properties.

They stand in properties and not only in snapshot summaries, because compaction and expiry remove
summaries, and are written in the same metadata version as the rows. One property a stream, so that
a committer compares and sets its own streams and carries the others over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

POSITION = "tidelake.position."
COUNT = "tidelake.count."

# On events: rows that stand in the table, what was taken for them, and what is not a row any more.
EVENTS = "events"
RAW_BYTES = "raw-bytes"
REPLAYED = "replayed"
ROLLED_BACK = "rolled-back"
FINISHED = "finished"  # records of streams whose position was dropped, because their file is done
# On rejected_events: records, without those lost in damaged frames; those; and one a reason.
REJECTED = "rejected"
DAMAGED = "damaged"
REASON = "reason."

# Records of these streams were accepted once before, under the stream they are replayed from.
REPLAY_SOURCE = "replay/"


def positions(properties: Mapping[str, str]) -> dict[str, int]:
    """The position of each stream that the table knows."""
    return {
        name.removeprefix(POSITION): int(value)
        for name, value in properties.items()
        if name.startswith(POSITION)
    }


def position_properties(entries: Mapping[str, int]) -> dict[str, str]:
    return {POSITION + stream: str(number) for stream, number in entries.items()}


def position_names(streams: Iterable[str]) -> list[str]:
    return [POSITION + stream for stream in streams]


def counts(properties: Mapping[str, str]) -> dict[str, int]:
    """Every counter of the table, by the name without `tidelake.count.`."""
    return {
        name.removeprefix(COUNT): int(value)
        for name, value in properties.items()
        if name.startswith(COUNT)
    }


def added(properties: Mapping[str, str], more: Mapping[str, int]) -> dict[str, str]:
    """The counters of `more` as properties, each with what the table has already."""
    known = counts(properties)
    return {COUNT + name: str(known.get(name, 0) + number) for name, number in more.items()}
