"""Durable raw records between whoever receives them and the lake.

An inbox is a folder of *lanes*; each lane has one writing process and is one stream of records,
numbered from 1. A lane is a run of *segments*, append-only files; a segment is a run of *frames*,
each the records of some requests under one checksum and one sync. The *mark* of a lane is its last
record that is durable and may be read.

A record is accepted when `LaneWriter.append` returns: it will be read, in order, exactly as it was
given, or be named as lost in a `Gap` if its bytes were damaged since. What was refused or cut off
by a crash may have been written and may then be read as well: its sender sends it again.
"""

from tidelake.inbox.bound import InboxBound
from tidelake.inbox.frame import Damage, Frame
from tidelake.inbox.lane import LaneState
from tidelake.inbox.reader import DEFAULT_BOUNDS, Bounds, Inbox
from tidelake.inbox.records import Records
from tidelake.inbox.segments import SegmentLimits
from tidelake.inbox.take import InboxTake
from tidelake.inbox.verify import Finding, Verified, verify
from tidelake.inbox.writer import LaneWriter

__all__ = [
    "DEFAULT_BOUNDS",
    "Bounds",
    "Damage",
    "Finding",
    "Frame",
    "Inbox",
    "InboxBound",
    "InboxTake",
    "LaneState",
    "LaneWriter",
    "Records",
    "SegmentLimits",
    "Verified",
    "verify",
]
