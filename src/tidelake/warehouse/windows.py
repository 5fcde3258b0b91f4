"""The windows of load ids that silver takes, one at a time, and how far it is.

A window `(from_load_id, to_load_id]` is written down before anything is made of it, and keeps its
bounds until all of it is done: whoever comes after a crash or a failed model does the same again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tidelake.warehouse.session import Connection, Session

Status = Literal["running", "done", "failed"]
Silver = Literal["in use", "next"]

#: A window takes at most this many loads: what lies further ahead is not even looked at.
LOADS_AHEAD = 10_000

TABLES: dict[Silver, str] = {"in use": "tidelake.windows", "next": "tidelake.windows_next"}

COLUMNS = (
    "from_load_id, to_load_id, generation, timezone, status, started_at, finished_at, "
    "raw_rows, new_events, repeats, rejected, failed_model, message, models"
)

AHEAD = """
with ahead as (
    select load_id, sum(rows) over (order by load_id) as rows_so_far
    from (
        select load_id, rows from tidelake.loads
        where load_id > %(from_load_id)s
        order by load_id
        limit %(loads)s
    ) as loads
)

select coalesce(max(load_id) filter (where rows_so_far <= %(rows)s), min(load_id)) from ahead
"""

COUNTS = """
select
    coalesce(sum(rows) filter (where table_name = 'events'), 0),
    coalesce(sum(rows) filter (where table_name = 'rejected_events'), 0)
