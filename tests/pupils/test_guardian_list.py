"""The guardians whom a OneRoster file names: read, listed, brought up to date, invited. None of it opens anything."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from schoolmeals import mail, pupils
from schoolmeals.errors import NotFound
from schoolmeals.pupils import jobs
from schoolmeals.pupils.actions import imports
from schoolmeals.pupils.actions.guardians import invite_guardians
from schoolmeals.pupils.actions.imports import apply_roster, confirm_roster, upload_roster
from schoolmeals.pupils.guardian_plan import KnownGuardian, plan_guardians
from schoolmeals.pupils.listed import classes_to_write_to, dropped_guardians, listed_guardian, listed_guardians
from schoolmeals.pupils.models import ClaimCode, Guardianship, ListedGuardian
from schoolmeals.pupils.roster import GuardianRow, Roster
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.rules import CODE_LASTS
from tests.conftest import A_MONDAY
from tests.factories.identity import PersonFactory, actor_of, signed_in
from tests.factories.rosters import ABAI, BEK, KEY, csv_of, oneroster, oneroster_files
from tests.pupils.conftest import School
from tests.pupils.test_views import ordered, post

TODAY = A_MONDAY.date()
HEAD = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,"
    "givenName,familyName,email,phone,sms,agentSourcedIds\n"
)
ALI = "101,active,,true,S1,student,Әли,Абай,,,,"
MARIA = "102,active,,true,S1,student,Мария,Бек,,,,"
MOTHER = "G1,active,,false,S1,parent,Сәуле,Абай,Saule@Example.kz,8 701 123 45 67,,"
AUNT = "G2,active,,true,S1,relative,Гүл,Бек,,,+7 702 765 43 21,102"
FATHER = "G3,active,,true,S1,parent,Серік,Абай,,,,"
SAULE = GuardianRow("G1", "Абай Сәуле", "parent", "saule@example.kz", "+77011234567")
GUL = GuardianRow("G2", "Бек Гүл", "relative", "", "+77027654321")


def users(*rows: str) -> str:
    return HEAD + "\n".join(rows) + "\n"


def ours(*rows: str, **more: str) -> bytes:
    """The small school's own pupils, Ali with his mother, in a zip."""
    links = oneroster_files()["enrollments.csv"].replace("U1", "101").replace("U2", "102")
    return oneroster(users=users(*rows), enrollments=links, **more)


def read(content: bytes) -> Roster:
    return read_roster("roll.zip", content, key=KEY)


@pytest.fixture
def take(do: Any, school: School) -> Any:
    """Take a roll in, as the office does."""

    def run(content: bytes, leaving: str = "") -> None:
        roster = read_roster("roll", content, key=KEY)
        import_id = do(
            upload_roster,
            school.id,
            file_name="roll",
            content=content,
            roster=roster,
            file_key=KEY,
            actor=school.office,
        )
        do(confirm_roster, school.id, import_id, roster=roster, typed=leaving, actor=school.office)
        assert do(apply_roster, school.id, import_id, roster=roster, today=TODAY, actor=school.office)

    return run


def test_guardians_are_read_from_either_side_with_clean_contacts() -> None:
    roster = read(ours(ALI + "G1", MARIA, MOTHER, AUNT))
    assert roster.problems == []
    assert roster.guardians == {"101": (SAULE,), "102": (GUL,)}
    assert roster.guardian_links == 2


def test_the_roles_of_version_1_2_are_read_and_what_is_wrong_is_told_in_order() -> None:
    files = oneroster_files("1.2")
    head = files["users.csv"].splitlines()[0] + ",email,phone"
    rows = [
        "U1,active,,true,U1,Әли,Абай,,G1,,",
        'U2,active,,true,U2,Мария,Бек,,"G3,G9",,',
        "G1,active,,true,G1,Сәуле,Абай,,,saule,12",
        "G3,active,,true,G3,,,,,,",
    ]
    roles = files["roles.csv"] + "RG3,active,,G3,primary,parent,,,S1\n"
    roster = read(oneroster("1.2", users="\n".join([head, *rows]), roles=roles))
    assert roster.guardians == {"U1": (GuardianRow("G1", "Абай Сәуле", "guardian"),), "U2": ()}
    assert [(one.line, one.column, one.code) for one in roster.problems] == [
        (3, "agentSourcedIds", "unknown-guardian"),
        (4, "email", "bad-email"),
        (4, "phone", "bad-phone"),
        (5, "familyName", "guardian-without-name"),
    ]


