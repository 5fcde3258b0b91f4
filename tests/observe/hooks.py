"""A real HTTP server on this machine that takes what a webhook would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """What came in; `answers` are the next status codes, 200 when there are no more."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    came: list[dict[str, Any]] = field(default_factory=list)
    tries: int = 0
    news: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, within_s: float = 20) -> list[dict[str, Any]]:
        with self.news:
            assert self.news.wait_for(lambda: len(self.came) >= count, within_s), self.came
            return list(self.came)


@contextmanager
def hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with found.news:
                found.tries += 1
                code = found.answers.pop(0) if found.answers else 200
                if code == 200:
                    found.came.append(json.loads(body))
                found.news.notify_all()
            self.send_response(code)
            self.end_headers()
            self.wfile.write(b"told" if code == 200 else b"not now")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/secret"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
