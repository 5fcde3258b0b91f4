"""Which files to rewrite together: merges by tiers, and one sort when a day is over."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tidelake.lake.entries import LiveFile
from tidelake.settings import Care

# A tier holds files with a like number of rows, and `min_files` of them become one of the next. So
# a row is rewritten once a tier, whatever the rate is. Not by size: of files with few rows most is
# footer, twelve of them are hardly larger than one, and they would be rewritten with every look.
LOWEST_TIER_ROWS = 8

# Late events still come in the hours after midnight.
DAY_IS_OVER_AFTER = timedelta(hours=6)
# A sorted day is sorted again when so much has come late that it is worth it.
LATE_SHARE = 0.5
# Alone, a file is sorted from this size on. Below, it is a row group or two, so order lets a reader
# skip nothing; and an archive of a thousand quiet days has a thousand such files.
WORTH_SORTING_BYTES = 8 * 1024 * 1024
MOST_FILES = 1000  # in one rewrite, so that a long backlog is worked off in steps


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Files of one day that become one, or a few of the target size."""

    day: date
    files: tuple[LiveFile, ...]
    sort: bool

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def plan(
    files: Iterable[LiveFile], now: datetime, care: Care, lowest: int | None = None
) -> list[Rewrite]:
    """The rewrites that are due, each of other files, the newest day first: it is asked most.

    Only files at or below `lowest`, the lowest watermark of all consumers (sequence number), are
    touched: a consumer takes each file once, so its rows must not move before it has them.
    """
    days: dict[date, list[LiveFile]] = defaultdict(list)
    for file in files:
        if lowest is None or file.sequence_number <= lowest:
            days[file.day].append(file)
    due: list[Rewrite] = []
    for day, members in sorted(days.items(), reverse=True):
        due += _sorts(day, members, care) if _over(day, now) else _merges(day, members, care)
    return due


def tier(rows: int, care: Care) -> int:
    """0 for files with fewer than eight rows times the fan-in, and so on."""
    return max(0, int(math.log(max(rows, 1) / LOWEST_TIER_ROWS, care.min_files)))


def _over(day: date, now: datetime) -> bool:
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return now >= end + DAY_IS_OVER_AFTER


def _merges(day: date, files: Sequence[LiveFile], care: Care) -> list[Rewrite]:
    tiers: dict[int, list[LiveFile]] = defaultdict(list)
    for file in files:
        if file.size < care.target_file_bytes / 2:
            tiers[tier(file.rows, care)].append(file)
    full = (members for _, members in sorted(tiers.items()) if len(members) >= care.min_files)
    return [
        Rewrite(day, group, sort=False)
        for members in full
        for group in _grouped(members, care.target_file_bytes)
        if len(group) > 1
    ]


def _sorts(day: date, files: Sequence[LiveFile], care: Care) -> list[Rewrite]:
    """All of the day, when nothing of it is sorted or much came late; else merges of the late."""
    late = [file for file in files if not file.sort_order]
    late_bytes = sum(file.size for file in late)
    sorted_bytes = sum(file.size for file in files) - late_bytes
    if late_bytes > LATE_SHARE * sorted_bytes:
        # Whole sorted files stay as they are; small ones are sorted again with what came.
        again = [f for f in files if not f.sort_order or f.size < care.target_file_bytes / 2]
        groups = _grouped(again, care.target_file_bytes)
        return [Rewrite(day, group, sort=True) for group in groups if _worth_sorting(group)]
    return _merges(day, late, care)


def _worth_sorting(group: Sequence[LiveFile]) -> bool:
    if len(group) > 1:
        return True
    return not group[0].sort_order and group[0].size >= WORTH_SORTING_BYTES


def _grouped(files: Iterable[LiveFile], most_bytes: int) -> list[tuple[LiveFile, ...]]:
    """Neighbours in order of arrival, so many as make a file of the target size."""
    groups: list[list[LiveFile]] = []
    size = 0
    for file in sorted(files, key=lambda file: (file.sequence_number, file.location)):
        if not groups or size + file.size > most_bytes or len(groups[-1]) >= MOST_FILES:
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += file.size
    return [tuple(group) for group in groups]
