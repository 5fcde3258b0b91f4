"""The memory that requests under way may take together."""

from __future__ import annotations

import sys

from tidelake.collect.exchange import Refusal

RETRY_S = 1
# What is not read in chunks: small enough that as many as there may be connections do no harm.
SMALL_BYTES = 64 * 1024


class Held:
    """Bytes that the requests of this process keep in memory: those that arrived, not announced
    ones, or a few silent connections would close the collector to everybody."""

    def __init__(self, bound: int = sys.maxsize) -> None:
        self.bytes = 0
        self._bound = bound

    def take(self, size: int, own: int) -> None:
        """Counts `size` more for a request that holds `own`; raises `Refusal` over the bound.

        A request that is alone is never refused: it would be again, however often it came.
        """
        if self.bytes > own and self.bytes + size > self._bound:
            raise Refusal(
                503,
                "overloaded",
                f"requests under way hold {self.bytes:,} bytes",
                f"Nothing of this request was stored: send it again in {RETRY_S} s.",
                (("retry-after", str(RETRY_S)),),
            )
        self.bytes += size

    def give_back(self, size: int) -> None:
        self.bytes -= size

    def trouble(self) -> str:
        """Why an ordinary request would be refused now; empty where it would not."""
        if self.bytes and self.bytes + SMALL_BYTES > self._bound:
            return (
                f"requests under way hold {self.bytes:,} bytes of "
                f"{self._bound:,} (collect.max_held_bytes)"
            )
        return ""
