"""`tidelake` with a fault built in: `python -m tests.crash.mutants FAULT[+FAULT] …`.

Each is a way in which the path could have been built, and would then lose or double records.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from pyiceberg.table.update import SetPropertiesUpdate

from tidelake import crash, files
from tidelake.lake import pointer
from tidelake.lake.append import Append
from tidelake.lake.commit import Committer
from tidelake.lake.positions import added, position_properties
from tidelake.lake.swap import Swapper, nothing
from tidelake.pipeline import ingest
from tidelake.pipeline.loop import Loop


def _rejects_after_events(self: Committer, group: Any, tally: Any, identity: str) -> None:
    """Nothing: the patched `_commit_events` does it when it is too late."""


_commit_events, _commit_rejects = Committer._commit_events, Committer._commit_rejects


def _events_then_rejects(self: Committer, group: Any, ends: Any, tally: Any, identity: str) -> Any:
    table = _commit_events(self, group, ends, tally, identity)
    _commit_rejects(self, group, tally, identity)
    return table


_commit = Loop._commit


def _release_first(self: Loop, group: Any) -> None:
    for one in group:
        self._source.release(one.stream, one.last)
    crash.point("commit.after_release")
    _commit(self, group)


_build = Append.build


def _property_only(self: Append, table: Any) -> Any:
    if self.files:
        return _build(self, table)
    properties = position_properties(self.moves.new) | added(table.properties, self.counts)
    return (SetPropertiesUpdate(updates=properties),), ()


_swap_commit = Swapper._commit


def _asleep(self: Swapper, table: Any, change: Any) -> None:
    """Stops itself, once, between deciding on an empty commit and making it."""
    if isinstance(change, Append) and not change.files and not _slept:
        _slept.append(True)
        self.before_swap = lambda _: os.kill(os.getpid(), signal.SIGSTOP)
    try:
        _swap_commit(self, table, change)
    finally:
        self.before_swap = nothing


_slept: list[bool] = []


def _no_hint(table: Any) -> None:
    """The pointer stays where the tables' making left it."""


@contextmanager
def _nobody_waits(_home: Any, _work: Any, _stop: Any) -> Iterator[bool]:
    """A second ingest of a home does not know of the first."""
    yield True


def _strict_disk() -> files.Disk:
    """Of the main process. Encoders are started anew and do as the environment says."""
    return files.VolatileDisk()


PROGRAM = ("-m", "tests.crash.mutants")

Patch = tuple[Any, str, Callable[..., Any]]
FAULTS: dict[str, tuple[Patch, ...]] = {
    "rejects after events": (
        (Committer, "_commit_rejects", _rejects_after_events),
        (Committer, "_commit_events", _events_then_rejects),
    ),
    "release before commit": ((Loop, "_commit", _release_first),),
    "empty append as a property-only move": ((Append, "build", _property_only),),
    "pointer dropped": ((pointer, "publish", _no_hint),),
    "nobody waits": ((ingest, "alone", _nobody_waits),),
    # PyIceberg reads what it wrote: without syncs of its own a commit does not get to its end.
    "syncs left out by encoders alone": ((files, "open_disk", _strict_disk),),
    "asleep before an empty commit": ((Swapper, "_commit", _asleep),),
}


def main() -> None:
    from tidelake.cli import main as tidelake

    with ExitStack() as built_in:
        for fault in sys.argv.pop(1).split("+"):
            for where, name, faulty in FAULTS[fault]:
                built_in.enter_context(mock.patch.object(where, name, faulty))
        tidelake()


if __name__ == "__main__":
    main()
