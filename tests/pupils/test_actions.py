"""Deeds on a real PostgreSQL: what they change, and what they leave alone."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from sqlalchemy import event, func, select

from schoolmeals import pupils
from schoolmeals.actors import SYSTEM, Role
from schoolmeals.audit import AuditEvent, AuditPersonal
from schoolmeals.database import db, reading
from schoolmeals.errors import Conflict, Invalid, NotFound
from schoolmeals.pupils import Claimed, NewPupil, roster_plan
from schoolmeals.pupils.actions.imports import apply_roster, confirm_roster, drop_roster, upload_roster
from schoolmeals.pupils.commands import import_roster
from schoolmeals.pupils.models import Card, ClaimCode, Guardianship, Pupil, RosterImport, SchoolClass
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.rules import CODE_LASTS
from schoolmeals.verdicts import Refused
from tests.conftest import A_MONDAY
from tests.factories.identity import PersonFactory, actor_of
from tests.factories.pupils import CardFactory
from tests.factories.rosters import ABAI, BEK, KEY, csv_of, many, oneroster
from tests.pupils.conftest import School

TODAY = A_MONDAY.date()


@pytest.fixture
def take(do: Any, school: School) -> Any:
    """Upload, confirm and apply a roll; gives the preview's counts."""

    def run(content: bytes, *, typed: str = "", at_once: int | None = None) -> dict[str, int]:
        roster = read_roster("roll", content, key=KEY, school_names=["School No. 1"])
        import_id = do(
            upload_roster,
            school.id,
            file_name="roll",
            content=content,
            roster=roster,
            file_key=KEY,
            actor=school.office,
        )
        counts: dict[str, int] = do(_counts, school.id, import_id)
        do(confirm_roster, school.id, import_id, roster=roster, typed=typed, actor=school.office)
        while not do(
            apply_roster, school.id, import_id, roster=roster, today=TODAY, at_once=at_once, actor=school.office
        ):
            pass
        return counts

    return run


def _counts(work: Any, school_id: UUID, import_id: UUID) -> dict[str, int]:
    found = work.session.get(RosterImport, (school_id, import_id))
    return dict(found.preview["counts"])


def test_importing_twice_updates_and_never_duplicates(school: School, take: Any, rows: Any) -> None:
    first = take(csv_of(ABAI, BEK, *many(20)))
    assert (first["new"], first["changed"], first["leaving"]) == (20, 2, 0)
    again = take(csv_of(ABAI, BEK, *many(20)))
    assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 22)
    moved = take(csv_of((*ABAI[:5], "6Ә"), BEK, *many(20)))
    assert (moved["new"], moved["changed"]) == (0, 1)
    assert len(rows(Pupil)) == 22
    (ali,) = [one for one in rows(Pupil) if one.sourced_id == "101"]
    assert (ali.id, ali.patronymic) == (school.ali.id, "Серікұлы")


