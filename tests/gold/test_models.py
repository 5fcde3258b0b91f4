"""The given and expected rows beside the models hold."""

from __future__ import annotations

from tests.gold.stand import Stand


def test_each_model_with_logic_gives_the_rows_written_beside_it(stand: Stand) -> None:
    results = stand.unit_tests()
    assert len(results) > 10
    assert [(one.name, one.message) for one in results if one.status != "pass"] == []
