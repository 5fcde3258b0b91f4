"""Every schema as text, by the name that `tidelake schema export` takes."""

from __future__ import annotations

import json
from collections.abc import Callable

from tidelake.errors import UsageError
from tidelake.event.contract import EVENTS, REJECTED

# name: committed file that holds the exported text, kept fresh by a test
FILES = {
    "arrow": "docs/schema/arrow.txt",
    "iceberg": "docs/schema/iceberg.json",
    "postgres": "docs/schema/raw.sql",
    "prisma": "prisma/schema.prisma",
    "jsonschema": "docs/schema/event.schema.json",
    "columns": "docs/schema/columns.md",
}


def export(language: str) -> str:
    """The contract in one language; raises `UsageError` for a language that is not known."""
    try:
        return _EXPORTS[language]()
    except KeyError:
        raise UsageError(
            f"{language!r} is no schema language", hint=f"Choose one of {', '.join(_EXPORTS)}."
        ) from None


def _arrow() -> str:
    from tidelake.event.schemas.arrow import arrow_schema

    shown = (
        f"# {c.table}\n{arrow_schema(c).to_string(show_field_metadata=True)}\n"
        for c in (EVENTS, REJECTED)
    )
    return "\n".join(shown)


def _iceberg() -> str:
    from tidelake.event.schemas.iceberg import day_partition, iceberg_schema

    document = {
        contract.table: {
            "schema": json.loads(iceberg_schema(contract).model_dump_json()),
            "partition-spec": json.loads(day_partition(contract).model_dump_json()),
        }
        for contract in (EVENTS, REJECTED)
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _postgres() -> str:
    from tidelake.event.schemas.postgres import postgres_ddl

    return "create schema if not exists raw;\n\n" + "\n".join(map(postgres_ddl, (EVENTS, REJECTED)))


def _prisma() -> str:
    from tidelake.event.schemas.prisma import prisma_schema

    return prisma_schema(EVENTS, REJECTED)


def _jsonschema() -> str:
    from tidelake.event.schemas.jsonschema import json_schema

    return json.dumps(json_schema(EVENTS), indent=2, ensure_ascii=False) + "\n"


def _columns() -> str:
    from tidelake.event.schemas.columns import column_tables

    return column_tables(EVENTS, REJECTED)


_EXPORTS: dict[str, Callable[[], str]] = {
    "arrow": _arrow,
    "iceberg": _iceberg,
    "postgres": _postgres,
    "prisma": _prisma,
    "jsonschema": _jsonschema,
    "columns": _columns,
}
