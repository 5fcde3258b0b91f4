"""Which records of a stream stand in `rejected_events` already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidelake.batch import split_position
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.table import Table


def judged_records(rejects: Table, stream: str, after: int, until: int) -> dict[int, int]:
    """Records by number of the rejects in `(after, until]`; a gap stands at its first."""
    from pyiceberg.expressions import StartsWith

    with translated(f"read the rejected records of {stream}"):
        found = rejects.scan(
            # mypy reads the fields of the model, not its own __init__(term, literal).
            row_filter=StartsWith("source_position", f"{stream}/"),  # type: ignore[call-arg, arg-type, misc]
            selected_fields=("source_position", "records"),
        ).to_arrow()
    placed = map(split_position, found["source_position"].to_pylist())
    return {
        number: records
        for (of, number), records in zip(placed, found["records"].to_pylist(), strict=True)
        if of == stream and after < number <= until
    }
