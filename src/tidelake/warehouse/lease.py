"""A lease: who may work now, until when, by the database's clock."""

from __future__ import annotations

from tidelake.warehouse.session import Connection, Session

TAKE = """
insert into tidelake.lease as held (name, holder, expires_at)
values (%(name)s, %(holder)s, clock_timestamp() + make_interval(secs => %(ttl_s)s))
on conflict (name) do update
set
    holder = excluded.holder,
    expires_at = clock_timestamp() + make_interval(secs => %(ttl_s)s)
where held.holder = excluded.holder or held.expires_at <= clock_timestamp()
returning holder
"""

RENEW = """
update tidelake.lease
set expires_at = clock_timestamp() + make_interval(secs => %(ttl_s)s)
where name = %(name)s and holder = %(holder)s
returning holder
"""

TAKEN = """
select exists (
    select from tidelake.lease
    where name = %(name)s and holder <> %(holder)s and expires_at > clock_timestamp()
)
"""

RELEASE = "delete from tidelake.lease where name = %(name)s and holder = %(holder)s"


class Lease:
    """The right of `holder` to do the work called `name`, for `ttl_s` seconds at a time.

    It saves a second worker from wasted work and makes nothing correct: a holder that slept past
    its end may still be working. `target` is a URL, or a connection whose transaction it joins.
    All methods raise UnavailableError when the database does not answer: the lease is then
    unknown, neither held nor lost.
    """

    def __init__(self, target: str | Connection, name: str, holder: str, ttl_s: float) -> None:
        self._session = Session(target)
        self._values = {"name": name, "holder": holder, "ttl_s": ttl_s}

    def take(self) -> bool:
        """Take it if it is free, expired or ours already; False while another holds it."""
        return self._ask(TAKE)

    def renew(self) -> bool:
        """Hold it for another `ttl_s`; False when it was taken by another, or never ours.

        Renewing after the end is fine as long as nobody took it meanwhile.
        """
        return self._ask(RENEW)

    def taken(self) -> bool:
        """Whether another holds it now."""
        return self._session.run(
            lambda connection: connection.execute(TAKEN, self._values).fetchone() == (True,)
        )

    def release(self) -> None:
        """Give it up at once; nothing happens when it is not ours."""
        self._session.run(lambda connection: connection.execute(RELEASE, self._values))

    def close(self) -> None:
        """Close the connection, if this lease opened it. The lease itself stays until its end."""
        self._session.close()

    def _ask(self, query: str) -> bool:
        return self._session.run(
            lambda connection: connection.execute(query, self._values).fetchone() is not None
        )
