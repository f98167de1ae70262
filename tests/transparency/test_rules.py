"""Which contract feeds a school today, which days are shown, what a search finds."""

from datetime import date, timedelta

import pytest

from schoolmeals.transparency.rules import is_shown, matches, place_of

FIRST, LAST = date(2027, 1, 11), date(2027, 5, 25)


@pytest.mark.parametrize(
    ("today", "is_active", "place"),
    [
        (FIRST - timedelta(days=1), True, "coming"),
        (FIRST, True, "now"),
        (LAST, True, "now"),
        (LAST + timedelta(days=1), True, "past"),
        (FIRST - timedelta(days=1), False, "past"),
        (FIRST, False, "past"),
    ],
)
def test_a_contract_feeds_from_its_first_to_its_last_day(today: date, is_active: bool, place: str) -> None:
    assert place_of(FIRST, LAST, today, is_active=is_active) == place


@pytest.mark.parametrize(("days", "shown"), [(0, True), (31, True), (-31, True), (32, False), (-32, False)])
def test_menus_are_shown_a_month_around_today(days: int, shown: bool) -> None:
    assert is_shown(FIRST + timedelta(days=days), FIRST) is shown


@pytest.mark.parametrize(
    ("text", "found"),
    [("", True), ("АБАЙ", True), ("абай 14", True), ("14 абай", True), ("абай 15", False), ("  ", True)],
)
def test_every_word_of_a_search_must_be_there(text: str, found: bool) -> None:
    assert matches(text, "№ 14 мектеп", None, "Абай даңғылы, 3") is found