from tidelake.loads
where load_id > %(from_load_id)s and load_id <= %(to_load_id)s
"""


@dataclass(frozen=True, slots=True)
class Window:
    """One window; the counts and the end are None until it is done.

    `raw_rows` are the rows that its loads put into raw.events, `rejected` those of
    raw.rejected_events, `failed_model` and `message` what failed in the last try. `models` is the
    fingerprint of the models that took it; None where it is not known, or more than one.
    """

    from_load_id: int
    to_load_id: int
    generation: int
    timezone: str
    status: Status
    started_at: datetime
    finished_at: datetime | None = None
    raw_rows: int | None = None
    new_events: int | None = None
    repeats: int | None = None
    rejected: int | None = None
    failed_model: str | None = None
    message: str | None = None
    models: str | None = None

    def __str__(self) -> str:
        return f"({self.from_load_id}, {self.to_load_id}]"


class Windows:
    """The table `tidelake.windows`, or that of the silver which is built to take its place.

    `target` is a URL, or a connection whose transaction it joins. Raises UnavailableError when
    the database does not answer.
    """

    def __init__(self, target: str | Connection, silver: Silver = "in use") -> None:
        self._session = Session(target)
        self._table = TABLES[silver]

    def news(self) -> bool:
        """Whether raw holds loads beyond the watermark; costs one look at two indexes."""
        return (
            self._one(
                f"""
            select exists (
                select from tidelake.loads
                where load_id > coalesce(
                    (select max(to_load_id) from {self._table} where status = 'done'), 0
                )
            )
            """
            )
            is True
        )

    def last_done(self) -> Window | None:
        """The window up to whose end silver is made."""
        return self._window(
            f"select {COLUMNS} from {self._table} where status = 'done' "
            "order by to_load_id desc limit 1"
        )

    def unfinished(self) -> Window | None:
        """The window that was begun and is not done."""
        return self._window(f"select {COLUMNS} from {self._table} where status <> 'done'")

    def begin(
        self, rows: int, timezone: str, generation: int = 1, models: str | None = None
    ) -> Window | None:
        """The window to be made now, written down as running; None where raw holds nothing new.

        One that was begun before keeps its bounds, its time zone, its generation, its models, and
        its start: what was made of it then may still be there, which `lost_rows` and `outdated`
        have to know. A new one takes as many loads as fit into `rows` rows, one at least; its
        generation is that of the window before it, `generation` for the first.
        """
        return self._session.run(
            lambda connection: self._begin(connection, rows, timezone, generation, models)
        )

    def rows_of(self, window: Window) -> tuple[int, int]:
        """The rows that its loads put into raw.events and raw.rejected_events."""
        bounds = {"from_load_id": window.from_load_id, "to_load_id": window.to_load_id}
        events, rejects = self._session.run(
            lambda connection: connection.execute(COUNTS, bounds).fetchone()
        ) or (0, 0)
        return int(events), int(rejects)

    def outdated(self, models: str) -> bool:
        """Whether a window was taken by other models than these; costs three looks at an index."""
        query = f"""
        select
            (select min(models) from {self._table}) <> %(models)s
            or (select max(models) from {self._table}) <> %(models)s
            or exists (select from {self._table} where models is null)
        """
        return self._one(query, {"models": models}) is True

    def compacted(self) -> tuple[int, int]:
        """The generation, and up to where changes were put together: what is read in pieces is
        whole where neither changed meanwhile.
        """
        query = f"""
        select
            coalesce((select generation from {self._table} where status = 'done'
                order by to_load_id desc limit 1), 0),
            coalesce((select max(to_load_id) from {self._table} where compacted), 0)
        """
        generation, load_id = self._session.run(
            lambda connection: connection.execute(query.encode()).fetchone()
        ) or (0, 0)
        return int(generation), int(load_id)

    def reopen(self) -> Window | None:
        """Makes the last window a running one again; None where there is none, or one is open."""
        return self._window(
            f"""
            update {self._table} set status = 'running'
            where
                to_load_id = (select max(to_load_id) from {self._table})
                and status = 'done'
            returning {COLUMNS}
            """
        )

    def done(self, window: Window, new_events: int, repeats: int) -> Window:
        """Marks a window as done, with what was made of it, and gives it with all counts.

        Waits for models that another run has under way for the same window.
        """

        def mark(connection: Connection) -> Window:
            bounds = {"from_load_id": window.from_load_id, "to_load_id": window.to_load_id}
            raw_rows, rejected = connection.execute(COUNTS, bounds).fetchone() or (0, 0)
            row = connection.execute(
                f"""
                update {self._table}
                set status = 'done', finished_at = clock_timestamp(), failed_model = null,
                    message = null, raw_rows = %s, new_events = %s, repeats = %s, rejected = %s
                where to_load_id = %s
                returning {COLUMNS}
                """.encode(),
                (raw_rows, new_events, repeats, rejected, window.to_load_id),
            ).fetchone()
            return _as_window(row)

        return self._session.run(mark)

    def failed(self, window: Window, model: str, message: str) -> None:
        """Writes down why a window was not done; one that another run finished stays done."""
        query = f"""
        update {self._table}
        set status = 'failed', finished_at = clock_timestamp(), failed_model = %s, message = %s
        where to_load_id = %s and status <> 'done'
        """
        values = (model, message, window.to_load_id)
        self._session.run(lambda connection: connection.execute(query.encode(), values))

    def ends(self, after: int, rows: int) -> int | None:
        """The end of the last of the done windows after `after` that fit into `rows` raw rows.

        One window at least; None where there is none.
        """
        query = f"""
        with ahead as (
            select to_load_id, sum(raw_rows) over (order by to_load_id) as rows_so_far
            from {self._table}
            where status = 'done' and to_load_id > %s
        )

        select coalesce(max(to_load_id) filter (where rows_so_far <= %s), min(to_load_id))
        from ahead
        """
        found = self._one(query, (after, rows))
        return None if found is None else int(found)

    def events(self, after: int, until: int) -> int:
        """The new events of the done windows that end in `(after, until]`."""
        query = (
            f"select coalesce(sum(new_events), 0)::bigint from {self._table} "
            "where status = 'done' and to_load_id > %s and to_load_id <= %s"
        )
        return int(self._one(query, (after, until)))

    def is_end(self, load_id: int) -> bool:
        """Whether news can be told from `load_id` on: a done window ends there, or it is 0, where
        the first one begins, and no change before it was put together with one after it.
        """
        query = f"""
        select exists (
            select from {self._table}
            where
                status = 'done' and to_load_id = %s
                and to_load_id >= coalesce(
                    (select max(to_load_id) from {self._table} where compacted), 0
                )
        )
        """
        return load_id == 0 or self._one(query, (load_id,)) is True

    def merge(self, before: datetime, rows: int) -> int:
        """Puts together windows that were done before then, with their sums; gives how many.

        Each that comes of it has about `rows` raw rows: gold is made anew window by window.
        Seventeen thousand windows a day are looked at one by one by nobody after a month.
        """
        groups = f"""
        with old as (
            select *, div(sum(raw_rows) over (order by to_load_id) - 1, %s) as part
            from {self._table}
            where status = 'done' and finished_at < %s
        )

        select
            count(*), min(from_load_id), max(to_load_id), max(generation), max(timezone),
            min(started_at), max(finished_at), sum(raw_rows), sum(new_events), sum(repeats),
            sum(rejected),
            case when count(models) = count(*) and min(models) = max(models) then min(models) end,
            bool_or(compacted)
        from old
        group by part
        having count(*) > 1
        """
        delete = f"delete from {self._table} where to_load_id > %s and to_load_id <= %s"
        insert = f"""
        insert into {self._table}
        (
            from_load_id, to_load_id, generation, timezone, started_at, finished_at,
            raw_rows, new_events, repeats, rejected, models, compacted, status
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'done')
        """

        def work(connection: Connection) -> int:
            # Whoever exchanges silver replaces all windows, between the look and the deletion.
            connection.execute(f"lock table {self._table} in exclusive mode".encode())
            found = connection.execute(groups.encode(), (rows, before)).fetchall()
            for _, *sums in found:
                connection.execute(delete.encode(), sums[:2])
                connection.execute(insert.encode(), sums)
            return sum(count for count, *_ in found)

        return self._session.run(work)

    def lost_rows(self) -> str:
        """Why raw lost rows of which windows were made, in the words of the loader; empty: no."""
        query = f"""
        select reason from tidelake.reconciliations as done
        where
            removed > 0
            and exists (
                select from {self._table} as made
                where made.started_at < done.at and made.from_load_id < done.highest_load_id
            )
        order by id desc
        limit 1
        """
        return str(self._one(query) or "")

    def close(self) -> None:
        """Close the connection, if this object opened it."""
        self._session.close()

    def _begin(
        self,
        connection: Connection,
        rows: int,
        timezone: str,
        generation: int,
        models: str | None,
    ) -> Window | None:
        again = connection.execute(
            f"""
            update {self._table}
            set status = 'running', finished_at = null
            where status <> 'done'
            returning {COLUMNS}
            """.encode()
        ).fetchone()
        if again is not None:
            return _as_window(again)
        last = connection.execute(
            f"select to_load_id, generation from {self._table} where status = 'done' "
            "order by to_load_id desc limit 1".encode()
        ).fetchone()
        watermark, generation = last or (0, generation)
        values = {"from_load_id": watermark, "rows": rows, "loads": LOADS_AHEAD}
        (end,) = connection.execute(AHEAD, values).fetchone() or (None,)
        if end is None:
            return None
        begun = connection.execute(
            f"""
            insert into {self._table} (from_load_id, to_load_id, generation, timezone, models)
            values (%s, %s, %s, %s, %s)
            on conflict do nothing
            returning {COLUMNS}
            """.encode(),
            (watermark, end, generation, timezone, models),
        ).fetchone()
        # Another run was faster; its window is the one that the next call finds.
        return None if begun is None else _as_window(begun)

    def _one(self, query: str, values: tuple[Any, ...] | dict[str, Any] = ()) -> Any:
        row = self._session.run(
            lambda connection: connection.execute(query.encode(), values).fetchone()
        )
        return None if row is None else row[0]

    def _window(self, query: str) -> Window | None:
        row = self._session.run(lambda connection: connection.execute(query.encode()).fetchone())
        return None if row is None else _as_window(row)


def _as_window(row: tuple[Any, ...] | None) -> Window:
    assert row is not None, "a statement with returning gives its row"
    return Window(*row)
