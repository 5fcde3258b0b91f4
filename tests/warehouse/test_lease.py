from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tidelake.errors import UnavailableError
from tidelake.warehouse.identity import free_port
from tidelake.warehouse.lease import Lease

TakeLease = Callable[..., Lease]


@pytest.fixture
def lease(url: str) -> Iterator[TakeLease]:
    made: list[Lease] = []

    def of(holder: str, name: str = "committer", ttl_s: float = 60) -> Lease:
        made.append(Lease(url, name, holder, ttl_s))
        return made[-1]

    yield of
    for each in made:
        each.close()


def expire(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("update tidelake.lease set expires_at = now() - interval '1 ms'")


def seconds_left(url: str) -> float:
    with psycopg.connect(url) as connection:
        query = "select extract(epoch from expires_at - clock_timestamp())::float8 from"
        row = connection.execute(f"{query} tidelake.lease".encode()).fetchone()
        assert row is not None
        return float(row[0])


def test_a_lease_is_held_by_one(lease: TakeLease) -> None:
    ours, theirs = lease("ours"), lease("theirs")
    assert (ours.take(), theirs.take(), ours.take()) == (True, False, True)
    assert lease("theirs", name="loader").take()


def test_of_many_who_ask_at_once_one_gets_it(lease: TakeLease) -> None:
    asking = [lease(str(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(Lease.take, asking)) == [False] * 7 + [True]


def test_an_expired_lease_can_be_taken_and_only_then(url: str, lease: TakeLease) -> None:
    ours, theirs = lease("ours"), lease("theirs")
    assert ours.take()
    assert not theirs.take()
    expire(url)
    assert theirs.take()
    assert not ours.take()
    assert not ours.renew()


def test_renewing_moves_the_end(url: str, lease: TakeLease) -> None:
    assert lease("ours", ttl_s=0.5).take()
    assert seconds_left(url) <= 0.5
    assert lease("ours", ttl_s=60).renew()
    assert seconds_left(url) > 0.5


def test_an_expired_lease_that_nobody_took_can_be_renewed(url: str, lease: TakeLease) -> None:
    ours = lease("ours")
    assert ours.take()
    expire(url)
    assert ours.renew()
    assert not lease("theirs").take()


def test_renewing_never_takes(lease: TakeLease) -> None:
    assert not lease("ours").renew()
    assert lease("theirs").take()


def test_a_released_lease_is_free_and_only_its_holder_can_release_it(lease: TakeLease) -> None:
    ours, theirs = lease("ours"), lease("theirs")
    assert ours.take()
    theirs.release()
    assert not theirs.take()
    ours.release()
    assert theirs.take()


def test_a_lease_of_a_database_that_does_not_answer_is_unknown() -> None:
    lease = Lease(f"postgresql://u:p@127.0.0.1:{free_port()}/db", "committer", "ours", 10)
    with pytest.raises(UnavailableError):
        lease.renew()
