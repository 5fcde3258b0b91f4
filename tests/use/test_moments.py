"""Times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tidelake.errors import UsageError
from tidelake.pipeline.moments import maybe_moment, moment

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("now", "2026-11-23T10:15:00+00:00"),
        ("today", "2026-11-23T00:00:00+00:00"),
        ("yesterday", "2026-11-22T00:00:00+00:00"),
        ("10 minutes ago", "2026-11-23T10:05:00+00:00"),
        ("an hour ago", "2026-11-23T09:15:00+00:00"),
        ("90s", "2026-11-23T10:13:30+00:00"),
        ("1.5 h", "2026-11-23T08:45:00+00:00"),
        ("2W", "2026-11-09T10:15:00+00:00"),
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("2026-11-23T10:15:00+01:00", "2026-11-23T10:15:00+01:00"),
        ("2026-11-23 10:15Z", "2026-11-23T10:15:00+00:00"),
    ],
)
def test_a_time_is_read(text: str, means: str) -> None:
    assert moment(text, NOW).isoformat() == means


@pytest.mark.parametrize("text", ["", "soon", "4 fortnights ago", "2026-13-01", "20261123"])
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    assert maybe_moment(text, NOW) is None
    with pytest.raises(UsageError, match="is no time"):
        moment(text, NOW)
