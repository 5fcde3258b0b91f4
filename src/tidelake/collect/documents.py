"""What the collector says about itself."""

from __future__ import annotations

from tidelake.collect.exchange import Answer


def openapi_answer() -> Answer:
    return Answer(200, b"{}")


def page_answer() -> Answer:
    return Answer(200, b"", (("content-type", "text/html; charset=utf-8"),))
