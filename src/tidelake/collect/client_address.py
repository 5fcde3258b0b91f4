"""The client's IP address: the peer, or what trusted proxies say about it."""

from __future__ import annotations

from tidelake.collect.exchange import Request

MOST_CHARACTERS = 45  # the longest IPv6 address


def client_ip(request: Request, trusted_proxies: int) -> str:
    """The peer's address; behind `trusted_proxies` proxies, the entry that the first of them added.

    X-Forwarded-For is read from the right, since a client may write what it likes at the left.
    """
    peer = request.peer.rpartition(":")[0].strip("[]")
    if trusted_proxies <= 0:
        return peer
    hops = [
        hop.strip()
        for name, value in request.headers.items()
        if name == "x-forwarded-for"
        for hop in value.split(",")
        if hop.strip()
    ]
    chosen = hops[-min(trusted_proxies, len(hops))] if hops else peer
    return chosen.strip("[]") if len(chosen) <= MOST_CHARACTERS else peer
