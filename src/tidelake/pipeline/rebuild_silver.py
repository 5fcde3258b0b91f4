"""`tidelake rebuild silver`: silver made anew from raw, beside the one in use, then exchanged.

The live part goes on meanwhile. Gold sees by the generation of silver's windows that it must be
made anew too, which its next cycle does; the last gold stays published until then.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing, suppress

from tidelake.errors import SetupError, TidelakeError, UnavailableError
from tidelake.pipeline.silver import SilverMaker
from tidelake.pipeline.transformer import Transformer
from tidelake.transform.dbt import ModelError
from tidelake.warehouse import next_silver
from tidelake.warehouse.windows import Window

log = logging.getLogger("tidelake.transform")

TRIES = 20  # of an exchange, each after the windows that came meanwhile
HELD_FOR_S = 900.0  # readers that hold the old silver are waited for so long
STEP_BACK_S = 5.0  # between two tries, for the readers that queued behind the last one
# After a rebuild that failed, twice as long each time: a try costs the window at which it failed.
RETRY_AFTER_S = 60.0
LONGEST_RETRY_S = 1800.0  # less than what was built is kept
LEFT_OVER_AFTER_S = 3600.0  # nobody has gone on with a rebuild that was stopped or killed


def rebuild_silver(
    ours: Transformer, report: Callable[[str], None], stopped: Callable[[], bool]
) -> Window | None:
    """Makes silver anew from all of raw; gives its last window, None where raw is empty.

    May be stopped, killed or fail at any time: what is in use stays as it was, and the next call
    goes on from what was built. Raises `SetupError`, `UnavailableError` or `ModelError`.
    """
    owner_url = ours.warehouse.owner_url
    if owner_url is None:
        raise SetupError(
            "silver can not be rebuilt with this login: it may make no schemas",
            hint="Let TIDELAKE_POSTGRES_URL name the owner of the database.",
        )
    with next_silver.alone(owner_url) as nobody_else:
        if not nobody_else:
            raise UnavailableError("another process rebuilds silver", hint="Wait until it is done.")
        if others := next_silver.dependents(owner_url):
            # Before hours of work: people's objects are theirs, so nobody drops them for them.
            raise SetupError(
                f"silver can not be exchanged, since others depend on it: {', '.join(others)}",
                hint="Drop those objects, rebuild silver, and make them again.",
            )
        zone = ours.warehouse.settings.transform.timezone
        if next_silver.begin(owner_url, ours.silver.models, zone):
            report("going on from the rebuild that was not finished")
        last = _built_and_exchanged(ours, owner_url, report, stopped)
        if last is None:
            _given_up(owner_url)
        return last


def rebuild_where_needed(
    ours: Transformer, report: Callable[[str], None], stopped: Callable[[], bool]
) -> str:
    """Rebuilds silver, loudly, where it can not be gone on from; raises as `rebuild_silver` does.

    That is so when its days are those of another time zone than the settings name, when raw lost
    rows that are in it, since the lake was rolled back or repaired, and when other models made it.
    With other models it is gone on from all the same where it can not be made anew, so that news
    still come: gives then what is to be known and done, else an empty text.
    """
    windows, zone = ours.silver.windows, ours.warehouse.settings.transform.timezone
    # Of a first window that was not done tables may hold rows all the same.
    begun = windows.last_done() or windows.unfinished()
    if begun is None:
        return ""
    if begun.timezone != zone:
        why = f"its days are those of {begun.timezone}, and the settings name {zone}"
    elif lost := windows.lost_rows():
        why = f"raw lost rows that are in it ({lost})"
    elif windows.outdated(ours.silver.models):
        return _of_these_models(ours, report, stopped)
    else:
        return ""
    try:
        _anew(ours, why, report, stopped)
    except (ModelError, SetupError) as exc:
        ours.tell_readers(f"silver must be made anew, and can not be: {why}; {exc.message}")
        raise
    return ""


OUTDATED = "part of silver was made by older models, and "
LACKS_DAYS = (
    OUTDATED + "raw lacks days to make it anew: "
    "`tidelake rebuild raw --all`, then `tidelake rebuild silver`"
)


def _of_these_models(
    ours: Transformer, report: Callable[[str], None], stopped: Callable[[], bool]
) -> str:
    """Rebuilds a silver of older models; gives why not, where it is gone on from instead."""
    owner_url = ours.warehouse.owner_url or ours.warehouse.database_url
    if not next_silver.can_begin(owner_url):
        return LACKS_DAYS
    if others := next_silver.dependents(owner_url):
        return f"{OUTDATED}these depend on it: {', '.join(others)}; drop them and make them again"
    if ours.rebuild_after > time.monotonic():
        return ours.rebuild_failed
    try:
        _anew(ours, "its models have changed since", report, stopped)
    except (ModelError, SetupError) as exc:
        log.exception("silver is gone on from as it is")
        waited = min(max(RETRY_AFTER_S, 2 * ours.rebuild_wait_s), LONGEST_RETRY_S)
        ours.rebuild_wait_s, ours.rebuild_after = waited, time.monotonic() + waited
        ours.rebuild_failed = (
            f"{OUTDATED}making it anew fails: {' '.join(exc.message.split())}; "
            "`tidelake rebuild silver` goes on from there"
        )
        return ours.rebuild_failed
    return ""


def _anew(
    ours: Transformer, why: str, report: Callable[[str], None], stopped: Callable[[], bool]
) -> None:
    log.warning("silver is made anew from all of raw, and gold after it: %s", why)
    report(f"silver is made anew: {why}")
    rebuild_silver(ours, report, stopped)


def clear_left_over(ours: Transformer) -> None:
    """Drops what a rebuild left that was killed and not run again: it holds back retention."""
    owner_url = ours.warehouse.owner_url
    if owner_url and next_silver.clear_left_over(owner_url, LEFT_OVER_AFTER_S):
        log.warning("what was left of a rebuild of silver that nobody went on with is dropped")


def _built_and_exchanged(
    ours: Transformer, owner_url: str, report: Callable[[str], None], stopped: Callable[[], bool]
) -> Window | None:
    in_use = ours.silver.windows.last_done()
    generation = in_use.generation + 1 if in_use else 1
    url, transform = ours.warehouse.database_url, ours.warehouse.settings.transform
    target = ours.target("silver", suffix="_next")
    deadline = None  # of readers, once they were in the way
    with closing(SilverMaker(url, target, transform, silver="next")) as making:
        tries = 0
        while tries < TRIES:
            last = _caught_up(making, generation, report, stopped)
            if last is None:
                return None
            try:
                with ours.turn() as alone:
                    if not alone:
                        raise _stopped()
                    # What was loaded meanwhile is little; nobody makes a window of the old one now.
                    last = _caught_up(making, generation, report, stopped) or last
                    if next_silver.exchange(owner_url):
                        return last
                tries += 1
            except next_silver.HeldByReadersError as exc:
                deadline = deadline or time.monotonic() + HELD_FOR_S
                if time.monotonic() > deadline:
                    raise
                report(f"{exc.message}; trying again")
                if ours.pause(STEP_BACK_S):
                    raise _stopped() from exc
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
            raise _stopped()
    return making.windows.last_done()


def _stopped() -> UnavailableError:
    return UnavailableError(
        "the rebuild was stopped", hint="Run it again: it goes on from what was built."
    )


def _given_up(owner_url: str) -> None:
    with suppress(TidelakeError):  # the next call drops it too
        next_silver.give_up(owner_url)
