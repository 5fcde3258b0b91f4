"""Realistic mock events from a seed and a clock.

    catalogue, channels, places, devices    what there is
    population                              who visits
    sessions, visits, rhythm                what they do, and when
    render                                  events become lines of NDJSON
    faults, spoil                           bad records and repeats
    stream                                  chunks, of a history or live
    file_sink, http_sender                  chunks to where they are wanted

Each file uses only those above it.
"""

from tidelake.generate.faults import FAULTS
from tidelake.generate.spec import DEFAULT_USERS, GeneratorSpec, Tally, spread_bad
from tidelake.generate.spoil import Chunk
from tidelake.generate.stream import Clock, generate, live

__all__ = [
    "DEFAULT_USERS",
    "FAULTS",
    "Chunk",
    "Clock",
    "GeneratorSpec",
    "Tally",
    "generate",
    "live",
    "spread_bad",
]
