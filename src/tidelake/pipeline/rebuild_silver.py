"""`tidelake rebuild silver`: silver made anew from raw, beside the one in use, then exchanged.

The live part goes on meanwhile. Gold sees by the generation of silver's windows that it must be
made anew too, which its next cycle does; the last gold stays published until then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing, suppress

from tidelake import files
from tidelake.errors import SetupError, TidelakeError, UnavailableError
from tidelake.pipeline.silver import SilverMaker
from tidelake.pipeline.transformer import Transformer
from tidelake.warehouse import next_silver
from tidelake.warehouse.windows import Window

log = logging.getLogger("tidelake.transform")

TRIES = 20  # of an exchange, each after the windows that came meanwhile


def rebuild_silver(
    ours: Transformer, report: Callable[[str], None], stopped: Callable[[], bool]
) -> Window | None:
    """Makes silver anew from all of raw; gives its last window, None where raw is empty.

    May be killed at any time: what is in use stays as it was, and the next call begins anew.
    Raises `SetupError`, `UnavailableError` or `ModelError`.
    """
    owner_url = ours.warehouse.owner_url
    if owner_url is None:
        raise SetupError(
            "silver can not be rebuilt with this login: it may make no schemas",
            hint="Let TIDELAKE_POSTGRES_URL name the owner of the database.",
        )
    lock = files.open_disk().lock(ours.warehouse.settings.home / "run" / "rebuild.lock")
    if lock is None:
        raise UnavailableError(
            "another process of this home rebuilds silver", hint="Wait until it is done."
        )
    try:
        next_silver.begin(owner_url)
        return _built_and_exchanged(ours, owner_url, report, stopped)
    except BaseException:
        with suppress(TidelakeError):  # the next call drops it too
            next_silver.give_up(owner_url)
        raise
    finally:
        lock.release()


def rebuild_where_needed(
    ours: Transformer, report: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    """Rebuilds silver, loudly, where it can not be gone on from; raises as `rebuild_silver` does.

    That is so when its days are those of another time zone than the settings name, and when raw
    lost rows that are in it, since the lake was rolled back or repaired.
    """
    last, zone = ours.silver.windows.last_done(), ours.warehouse.settings.transform.timezone
    if last is None:
        return
    if last.timezone != zone:
        why = f"its days are those of {last.timezone}, and the settings name {zone}"
    elif lost := ours.silver.windows.lost_rows():
        why = f"raw lost rows that are in it ({lost})"
    else:
        return
    log.warning("silver is made anew from all of raw, and gold after it: %s", why)
    report(f"silver is made anew: {why}")
    rebuild_silver(ours, report, stopped)


def _built_and_exchanged(
    ours: Transformer, owner_url: str, report: Callable[[str], None], stopped: Callable[[], bool]
) -> Window | None:
    in_use = ours.silver.windows.last_done()
    generation = in_use.generation + 1 if in_use else 1
    url, transform = ours.warehouse.database_url, ours.warehouse.settings.transform
    target = ours.target("silver", suffix="_next")
    with closing(SilverMaker(url, target, transform, silver="next")) as making:
        for _ in range(TRIES):
            last = _caught_up(making, generation, report, stopped)
            if last is None:
                return None
            with ours.turn() as alone:
                if not alone:
                    raise UnavailableError("the rebuild was stopped", hint="Run it again.")
                # What was loaded meanwhile is little; nobody makes a window of the old one now.
                last = _caught_up(making, generation, report, stopped) or last
                if next_silver.exchange(owner_url):
                    return last
    raise UnavailableError("silver was not exchanged: raw grows too fast", hint="Try it again.")


def _caught_up(
    making: SilverMaker,
    generation: int,
    report: Callable[[str], None],
    stopped: Callable[[], bool],
) -> Window | None:
    """Makes every window there is; gives the last one made by now."""
    while window := making.make_window(generation):
        report(f"window {window}: {window.new_events:,} new events, {window.repeats:,} repeats")
        if stopped():
            raise UnavailableError("the rebuild was stopped", hint="Run it again.")
    return making.windows.last_done()
