"""The event type registry: names as clients send them, and the user's own types."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from tidelake.errors import SetupError
from tidelake.event.registry import load, snake_case

STANDARD = (
    "user_login",
    "product_view",
    "cart_update",
    "purchase",
    "page_view",
    "search",
    "click",
    "form_submission",
)


@pytest.mark.parametrize("name", STANDARD)
def test_the_standard_types_are_known_by_their_own_names(name: str) -> None:
    assert load().resolve(name) == (name, True)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("Order Completed", "purchase"),
        ("orderCompleted", "purchase"),
        ("ORDER COMPLETED", "purchase"),
        ("order-completed", "purchase"),
        ("Product Added", "cart_update"),
        ("identify", "user_identify"),
        ("Page Viewed", "page_view"),
    ],
)
def test_a_type_is_known_by_its_aliases_in_any_spelling(sent: str, name: str) -> None:
    assert load().resolve(sent) == (name, True)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("Quiz Finished", "quiz_finished"),
        ("HTTPServerError", "http_server_error"),
        ("Überweisung", "überweisung"),
        ("購入", "購入"),
        ("!!!", "!!!"),
        ("v2Upgrade", "v2_upgrade"),
    ],
)
def test_an_unknown_type_passes_in_snake_case(sent: str, name: str) -> None:
    assert load().resolve(sent) == (name, False)


def test_snake_case_of_snake_case_changes_nothing() -> None:
    assert all(snake_case(name) == name for name in load().types)


def test_no_alias_belongs_to_two_types_or_hides_a_type() -> None:
    registry = load()
    aliases = [snake_case(alias) for type in registry.types.values() for alias in type.aliases]
    assert len(set(aliases)) == len(aliases)
    hidden = {alias for alias in aliases if alias in registry.types}
    assert all(registry.aliases[alias] == alias for alias in hidden)


def test_a_user_s_types_are_added_and_win(tmp_path: Path) -> None:
    own = tmp_path / "types.yaml"
    own.write_text(
        "quiz_finished: {meaning: A quiz ended., owner: games, aliases: [Quiz Done]}\n"
        "search: {meaning: Ours., owner: us}\n"
    )
    registry = load(own)
    assert registry.resolve("quiz done") == ("quiz_finished", True)
    assert registry.types["search"].owner == "us"
    assert registry.resolve("purchase") == ("purchase", True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[1, 2]", "not a mapping"),
        ("Bad Name: {meaning: x}", "'Bad Name' is not an event type"),
        ("quiz: {meaning: x, color: red}", "color"),
        ("quiz: {owner: x}", "no meaning"),
        ("{", "can not be read"),
    ],
)
def test_a_file_of_types_that_means_nothing_stops_loudly(
    tmp_path: Path, text: str, fault: str
) -> None:
    own = tmp_path / "types.yaml"
    own.write_text(text)
    with pytest.raises(SetupError, match=fault):
        load(own)


def test_the_registry_goes_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(load())) == load()
