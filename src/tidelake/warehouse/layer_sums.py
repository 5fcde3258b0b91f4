"""The sums behind the books of raw, silver and gold, taken together in one statement.

The windows of silver are summed from where the last reading ended, so that whoever reads them all
the time pays for the new ones only.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidelake.warehouse.session import Connection

SUMS = """
with last as (
    select to_load_id, generation
    from tidelake.windows
    where status = 'done' order by to_load_id desc limit 1
),

published as (
    select version, to_load_id, generation, events
    from tidelake.publications order by version desc limit 1
),

more as (
    select
        coalesce(sum(raw_rows), 0) as raw_rows,
        coalesce(sum(new_events), 0) as new_events,
        coalesce(sum(repeats), 0) as repeats,
        coalesce(sum(rejected), 0) as rejected,
        count(*) filter (where raw_rows <> new_events + repeats) as uneven
    from tidelake.windows
    where
        status = 'done'
        and to_load_id > case
            when (select generation from last) = %(generation)s then %(to_load_id)s else 0
        end
),

ahead as (
    select
        coalesce(sum(rows) filter (where table_name = 'events'), 0) as events,
        coalesce(sum(rows) filter (where table_name = 'rejected_events'), 0) as rejects
    from tidelake.loads
    where load_id > coalesce((select to_load_id from last), 0)
),

unpublished as (
    select coalesce(sum(new_events), 0) as new_events
    from tidelake.windows
    where status = 'done' and to_load_id > (select to_load_id from published)
),

removed as (
    select coalesce(sum(removed), 0) as rows
    from tidelake.reconciliations
    where
        highest_load_id <= (select to_load_id from last)
        and at > (select min(started_at) from tidelake.windows)
)

select
    coalesce(last.to_load_id, 0), coalesce(last.generation, 0),
    more.raw_rows, more.new_events, more.repeats, more.rejected, more.uneven,
    ahead.events, ahead.rejects, removed.rows,
    published.version, published.to_load_id, published.generation, published.events,
    unpublished.new_events,
    (
        select json_object_agg(table_name, json_build_array(rows, set_aside, unexplained))
        from tidelake.load_totals
    )
from more, ahead, unpublished, removed
left join last on true
left join published on true
"""


@dataclass(frozen=True, slots=True)
class Windows:
    """Sums of the done windows of one generation of silver, up to a load."""

    to_load_id: int = 0
    generation: int = 0
    raw_rows: int = 0
    new_events: int = 0
    repeats: int = 0
    rejected: int = 0
    uneven: int = 0  # windows whose rows are not their new events and repeats


@dataclass(frozen=True, slots=True)
class Published:
    """The newest gold, by its row."""

    version: int
    to_load_id: int
    generation: int
    events: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Everything at one moment; `totals` are rows, set aside, unexplained by table of raw."""

    totals: dict[str, tuple[int, int, int]]
    windows: Windows
    events_ahead: int  # rows of loads that silver does not hold
    rejects_ahead: int
    removed: int  # rows that a reconcile took out of loads that silver holds
    published: Published | None
    unpublished: int  # new events of windows that the published gold does not hold


def read_sums(connection: Connection, known: Windows | None = None) -> Sums:
    """Reads on from `known`, a reading of before; costs by the windows and loads since then."""
    known = known or Windows()
    since = {"generation": known.generation, "to_load_id": known.to_load_id}
    row = connection.execute(SUMS, since).fetchone()
    assert row is not None  # one row, always
    totals = row[15] or {}
    published = Published(*row[10:14]) if row[10] is not None else None
    return Sums(
        totals={table: (numbers[0], numbers[1], numbers[2]) for table, numbers in totals.items()},
        windows=_added(known, [int(number) for number in row[:7]]),
        events_ahead=int(row[7]),
        rejects_ahead=int(row[8]),
        removed=int(row[9]),
        published=published,
        unpublished=int(row[14]),
    )


def _added(known: Windows, more: list[int]) -> Windows:
    to_load_id, generation, *sums = more
    if generation != known.generation:
        return Windows(to_load_id, generation, *sums)
    before = (known.raw_rows, known.new_events, known.repeats, known.rejected, known.uneven)
    return Windows(
        to_load_id, generation, *(old + new for old, new in zip(before, sums, strict=True))
    )