def test_a_plan_tells_new_changed_gone_and_what_silence_means() -> None:
    ali, maria, left = uuid4(), uuid4(), uuid4()
    old = GuardianRow("G1", "Абай Сәуле", "parent", "", "")
    known = [
        KnownGuardian(UUID(int=1), ali, old, is_listed=True),
        KnownGuardian(UUID(int=2), maria, old, is_listed=True),
        KnownGuardian(UUID(int=3), left, old, is_listed=True),
        KnownGuardian(UUID(int=4), maria, GUL, is_listed=False),
    ]
    roster = Roster("oneroster-1.1", guardians={"101": (SAULE, GUL), "102": (GUL,)})
    plan = plan_guardians(roster, {"101": ali, "102": maria}, known)
    assert plan.new == [(ali, GUL)]
    assert plan.changed == [(UUID(int=1), SAULE), (UUID(int=4), GUL)]
    assert plan.gone == [UUID(int=2)]
    roster.is_whole = False
    assert plan_guardians(roster, {"101": ali, "102": maria}, known).gone == []
    roster.gone_guardians = frozenset({"G1"})
    assert plan_guardians(roster, {"102": maria}, known).gone == [UUID(int=1), UUID(int=2), UUID(int=3)]
    roster.guardians = None
    assert not plan_guardians(roster, {"101": ali, "102": maria}, known)


def test_a_second_import_updates_and_never_duplicates_and_opens_nothing(school: School, take: Any, rows: Any) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER, AUNT))
    first = {one.sourced_id: one.id for one in rows(ListedGuardian)}
    take(ours(ALI + "G1", MARIA, MOTHER.replace("67,,", "68,,"), AUNT))
    assert {one.sourced_id: one.id for one in rows(ListedGuardian)} == first
    assert {one.phone for one in rows(ListedGuardian)} == {"+77011234568", "+77027654321"}
    assert [one.person_id for one in rows(Guardianship)] == [school.parent.id]
    assert rows(ClaimCode) == []


def test_a_planted_import_that_forgets_who_is_listed_would_be_refused_by_the_database(
    school: School, take: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER))
    monkeypatch.setattr(imports, "known_guardians", lambda _work, _school: [])
    with pytest.raises(IntegrityError):
        take(ours(ALI + "G1", MARIA, MOTHER))


def test_who_is_named_no_more_leaves_the_list_with_their_code_and_may_come_back(
    school: School, take: Any, rows: Any, do: Any, look: Any
) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER))
    (saule,) = rows(ListedGuardian)
    do(invite_guardians, school.id, {saule.id: b"a" * 32}, actor=school.office)
    take(csv_of(ABAI, BEK))
    assert rows(ClaimCode)[0].withdrawn_at is None
    take(ours(ALI, MARIA))
    assert rows(ClaimCode)[0].withdrawn_at is not None
    assert look(listed_guardians, school.id, [school.ali.id], actor=school.office) == {school.ali.id: []}
    with pytest.raises(NotFound):
        do(invite_guardians, school.id, {saule.id: b"b" * 32}, actor=school.office)
    take(ours(ALI + "G1", MARIA, MOTHER))
    assert [
        one.id for one in look(listed_guardians, school.id, [school.ali.id], actor=school.office)[school.ali.id]
    ] == [saule.id]


def test_a_code_is_one_guardians_own_and_whoever_claims_it_has_joined(
    school: School, take: Any, rows: Any, do: Any, look: Any
) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER, AUNT.replace(",102", ",101")))
    ids = {one.sourced_id: one.id for one in rows(ListedGuardian)}
    do(invite_guardians, school.id, {ids["G1"]: b"a" * 32, ids["G2"]: b"b" * 32}, actor=school.office)
    do(invite_guardians, school.id, {ids["G1"]: b"c" * 32}, actor=school.office)
    invited = look(listed_guardian, school.id, ids["G1"], actor=school.office)
    assert (invited.invited_at, invited.good_until, invited.has_joined) == (A_MONDAY, A_MONDAY + CODE_LASTS, False)
    mother = actor_of(PersonFactory.create().id)
    refused = do(pupils.claim_pupil, b"a" * 32, "mother", attempt_keys=[], actor=mother)
    assert refused.code == "claim-code-unknown"
    assert do(pupils.claim_pupil, b"c" * 32, "mother", attempt_keys=[], actor=mother).is_new
    found = look(listed_guardians, school.id, [school.ali.id], actor=school.office)[school.ali.id]
    assert [(one.name, one.has_joined) for one in found] == [("Абай Сәуле", True), ("Бек Гүл", False)]
    do(pupils.end_guardianship, school.id, school.ali.id, mother.id, actor=school.office)
    assert not look(listed_guardian, school.id, ids["G1"], actor=school.office).has_joined


