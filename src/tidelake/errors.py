"""Every error that tidelake raises on purpose.

    TidelakeError                 anything of ours
    ├── UsageError                the command or request cannot mean anything; exit code 2
    ├── SetupError                a broken setup: stops loudly, a retry would not help
    │   └── IncompatibleError     data or a database made by another version
    ├── TransientError            passing trouble: the caller may try again
    │   ├── UnavailableError      a server, disk or network did not answer
    │   ├── OverloadedError       a bound was reached; `retry_after` says when to come back
    │   └── FailedTakeError       a worker died or failed on some records, nobody knows why
    ├── FencedError               another committer moved our positions: stop, load, start again
    ├── DamagedError              stored bytes are not what was written
    └── BooksError                the books do not balance

A bad *record* is none of these: it is a row in `rejected_events`, and its neighbours go on.
Errors of libraries become ours at the boundary (`raise … from exc`).
"""

from __future__ import annotations

__all__ = [
    "BooksError",
    "DamagedError",
    "FailedTakeError",
    "FencedError",
    "IncompatibleError",
    "OverloadedError",
    "SetupError",
    "TidelakeError",
    "TransientError",
    "UnavailableError",
    "UsageError",
]


class TidelakeError(Exception):
    """What happened, with the value that caused it, and in `hint` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UsageError(TidelakeError):
    """The command or request cannot mean anything."""

    exit_code = 2


class SetupError(TidelakeError):
    """A broken setup: a setting, an installation, a permission."""

    exit_code = 3  # tells a supervisor that starting the part again would not help


class IncompatibleError(SetupError):
    """Data or a database made by another version of tidelake."""


class TransientError(TidelakeError):
    """Passing trouble: the same call may succeed later."""


class UnavailableError(TransientError):
    """A server, disk or network did not answer."""


class OverloadedError(TransientError):
    """A bound was reached; come back after `retry_after` seconds."""

    def __init__(self, message: str, *, hint: str = "", retry_after: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class FailedTakeError(TransientError):
    """A worker died or failed on the records `first..last` of a stream, nobody knows why."""

    def __init__(self, stream: str, first: int, last: int, cause: str) -> None:
        super().__init__(
            f"a worker failed on the records {first}..{last} of {stream}: {cause}",
            hint="Nothing is lost, they are taken again, fewer at a time. If memory was short, "
            "lower TIDELAKE_LAKE_BATCH_BYTES or TIDELAKE_PROCESS_WORKERS.",
        )
        self.stream, self.first, self.last = stream, first, last


class FencedError(TidelakeError):
    """Another committer moved the positions we started from."""


class DamagedError(TidelakeError):
    """Stored bytes are not what was written."""


class BooksError(TidelakeError):
    """The books do not balance: something was lost, doubled or removed by hand."""
