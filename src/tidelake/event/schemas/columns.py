"""The columns as Markdown tables, for people."""

from __future__ import annotations

from tidelake.event.contract import Contract
from tidelake.event.fields import Field
from tidelake.event.verdicts import Flag, Reason

HEAD = """\
| column | type | path in a native event | meaning | unit | personal |
|---|---|---|---|---|---|"""


def column_tables(*contracts: Contract) -> str:
    """One table per contract, and the closed lists of reasons and flags."""
    parts = ["<!-- Made by `tidelake schema export columns`; do not edit. -->"]
    for contract in contracts:
        rows = "\n".join(_row(field) for field in contract)
        parts.append(f"## {contract.table}\n\n{contract.meaning}\n\n{HEAD}\n{rows}")
    parts.append("## Reasons\n\n" + ", ".join(f"`{reason}`" for reason in Reason))
    parts.append("## Flags\n\n" + ", ".join(f"`{flag}`" for flag in Flag))
    return "\n\n".join(parts) + "\n"


def _row(field: Field) -> str:
    name = f"`{field.name}`{' (required)' if field.required else ''}"
    path = f"`{'.'.join(field.path)}`" if field.path else ""
    personal = "yes" if field.personal else ""
    return f"| {name} | {field.type.value} | {path} | {field.meaning} | {field.unit} | {personal} |"