def test_a_planted_import_without_the_match_would_be_refused_by_the_database(
    school: School, take: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(csv_of(ABAI, BEK))
    monkeypatch.setattr(roster_plan, "match", lambda _rows, _known: {})
    with pytest.raises(Exception, match="uq_pupil_school_id_sourced_id"):
        take(csv_of(ABAI, BEK), typed="2")
    assert len(rows(Pupil)) == 2


def test_who_vanished_is_marked_left_with_cards_ended_and_may_return(school: School, take: Any, rows: Any) -> None:
    take(csv_of(ABAI, BEK, *many(20)))
    card = CardFactory.create(school_id=school.id, pupil_id=school.maria.id)
    assert take(csv_of(ABAI, *many(20)))["leaving"] == 1
    (maria,) = [one for one in rows(Pupil) if one.sourced_id == "102"]
    assert (maria.id, maria.left_on) == (school.maria.id, TODAY)
    assert [one.replaced_at is not None for one in rows(Card)] == [True]
    assert take(csv_of(ABAI, BEK, *many(20)))["returning"] == 1
    (maria,) = [one for one in rows(Pupil) if one.sourced_id == "102"]
    assert (maria.left_on, maria.joined_on) == (None, school.maria.joined_on)
    assert rows(Card)[0].id == card.id


def test_a_roll_from_another_system_finds_the_same_pupils(school: School, take: Any, rows: Any) -> None:
    take(csv_of(ABAI, BEK))
    counts = take(oneroster(), typed="1")
    assert (counts["new"], counts["changed"], counts["leaving"]) == (1, 1, 1)
    assert {one.sourced_id for one in rows(Pupil) if one.id == school.ali.id} == {"U1"}
    assert [one.name for one in rows(SchoolClass)].count("5 «Ә»") == 1


def test_a_roll_in_parts_ends_as_one_at_once(school: School, take: Any, rows: Any) -> None:
    take(csv_of(ABAI, BEK, *many(55)), at_once=10)
    assert len(rows(Pupil)) == 57
    (kept,) = rows(RosterImport)
    assert (kept.rows_done, kept.rows_total, kept.content) == (57, 57, None)


def test_an_import_of_another_school_or_one_that_is_over_is_refused(
    school: School, other_school: School, do: Any, rows: Any
) -> None:
    roster = read_roster("roll", csv_of(ABAI, BEK), key=KEY)
    with pytest.raises(NotFound):
        do(
            upload_roster,
            school.id,
            file_name="r",
            content=b"x",
            roster=roster,
            file_key=KEY,
            actor=other_school.office,
        )
    with pytest.raises(NotFound):
        do(upload_roster, school.id, file_name="r", content=b"x", roster=roster, file_key=KEY, actor=school.parent)
    import_id = do(
        upload_roster, school.id, file_name="r", content=b"x", roster=roster, file_key=KEY, actor=school.office
    )
    with pytest.raises(Conflict) as refused:
        do(apply_roster, school.id, import_id, roster=roster, today=TODAY, actor=school.office)
    assert refused.value.code == "import-unconfirmed"
    do(drop_roster, school.id, import_id, actor=school.office)
    with pytest.raises(Conflict) as refused:
        do(confirm_roster, school.id, import_id, roster=roster, actor=school.office)
    assert refused.value.code == "import-is-over"
    assert {one.patronymic for one in rows(Pupil) if one.school_id == school.id} == {""}


def test_two_thousand_rows_go_in_within_five_seconds_and_a_fixed_number_of_statements(
    school: School, take: Any, rows: Any
) -> None:
    statements: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    content = csv_of(ABAI, BEK, *many(1_998))
    event.listen(db.engine, "before_cursor_execute", count)
    try:
        began = time.perf_counter()
        take(content)
        took = time.perf_counter() - began
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    assert took < 5
    assert len(statements) < 60
    assert len(rows(Pupil)) == 2_000


def test_names_are_only_in_the_erasable_part_of_the_log(school: School, take: Any, rows: Any) -> None:
    take(csv_of(ABAI, BEK, ("103", "Ерекше", "Есім", "", "2014-01-01", "5Ә")))
    assert not any("Ерекше" in one.payload for one in rows(AuditEvent))
    assert any("Ерекше" in one.payload for one in rows(AuditPersonal))


def test_a_card_number_names_one_pupil_at_a_time(school: School, do: Any, rows: Any) -> None:
    issue = {"number_hash": b"h" * 32, "kind": "iso14443", "label": "…1", "actor": school.office}
    first = do(pupils.issue_card, school.id, school.ali.id, **issue)
    assert do(pupils.issue_card, school.id, school.ali.id, **issue) == first
    with pytest.raises(Conflict) as refused:
        do(pupils.issue_card, school.id, school.maria.id, **issue)
    assert refused.value.code == "card-taken"
    do(pupils.block_card, school.id, first, "lost", actor=school.parent)
    again = [pupils.NewCard(school.ali.id, b"n" * 32, "iso14443", "…2")]
    (second,) = do(pupils.reissue_cards, school.id, again, actor=school.office)
    assert do(pupils.issue_card, school.id, school.maria.id, **issue) not in (first, second)
    standing = {one.id: one.pupil_id for one in rows(Card) if one.replaced_at is None}
    assert standing[second] == school.ali.id
    assert first not in standing


def test_only_the_office_and_the_own_guardian_touch_cards(school: School, other_school: School, do: Any) -> None:
    card = CardFactory.create(school_id=school.id, pupil_id=school.maria.id)
    for actor in (school.parent, other_school.office, other_school.parent):
        with pytest.raises(NotFound):
            do(pupils.block_card, school.id, card.id, "lost", actor=actor)
        with pytest.raises(NotFound):
            do(pupils.unblock_card, school.id, card.id, actor=actor)
    do(pupils.block_card, school.id, card.id, "lost", actor=school.office)
    do(pupils.unblock_card, school.id, card.id, actor=school.office)


def test_a_claim_code_works_once_and_not_after_sixty_days(school: School, do: Any, rows: Any, clock: Any) -> None:
    mother, father = (actor_of(PersonFactory.create().id) for _ in range(2))
    do(pupils.give_claim_codes, school.id, {school.ali.id: b"a" * 32}, actor=school.office)
    keys: dict[str, Any] = {"attempt_keys": []}
    claimed = do(pupils.claim_pupil, b"a" * 32, "mother", **keys, actor=mother)
    assert claimed == Claimed(school.id, school.ali.id, is_new=True)
    assert isinstance(do(pupils.claim_pupil, b"a" * 32, "father", **keys, actor=father), Refused)
    do(pupils.give_claim_codes, school.id, {school.ali.id: b"b" * 32}, actor=school.office)
    do(pupils.give_claim_codes, school.id, {school.ali.id: b"c" * 32}, actor=school.office)
    assert isinstance(do(pupils.claim_pupil, b"b" * 32, "father", **keys, actor=father), Refused)
    late = {**keys, "at": A_MONDAY + CODE_LASTS}
    assert isinstance(do(pupils.claim_pupil, b"c" * 32, "father", **late, actor=father), Refused)
    again = do(pupils.claim_pupil, b"c" * 32, "mother", **keys, actor=mother)
    assert again == Claimed(school.id, school.ali.id, is_new=False)
    assert do(pupils.claim_pupil, b"c" * 32, "father", **keys, actor=father).is_new
    assert len([tie for tie in rows(Guardianship) if tie.pupil_id == school.ali.id]) == 3
    assert sum(code.used_at is not None for code in rows(ClaimCode)) == 2


def test_a_guardian_gives_codes_for_their_own_pupil_only(school: School, do: Any, rows: Any) -> None:
    with pytest.raises(NotFound):
        do(pupils.give_claim_codes, school.id, {school.maria.id: b"a" * 32}, actor=school.parent)
    assert rows(ClaimCode) == []
    do(pupils.give_claim_codes, school.id, {school.ali.id: b"a" * 32}, actor=school.parent)
    assert len(rows(ClaimCode)) == 1


def test_pupils_are_enrolled_once_with_clean_names(school: School, do: Any, rows: Any) -> None:
    new = NewPupil(surname=" Жан\u202eов ", given_name="Дана", class_id=school.class_id, sourced_id="500")
    pupil_id = do(pupils.enrol_pupil, school.id, new, actor=school.office)
    assert {one.surname for one in rows(Pupil) if one.id == pupil_id} == {"Жанов"}
    with pytest.raises(Conflict):
        do(pupils.enrol_pupil, school.id, new, actor=school.office)
    for bad in (
        NewPupil(surname="", given_name="Дана"),
        NewPupil(surname="Ж" * 101, given_name="Дана"),
        NewPupil(surname="Жан", given_name="Дана", class_id=uuid4()),
        NewPupil(surname="Жан", given_name="Дана", diet_note="я" * 501),
    ):
        with pytest.raises(Invalid):
            do(pupils.enrol_pupil, school.id, bad, actor=school.office)
    assert len(rows(Pupil)) == 3


def test_a_class_of_another_school_is_no_class_here(school: School, other_school: School, do: Any) -> None:
    new = NewPupil(surname="Жан", given_name="Дана", class_id=other_school.class_id)
    with pytest.raises(Invalid):
        do(pupils.enrol_pupil, school.id, new, actor=school.office)
    with pytest.raises(NotFound):
        do(pupils.enrol_pupil, uuid4(), new, actor=SYSTEM)


def test_a_class_is_opened_once(school: School, do: Any, rows: Any) -> None:
    assert do(pupils.open_class, school.id, "5-ә", actor=school.office) == school.class_id
    opened = do(pupils.open_class, school.id, "7Ғ", actor=school.office)
    assert do(pupils.open_class, school.id, "7 «ғ»", actor=school.office) == opened
    assert len(rows(SchoolClass)) == 2


def test_every_deed_is_in_the_log(school: School, do: Any, rows: Any) -> None:
    do(pupils.pupil_leaves, school.id, school.ali.id, actor=school.office)
    (found,) = rows(AuditEvent)
    assert (found.action, found.subject_id, found.school_id) == ("pupils.pupil_leaves", school.ali.id, school.id)


def test_the_command_imports_a_file_and_a_dry_run_changes_nothing(
    app: Flask, school: School, rows: Any, tmp_path: Path
) -> None:
    file = tmp_path / "roll.csv"
    file.write_bytes(csv_of(ABAI, BEK, *many(30), ("9", "", "Аты", "", "", "5А")))
    run = CliRunner().invoke
    info = ScriptInfo(create_app=lambda: app)
    dry = run(import_roster, [str(file), "--school", "980540000019", "--dry-run"], obj=info)
    assert (dry.exit_code, len(rows(Pupil)), rows(RosterImport)) == (0, 2, [])
    assert "new                  30" in dry.output
    assert "roll.csv:34 Surname: This must be filled in." in dry.output
    done = run(import_roster, [str(file), "--school", str(school.id)], obj=info)
    assert (done.exit_code, len(rows(Pupil))) == (0, 32)
    nowhere = run(import_roster, [str(file), "--school", "1"], obj=info)
    assert nowhere.exit_code == 1
    file.write_bytes(csv_of(ABAI))
    refused = run(import_roster, [str(file), "--school", str(school.id)], obj=info)
    assert (refused.exit_code, "type 31" in refused.output) == (1, True)
    assert {one.left_on for one in rows(Pupil)} == {None}


def test_a_cashier_changes_nothing(school: School, do: Any, rows: Any) -> None:
    cashier = actor_of(uuid4(), (Role.CASHIER, school.id))
    for deed, *args in (
        (pupils.pupil_leaves, school.ali.id),
        (pupils.set_allergens, school.ali.id, []),
        (pupils.open_class, "7А"),
        (pupils.end_guardianship, school.ali.id, school.parent.id),
        (pupils.set_photo, school.ali.id, b"x"),
    ):
        with pytest.raises(NotFound):
            do(deed, school.id, *args, actor=cashier)
    with reading(SYSTEM, A_MONDAY) as look:
        assert look.session.scalar(select(func.count()).select_from(AuditEvent)) == 0
