"""Errors of PyIceberg, SQLAlchemy, Arrow and the disk become ours where the lake touches them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tidelake.errors import SetupError, TidelakeError, UnavailableError

# Faults of our own: to call them passing trouble would hide them.
FAULTS = (AssertionError, AttributeError, NameError, NotImplementedError, TypeError)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raises `SetupError` for what a retry can not help, `UnavailableError` for the rest.

    `doing` completes the sentence "could not …" and names the value at hand.
    """
    from pyiceberg.exceptions import (
        NoSuchIcebergTableError,
        NoSuchNamespaceError,
        NoSuchTableError,
        NotInstalledError,
    )

    try:
        yield
    except (TidelakeError, *FAULTS):
        raise
    except (NoSuchTableError, NoSuchIcebergTableError, NoSuchNamespaceError) as exc:
        raise SetupError(
            f"could not {doing}: {exc}",
            hint="Run `tidelake init`; or `tidelake recover`, if the catalog was lost.",
        ) from exc
    except (NotInstalledError, ImportError) as exc:
        raise SetupError(f"could not {doing}: {exc}", hint="Install the extra it names.") from exc
    except Exception as exc:
        # SQLAlchemy adds the statement with its values and an address to what the driver says.
        cause = getattr(exc, "orig", None) or exc
        raise UnavailableError(
            f"could not {doing}: {type(cause).__name__}: {' '.join(str(cause).split())}",
            hint="Check that the catalog and the warehouse answer, then try again.",
        ) from exc
