"""A checksum of a column that PyIceberg, DuckDB and Spark can all compute.

Each value becomes a text that does not depend on how an engine prints numbers or times; the first
32 bits of its MD5 are summed. Null counts apart from the empty text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# (values that are not null, sum of the first 32 bits of their MD5)
Checksum = tuple[int, int]

# The text of a value by kind; `{c}` is the column. A double is compared to a millionth.
DUCKDB = {
    "text": "{c}",
    "number": "cast({c} as varchar)",
    "double": "cast(cast(floor({c} * 1000000) as bigint) as varchar)",
    "bool": "case when {c} then 'true' else 'false' end",
    "timestamp": "cast(epoch_us({c}) as varchar)",
    "date": "cast(date_diff('day', date '1970-01-01', {c}) as varchar)",
    "bytes": "lower(hex({c}))",
    "texts": "array_to_string({c}, ',')",
}
SPARK = {
    **DUCKDB,
    "number": "cast({c} as string)",
    "double": "cast(cast(floor({c} * 1000000) as bigint) as string)",
    "timestamp": "cast(unix_micros({c}) as string)",
    "date": "cast(unix_date({c}) as string)",
    "texts": "array_join({c}, ',')",
}


def kinds_of(schema: pa.Schema) -> dict[str, str]:
    """The kind of each column: a key of `DUCKDB` and `SPARK`."""
    return {field.name: _kind(field.type) for field in schema}


def _kind(kind: pa.DataType) -> str:
    tests = {
        "text": pa.types.is_string(kind) or pa.types.is_large_string(kind),
        "number": pa.types.is_integer(kind),
        "double": pa.types.is_floating(kind),
        "bool": pa.types.is_boolean(kind),
        "timestamp": pa.types.is_timestamp(kind),
        "date": pa.types.is_date(kind),
        "bytes": pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind),
        "texts": pa.types.is_list(kind) or pa.types.is_large_list(kind),
    }
    tests["bytes"] = tests["bytes"] or pa.types.is_large_binary(kind)
    [found] = [name for name, fits in tests.items() if fits]
    return found


def select(kinds: Mapping[str, str], dialect: Mapping[str, str], prefix: str, relation: str) -> str:
    """The query that gives count and sum of every column in one row, in order of `kinds`.

    `prefix` turns eight hexadecimal digits, `{h}`, into a number.
    """
    parts = []
    for column, kind in kinds.items():
        digits = f"substring(md5({dialect[kind].format(c=column)}), 1, 8)"
        parts += [f"count({column})", f"coalesce(sum({prefix.format(h=digits)}), 0)"]
    return f"select {', '.join(parts)} from {relation}"


def pairs(kinds: Mapping[str, str], row: list[Any]) -> dict[str, Checksum]:
    """One row of `select` as checksums by column."""
    numbers = [int(value) for value in row]
    return dict(zip(kinds, zip(numbers[::2], numbers[1::2], strict=True), strict=True))


def of_table(table: pa.Table) -> dict[str, Checksum]:
    """The same checksums, computed by Python from an Arrow table."""
    return {name: _of_values(table[name].to_pylist()) for name in table.column_names}


def _of_values(values: list[Any]) -> Checksum:
    texts = [_text(value) for value in values if value is not None]
    return len(texts), sum(int(hashlib.md5(text).hexdigest()[:8], 16) for text in texts)


def _text(value: Any) -> bytes:
    match value:
        case bool():
            text = "true" if value else "false"
        case float():
            text = str(int(value * 1_000_000 // 1))
        case datetime():
            text = str((value - EPOCH) // timedelta(microseconds=1))
        case date():
            text = str((value - EPOCH.date()).days)
        case bytes():
            text = value.hex()
        case list():
            text = ",".join(value)
        case _:
            text = str(value)
    return text.encode()
