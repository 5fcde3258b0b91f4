"""Content-Encoding: gzip, deflate and zstd, with the size bounded while decompressing."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import zstandard

from tidelake.collect.exchange import Refusal, too_large

MOST_LAYERS = 3
MOST_MEMBERS = 1000  # gzip members or zstd frames in a body
PIECE_BYTES = 64 * 1024
ZSTD_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
RLE_BLOCK = 1
NO_ROOM = "did not decompress full frame"  # said of a whole frame as well as of a cut one


def plain(body: bytes, content_encoding: str, limit: int) -> bytes:
    """The body without its encodings (`gzip, zstd` is undone from the right).

    Raises `Refusal`: 415 for an encoding we do not know, 400 where the bytes are not what the
    header says or end early, 413 beyond `limit` bytes.
    """
    layers = [name.strip().lower() for name in content_encoding.split(",")]
    layers = [name for name in layers if name not in ("", "identity")]
    if len(layers) > MOST_LAYERS:
        raise _unknown(content_encoding)
    for name in reversed(layers):
        decode = DECODERS.get(name)
        if decode is None:
            raise _unknown(content_encoding)
        try:
            body = decode(body, limit)
        except (zlib.error, zstandard.ZstdError, EOFError) as exc:
            raise _broken(name, exc) from exc
    if len(body) > limit:
        raise too_large("The body", limit)
    return body


def gunzip(body: bytes, limit: int) -> bytes:
    """All members of a gzip body; raises `EOFError` where it ends early."""
    parts: list[bytes] = []
    room, start, members = limit, 0, 0
    while start < len(body):
        members = _another(members, "gzip members")
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        part, start = _inflated(member, body, start, room, limit)
        parts.append(part)
        room -= len(part)
    if not parts:
        raise EOFError("the body is empty")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def inflate(body: bytes, limit: int) -> bytes:
    """A zlib stream, or the bare deflate stream that some clients send under this name."""
    wrapped = len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    stream = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    part, end = _inflated(stream, body, 0, limit, limit)
    if end < len(body):
        raise EOFError("there are bytes behind the end of the stream")
    return part


def _inflated(
    stream: zlib._Decompress, body: bytes, start: int, room: int, limit: int
) -> tuple[bytes, int]:
    """What one stream holds (one byte over `room` is enough to refuse), and where it ends.

    It is fed in pieces: zlib copies what follows a stream, which would be the rest of the body.
    """
    view, parts = memoryview(body), []
    while not stream.eof:
        piece = view[start : start + PIECE_BYTES]
        if not piece:
            raise EOFError("the stream ends early")
        part = stream.decompress(piece, room + 1)
        if len(part) > room:
            raise too_large("The decompressed body", limit)
        parts.append(part)
        room -= len(part)
        start += len(piece) - len(stream.unused_data)
    return parts[0] if len(parts) == 1 else b"".join(parts), start


def _another(count: int, what: str) -> int:
    """One more; each costs far more than its bytes, and who sends events needs one."""
    if count >= MOST_MEMBERS:
        raise Refusal(
            400,
            "bad_encoding",
            f"the body is made of more than {MOST_MEMBERS:,} {what}",
            "Compress the whole body at once.",
        )
    return count + 1


def unzstd(body: bytes, limit: int) -> bytes:
    """All frames of a zstd body, skippable ones left out."""
    parts: list[bytes] = []
    room, start, frames = limit, 0, 0
    decompressor = zstandard.ZstdDecompressor()
    while start < len(body):
        frames = _another(frames, "zstd frames")
        end, skip = _frame_end(body, start)
        if not skip:
            frame = body[start:end]
            size = zstandard.frame_content_size(frame)
            if size > room:
                raise too_large("The decompressed body", limit)
            part = _frame(decompressor, frame, room, limit) if size else b""
            parts.append(part)
            room -= len(part)
        start = end
    if not parts:
        raise EOFError("the body is empty")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _frame(decompressor: zstandard.ZstdDecompressor, frame: bytes, room: int, limit: int) -> bytes:
    """One whole frame; without a stated size the output buffer is the room itself."""
    try:
        return decompressor.decompress(frame, max_output_size=room)
    except zstandard.ZstdError as exc:
        if NO_ROOM in str(exc):
            raise too_large("The decompressed body", limit) from exc
        raise


def _frame_end(body: bytes, start: int) -> tuple[int, bool]:
    """Where a frame ends, and whether it is a skippable one (RFC 8878, 3.1).

    The library decompresses one frame and is silent about what follows it.
    """
    if int.from_bytes(body[start : start + 4], "little") in ZSTD_SKIPPABLE:
        return start + 8 + int.from_bytes(body[start + 4 : start + 8], "little"), True
    head = body[start : start + 18]
    at = start + zstandard.frame_header_size(head)
    last = 0
    while not last:
        if at + 3 > len(body):
            raise EOFError("the frame ends early")
        block = int.from_bytes(body[at : at + 3], "little")
        last, kind, size = block & 1, block >> 1 & 3, block >> 3
        at += 3 + (1 if kind == RLE_BLOCK else size)
    end = at + (4 if zstandard.get_frame_parameters(head).has_checksum else 0)
    if end > len(body):
        raise EOFError("the frame ends early")
    return end, False


DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": gunzip,
    "x-gzip": gunzip,
    "deflate": inflate,
    "zstd": unzstd,
}


def _unknown(content_encoding: str) -> Refusal:
    return Refusal(
        415,
        "unsupported_encoding",
        f"Content-Encoding {content_encoding[:80]!r} is not understood here",
        "Send gzip, zstd, deflate, or no encoding.",
        (("accept-encoding", "gzip, zstd, deflate"),),
    )


def _broken(name: str, exc: Exception) -> Refusal:
    return Refusal(
        400,
        "bad_encoding",
        f"the body is not whole {name} as Content-Encoding says: {exc}",
        "Send the body as the header names it, or leave the header out.",
    )
