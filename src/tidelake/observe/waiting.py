"""How long what waits has waited, as far as somebody who looks again and again can tell."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Waiting:
    """Remembers when which count of accepted records was first seen."""

    _came: deque[tuple[float, int]] = field(default_factory=deque)

    def look(self, at: float, accepted: int, taken: int) -> float:
        """Seconds since the first look that saw a record which still waits; 0 where none does."""
        if not self._came or self._came[-1][1] != accepted:
            self._came.append((at, accepted))
        while self._came and self._came[0][1] <= taken:
            self._came.popleft()
        return at - self._came[0][0] if self._came else 0.0
