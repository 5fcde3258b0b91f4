"""The two changes a committer makes: rows with their positions, and a finished stream dropped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash
from pyiceberg.table.update import RemovePropertiesUpdate, SetPropertiesUpdate

from tidelake.errors import FencedError
from tidelake.lake.data_file import data_file
from tidelake.lake.positions import (
    FINISHED,
    REPLAY_SOURCE,
    added,
    position_names,
    position_properties,
    positions,
)
from tidelake.lake.producers import merge_append
from tidelake.lake.writer import StoredFile, StoredRange

if TYPE_CHECKING:
    from pyiceberg.table import Table
    from pyiceberg.table.update import UpdatesAndRequirements

COMMIT_ID = "tidelake.commit-id"


def commit_id(group: Sequence[StoredRange]) -> str:
    """The same for the same files and ranges, whenever they are committed; 32 hex digits."""
    digest = xxhash.xxh3_128()
    for one in group:
        digest.update(f"{one.stream} {one.first} {one.last}\n".encode())
        for file in one.files:
            digest.update(f"{file.location}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Moves:
    """From where to where a commit moves each of its streams; 0 is a stream not seen yet."""

    prior: Mapping[str, int]
    new: Mapping[str, int]

    @classmethod
    def between(cls, known: Mapping[str, int], ends: Mapping[str, int]) -> Moves:
        return cls({stream: known.get(stream, 0) for stream in ends}, dict(ends))

    @property
    def all_move(self) -> bool:
        return all(self.prior[stream] != self.new[stream] for stream in self.new)

    def seen(self, table: Table) -> dict[str, int]:
        known = positions(table.properties)
        return {stream: known.get(stream, 0) for stream in self.new}


@dataclass(frozen=True, slots=True)
class Append:
    """Files, the positions behind them and the counters that go with them, as one snapshot."""

    files: tuple[StoredFile, ...]
    moves: Moves
    counts: Mapping[str, int]
    summary: Mapping[str, str]
    identity: str
    finished: Callable[[str], int | None]

    @property
    def what(self) -> str:
        return f"commit {', '.join(f'{s} to {n}' for s, n in self.moves.new.items())}"

    def done(self, table: Table) -> bool:
        if self.moves.all_move:
            return self.moves.seen(table) == self.moves.new
        # A late reject moves nothing: only the snapshot itself tells whether it is there. It is
        # looked for within seconds, so it is among the last hundred.
        return any(
            snapshot.summary is not None and snapshot.summary[COMMIT_ID] == self.identity
            for snapshot in table.metadata.snapshots
        )

    def check(self, table: Table) -> None:
        seen = self.moves.seen(table)
        for stream, prior in self.moves.prior.items():
            if seen[stream] != prior:
                raise _fenced(table, stream, f"stands at {seen[stream]}, not at {prior}")
            # A finished stream has no position any more: without this look it would seem new.
            if prior == 0 and self.finished(stream) is not None:
                raise _fenced(table, stream, "is finished")

    def build(self, table: Table) -> UpdatesAndRequirements:
        producer = merge_append(table, self._summary())
        for file in self.files:
            producer.append_data_file(data_file(file, table))
        updates, requirements = producer._commit()
        properties = position_properties(self.moves.new) | added(table.properties, self.counts)
        return (*updates, SetPropertiesUpdate(updates=properties)), requirements

    def _summary(self) -> dict[str, str]:
        moved = {s: [self.moves.prior[s], self.moves.new[s]] for s in self.moves.new}
        return {
            COMMIT_ID: self.identity,
            "tidelake.positions": json.dumps(moved, separators=(",", ":")),
            **self.summary,
        }


@dataclass(frozen=True, slots=True)
class Forget:
    """Drops the position of a stream that is marked as finished, by an empty snapshot."""

    stream: str
    records: int
    books: bool  # keep its records in the books of this table

    @property
    def what(self) -> str:
        return f"drop the position of {self.stream}"

    def done(self, table: Table) -> bool:
        return self.stream not in positions(table.properties)

    def check(self, table: Table) -> None:
        at = positions(table.properties)[self.stream]
        if self.books and at != self.records:
            raise _fenced(table, self.stream, f"stands at {at}, not at its end {self.records}")

    def build(self, table: Table) -> UpdatesAndRequirements:
        updates, requirements = merge_append(table, {"tidelake.finished": self.stream})._commit()
        dropped = RemovePropertiesUpdate(removals=position_names([self.stream]))
        changes = [*updates, dropped]
        if self.books and not self.stream.startswith(REPLAY_SOURCE):
            counted = added(table.properties, {FINISHED: self.records})
            changes.append(SetPropertiesUpdate(updates=counted))
        return tuple(changes), requirements


def _fenced(table: Table, stream: str, what: str) -> FencedError:
    return FencedError(
        f"{'.'.join(table.name())}: {stream} {what}: another committer has it",
        hint="Nothing is lost: stop this one, or start it again from the committed positions.",
    )
