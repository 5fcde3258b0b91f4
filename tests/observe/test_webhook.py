"""A webhook is told in order and again until it takes it; nobody waits for it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tidelake.errors import SetupError, UnavailableError
from tidelake.observe.webhook import MOST_WAITING, Sender, check_url, post

from .hooks import Hook, hook


@pytest.fixture
def told() -> Iterator[Hook]:
    with hook() as found:
        yield found


def sender(url: str) -> Sender:
    made = Sender(url, timeout_s=2, first_wait_s=0.01)
    made.start()
    return made


def test_messages_arrive_in_order(told: Hook) -> None:
    sending = sender(told.url)
    for number in range(3):
        sending.tell({"n": number})

    assert told.wait_for(3) == [{"n": 0}, {"n": 1}, {"n": 2}]
    sending.stop()
    assert sending.trouble == ""


def test_a_server_that_refuses_for_now_is_asked_again(told: Hook) -> None:
    told.answers = [503, 429, 500]
    sending = sender(told.url)
    sending.tell({"n": 1})

    assert told.wait_for(1) == [{"n": 1}]
    assert told.tries == 4
    sending.stop()


def test_a_server_that_refuses_for_good_is_not_and_the_next_message_goes_on(told: Hook) -> None:
    told.answers = [404]
    sending = sender(told.url)
    sending.tell({"n": 1})
    sending.tell({"n": 2})

    assert told.wait_for(1) == [{"n": 2}]
    assert told.tries == 2
    sending.stop()


def test_nobody_waits_for_a_server_that_does_not_answer_and_the_oldest_are_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        sending = Sender(url, timeout_s=30)
        sending.start()
        began = time.process_time()
        for number in range(MOST_WAITING * 3):
            sending.tell({"n": number})
        assert time.process_time() - began < 2
        sending.stop(0.1)


def test_one_try_says_what_was_wrong_without_the_secret_in_the_address(told: Hook) -> None:
    told.answers = [503, 403]
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1/… answers 503 not now") as caught:
        post(told.url, {})
    assert "secret" not in str(caught.value)
    with pytest.raises(SetupError, match="answers 403"):
        post(told.url, {})


def test_a_port_where_nobody_listens_is_passing_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UnavailableError, match="does not answer"):
        post(f"http://127.0.0.1:{port}/", {})


@pytest.mark.parametrize("url", ["hooks.example/x", "ftp://host/", "http://", "file:///etc/passwd"])
def test_an_address_that_takes_no_post_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match="webhook"):
        check_url(url)
