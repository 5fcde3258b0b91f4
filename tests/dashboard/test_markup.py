"""HTML made of texts that anybody may have sent."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tidelake.dashboard import markup
from tidelake.dashboard.markup import Bar, Card, Chip, Column, Entry, FunnelStep, Heat, Step

HOSTILE = "<script>x</script>\"' onload='x' <img src=x onerror=x>&lt;"


class Elements(HTMLParser):
    """Names of the elements and attributes of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.texts = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}

    def handle_data(self, data: str) -> None:
        self.texts += data


@pytest.mark.parametrize(
    "html",
    [
        markup.cards([Card(HOSTILE, HOSTILE, 0.1, note=HOSTILE, key=HOSTILE)], HOSTILE),
        markup.bars([Bar(HOSTILE, 1, HOSTILE, HOSTILE)], name=HOSTILE, of=HOSTILE),
        markup.table([{"a": HOSTILE}], [Column("a", HOSTILE, right=False, note="a")], name=HOSTILE),
        markup.banner(HOSTILE, HOSTILE, HOSTILE),
        markup.heading(HOSTILE, HOSTILE),
        markup.page_title(HOSTILE, HOSTILE),
        markup.legend([HOSTILE], HOSTILE),
        markup.funnel([FunnelStep(HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE, 1)], compared=HOSTILE),
        markup.heat_map(
            HOSTILE, [HOSTILE], [(HOSTILE, HOSTILE, [Heat(1, HOSTILE, HOSTILE)])], name=HOSTILE
        ),
        markup.chips([Chip(HOSTILE, HOSTILE, HOSTILE)], name=HOSTILE),
        markup.entries(
            [Entry(HOSTILE, HOSTILE, [HOSTILE], [Step(HOSTILE, HOSTILE, HOSTILE, HOSTILE)], HOSTILE,
                   badges=[HOSTILE])],
            name=HOSTILE,
        ),
    ],
)  # fmt: skip
def test_no_text_becomes_an_element_or_an_attribute(html: str) -> None:
    seen = Elements(html)

    assert seen.found.isdisjoint({"script", "img", "onload", "onerror", "src"})
    assert "<script>x</script>" in seen.texts


def test_signs_that_deceive_the_reader_are_replaced_and_a_long_text_is_cut() -> None:
    assert markup.text("a\u202eb\x00c\u200b") == "a�b�c�"
    assert markup.text("line\nbreak\ttab") == "line break tab"
    assert len(markup.text("x" * 1_000_000)) == markup.LONGEST_TEXT


@pytest.mark.parametrize(
    ("card", "arrow", "verdict", "moved"),
    [
        (Card("a", "1", 0.123), "▲", "good", "12.3%"),
        (Card("a", "1", -0.123), "▼", "bad", "12.3%"),
        (Card("a", "1", 0.123, good="down"), "▲", "bad", "12.3%"),
        (Card("a", "1", 0.123, good="neither"), "▲", "even", "12.3%"),
        (Card("a", "1", 0.0004), "●", "even", "0.0%"),
        (Card("a", "1", 0.012, points=True), "▲", "good", "1.2 pp"),
        (Card("a", "1", 2.5), "▲", "good", "250%"),
    ],
)
def test_a_change_says_its_direction_and_whether_it_is_good(
    card: Card, arrow: str, verdict: str, moved: str
) -> None:
    html = markup.cards([card])

    assert arrow in html
    assert f"tl-delta tl-{verdict}" in html
    assert moved in html


def test_what_was_put_together_of_many_names_comes_last_and_a_blank_name_says_so() -> None:
    html = markup.bars(
        [Bar("(other)", 90, "90"), Bar(" ", 20, "20"), Bar("/a", 10, "10")], name="Page"
    )

    shown = Elements(html).texts
    assert shown.index("(blank)") < shown.index("/a") < shown.index("(other)")
    assert html.count("tl-rest") == 1
    assert "--tl-share:1.0000" in html.partition("(blank)")[0]  # named ones share the scale
