"""``docs/procedures.md`` says of each number what the profiles say: no lawyer must read JSON, and none is misled."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from schoolmeals.procurement import profiles
from schoolmeals.procurement.profiles import numbers_in

DOCUMENT = Path(__file__).parents[2] / "docs" / "procedures.md"
CODES = ("kz-catering-points", "kz-goods-price")


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, without its head."""
    text = DOCUMENT.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


def said(number: Mapping[str, Any] | None) -> str:
    """A number as the document writes it."""
    if number is None:
        return "-"
    if number["unit"] == "points-milli":
        return f"{number['value'] // 1000} points"
    return f"{number['value']} {number['unit']}"


def numbers() -> dict[str, dict[str, Mapping[str, Any]]]:
    """The numbers of both profiles by their codes."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for code in CODES:
        for path, number in numbers_in(profiles.load(code).json):
            found.setdefault(path.removeprefix("numbers."), {})[code] = number
    return found


def test_both_profiles_are_there() -> None:
    assert profiles.codes() == CODES


def test_every_number_is_told_as_it_is() -> None:
    told = {row[0].strip("`"): row[2:4] for row in table("Numbers")}
    assert told == {path: [said(one.get(code)) for code in CODES] for path, one in numbers().items()}


def test_what_is_not_verified_is_said_so() -> None:
    told = {row[0].strip("`"): row[4] for row in table("Numbers")}
    for path, one in numbers().items():
        states = dict.fromkeys("yes" if number["verified"] else "no" for number in one.values())
        assert told[path] == "/".join(states), path
        law = next(row[5] for row in table("Numbers") if row[0].strip("`") == path)
        assert all(number["legal_ref"]["en"] in law for number in one.values() if number["verified"]), path


def test_every_requirement_is_told_as_it_is() -> None:
    told = {row[0].strip("`"): row[2:5] for row in table("Requirements for admission")}
    for code in CODES:
        for one in profiles.load(code).requirements:
            yes = {True: "yes", False: "no"}
            assert told[one.code] == [one.check, yes[one.fixable], yes[one.verified]], one.code
    assert set(told) == {one.code for code in CODES for one in profiles.load(code).requirements}


def test_the_count_of_what_is_not_checked_is_right() -> None:
    found = re.search(r"Of (\d+) numbers of catering (\d+) are not checked", DOCUMENT.read_text("utf-8"))
    catering = profiles.load("kz-catering-points")
    assert found is not None
    assert [int(one) for one in found.groups()] == [len(list(numbers_in(catering.json))), len(catering.unverified)]


@pytest.mark.parametrize("number", ["5 working-days", "15 calendar-days"])
def test_the_table_is_read(number: str) -> None:
    assert any(number in row for row in table("Numbers"))
