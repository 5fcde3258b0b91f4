"""An HTTP client that costs next to nothing: prebuilt requests over connections that stay open."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

CONNECTIONS = 32
GZIP_WBITS = 31


def requests(bodies: Sequence[bytes], batch: int, *, compress: bool = False) -> list[bytes]:
    """Whole requests of `batch` events each, as lines."""
    built = []
    for at in range(0, len(bodies), batch):
        content = b"\n".join(bodies[at : at + batch])
        encoding = b""
        if compress:
            packer = zlib.compressobj(wbits=GZIP_WBITS)
            content = packer.compress(content) + packer.flush()
            encoding = b"content-encoding: gzip\r\n"
        built.append(
            b"POST /v1/events HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-ndjson\r\n"
            b"%scontent-length: %d\r\n\r\n%s" % (encoding, len(content), content)
        )
    return built


def send(url: str, built: Sequence[bytes], connections: int = CONNECTIONS) -> None:
    """Sends all requests, one at a time on each connection; raises where one is not answered 200.

    A connection's next request goes out when every connection has its answer: requests come in
    waves, as from many clients at once.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(_connected(url)) for _ in range(connections)]
        for wave in _waves(built, connections):
            used = opened[: len(wave)]
            for connection, request in zip(used, wave, strict=True):
                connection.sendall(request)
            for connection in used:
                _read_answer(connection)


def _connected(url: str) -> socket.socket:
    where = urlsplit(url)
    connection = socket.create_connection((where.hostname, where.port or 80), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _waves(built: Sequence[bytes], width: int) -> Iterator[Sequence[bytes]]:
    return (built[at : at + width] for at in range(0, len(built), width))


def _read_answer(connection: socket.socket) -> None:
    """The answers of the collector are short: they come in one piece, or in few."""
    answer = b""
    while b"}" not in answer:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError(f"the collector closed the connection after {answer[:200]!r}")
        answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"the collector answered {answer[:300]!r}")
