"""Lakes made by hand, for queries whose answers are reckoned by hand."""

from __future__ import annotations

import pytest
from tests.gold.independent.handmade import HandMade


@pytest.fixture
def made() -> HandMade:
    return HandMade()
