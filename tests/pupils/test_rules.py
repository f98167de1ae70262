"""Names, card numbers, codes and plans: without a database."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schoolmeals.errors import Invalid
from schoolmeals.pupils import rules
from schoolmeals.pupils.roster import Roster, RosterClass, RosterRow
from schoolmeals.pupils.roster_plan import KnownPupil, RosterPlan, plan_roster

KEY = b"k" * 32
ALPHABET = "АӘБВГҒДЕЁЖЗИЙКҚЛМНҢОӨПРСТУҰҮФХҺЦЧШЩЪЫІЬЭЮЯ"
BORN = date(2015, 5, 31)


def test_names_sort_by_the_kazakh_alphabet_and_latin_comes_last() -> None:
    letters = [*ALPHABET, *"ABCXYZ", *"0189"]
    shuffled = letters[::-1]
    assert sorted(shuffled, key=rules.sort_key) == letters
    assert rules.sort_key("әЛИ") == rules.sort_key("Әли")


def test_a_planted_order_by_code_points_is_seen() -> None:
    assert sorted(ALPHABET) != list(ALPHABET)


@given(st.text(max_size=40))
def test_a_sort_key_is_ascii_digits_whatever_the_name(name: str) -> None:
    assert set(rules.sort_key(name)) <= set("0123456789")


@example("0 \x01 0")
@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = rules.cleaned(text)
    assert rules.cleaned(once) == once
    assert not set(once) & set("\x00\u202e\u2066\ufeff\u200b")


@pytest.mark.parametrize("typed", ["5Ә", "5 ә", "5-Ә", '5 "Ә"', "5 «Ә»", "05Ә", " 5  «ә» "])
def test_a_class_is_the_same_however_it_is_written(typed: str) -> None:
    found = rules.class_name(typed)
    assert found is not None
    assert (found.name, found.key, found.grade) == ("5 «Ә»", "class-5-ә", 5)


@pytest.mark.parametrize("typed", ["", "Ә", "13А", "5 А Б", "5А!", "\u202e", "٥А" * 3])
def test_what_is_no_class_is_none(typed: str) -> None:
    assert rules.class_name(typed) is None


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("04a24f21", "04A24F21"),
        ("04:A2:4F:21", "04A24F21"),
        ("04-A2-4F-21-9C-5E-80", "04A24F219C5E80"),
        ("04 A2 4F 21 9C 5E 80 11 22 33\n", "04A24F219C5E80112233"),
        ("0077745953", "04A24F21"),
        ("sm1:" + "o1" * 13, "sm1:" + "01" * 13),
    ],
)
def test_a_cards_number_has_one_form(typed: str, text: str) -> None:
    assert rules.card_number(typed).text == text
    assert rules.number_hash(KEY, typed) == rules.number_hash(KEY, text)
    assert rules.number_hash(KEY, typed) != rules.number_hash(b"x" * 32, typed)


@pytest.mark.parametrize(
    "typed", ["", "04A24F2", "04A24F21Z9", "00000000", "sm1:ABC", "9999999999", "sm1:" + "U" * 25 + "*"]
)
def test_what_is_no_cards_number_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.card_number(typed)
    assert (refused.value.code, list(refused.value.fields)) == ("card-number", ["number"])


def test_a_number_that_changes_at_each_tap_is_not_enrolled() -> None:
    with pytest.raises(Invalid) as refused:
        rules.enrollable(rules.card_number("08A1B2C3"))
    assert refused.value.code == "card-number-changes"
    assert rules.enrollable(rules.card_number("08A1B2C3D4E5F6")).kind == "iso14443"


@given(st.binary(min_size=10, max_size=10))
def test_a_code_is_read_as_it_is_shown(random: bytes) -> None:
    code = rules.in_crockford(random, rules.CODE_CHARACTERS)
    assert rules.typed_code(rules.shown_code(code).lower()) == code


@pytest.mark.parametrize(("leaving", "asked"), [(0, False), (20, False), (21, True)])
def test_more_than_a_fifth_of_the_roll_leaves_only_by_word(leaving: int, asked: bool) -> None:
    assert rules.must_be_confirmed(on_roll=100, leaving=leaving) is asked


def row(sourced_id: str, surname: str = "Абай", **more: object) -> RosterRow:
    values = {"birth_date": BORN, "class_key": "class-5-ә", **more}
    return RosterRow("r.csv", 2, sourced_id, surname, "Әли", **values)  # type: ignore[arg-type]


def known(sourced_id: str, surname: str = "Абай", **more: object) -> KnownPupil:
    base = KnownPupil(uuid4(), sourced_id, surname, "Әли", "", BORN, "class-5-ә", False)
    return replace(base, **more)  # type: ignore[arg-type]


def plan(rows: list[RosterRow], there: list[KnownPupil], **more: object) -> RosterPlan:
    classes = {"class-5-ә": RosterClass("class-5-ә", "5 «Ә»", 5)}
    roster = Roster("csv", rows=rows, classes=classes)
    for name, value in more.items():
        setattr(roster, name, value)
    return plan_roster(roster, there, {"class-5-ә": ("5 «Ә»", 5)})


def counts(found: RosterPlan) -> tuple[int, int, int, int, int]:
    return len(found.new), len(found.changed), found.unchanged, len(found.returning), len(found.leaving)


def test_a_roll_sorts_pupils_into_new_changed_unchanged_returning_and_leaving() -> None:
    there = [known("1"), known("2", "Бек"), known("3", "Дана", has_left=True), known("4", "Ерлан")]
    found = plan([row("1"), row("2", "Беков"), row("3", "Дана"), row("5", "Жан")], there)
    assert counts(found) == (1, 1, 1, 1, 1)
    assert found.changed[0].fields == ("surname",)
    assert [one.sourced_id for one in found.leaving] == ["4"]


def test_a_pupil_with_another_number_is_known_by_name_and_birth_date() -> None:
    found = plan([row("new-1")], [known("old-1")])
    assert counts(found) == (0, 1, 0, 0, 0)
    assert found.changed[0].fields == ("sourced_id",)


def test_twins_of_the_same_name_are_not_mistaken_for_one_another() -> None:
    assert counts(plan([row("n1")], [known("o1"), known("o2")])) == (1, 0, 0, 0, 2)


def test_a_made_id_never_replaces_a_number() -> None:
    assert counts(plan([row("name-abc")], [known("101")])) == (0, 0, 1, 0, 0)


def test_whose_row_is_bad_does_not_leave() -> None:
    there = [known("1"), known("2", "Бек")]
    assert counts(plan([row("1")], there, spoiled={"2"})) == (0, 0, 1, 0, 0)
    assert counts(plan([row("1")], there, spoiled={rules.sort_key("Бек Әли")})) == (0, 0, 1, 0, 0)
    assert counts(plan([row("1")], there)) == (0, 0, 1, 0, 1)


def test_from_a_file_of_changes_only_those_it_names_leave() -> None:
    there = [known("1"), known("2", "Бек"), known("3", "Дана")]
    found = plan([row("1")], there, is_whole=False, gone=frozenset({"3"}))
    assert [one.sourced_id for one in found.leaving] == ["3"]


def test_a_class_that_another_system_calls_otherwise_is_the_same_class() -> None:
    roster = Roster("oneroster-1.1", rows=[row("1", class_key="C5")], classes={"C5": RosterClass("C5", "5 «Ә»", 5)})
    found = plan_roster(roster, [known("1")], {"class-5-ә": ("5 «Ә»", 5)})
    assert found.adopted == {"class-5-ә": "C5"}
    assert counts(found) == (0, 0, 1, 0, 0)
