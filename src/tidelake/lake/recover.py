"""The tables of a warehouse in an empty catalog, after the old one was lost with PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidelake.errors import SetupError
from tidelake.lake import pointer
from tidelake.lake.tables import CONTRACTS, NAMESPACE, identifier, table_location
from tidelake.lake.trouble import translated

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table


def recover(catalog: Catalog) -> list[Table]:
    """Registers those tables that the catalog does not know, from their version hints; gives both.

    Only the hint counts: the newest metadata file may be of a commit that did not happen, while
    what the hint names is committed and nothing behind it was forgotten by a source. Raises
    `SetupError` where the warehouse holds no table.
    """
    with translated(f"recover the tables of {catalog.properties['warehouse']}"):
        catalog.create_namespace_if_not_exists(NAMESPACE)
        return [_registered(catalog, name) for name in CONTRACTS]


def _registered(catalog: Catalog, name: str) -> Table:
    if catalog.table_exists(identifier(name)):
        return catalog.load_table(identifier(name))
    location = table_location(catalog, name)
    hint = pointer.read(catalog._load_file_io(location=location), location)
    if hint is None:
        raise SetupError(
            f"{location} holds no table: there is no metadata/version-hint.text",
            hint="Check the warehouse; where it is new, run `tidelake init`.",
        )
    return catalog.register_table(identifier(name), pointer.metadata_location(location, hint))