def test_who_came_in_by_another_code_is_known_by_the_same_number(school: School, take: Any, do: Any, look: Any) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER))
    person = PersonFactory.create(phone="+77011234567")
    do(pupils.add_guardian, school.id, school.ali.id, person.id, "mother", actor=school.office)
    found = look(listed_guardians, school.id, [school.ali.id], actor=school.office)[school.ali.id]
    assert [one.has_joined for one in found] == [True]


def test_only_the_own_office_sees_and_invites(
    school: School, other_school: School, take: Any, rows: Any, do: Any, look: Any
) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER))
    (saule,) = rows(ListedGuardian)
    for who in (school.parent, other_school.office):
        with pytest.raises(NotFound):
            look(listed_guardians, school.id, [school.ali.id], actor=who)
        with pytest.raises(NotFound):
            do(invite_guardians, school.id, {saule.id: b"a" * 32}, actor=who)
    with pytest.raises(NotFound):
        do(invite_guardians, other_school.id, {saule.id: b"a" * 32}, actor=other_school.office)
    assert rows(ClaimCode) == []


def test_the_office_shows_a_code_that_the_guardian_claims(app: Flask, school: School, take: Any, rows: Any) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER))
    (saule,) = rows(ListedGuardian)
    page = f"/school/{school.id}/pupils/{school.ali.id}"
    assert "Абай Сәуле" in school.office_browser.get(page).text
    shown = post(school.office_browser, f"/school/{school.id}/listed/{saule.id}/code", page)
    code = re.search(r"[0-9A-Z]{5}-[0-9A-Z]{5}", shown.text)
    assert code is not None
    browser = signed_in(app, PersonFactory.create(roles=[]).id)
    assert post(browser, "/claim", "/claim", relation="mother", code=code[0]).status_code == 303
    assert "has joined" in school.office_browser.get(page, headers={"Accept-Language": "en"}).text


def test_codes_go_out_by_e_mail_once_and_hold_the_code_that_opens(
    app: Flask, school: School, take: Any, rows: Any, look: Any
) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER, AUNT))
    assert look(classes_to_write_to, school.id, actor=school.office) == {school.class_id}
    path = f"/school/{school.id}/cards"
    send = f"/school/{school.id}/codes/send"
    assert post(school.office_browser, send, path, class_id=school.class_id).status_code == 303
    (letter,) = rows(mail.Letter)
    with app.app_context():
        key = mail.letters_key(app.extensions["schoolmeals"].settings.secret_key)
    words = mail.words_of(letter, key)
    assert (words.to, letter.good_until) == ("saule@example.kz", A_MONDAY + CODE_LASTS)
    assert ("Абай Сәуле" in words.params["text"], "Сәлеметсіз бе" in words.params["text"]) == (True, True)
    code = re.search(r"[0-9A-Z]{5}-[0-9A-Z]{5}", words.params["text"])
    assert code is not None
    assert look(classes_to_write_to, school.id, actor=school.office) == set()
    assert post(school.office_browser, send, path, class_id=school.class_id).status_code == 422
    assert len(rows(mail.Letter)) == 1
    browser = signed_in(app, PersonFactory.create(roles=[]).id)
    assert post(browser, "/claim", "/claim", relation="mother", code=code[0]).status_code == 303


def test_without_a_mail_server_nothing_is_given_and_the_page_says_so(
    app: Flask, school: School, take: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER))
    monkeypatch.setattr("schoolmeals.config.Settings.sends_letters", property(lambda _self: False))
    path = f"/school/{school.id}/cards"
    assert "codes/send" not in school.office_browser.get(path).text
    refused = post(school.office_browser, f"/school/{school.id}/codes/send", path, class_id=school.class_id)
    assert refused.status_code == 409
    assert (rows(mail.Letter), rows(ClaimCode)) == ([], [])


