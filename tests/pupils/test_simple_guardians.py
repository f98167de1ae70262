"""Guardians in simple tables: read, listed as those of OneRoster are, told where they are wrong; they open nothing."""

import io
from typing import Any

import pytest

from schoolmeals.pupils.actions.guardians import invite_guardians
from schoolmeals.pupils.models import ClaimCode, Guardianship, ListedGuardian
from schoolmeals.pupils.roster import GuardianRow, Roster
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.simple_roster import TEMPLATE
from tests.factories.rosters import ABAI, BEK, KEY, csv_of, xlsx_of
from tests.pupils.conftest import School
from tests.pupils.test_guardian_list import ALI, MARIA, MOTHER, ours, take
from tests.pupils.test_views import post

__all__ = ["take"]

HEAD = TEMPLATE["en"]
NOBODY = ("", "", "", "")
SAULE = ("Абай Сәуле", "mother", "8 701 123 45 67", "Saule@Example.kz")
SERIK = ("Абай Серік", "отец", "+7 702 765 43 21", "")


def read(*rows: tuple[Any, ...], header: tuple[str, ...] = HEAD) -> Roster:
    return read_roster("roll.csv", csv_of(*rows, header=header), key=KEY)


def told(roster: Roster) -> list[tuple[int, str, str]]:
    return [(one.line, one.column, one.code) for one in roster.problems]


@pytest.mark.parametrize("header", TEMPLATE.values())
def test_two_guardians_are_read_in_each_language_of_the_template(header: tuple[str, ...]) -> None:
    roster = read((*ABAI, *SAULE, *SERIK), (*BEK, *NOBODY, *NOBODY), header=header)
    assert roster.problems == []
    assert roster.guardians is not None
    saule, serik = roster.guardians["101"]
    assert saule == GuardianRow(saule.sourced_id, "Абай Сәуле", "parent", "saule@example.kz", "+77011234567")
    assert serik == GuardianRow(serik.sourced_id, "Абай Серік", "parent", "", "+77027654321")
    assert (saule.sourced_id[:5], roster.guardians["102"], roster.half_told) == ("name-", (), set())


def test_a_workbook_with_numbers_for_phones_and_a_schools_own_headers_is_read() -> None:
    head = ("ФИО", "Класс", "ИИН", "Мать", "Телефон матери", "ФИО отца", "Телефон отца")
    row = ("Абай Әли", "5Ә", 150531500014, "Абай Сәуле", 87011234567, "Абай Серік", "нет; 87027654321")
    roster = read_roster("roll.xlsx", xlsx_of(row, header=head), key=KEY)
    assert roster.guardians is not None
    ((saule, serik),) = roster.guardians.values()
    assert (roster.problems, saule.phone, serik.phone) == ([], "+77011234567", "+77027654321")


def test_every_mistake_is_told_with_line_and_column_and_keeps_no_pupil_out() -> None:
    long = "Ә" * 101
    roster = read(
        (*ABAI, "Абай Сәуле", "соседка", "12", "saule", *NOBODY),
        (*BEK, "", "", "+77011234567", "", *SERIK),
        ("103", "Ким", "Дана", "", "2015-05-31", "5Ә", long, "", "", "", "", "mother", "", ""),
        ("104", "Ким", "Олег", "", "2014-05-31", "6Ә", *SERIK, *SERIK),
        ("105", "", "Олег", "", "2014-05-31", "6Ә", *SAULE, *NOBODY),
    )
    assert told(roster) == [
        (2, "Guardian 1: relation", "bad-relation"),
        (2, "Guardian 1: phone", "bad-phone"),
        (2, "Guardian 1: e-mail", "bad-email"),
        (3, "Guardian 1", "guardian-without-name"),
        (4, "Guardian 1", "too-long"),
        (5, "Guardian 2", "guardian-twice"),
        (6, "Surname", "missing-value"),
    ]
    assert roster.guardians is not None
    assert {pupil: [(one.name, one.relation) for one in rows] for pupil, rows in roster.guardians.items()} == {
        "101": [("Абай Сәуле", "relative")],
        "102": [("Абай Серік", "parent")],
        "103": [],
        "104": [("Абай Серік", "parent")],
    }
    assert roster.half_told == {"102", "103"}


