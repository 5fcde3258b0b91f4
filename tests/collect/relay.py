"""A proxy that loses answers: the collector has the request, its client is told 503."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

HOP_HEADERS = ("host", "connection", "content-length", "transfer-encoding")


@contextmanager
def losing_answers(url: str, lost: int) -> Iterator[str]:
    """The URL of a relay to `url` that replaces the first `lost` answers."""
    left = [lost]

    class Relay(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_HEADERS}
            answer = httpx.post(url + self.path, content=body, headers=headers)
            losing, left[0] = left[0] > 0, left[0] - 1
            self.send_response(503 if losing else answer.status_code)
            if losing:
                self.send_header("retry-after", "1")
            content = b"" if losing else answer.content
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