def test_letters_are_printed_for_each_who_has_not_joined(
    school: School, take: Any, rows: Any, do: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def keep(html: str, _tell: Any) -> bytes:
        seen.append(html)
        return b"%PDF"

    monkeypatch.setattr("schoolmeals.files.making.drawn", keep)
    take(ours(ALI + "G1", MARIA, MOTHER, AUNT.replace(",102", ",101")))
    path = f"/school/{school.id}/cards"
    print_ = f"/school/{school.id}/codes/print"
    jobs.print_codes(str(ordered(school.office_browser, print_, path, class_id=school.class_id)))
    assert re.findall(r"<strong>([^<]+)</strong>", seen[0]) == ["Абай Сәуле", "Бек Гүл"]
    assert seen[0].count("<section>") == 3
    assert sorted(code.listed_id is not None for code in rows(ClaimCode)) == [False, True, True]
    person = PersonFactory.create(phone="+77011234567")
    do(pupils.add_guardian, school.id, school.ali.id, person.id, "mother", actor=school.office)
    jobs.print_codes(str(ordered(school.office_browser, print_, path, pupil_id=school.ali.id)))
    assert re.findall(r"<strong>([^<]+)</strong>", seen[1]) == ["Бек Гүл"]
    second = PersonFactory.create(phone="+77027654321")
    do(pupils.add_guardian, school.id, school.ali.id, second.id, "relative", actor=school.office)
    assert post(school.office_browser, print_, path, pupil_id=school.ali.id).status_code == 422


def test_an_old_code_no_longer_counts_as_an_invitation(
    school: School, take: Any, rows: Any, do: Any, look: Any
) -> None:
    take(ours(ALI + "G1", MARIA, MOTHER))
    (saule,) = rows(ListedGuardian)
    long_ago = A_MONDAY - CODE_LASTS - timedelta(days=1)
    do(invite_guardians, school.id, {saule.id: b"a" * 32}, actor=school.office, at=long_ago)
    assert look(listed_guardian, school.id, saule.id, actor=school.office).invited_at is None
    assert look(classes_to_write_to, school.id, actor=school.office) == {school.class_id}


@pytest.fixture
def dropped(school: School, take: Any, rows: Any, do: Any) -> Any:
    """Ali's mother came in by her code, his aunt by her number; now the list names his father instead."""
    take(ours(ALI + "G1", MARIA, MOTHER, AUNT.replace(",102", ",101")))
    ids = {one.sourced_id: one.id for one in rows(ListedGuardian)}
    do(invite_guardians, school.id, {ids["G1"]: b"a" * 32}, actor=school.office)
    mother = actor_of(PersonFactory.create(name="Абай Сәуле").id)
    assert do(pupils.claim_pupil, b"a" * 32, "mother", attempt_keys=[], actor=mother).is_new
    aunt = PersonFactory.create(name="Бек Гүл", phone="+77027654321")
    do(pupils.add_guardian, school.id, school.ali.id, aunt.id, "relative", actor=school.office)
    take(ours(ALI + "G3", MARIA, FATHER))
    return mother


def test_the_office_is_told_who_is_on_the_list_no_more_and_ends_it_with_one_tap(
    school: School, dropped: Any, rows: Any, look: Any
) -> None:
    found = look(dropped_guardians, school.id, actor=school.office)
    assert [(one.pupil_name, one.name, one.unlisted_at) for one in found] == [
        ("Абай Әли", "Абай Сәуле", A_MONDAY),
        ("Абай Әли", "Бек Гүл", A_MONDAY),
    ]
    assert look(dropped_guardians, school.id, school.maria.id, actor=school.office) == []
    roll, page = f"/school/{school.id}/pupils", f"/school/{school.id}/pupils/{school.ali.id}"
    assert "2 guardians are no longer on the school" in school.office_browser.get(roll).text
    assert school.office_browser.get(page).text.count("no longer on the list") == 2
    assert post(school.office_browser, f"{page}/guardians/{dropped.id}/end", page).status_code == 303
    assert [one.ended_at for one in rows(Guardianship) if one.person_id == dropped.id] == [A_MONDAY]
    assert [one.name for one in look(dropped_guardians, school.id, actor=school.office)] == ["Бек Гүл"]


def test_who_is_named_again_or_never_was_is_nobodys_question(
    school: School, other_school: School, dropped: Any, take: Any, look: Any
) -> None:
    assert school.parent.id not in {one.person_id for one in look(dropped_guardians, school.id, actor=school.office)}
    take(ours(ALI + "G1", MARIA, MOTHER, AUNT.replace(",102", ",101")))
    assert look(dropped_guardians, school.id, actor=school.office) == []
    for who in (school.parent, other_school.office):
        with pytest.raises(NotFound):
            look(dropped_guardians, school.id, actor=who)


def test_a_planted_list_that_forgets_whom_it_named_tells_the_office_nothing(
    school: School, dropped: Any, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schoolmeals.pupils.listed._marks", lambda row, _codes: {row.email, row.phone})
    found = look(dropped_guardians, school.id, actor=school.office)
    assert [one.name for one in found] != ["Абай Сәуле", "Бек Гүл"]
