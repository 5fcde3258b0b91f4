"""Clients over HTTP that note what they sent and what was acknowledged."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from .compare import Sent
from .supply import Supply

TIMEOUT_S = 20
REST_S = 0.03
TROUBLE = (OSError, http.client.HTTPException)


class Client:
    """One connection; what it may send twice it never does: each record is sent once."""

    def __init__(self, url: str, sent: Sent, guard: threading.Lock) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=TIMEOUT_S
        )
        self._sent = sent
        self._guard = guard

    def send(self, records: list[bytes]) -> tuple[int, dict[str, str]]:
        """Status and headers of the answer; raises one of `TROUBLE` where none came."""
        with self._guard:
            self._sent.begin(records)
        headers = {"content-type": "application/x-ndjson"}
        self._connection.request("POST", "/v1/events", b"\n".join(records), headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status == 200:
            with self._guard:
                self._sent.acknowledge(records)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    def close(self) -> None:
        self._connection.close()


class Clients:
    """Several clients at once, over records of one supply."""

    def __init__(self, supply: Supply, sent: Sent) -> None:
        self._supply = supply
        self._sent = sent
        self._guard = threading.Lock()

    def take(self, count: int) -> list[bytes]:
        with self._guard:
            return self._supply.take(count)

    def send(self, url: str, records: int, a_request: int = 25) -> None:
        """Sends so many records and wants all of them acknowledged."""
        client = Client(url, self._sent, self._guard)
        for begin in range(0, records, a_request):
            status, _ = client.send(self.take(min(a_request, records - begin)))
            assert status == 200, status
        client.close()

    def send_once(self, url: str, count: int) -> tuple[int, dict[str, str]]:
        """One request; its answer."""
        client = Client(url, self._sent, self._guard)
        try:
            return client.send(self.take(count))
        finally:
            client.close()

    @contextmanager
    def traffic(
        self, url: Callable[[], str | None], threads: int = 1, count: int = 6, pause_s: float = 0.1
    ) -> Iterator[None]:
        """Requests of `count` records as long as the block runs, whatever becomes of them."""
        ending = threading.Event()
        at_work = [
            threading.Thread(target=self._keep_sending, args=(url, count, pause_s, ending))
            for _ in range(threads)
        ]
        for thread in at_work:
            thread.start()
        try:
            yield
        finally:
            ending.set()
            for thread in at_work:
                thread.join(2 * TIMEOUT_S)
            assert not any(thread.is_alive() for thread in at_work), "a client hangs"

    def _keep_sending(
        self, url: Callable[[], str | None], count: int, pause_s: float, ending: threading.Event
    ) -> None:
        client: Client | None = None
        while not ending.wait(pause_s):
            with suppress(*TROUBLE):
                if client is None and (there := url()) is not None:
                    client = Client(there, self._sent, self._guard)
                if client is not None:
                    client.send(self.take(count))
                    continue
            if client is not None:
                client.close()
                client = None
            time.sleep(REST_S)  # nobody listens at the moment
        if client is not None:
            client.close()
