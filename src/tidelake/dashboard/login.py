"""The question before every page, where a password is set."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import streamlit as st

from tidelake.dashboard import formats, markup

AT_ONCE = 5  # wrong answers that an address may give without waiting
SECONDS_EACH = 10.0  # after which it may give one more
MOST_ADDRESSES = 10_000  # that are remembered; the oldest are forgotten first


class Door:
    """Lets in who knows the password; slows down who guesses, each address by itself."""

    def __init__(self, password: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._digest = _digest(password)
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: OrderedDict[str, float] = OrderedDict()  # when all wrong answers are forgiven

    def wait_s(self, address: str) -> float:
        """How long this address has to wait before its next answer is looked at."""
        with self._lock:
            forgiven_at = self._spent.get(address, 0.0)
            return max(0.0, forgiven_at - self._clock() - (AT_ONCE - 1) * SECONDS_EACH)

    def opens(self, address: str, said: str) -> bool:
        """Whether this is the password; false, too, while the address has to wait."""
        if self.wait_s(address) > 0:
            return False
        # Digests are of one length: the time taken tells nothing, not even how long it is.
        right = hmac.compare_digest(_digest(said), self._digest)
        if not right:
            self._note(address)
        return right

    def _note(self, address: str) -> None:
        with self._lock:
            now = self._clock()
            before = max(self._spent.pop(address, 0.0), now)
            self._spent[address] = before + SECONDS_EACH
            while len(self._spent) > MOST_ADDRESSES:
                self._spent.popitem(last=False)


def signed_in(door: Door) -> bool:
    """Whether this visitor has given the password; draws the form where not."""
    if st.session_state.get("signed_in"):
        return True
    # Streamlit says no address for this machine itself.
    address = st.context.ip_address or "localhost"
    place = st.container(key="tl_login")
    with place, st.form("login", border=False):
        st.html(markup.page_title("Sign in", "This dashboard asks for its password"))
        said = st.text_input("Password", type="password", autocomplete="current-password")
        asked = st.form_submit_button("Sign in", type="primary")
    if not asked:
        return False
    if door.opens(address, said):
        st.session_state["signed_in"] = True
        st.rerun()
    waits = door.wait_s(address)
    detail = f"Try again in {formats.duration(waits)}." if waits else ""
    place.html(markup.banner("trouble", "This is not the password.", detail))
    return False


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
