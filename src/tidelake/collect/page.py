"""`/docs`: the OpenAPI document as a page that needs nothing but itself, and no network."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any

from tidelake.collect.exchange import Answer
from tidelake.collect.openapi import document

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:0}h2{margin-top:2.5rem}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f3f6f8;padding:.8rem 1rem;border-radius:6px;overflow-x:auto}
details{border:1px solid #d8e0e5;border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}
summary{cursor:pointer}b.verb{color:#0b6e8f;display:inline-block;width:3.6rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0}
td,th{border-bottom:1px solid #d8e0e5}
@media(prefers-color-scheme:dark){body{background:#10181d;color:#dbe5ea}pre{background:#1a252c}}
"""

EXAMPLE = """\
curl -u "$WRITE_KEY:" ORIGIN/v1/events -H 'content-type: application/json' -d '
  {"event_id": "0b7e3ad7", "event_type": "product_view", "user_id": "user_17",
   "timestamp": "2026-11-23T10:15:00.123Z",
   "metadata": {"browser": "Chrome"},
   "_doc": {"session_info": {"session_id": "s-1"}}}'

gzip -c events.ndjson | curl ORIGIN/v1/events --data-binary @- \\
  -H 'content-type: application/x-ndjson' -H 'content-encoding: gzip'
"""
SEGMENT = """\
import segment.analytics as analytics          # pip install segment-analytics-python
analytics.host, analytics.write_key = "ORIGIN", "WRITE_KEY"
analytics.track("user_17", "Order Completed", {"revenue": 49.9})
"""


@cache
def answer() -> Answer:
    """The page, in UTF-8."""
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
    )
    return Answer(200, "".join(_page(document())).encode(), headers)


def _page(described: dict[str, Any]) -> Iterator[str]:
    info = described["info"]
    yield "<!doctype html><html lang=en><meta charset=utf-8>"
    yield "<meta name=viewport content='width=device-width'>"
    yield f"<title>{escape(info['title'])}</title><style>{STYLE}</style>"
    yield f"<h1>{escape(info['title'])}</h1>{_text(info['description'])}"
    yield "<p>As OpenAPI: <a href='/openapi.json'>/openapi.json</a></p>"
    yield f"<h2>Send</h2><pre>{escape(EXAMPLE)}</pre>"
    yield f"<h2>With a Segment SDK</h2><pre>{escape(SEGMENT)}</pre>"
    yield "<h2>Routes</h2>"
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield from _operation(path, method, operation)
    yield "<h2>An event</h2><p>Required: "
    event = described["components"]["schemas"]["Event"]
    yield ", ".join(f"<code>{escape(name)}</code>" for name in event["required"])
    yield ", and <code>user_id</code> or <code>anonymous_id</code>. "
    yield "Whatever else is sent is kept.</p><table><tr><th>member<th>type<th>what it is"
    yield from _members(event, "")
    yield "</table></html>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<details><summary><b class=verb>{method.upper()}</b> <code>{escape(path)}</code> "
    yield f"{_inline(operation['summary'])}</summary>"
    if content := operation.get("requestBody", {}).get("content"):
        kinds = ", ".join(f"<code>{escape(kind)}</code>" for kind in content)
        yield f"<p>Body: {kinds}</p>"
    yield "<table>"
    for status, response in operation["responses"].items():
        yield f"<tr><td>{status}<td>{_inline(response['description'])}"
    yield "</table></details>"


def _members(schema: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, member in schema.get("properties", {}).items():
        kind = member.get("type", "date-time" if "anyOf" in member else "any")
        shown = " or ".join(kind) if isinstance(kind, list) else kind
        yield f"<tr><td><code>{escape(prefix + name)}</code><td>{escape(shown)}"
        yield f"<td>{_inline(member.get('description', ''))}"
        yield from _members(member, f"{prefix}{name}.")


def _text(words: str) -> str:
    return f"<p>{_inline(words)}</p>"


def _inline(words: str) -> str:
    """Escaped text in which `code` is marked."""
    parts = escape(words).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))
