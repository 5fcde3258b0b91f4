"""The country of an IP address, from a MaxMind database that the user supplies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tidelake.errors import SetupError


@dataclass(frozen=True, slots=True)
class MaxMindCountries:
    """A `CountryLookup` over a `.mmdb` file (GeoLite2 Country or City, DB-IP, IPinfo).

    Only the path goes to another process; the file is opened there at the first look-up. Raises
    `SetupError` where the file can not be read or `maxminddb` is not installed.
    """

    path: Path

    def __call__(self, ip: str) -> str | None:
        return _country(self.path, ip)


@lru_cache(maxsize=100_000)
def _country(path: Path, ip: str) -> str | None:
    try:
        found = _open(path).get(ip)
    except ValueError:
        return None  # no IP address
    country = found.get("country") if isinstance(found, dict) else None
    # IPinfo writes the code itself where MaxMind writes an object.
    code = country.get("iso_code") if isinstance(country, dict) else country
    return code if isinstance(code, str) and code else None


@lru_cache(maxsize=4)
def _open(path: Path) -> Any:
    try:
        import maxminddb
    except ImportError as exc:
        raise SetupError(
            "a country database is set, and maxminddb is not installed",
            hint="Run `pip install maxminddb`, or unset the country database.",
        ) from exc
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as exc:
        raise SetupError(
            f"the country database {path} can not be read: {exc}",
            hint="Give a .mmdb file, for example GeoLite2-Country.mmdb.",
        ) from exc
