"""The two tables: created any number of times, with the contract's field ids and our properties."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from tidelake.errors import IncompatibleError, SetupError
from tidelake.event.contract import EVENTS, REJECTED, Contract
from tidelake.event.schemas.iceberg import day_partition, iceberg_schema
from tidelake.lake import file_io, pointer
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadataV2
    from pyiceberg.table.sorting import SortOrder

NAMESPACE = "events_db"

# How a finished day lies: rows of one user together. That makes it 12 % smaller, and a look at one
# user reads a few row groups.
SORT_BY = {
    EVENTS.table: ("user_id", "anonymous_id", "event_time"),
    REJECTED.table: ("reason", "received_at"),
}
SORTED = 1  # id of this order in a table's metadata

CONTRACTS = {contract.table: contract for contract in (EVENTS, REJECTED)}


def identifier(table: str) -> tuple[str, str]:
    return (NAMESPACE, table)


def properties(contract: Contract) -> dict[str, str]:
    """Table properties, for our own writer and for other engines that write to the table."""
    return {
        "write.format.default": "parquet",
        "write.parquet.compression-codec": "zstd",
        "write.parquet.compression-level": "1",
        "write.target-file-size-bytes": str(256 * 1024 * 1024),
        # Merged manifests are rewritten whole. This size keeps the slowest commit at 38 ms CPU with
        # 5,000 files; with the default of 8 MB it grows to 1.2 s.
        "commit.manifest-merge.enabled": "true",
        "commit.manifest.min-count-to-merge": "20",
        "commit.manifest.target-size-bytes": "131072",
        # A commit a second writes a metadata file a second. One minute of them stays: a reader
        # holds the location of one while it plans, and each is 100 kB.
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "60",
        # Another engine's expiry must leave what ours leaves.
        "history.expire.min-snapshots-to-keep": "100",
        # Other engines delete by rewriting: the raw loader reads data files, not delete files.
        "write.delete.mode": "copy-on-write",
        "write.update.mode": "copy-on-write",
        "write.merge.mode": "copy-on-write",
        "write.metadata.metrics.default": "truncate(16)",
        **{
            f"write.metadata.metrics.column.{field.name}": "none"
            for field in contract
            if field.bulky
        },
    }


def create_tables(catalog: Catalog) -> tuple[Table, Table]:
    """`events_db.events` and `events_db.rejected_events`, made where they do not exist yet.

    Raises `SetupError` where the warehouse holds tables that this catalog does not know (it was
    lost: `tidelake recover`), `IncompatibleError` where a table lacks columns of the contract.
    """
    with translated(f"create the namespace {NAMESPACE}"):
        catalog.create_namespace_if_not_exists(NAMESPACE)
    return _ensure(catalog, EVENTS), _ensure(catalog, REJECTED)


def load_table(catalog: Catalog, table: str) -> Table:
    with translated(f"load {NAMESPACE}.{table}"):
        return catalog.load_table(identifier(table))


def _ensure(catalog: Catalog, contract: Contract) -> Table:
    with translated(f"create {NAMESPACE}.{contract.table}"):
        if not catalog.table_exists(identifier(contract.table)):
            _create(catalog, contract)
        table = catalog.load_table(identifier(contract.table))
    _check_location(table, table_location(catalog, contract.table))
    _check_columns(table.schema(), contract)
    pointer.publish(table)
    return table


def _create(catalog: Catalog, contract: Contract) -> None:
    """Writes the first metadata file and registers it.

    Not `catalog.create_table`: it numbers the fields anew, and ours are the contract's for ever.
    """
    from pyiceberg.exceptions import TableAlreadyExistsError
    from pyiceberg.serializers import ToOutputFile

    location = table_location(catalog, contract.table)
    io = catalog._load_file_io(location=location)
    if (known := pointer.read(io, location)) is not None:
        raise SetupError(
            f"{location} already holds a table ({known}) that the catalog does not know",
            hint="Run `tidelake recover` if the catalog was lost, else choose another warehouse.",
        )
    metadata_location = f"{location}/metadata/00000-{uuid4()}.metadata.json"
    ToOutputFile.table_metadata(
        _first_metadata(contract, location), io.new_output(metadata_location)
    )
    try:
        catalog.register_table(identifier(contract.table), metadata_location)
    except TableAlreadyExistsError:
        io.delete(metadata_location)


def _first_metadata(contract: Contract, location: str) -> TableMetadataV2:
    from pyiceberg.table.metadata import TableMetadataV2
    from pyiceberg.table.sorting import UNSORTED_SORT_ORDER

    schema, spec = iceberg_schema(contract), day_partition(contract)
    return TableMetadataV2.model_validate(
        {
            "location": location,
            "schemas": [schema],
            "current-schema-id": schema.schema_id,
            "last-column-id": schema.highest_field_id,
            "partition-specs": [spec],
            "default-spec-id": spec.spec_id,
            "last-partition-id": spec.last_assigned_field_id,
            "sort-orders": [UNSORTED_SORT_ORDER, _finished_day(contract)],
            "default-sort-order-id": UNSORTED_SORT_ORDER.order_id,
            "properties": properties(contract),
        }
    )


def _finished_day(contract: Contract) -> SortOrder:
    """The order in which care writes a day that is over. Not the default: others need not sort."""
    from pyiceberg.table.sorting import SortField, SortOrder
    from pyiceberg.transforms import IdentityTransform

    fields = [
        # Iceberg's model takes the id of the column by its alias only.
        SortField.model_validate(
            {
                "source-id": contract[column].id,
                "transform": IdentityTransform(),
                "direction": "asc",
                "null-order": "nulls-last",
            }
        )
        for column in SORT_BY[contract.table]
    ]
    return SortOrder(*fields, order_id=SORTED)


def table_location(catalog: Catalog, table: str) -> str:
    """Always `<warehouse>/events_db/<table>`, so that a folder can be read without a catalog."""
    warehouse = catalog.properties["warehouse"].rstrip("/")
    return f"{warehouse}/{NAMESPACE}/{table}"


def _check_location(table: Table, wanted: str) -> None:
    """Iceberg's metadata names files by whole paths: a copy would write into its original."""
    here, there = file_io.local_path(wanted), file_io.local_path(table.location())
    same = here.resolve() == there.resolve() if here and there else wanted == table.location()
    if not same:
        raise SetupError(
            f"the lake of this catalog lies at {table.location()}, not at {wanted}: it was moved",
            hint="Move it back to where it was, or set TIDELAKE_LAKE_WAREHOUSE to where it lies.",
        )


def _check_columns(schema: Schema, contract: Contract) -> None:
    ids = {field.name: field.field_id for field in schema.fields}
    wrong = [field.name for field in contract if ids.get(field.name) != field.id]
    if wrong:
        raise IncompatibleError(
            f"{NAMESPACE}.{contract.table} was made by another version: {', '.join(wrong[:5])}",
            hint="Use the version that made it, or a new warehouse.",
        )
