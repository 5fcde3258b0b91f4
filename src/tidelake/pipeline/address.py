"""Where the collector of a home listens. Light: whoever only asks for it loads no collector."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from tidelake.errors import SetupError


def run_folder(home: Path) -> Path:
    return home / "run" / "collect"


def collector_url(home: Path) -> str | None:
    """Where the collector of a home listens; None where none was started."""
    with suppress(OSError):
        return (run_folder(home) / "url").read_text("utf-8").strip() or None
    return None


def free_port(
    host: str,
    port: int,
    what: str = "the collector",
    variable: str = "TIDELAKE_COLLECT_PORT",
) -> int:
    """The port, or a free one for 0; raises `SetupError` where somebody listens on it.

    The server's processes share the port (SO_REUSEPORT), and so would a second collector: the
    address is asked for alone first.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
            return int(probe.getsockname()[1])
    except (OSError, UnicodeError) as exc:  # a host name that can be none is a UnicodeError
        raise SetupError(
            f"{what} can not listen on {host}:{port}: "
            f"{getattr(exc, 'strerror', None) or exc}",
            hint=f"Stop what listens there, or set {variable} (0 takes a free one).",
        ) from exc
