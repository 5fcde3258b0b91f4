"""`tidelake transform`: everything that is loaded comes to silver and gold, once, by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tidelake.errors import UsageError
from tidelake.pipeline.break_off import broken_off_by
from tidelake.pipeline.rebuild_silver import rebuild_silver, rebuild_where_needed
from tidelake.pipeline.stopping import Stop
from tidelake.pipeline.transformer import Transformer, transformer
from tidelake.pipeline.warehouse import opened_warehouse
from tidelake.settings import Settings
from tidelake.transform.dbt import Progress
from tidelake.warehouse.data_tests import DataTest

Layer = Literal["silver", "gold"]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to make: one layer or both, all anew or what is new, chosen models, the data tests."""

    layer: Layer | None = None
    full: bool = False
    select: Sequence[str] = ()
    test: bool = False

    def wants(self, layer: Layer) -> bool:
        return self.layer in (None, layer)


def transform_once(
    settings: Settings, wish: Wish, stop: Stop, report: Report, progress: Progress
) -> list[DataTest]:
    """Does what is wished, between two cycles of a pipeline that runs; gives tests that failed.

    `report` gets a sentence for every step. Raises `ModelError` with the model that failed.
    """
    if wish.full and wish.select and wish.wants("silver"):
        raise UsageError(
            "--full of chosen models is not possible in silver: each window builds on the last",
            hint="`tidelake rebuild silver` makes all of it; --layer gold can choose.",
        )
    with (
        opened_warehouse(settings, "transform") as warehouse,
        transformer(warehouse, stop, progress) as ours,
        broken_off_by(stop, ours.break_off),
    ):
        if wish.select:
            _chosen(ours, wish, report)
        elif wish.full:
            _anew(ours, wish, stop, report)
        else:
            _news(ours, wish, stop, report)
        return _tested(ours, report) if wish.test and not stop else []


def rebuild_gold(ours: Transformer, report: Report) -> None:
    """`tidelake rebuild gold`: makes gold from all of silver in a private file, and publishes it.

    May be killed at any time: readers keep what they have, and the next call begins anew.
    """
    with ours.turn() as alone:
        made = ours.gold.rebuild() if alone else None
    report(f"gold version {made.version} is made anew" if made else "silver is empty, so is gold")


def _news(ours: Transformer, wish: Wish, stop: Stop, report: Report) -> None:
    if wish.wants("silver") and (alert := rebuild_where_needed(ours, report, stop.__bool__)):
        report(alert)
    made = False
    while not stop:
        cycle = ours.cycle(silver=wish.wants("silver"), gold=wish.wants("gold"))
        if not cycle.window and not cycle.published:
            break
        made = True
        report(str(cycle))
    while not stop and ours.compact():
        pass  # windows by windows, so that a pipeline that runs has its turn between
    if not made and not stop:
        report("nothing new: silver and gold hold all that is loaded")


def _anew(ours: Transformer, wish: Wish, stop: Stop, report: Report) -> None:
    if wish.wants("silver"):
        last = rebuild_silver(ours, report, stop.__bool__)
        report(f"silver is made anew up to load {last.to_load_id}" if last else "raw is empty")
    if wish.wants("gold"):
        rebuild_gold(ours, report)


def _chosen(ours: Transformer, wish: Wish, report: Report) -> None:
    with ours.turn() as alone:
        if alone and wish.wants("silver"):
            ran = ours.silver.run_again(wish.select)
            report(f"silver: {len(ran)} models ran again for the last window")
        if alone and wish.wants("gold"):
            made = ours.gold.run_again(wish.select)
            if made:
                report(f"gold version {made.version}: the chosen models are made anew")


def _tested(ours: Transformer, report: Report) -> list[DataTest]:
    tests = ours.test()
    failed = [one for one in tests if not one.passed]
    report(f"{len(tests)} data tests, {len(failed)} failed")
    return failed
