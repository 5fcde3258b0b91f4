"""Rows of a chart as an Arrow table, made from plain buffers.

`pa.array` and `Table.from_pylist` import pandas wherever it is installed, as it is with Streamlit:
a second of CPU before the first page, and 60 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Columns as in the first row: numbers become doubles, everything else text; None is null."""
    import pyarrow as pa

    names = list(rows[0]) if rows else []
    columns = [_column([row[name] for row in rows]) for name in names]
    return pa.Table.from_arrays(columns, names=names)


def _column(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    return _doubles(values) if kinds <= {int, float} else _texts(values)


def _doubles(values: Sequence[float | None]) -> pa.Array:
    import pyarrow as pa

    data = array("d", (0.0 if value is None else float(value) for value in values))
    return pa.Array.from_buffers(pa.float64(), len(values), [_valid(values), pa.py_buffer(data)])


def _texts(values: Sequence[Any]) -> pa.Array:
    import pyarrow as pa

    encoded = [b"" if value is None else str(value).encode("utf-8", "replace") for value in values]
    offsets = array("i", accumulate(map(len, encoded), initial=0))
    buffers = [_valid(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.utf8(), len(values), buffers)


def _valid(values: Sequence[Any]) -> pa.Buffer:
    """The bitmap of what is not null, lowest bit first."""
    import pyarrow as pa

    bits = bytearray((len(values) + 7) // 8)
    for place, value in enumerate(values):
        if value is not None:
            bits[place // 8] |= 1 << place % 8
    return pa.py_buffer(bytes(bits))