@pytest.mark.parametrize("header", [HEAD[:6], HEAD])
def test_a_table_that_names_nobody_says_nothing_of_guardians(header: tuple[str, ...]) -> None:
    assert read(ABAI, BEK, header=header).guardians is None


def names(rows: Any) -> list[tuple[str, bool]]:
    return sorted((one.name, one.unlisted_at is None) for one in rows(ListedGuardian))


def test_they_are_listed_updated_and_let_go_and_nothing_is_opened(school: School, take: Any, rows: Any) -> None:
    take(csv_of((*ABAI, *SAULE, *SERIK), (*BEK, *NOBODY, *NOBODY), header=HEAD))
    first = {one.name: one.id for one in rows(ListedGuardian)}
    take(csv_of((*ABAI, *SAULE[:3], "new@example.kz", *NOBODY), (*BEK, *NOBODY, *NOBODY), header=HEAD))
    assert {one.name: one.id for one in rows(ListedGuardian)} == first
    assert names(rows) == [("Абай Серік", False), ("Абай Сәуле", True)]
    assert {one.email for one in rows(ListedGuardian)} == {"new@example.kz", ""}
    take(csv_of(ABAI, BEK))
    take(csv_of((*ABAI, *NOBODY, *NOBODY), (*BEK, *NOBODY, *NOBODY), header=HEAD))
    assert names(rows) == [("Абай Серік", False), ("Абай Сәуле", True)]
    assert [one.person_id for one in rows(Guardianship)] == [school.parent.id]
    assert rows(ClaimCode) == []


def test_a_guardian_who_cannot_be_read_takes_nobody_off_the_list(school: School, take: Any, rows: Any) -> None:
    take(csv_of((*ABAI, *SAULE, *NOBODY), BEK, header=HEAD))
    take(csv_of((*ABAI, "Ә" * 101, *SAULE[1:], *SERIK), BEK, header=HEAD))
    assert names(rows) == [("Абай Серік", True), ("Абай Сәуле", True)]


def test_a_planted_reader_that_forgets_who_could_not_be_read_is_seen(
    school: School, take: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Roster, "half_told", property(lambda _self: set(), lambda _self, _value: None), raising=False)
    take(csv_of((*ABAI, *SAULE, *NOBODY), BEK, header=HEAD))
    take(csv_of((*ABAI, "Ә" * 101, *SAULE[1:], *SERIK), BEK, header=HEAD))
    assert names(rows) == [("Абай Серік", True), ("Абай Сәуле", False)]


def test_somebody_stays_who_they_are_from_oneroster_to_a_table_and_back(
    school: School, take: Any, rows: Any, do: Any
) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER))
    (saule,) = rows(ListedGuardian)
    do(invite_guardians, school.id, {saule.id: b"a" * 32}, actor=school.office)
    take(csv_of((*ABAI, *SAULE, *NOBODY), BEK, header=HEAD))
    take(ours(ALI + "G1", MARIA, MOTHER))
    (after,) = rows(ListedGuardian)
    assert (after.id, after.sourced_id, after.unlisted_at) == (saule.id, "G1", None)
    assert rows(ClaimCode)[0].withdrawn_at is None


def test_the_office_downloads_the_template_and_sees_what_is_wrong_before_it_says_yes(school: School) -> None:
    browser, page = school.office_browser, f"/school/{school.id}/import"
    head = browser.get(f"{page}/template.csv").text.splitlines()[0]
    assert head.lstrip("\ufeff").split(";") == list(TEMPLATE["en"])
    content = csv_of((*ABAI, "Абай Сәуле", "mother", "12", "", *SERIK), BEK, header=HEAD)
    answer = post(browser, page, page, file=(io.BytesIO(content), "roll.csv"))
    preview = browser.get(answer.location).text
    assert "Guardians in the file: 2, ties to pupils: 2." in preview
    assert ("Guardian 1: phone" in preview, "This is no phone number." in preview) == (True, True)
