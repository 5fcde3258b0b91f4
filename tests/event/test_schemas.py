"""The schemas made from the contract agree with each other and with those who read them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.io.pyarrow import schema_to_pyarrow

from tidelake.errors import UsageError
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.event.export import export
from tidelake.event.schemas.arrow import arrow_schema
from tidelake.event.schemas.iceberg import iceberg_schema

CONTRACTS = pytest.mark.parametrize("contract", [EVENTS, REJECTED], ids=lambda c: c.table)
ROOT = Path(__file__).resolve().parents[2]
PRISMA = "@prisma/prisma-schema-wasm@8.1.0-2.59be4fda12412a79eeb9c2ae727b6aa723593323"
VALIDATE = """
const prisma = require('@prisma/prisma-schema-wasm');
const schema = require('fs').readFileSync(0, 'utf8');
const input = JSON.stringify({prismaSchema: [['schema.prisma', schema]], noColor: true});
prisma.validate(input);
const {models} = JSON.parse(prisma.get_dmmf(input)).datamodel;
console.log(models.map(model => `${model.dbName} ${model.fields.length}`).join('\\n'));
"""


@CONTRACTS
def test_iceberg_has_the_contract_s_ids_and_meanings(contract: Contract) -> None:
    schema = iceberg_schema(contract)
    assert [(f.field_id, f.name, f.required) for f in schema.fields] == [
        (field.id, field.name, field.required) for field in contract
    ]
    assert all(field.doc for field in schema.fields)


@CONTRACTS
def test_arrow_and_iceberg_are_the_same_table(contract: Contract) -> None:
    # PyIceberg makes strings and lists large; apart from that the two are equal, ids included.
    from_iceberg = schema_to_pyarrow(iceberg_schema(contract))
    for ours, theirs in zip(arrow_schema(contract), from_iceberg, strict=True):
        assert (ours.name, ours.nullable) == (theirs.name, theirs.nullable)
        assert ours.metadata[b"PARQUET:field_id"] == theirs.metadata[b"PARQUET:field_id"]
        assert _plain(ours.type) == _plain(theirs.type)


def test_prisma_s_own_parser_takes_the_schema() -> None:
    cache = _prisma_parser()
    schema = (ROOT / "prisma/schema.prisma").read_text("utf-8")
    command = ["node", "-e", VALIDATE]
    done = subprocess.run(
        command, check=False, cwd=cache, input=schema, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    columns = [len(contract.fields) + 3 for contract in (EVENTS, REJECTED)]  # and three of the load
    assert done.stdout.split("\n")[:2] == [
        f"events {columns[0]}",
        f"rejected_events {columns[1]}",
    ]


def test_a_language_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="cobol") as refused:
        export("cobol")
    assert "iceberg" in refused.value.hint


def _plain(type: pa.DataType) -> str:
    return str(type).replace("large_", "").split("<element")[0]


def _prisma_parser() -> Path:
    """A folder in which node finds Prisma's parser; it is installed once and kept."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("NOT COVERED: node and npm are not installed, Prisma's schema went unchecked")
    cache = ROOT / ".cache" / PRISMA.rpartition("@")[2]
    if not (cache / "node_modules").exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(cache), PRISMA]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"NOT COVERED: Prisma's parser could not be installed: {done.stderr}")
    return cache
