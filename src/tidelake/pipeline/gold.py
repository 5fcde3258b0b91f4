"""Gold: the news of silver are added to a private copy of the last version, which is published.

Which loads a file holds stands in the file, so a file is what it says, whoever was killed when.
A version is a row of tidelake.publications before readers are led to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from tidelake import crash
from tidelake.errors import UnavailableError
from tidelake.settings import Transform
from tidelake.transform.dbt import DbtTarget, NodeResult, Value
from tidelake.transform.gold import GoldFolder
from tidelake.transform.project import fingerprint
from tidelake.transform.workfile import Standing, compact, stamp, standing
from tidelake.warehouse.publications import Publication, Publications
from tidelake.warehouse.windows import Window, Windows

log = logging.getLogger("tidelake.transform")

WORTH_COMPACTING = 16 * 1024 * 1024  # bytes of a gold file


class GoldMaker:
    """Makes gold from silver and publishes it; `dbt` is the target gold.

    Whoever calls it holds the folder's lock. After any error the private file is thrown away, and
    what was published last stays. Not for several threads.
    """

    def __init__(
        self,
        database_url: str,
        dbt: DbtTarget,
        settings: Transform,
        folder: GoldFolder,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._dbt = dbt
        self._settings = settings
        self._folder = folder
        self._now = now
        # Of now: dbt parses the project once, so what is edited later is not what runs.
        self._models = fingerprint(dbt.project, "gold")
        self._windows = Windows(database_url)
        self._publications = Publications(database_url)
        self._held: Standing | None = None  # what this process published last
        self._held_generation = 0
        self._summed = (0, 0, 0)  # generation, load id, the new events of silver up to there
        self._compact_from = WORTH_COMPACTING
        self._told: set[str] = set()

    def parse(self) -> None:
        """Parses the project ahead of the first run. Raises `SetupError`."""
        self._dbt.parse()

    def behind(self) -> bool:
        """Whether readers have another gold than these models make of silver as it stands.

        Costs a look at a file and two queries of an index each.
        """
        last = self._windows.last_done()
        if last is None:
            return False
        version = self._folder.current()
        known = None if version is None else self._publications.get(version)
        return known is None or (known.to_load_id, known.generation, known.models) != (
            last.to_load_id,
            last.generation,
            self._models,
        )

    def catch_up(self, trouble: str = "") -> Standing | None:
        """Brings gold to silver's watermark; gives what was published, None where nothing was new.

        `trouble` is shown to readers; a change of it alone publishes too. Raises `ModelError`.
        """
        last = self._windows.last_done()
        if last is None:
            return None
        base = self.base(last)
        if base is not None and base.to_load_id == last.to_load_id and base.trouble == trouble:
            return None
        return self._make(base, last, trouble)

    def rebuild(self) -> Standing | None:
        """Makes gold from all of silver, beside what is published, and publishes it."""
        last = self._windows.last_done()
        return None if last is None else self._make(None, last, "")

    def say(self, trouble: str) -> Standing | None:
        """Publishes what is published already, once more, with the trouble that readers see."""
        last = self._windows.last_done()
        base = None if last is None else self.base(last)
        if last is None or base is None or base.trouble == trouble:
            return None
        with self._copy_of(base):
            return self._publish(base.from_load_id, base.to_load_id, last, trouble)

    def test(self) -> list[NodeResult]:
        """Runs the data tests of gold on a copy of what is published."""
        last = self._windows.last_done()
        base = None if last is None else self.base(last)
        if last is None or base is None:
            return []
        with self._copy_of(base):
            return self._dbt.test(self._values(base.from_load_id, base.to_load_id, last, base, ""))

    def take_copy(self) -> None:
        """Makes the private file a copy of what is published, for who only wants to look at it."""
        last = self._windows.last_done()
        base = None if last is None else self.base(last)
        self._folder.take_copy(base.version if base else None)

    def run_again(self, select: Sequence[str]) -> Standing | None:
        """Makes gold anew from all of silver, but only the models that `select` names."""
        last = self._windows.last_done()
        base = None if last is None else self.base(last)
        if last is None or base is None:
            return self.catch_up()
        return self._make_selected(base, last, select)

    def forget(self, before: datetime) -> None:
        """Forgets what was published before then; files go by their own rule."""
        self._publications.prune(before)

    def base(self, last: Window) -> Standing | None:
        """The newest version that can be gone on from; None where gold must be made from nothing.

        `last` is silver's last window. Readers are led to that version, should a run have been
        killed before it did. Says loudly why a version can not be used.
        """
        current = self._folder.current()
        held = self._held
        if (
            held
            and (held.version, self._held_generation) == (current, last.generation)
            and self._windows.is_end(held.to_load_id)
        ):
            return held
        for version in sorted(self._folder.versions(), reverse=True):
            found = standing(self._folder.file(version))
            why = self._distrust(version, found, last)
            if found is None or why:
                self._tell(version, why, current)
                continue
            if version != current:
                log.warning("readers are led to version %d of gold, the last good one", version)
                self._folder.point_at(version)
            return found
        return None

    def close(self) -> None:
        self._windows.close()
        self._publications.close()

    def _distrust(self, version: int, found: Standing | None, last: Window) -> str:
        """Why a version is not gone on from; empty where it is."""
        if found is None:
            return "it can not be read as a gold file"
        known = self._publications.get(version)
        if found.version != version or known is None or known.to_load_id != found.to_load_id:
            return "tidelake.publications does not know it"
        if known.models != self._models:
            return "the models of gold have changed since"
        if known.generation != last.generation:
            return "silver was rebuilt since"
        if found.timezone != last.timezone:
            return f"its days are those of {found.timezone}, silver's are those of {last.timezone}"
        if found.to_load_id > last.to_load_id or not self._windows.is_end(found.to_load_id):
            return f"it stands at load {found.to_load_id}, where no window of silver ends"
        return ""

    def _tell(self, version: int, why: str, current: int | None) -> None:
        said = f"version {version} of gold is not gone on from: {why}"
        if why not in self._told:
            self._told.add(why)
            # A version beyond the pointer is what a killed run left.
            level = logging.INFO if current is not None and version > current else logging.WARNING
            log.log(level, "%s", said)

    def _make(self, base: Standing | None, last: Window, trouble: str) -> Standing:
        """Applies the windows after `base` to a private copy of it, in chunks, and publishes."""
        if base is None and self._folder.versions():
            log.warning("gold is made anew from all of silver")
        before = self._windows.compacted()
        with self._copy_of(base):
            reached = start = base.to_load_id if base else 0
            while reached < last.to_load_id:
                end = self._windows.ends(reached, self._settings.window_rows)
                assert end is not None, "silver's last window lies ahead"
                self._dbt.run(self._values(reached, end, last, base, trouble))
                start, reached = reached, end
            if self._windows.compacted() != before:
                # Of a change that was read, what takes it back may be gone by now.
                raise UnavailableError(
                    "another run put changes of silver together while gold was made",
                    hint="This one is thrown away, the next cycle makes it again.",
                )
            crash.point("transform.gold_made")
            return self._publish(start, reached, last, trouble)

    def _make_selected(self, base: Standing, last: Window, select: Sequence[str]) -> Standing:
        with self._copy_of(base):
            values = self._values(0, base.to_load_id, last, base, base.trouble)
            # With what they pull from silver, which no file keeps.
            wanted = [f"+{one},path:models/gold" for one in select]
            self._dbt.run(values, wanted, full_refresh=True)
            return self._publish(base.from_load_id, base.to_load_id, last, base.trouble)

    def _values(
        self, from_load_id: int, to_load_id: int, last: Window, base: Standing | None, trouble: str
    ) -> dict[str, Value]:
        return {
            "from_load_id": from_load_id,
            "to_load_id": to_load_id,
            "timezone": last.timezone,
            "version": self._next_version(),
            "published_at": self._now().isoformat(),
            "trouble": trouble,
            "names_a_day": self._settings.names_a_day,
        }

    def _publish(self, start: int, end: int, last: Window, trouble: str) -> Standing:
        said = Standing(self._next_version(), start, end, self._now(), last.timezone, trouble)
        events = stamp(self._folder.work, said)
        self._compare(events, end, last.generation)
        self._compact_where_worth_it()
        path = self._folder.store(said.version)
        size = path.stat().st_size
        if not self._publications.insert(
            Publication(
                said.version,
                end,
                last.generation,
                said.published_at,
                events,
                size,
                path.name,
                self._models,
            )
        ):
            self._folder.remove_version(said.version)
            raise UnavailableError(
                f"another run published version {said.version} of gold",
                hint="This one is thrown away, the next cycle goes on from that.",
            )
        self._folder.point_at(said.version)
        self._held, self._held_generation = said, last.generation
        self._prune()
        return said

    def _compare(self, events: int, end: int, generation: int) -> None:
        expected = self._expected(end, generation)
        if events != expected:
            log.error(
                "gold counts %d events, silver has taken %d up to load %d; `tidelake rebuild gold` "
                "makes it anew, `tidelake status --recount` names the layer at fault",
                events,
                expected,
                end,
            )

    def _expected(self, end: int, generation: int) -> int:
        """Silver's events up to `end`; of those counted before, only what came since is read."""
        known, start, events = self._summed
        if known != generation or start > end or not self._windows.is_end(start):
            start = events = 0
        events += self._windows.events(start, end)
        self._summed = (generation, end, events)
        return events

    @contextmanager
    def _copy_of(self, base: Standing | None) -> Iterator[None]:
        """The private file as a copy of `base`, to be published or thrown away within."""
        try:
            self._folder.take_copy(base.version if base else None)
            yield
        except BaseException:
            self._held = None
            raise
        finally:
            self._folder.discard_work()

    def _next_version(self) -> int:
        latest = self._publications.latest()
        known = [latest.version if latest else 0, self._folder.current() or 0]
        return max(known) + 1

    def _compact_where_worth_it(self) -> None:
        """Where the private file has doubled since it was written anew: each cycle copies it."""
        if self._folder.work.stat().st_size < self._compact_from:
            return
        compact(self._folder.work)
        self._compact_from = max(2 * self._folder.work.stat().st_size, WORTH_COMPACTING)

    def _prune(self) -> None:
        keep, keep_s = self._settings.keep_versions, self._settings.keep_min * 60
        self._folder.prune(keep, keep_s, self._settings.keep_bytes, self._now().timestamp())
