"""Content-Encoding is undone within bounds."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tidelake.collect.encodings import plain
from tidelake.collect.exchange import Refusal

LIMIT = 100_000
TEXT = b'{"a": 1}\n' * 1000
BARE = zlib.compressobj(wbits=-15)
STREAM = zstandard.ZstdCompressor(write_checksum=True).compressobj()

WHOLE = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:]),
    "deflate": zlib.compress(TEXT),
    "Deflate": BARE.compress(TEXT) + BARE.flush(),
    "zstd": zstandard.compress(TEXT),
    "ZSTD": STREAM.compress(TEXT) + STREAM.flush(),
    "gzip, zstd": zstandard.compress(gzip.compress(TEXT)),
    "identity": TEXT,
    "": TEXT,
}


@pytest.mark.parametrize("encoding", WHOLE)
def test_every_encoding_gives_the_text_back(encoding: str) -> None:
    assert plain(WHOLE[encoding], encoding, LIMIT) == TEXT


def test_zstd_frames_follow_one_another_also_skippable_ones() -> None:
    skippable = (0x184D2A53).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"
    empty = zstandard.compress(b"")
    body = zstandard.compress(TEXT[:99]) + skippable + empty + zstandard.compress(TEXT[99:])
    assert plain(body, "zstd", LIMIT) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "ZSTD"])
def test_a_cut_body_is_refused(encoding: str) -> None:
    whole = WHOLE[encoding]
    for length in (0, 1, 5, len(whole) // 2, len(whole) - 1):
        with pytest.raises(Refusal) as refused:
            plain(whole[:length], encoding, LIMIT)
        assert refused.value.code == "bad_encoding"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@given(body=st.binary(max_size=80))
def test_other_bytes_are_refused(encoding: str, body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        plain(body, encoding, LIMIT)
    assert refused.value.status in (400, 413)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "stated zstd"])
def test_a_bomb_is_refused_before_it_is_inflated(encoding: str) -> None:
    zeros = bytes(50_000_000)
    stream = zstandard.ZstdCompressor().compressobj()
    bombs = {
        "gzip": gzip.compress(zeros, 1),
        "deflate": zlib.compress(zeros, 1),
        "zstd": stream.compress(zeros) + stream.flush(),
        "stated zstd": zstandard.compress(zeros),
    }
    with pytest.raises(Refusal) as refused:
        plain(bombs[encoding], encoding.rsplit(maxsplit=1)[-1], LIMIT)
    assert refused.value.status == 413


@pytest.mark.parametrize("encoding", ["br", "gzip;q=1", "gzip,gzip,gzip,gzip", "säge"])
def test_an_unknown_encoding_is_named(encoding: str) -> None:
    with pytest.raises(Refusal) as refused:
        plain(TEXT, encoding, LIMIT)
    assert refused.value.status == 415


STREAMED = zstandard.ZstdCompressor(write_content_size=False).compress(b"a")


@pytest.mark.parametrize(
    ("encoding", "member"),
    [("gzip", gzip.compress(b"")), ("gzip", gzip.compress(b"a")), ("zstd", STREAMED)],
)
def test_a_body_of_very_many_members_is_refused(encoding: str, member: bytes) -> None:
    assert len(plain(member * 1000, encoding, LIMIT)) in (0, 1000)
    with pytest.raises(Refusal) as refused:
        plain(member * 1001, encoding, LIMIT)
    assert refused.value.status == 400
    assert "1,000" in str(refused.value)


def test_a_member_is_not_given_what_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """zlib copies all that it is given beyond the member's end."""
    body = gzip.compress(random.Random(1).randbytes(50_000)) * 20
    given: list[int] = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, bits: int) -> None:
            self._stream = real(bits)

        def __getattr__(self, name: str) -> object:
            return getattr(self._stream, name)

        def decompress(self, data: bytes, most: int) -> bytes:
            given.append(len(data))
            return self._stream.decompress(data, most)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    assert len(plain(body, "gzip", 10_000_000)) == 1_000_000
    assert sum(given) < 3 * len(body)
