"""Which records of a stream stand in `rejected_events` already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidelake.batch import split_position
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.table import Table


def judged_numbers(rejects: Table, stream: str, after: int, until: int) -> set[int]:
    """Numbers in `(after, until]` of the stream's rejected records; a gap counts by its first."""
    from pyiceberg.expressions import StartsWith

    with translated(f"read the rejected records of {stream}"):
        scan = rejects.scan(
            # mypy reads the fields of the model, not its own __init__(term, literal).
            row_filter=StartsWith("source_position", f"{stream}/"),  # type: ignore[call-arg, arg-type]
            selected_fields=("source_position",),
        )
        columns = scan.to_arrow().column("source_position").to_pylist()
    numbers = (split_position(position) for position in columns)
    return {number for of, number in numbers if of == stream and after < number <= until}
