"""The wire formats: for each one function that reads a record into a `Statement`.

A new format is a file here with a `read` and a line in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tidelake.process.formats import cloudevents, native, segment
from tidelake.process.statement import Context, Received, Statement

Reader = Callable[[Received, Context], Statement]

READERS: Mapping[str, Reader] = {
    "native": native.read,
    "segment": segment.read,
    "cloudevents": cloudevents.read,
}
