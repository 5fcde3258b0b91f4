"""Where the collector of a home listens. Light: whoever only asks for it loads no collector."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from tidelake.errors import SetupError
from tidelake.settings import Dashboard


def run_folder(home: Path) -> Path:
    return home / "run" / "collect"


def collector_url(home: Path) -> str | None:
    """Where the collector of a home listens; None where none was started."""
    with suppress(OSError):
        return (run_folder(home) / "url").read_text("utf-8").strip() or None
    return None


def free_port(host: str, port: int) -> int:
    """The collector's port, or a free one for 0; raises `SetupError` where somebody listens on it.

    The server's processes share the port (SO_REUSEPORT), and so would a second collector: the
    address is asked for alone first.
    """
    try:
        return _alone_on(host, port)
    except (OSError, UnicodeError) as exc:  # a host name that can be none is a UnicodeError
        raise SetupError(
            f"the collector can not listen on {host}:{port}: {_why(exc)}",
            hint="Stop what listens there, or set TIDELAKE_COLLECT_PORT (0 takes a free one).",
        ) from exc


def free_dashboard_port(host: str, port: int) -> int:
    """The dashboard's port, as `free_port`."""
    try:
        return _alone_on(host, port)
    except (OSError, UnicodeError) as exc:
        raise SetupError(
            f"the dashboard can not listen on {host}:{port}: {_why(exc)}",
            hint="Stop what listens there, or set TIDELAKE_DASHBOARD_PORT (0 takes a free one).",
        ) from exc


def require_login(dashboard: Dashboard) -> None:
    """Raises `SetupError` where others than this machine would see the dashboard unasked."""
    if dashboard.open_to_all or dashboard.password.get_secret_value() or _local(dashboard.host):
        return
    raise SetupError(
        f"the dashboard would listen on {dashboard.host} without a password",
        hint="Set TIDELAKE_DASHBOARD_PASSWORD; or, where something before it asks who comes, "
        "TIDELAKE_DASHBOARD_OPEN_TO_ALL=true.",
    )


def _local(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None)
    except (OSError, UnicodeError):
        return True  # nobody can listen there: whoever tries says why
    return all(ip_address(str(a[0]).partition("%")[0]).is_loopback for *_, a in found)


def _alone_on(host: str, port: int) -> int:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)
        return int(probe.getsockname()[1])


def _why(exc: OSError | UnicodeError) -> str:
    return getattr(exc, "strerror", None) or str(exc)
