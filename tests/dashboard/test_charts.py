"""What a chart decides before it is drawn."""

from __future__ import annotations

from datetime import date

import pytest

from tidelake.dashboard.charts import Point, _stand_alone


@pytest.mark.parametrize(
    ("values", "dots"),
    [
        ([None, None, 0.2, None, None], True),
        ([1, 2, 3, 4, 5], False),
        ([1, 2, 3, 4, None, 5], True),
        ([1, 2], True),
    ],
)
def test_a_value_that_no_line_would_reach_gets_a_dot(
    values: list[float | None], dots: bool
) -> None:
    points = [Point(date(2026, 11, n), value) for n, value in enumerate(values, 1)]

    assert _stand_alone(points) == dots
