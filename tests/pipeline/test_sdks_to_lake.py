"""What Segment's SDKs send is in the lake with its type, user and time; a retry is known."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter, defaultdict
from datetime import datetime, timedelta

from tests.collect.relay import losing_answers
from tests.collect.sdks import CALLS, WHEN, installed_node_sdk, send_from_node, send_from_python
from tests.pipeline.running import STOP_WITHIN_S

from tidelake.lake.tables import load_table
from tidelake.pipeline.collect import collector_url
from tidelake.pipeline.lakehouse import opened
from tidelake.settings import Settings

TYPES = {
    "user_identify",
    "purchase",
    "page_view",
    "screen_view",
    "group_identify",
    "user_alias",
}
COLUMNS = ("event_key", "event_id", "event_type", "user_id", "event_time", "format")


def test_both_sdks_reach_the_lake_and_a_forced_retry_has_the_same_event_key(
    running: subprocess.Popen[str], home_settings: Settings
) -> None:
    url = collector_url(home_settings.home)
    assert url is not None
    for send in (send_from_python, lambda to: send_from_node(to, installed_node_sdk())):
        with losing_answers(url, lost=1) as relay:
            send(relay)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=STOP_WITHIN_S)

    with opened(home_settings) as lakehouse:
        table = load_table(lakehouse.catalog, "events")
        rows = table.scan(selected_fields=COLUMNS).to_arrow().to_pylist()

    keys: dict[str, set[bytes]] = defaultdict(set)
    for row in rows:
        keys[row["event_id"]].add(row["event_key"])
    assert len(keys) == 2 * len(CALLS)
    assert all(len(found) == 1 for found in keys.values())
    assert len(rows) > len(keys), "the SDKs sent again what had lost its answer"
    assert {row["event_type"] for row in rows} == TYPES
    assert {row["user_id"] for row in rows} == {"u1"}
    # By Segment's rule the time is moved by what `sentAt` lags behind: here the way to us alone.
    stated = datetime.fromisoformat(WHEN)
    assert all(abs(row["event_time"] - stated) < timedelta(seconds=60) for row in rows)
    once = {row["event_key"]: row["event_type"] for row in rows}
    assert Counter(once.values()) == dict.fromkeys(TYPES, 2)
