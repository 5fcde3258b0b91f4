"""The country of an IP address, from a real MaxMind database file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from tidelake.errors import SetupError
from tidelake.process.countries import MaxMindCountries

pytest.importorskip("maxminddb", reason="NOT COVERED: maxminddb is not installed")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Knows that 9.0.0.0/8 is in Switzerland, and nothing else."""
    path = tmp_path / "countries.mmdb"
    path.write_bytes(mmdb(9, {"country": {"iso_code": "CH"}}))
    return path


@pytest.mark.parametrize(
    ("ip", "country"),
    [("9.9.9.9", "CH"), ("10.0.0.1", None), ("no address", None), ("", None), ("::1", None)],
)
def test_an_address_has_the_country_of_its_network(
    database: Path, ip: str, country: str | None
) -> None:
    assert MaxMindCountries(database)(ip) == country


def test_the_code_may_stand_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "flat.mmdb"
    path.write_bytes(mmdb(9, {"country": "CH"}))
    assert MaxMindCountries(path)("9.9.9.9") == "CH"


def test_the_lookup_goes_to_another_process(database: Path) -> None:
    assert pickle.loads(pickle.dumps(MaxMindCountries(database)))("9.9.9.9") == "CH"


@pytest.mark.parametrize("content", [None, b"no database"])
def test_a_file_that_is_no_database_stops_loudly(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match=r"broken\.mmdb can not be read"):
        MaxMindCountries(path)("9.9.9.9")


def mmdb(first_byte: int, data: dict[str, Any]) -> bytes:
    """A database with one IPv4 /8 network (https://maxmind.github.io/MaxMind-DB/)."""
    nodes, nothing = 8, 8
    tree = b""
    for depth in range(nodes):
        onward = depth + 1 if depth < nodes - 1 else nodes + 16
        bit = first_byte >> (7 - depth) & 1
        tree += b"".join((onward if side == bit else nothing).to_bytes(3, "big") for side in (0, 1))
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 2**32,
        "database_type": "Test-Country",
        "description": {"en": "test"},
        "ip_version": 4,
        "languages": [],
        "node_count": bytes([6 << 5 | 1, nodes]),  # the library insists on the four-byte kind
        "record_size": 24,
    }
    marker = b"\xab\xcd\xefMaxMind.com"
    return tree + bytes(16) + encoded(data) + marker + encoded(metadata)


def encoded(value: Any) -> bytes:
    """Text, map, empty list, unsigned integers of 2 and of 8 bytes, or what is encoded already."""
    match value:
        case bytes():
            return value
        case str():
            return bytes([2 << 5 | len(value)]) + value.encode()
        case int() if value < 2**16:
            return bytes([5 << 5 | 2]) + value.to_bytes(2, "big")
        case int():
            return bytes([8, 9 - 7]) + value.to_bytes(8, "big")
        case list():
            return bytes([0, 11 - 7])
    members = b"".join(encoded(name) + encoded(member) for name, member in value.items())
    return bytes([7 << 5 | len(value)]) + members
