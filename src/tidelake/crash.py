"""Named points at which a test kills the process.

`TIDELAKE_CRASH_AT=inbox.after_write` makes the process kill itself (SIGKILL) when it passes that
point, `inbox.after_write:3` when it passes it for the third time. Without the variable a point
costs one comparison. The environment is read at import, and not by the settings: no user chooses to
crash, and the crash must reach every child process, also those that no setting reaches.
"""

from __future__ import annotations

import os
import signal
from typing import Final, NoReturn

from tidelake.errors import SetupError

VARIABLE: Final = "TIDELAKE_CRASH_AT"

POINTS: Final = {
    "inbox.before_write": "a group of requests is gathered, nothing of it is written",
    "inbox.after_write": "the frame is written, not yet synced",
    "inbox.after_sync": "the frame is durable, readers do not know of it",
    "inbox.after_mark": "readers know of the frame, the clients have no answer",
    "inbox.before_seal": "a segment is full and about to be left",
    "inbox.new_segment": "the next segment has its durable name and holds nothing",
    "collect.before_answer": "the records are durable, the answer is not sent",
    "encode.after_parquet": "a Parquet file is written, not yet synced",
    "encode.after_store": "a Parquet file is durable, no table knows it",
    "commit.before_rejects": "the files of a batch are durable, its rejects are not committed",
    "commit.after_rejects": "rejects are committed, their version hint is the previous one",
    "commit.before_rejects_hint": "the version hint of the rejects is about to be replaced",
    "commit.before_events": "rejects are committed and pointed at, events are not committed",
    "commit.after_events": "events are committed, their version hint is the previous one",
    "commit.after_hint": "both tables are committed and pointed at, the source is not released",
    "commit.after_release": "the source has been told to forget the batch",
    "source.before_done": "all records of a file are committed, it is not marked as done",
    "source.after_done": "a file is marked as done",
    "care.before_swap": "compacted files are durable, the table has the old ones",
    "care.after_swap": "the table has the compacted files, the old ones still exist",
    "load.after_claim": "a file is in the ledger, its rows are not in raw",
    "load.after_copy": "the rows of a file are in raw, they are not counted",
    "load.before_commit": "a load is whole and not committed",
    "load.after_commit": "a load is committed, those that wait behind it are not",
    "reconcile.before_removal": "rows that the lake lost are deleted, it is not committed",
    "reconcile.before_end": "raw is as the lake, the watermark is where the reconcile began",
    "retention.before_commit": "a day of load is dropped, it is not committed",
    "rebuild.before_swap": "raw made anew has taken the place of the old one, it is not committed",
    "rebuild.after_swap": "raw made anew is in place, the loader still waits",
    "transform.window_begun": "a window is written down, none of its models has run",
    "transform.silver_made": "all models of a window have run, it is not marked as done",
    "transform.gold_made": "gold's models have run in the private file, nothing is published",
    "transform.after_store": "the next version of gold is durable, nobody knows of it",
    "transform.before_pointer": "the version is known to PostgreSQL, readers get the one before",
    "transform.after_pointer": "readers get the new version",
}


def _parse(wanted: str) -> tuple[str, int]:
    """Name and pass of a value of the variable; ("", 0) where there is none."""
    name, _, passes = wanted.partition(":")
    if name and (name not in POINTS or not (passes or "1").isdigit()):
        raise SetupError(
            f"{VARIABLE}={wanted} names no crash point",
            hint=f"Use NAME or NAME:PASS with one of: {', '.join(POINTS)}.",
        )
    return name, int(passes or "1") if name else 0


_wanted, _passes_left = _parse(os.environ.get(VARIABLE, ""))
_armed = bool(_wanted)


def point(name: str) -> None:
    """Kill the process here if the environment asks for it."""
    if _armed:
        _pass(name)


def _pass(name: str) -> None:
    global _passes_left  # noqa: PLW0603 - the count belongs to the process, as the variable does
    if name not in POINTS:
        raise SetupError(f"the crash point {name} is not registered in tidelake.crash.POINTS")
    if name == _wanted:
        _passes_left -= 1
        if _passes_left == 0:
            _die()


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process that was sent SIGKILL went on")
