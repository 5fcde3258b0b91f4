"""The identity of an event: equal for every retry, different for any other event."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tidelake.event.identity import event_key

NATIVE_KEY = "f536867270bcba97fe603ff1d41b7748"
SEGMENT_KEY = "1591286f7fa457e8fe80e8bfa2a42361"
PARTS = st.tuples(
    st.sampled_from(["native", "segment"]),
    st.none() | st.text(min_size=1, max_size=3),
    st.text(max_size=3),
    st.binary(max_size=3),
)


def test_the_keys_in_the_lake_stay_what_they_are() -> None:
    assert event_key("native", "shop", "e1", b"{}").hex() == NATIVE_KEY
    assert event_key("segment", None, "m1").hex() == SEGMENT_KEY


def test_a_strong_id_alone_makes_the_key() -> None:
    assert event_key("segment", "shop", "m1", b"sent at 1") == event_key(
        "segment", "shop", "m1", b"sent at 2"
    )


def test_a_native_id_is_one_with_the_bytes_of_its_record() -> None:
    assert event_key("native", "shop", "123456", b"a") != event_key(
        "native", "shop", "123456", b"b"
    )


@settings(deadline=None)
@given(PARTS, PARTS)
def test_different_parts_never_run_together_into_one_key(
    a: tuple[str, str | None, str, bytes], b: tuple[str, str | None, str, bytes]
) -> None:
    strong_a, strong_b = (parts[:3] if parts[0] == "segment" else parts for parts in (a, b))
    assert (event_key(*a) == event_key(*b)) == (strong_a == strong_b)
