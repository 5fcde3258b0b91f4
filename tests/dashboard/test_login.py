"""Who may see the dashboard: a password before every page, and no other address without one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.dashboard import browser
from tests.dashboard.conftest import Served, serving

from tidelake.dashboard.login import AT_ONCE, MOST_ADDRESSES, SECONDS_EACH, Door
from tidelake.errors import SetupError
from tidelake.pipeline.address import require_login
from tidelake.pipeline.describe import settings_rows
from tidelake.settings import Dashboard, Settings, load

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

PASSWORD = "correct horse, näive staple"


class Clock:
    """Seconds that pass only when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_door_opens_to_its_password_alone() -> None:
    door = Door(PASSWORD)

    assert door.opens("10.0.0.1", PASSWORD)
    for wrong in ("", PASSWORD[:-1], f"{PASSWORD} ", PASSWORD.upper(), "\ud800"):
        assert not door.opens(f"address of {wrong!r}", wrong)


def test_who_guesses_waits_and_others_do_not() -> None:
    door = Door(PASSWORD, clock := Clock())

    assert [door.opens("10.0.0.1", "guess") for _ in range(AT_ONCE)] == [False] * AT_ONCE
    assert door.wait_s("10.0.0.1") == SECONDS_EACH
    assert not door.opens("10.0.0.1", PASSWORD), "not even the right one, or guesses would go on"
    assert door.opens("10.0.0.2", PASSWORD)

    clock.now += SECONDS_EACH
    assert door.opens("10.0.0.1", PASSWORD)


def test_wrong_answers_are_forgiven_after_a_while_and_do_not_fill_the_memory() -> None:
    door = Door(PASSWORD, clock := Clock())
    for _ in range(AT_ONCE):
        door.opens("10.0.0.1", "guess")

    clock.now += AT_ONCE * SECONDS_EACH
    for _ in range(AT_ONCE - 1):
        door.opens("10.0.0.1", "guess")
    assert door.wait_s("10.0.0.1") == 0

    for number in range(MOST_ADDRESSES + 10):
        door.opens(f"address {number}", "guess")
    assert len(door._spent) == MOST_ADDRESSES


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_on_this_machine_no_password_is_needed(host: str) -> None:
    require_login(Dashboard(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7"])
def test_other_addresses_need_a_password_or_the_word_of_who_runs_it(host: str) -> None:
    with pytest.raises(SetupError, match="without a password") as caught:
        require_login(Dashboard(host=host))
    assert "TIDELAKE_DASHBOARD_PASSWORD" in caught.value.hint
    assert "TIDELAKE_DASHBOARD_OPEN_TO_ALL" in caught.value.hint

    require_login(Settings.model_validate({"dashboard": {"host": host, "password": "x"}}).dashboard)
    require_login(Dashboard(host=host, open_to_all=True))


@pytest.mark.parametrize("command", ["dashboard", "up"])
def test_a_command_that_would_show_all_to_everybody_does_not_start(
    tmp_path: Path, command: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tidelake", "--home", str(tmp_path / "home"), command],
        capture_output=True,
        text=True,
        env={**os.environ, "TIDELAKE_DASHBOARD_HOST": "0.0.0.0"},
        cwd=tmp_path,
        check=False,
    )

    assert ended.returncode == SetupError.exit_code
    assert "the dashboard would listen on 0.0.0.0 without a password" in ended.stderr


def test_the_password_is_nowhere_to_be_read(tmp_path: Path) -> None:
    settings = load({"TIDELAKE_DASHBOARD_PASSWORD": PASSWORD}, home=tmp_path)

    assert PASSWORD not in repr(settings)
    assert PASSWORD not in settings.model_dump_json()
    shown = {variable: value for variable, _, value, _ in settings_rows(settings)}
    assert shown["TIDELAKE_DASHBOARD_PASSWORD"] == "***"

    file = tmp_path / "tidelake.toml"
    file.write_text("[dashboard]\npassword = 123456\n")
    with pytest.raises(SetupError) as caught:
        load({}, file, tmp_path)
    assert "123456" not in caught.value.message


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("locked")
    with serving(home, TIDELAKE_DASHBOARD_PASSWORD=PASSWORD) as here:
        yield here


def answer(page: Chrome, said: str) -> None:
    form(page).send_keys("\ue009a\ue000", said, "\ue007")  # over what stands there; then Enter


def form(page: Chrome) -> WebElement:
    selector = "[data-testid=stTextInput] input"
    found = browser.until(lambda: page.find_elements("css selector", selector), "the form is there")
    field: WebElement = found[0]
    return field


def text(page: Chrome) -> str:
    return str(page.find_element("tag name", "body").text)


@pytest.mark.slow
def test_nothing_is_shown_before_the_password_and_the_page_asked_for_after_it(
    chrome: Chrome, locked: Served, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("DASHBOARD_SCREENSHOTS") or tmp_path)
    for width in (1440, 390):
        for name in ("", "revenue", "pipeline", "inspector"):
            browser.look(chrome, width, 900)
            browser.visit(chrome, f"{locked.url}/{name}")
            form(chrome)
            assert text(chrome).split("\n") == [
                "Skip to main content",
                "Sign in",
                "This dashboard asks for its password",
                "Password",
                "visibility",  # the name of the eye that shows what is typed
                "Sign in",
            ]
            assert browser.overflow(chrome) == []
        browser.picture(chrome, folder / f"login-{width}-light.png")

    browser.look(chrome, 1440, 900)
    browser.visit(chrome, f"{locked.url}/revenue?period=Last+7+days")
    answer(chrome, "guess")
    browser.until(lambda: "This is not the password." in text(chrome), "it says so")
    assert browser.figure(chrome, "revenue") == "None"

    answer(chrome, PASSWORD)
    browser.until(lambda: browser.figure(chrome, "revenue") != "None", "the page is drawn")
    assert "7 days" in text(chrome)
    assert "Funnel & retention" in text(chrome)


@pytest.mark.slow
def test_another_visitor_has_to_answer_too_and_a_guesser_waits(
    chrome: Chrome, locked: Served
) -> None:
    browser.visit(chrome, locked.url)

    def guessed() -> bool:
        answer(chrome, "guess")
        return "Try again in" in text(chrome)

    browser.until(guessed, "it says how long to wait")
    answer(chrome, PASSWORD)
    browser.until(lambda: browser.settled(chrome), "it is looked at")

    assert browser.figure(chrome, "sessions") == "None"
