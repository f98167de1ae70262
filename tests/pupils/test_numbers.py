"""No IIN is kept as it is: not in the rows, not in the file that waits, not in the log, in whatever file it came."""

import io
import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from schoolmeals.actors import SYSTEM
from schoolmeals.clock import MovableClock
from schoolmeals.database import reading
from schoolmeals.errors import Conflict
from schoolmeals.keys import derive_key
from schoolmeals.pupils import jobs, oneroster
from schoolmeals.pupils.actions import imports
from schoolmeals.pupils.models import ListedGuardian, Pupil, RosterImport
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.roster_loading import standing_file
from schoolmeals.pupils.roster_values import hidden
from tests.factories.pupils import ListedGuardianFactory, PupilFactory
from tests.factories.rosters import ABAI, BEK, KEY, csv_of
from tests.factories.rosters import oneroster as zip_with
from tests.pupils.conftest import School
from tests.pupils.test_guardian_list import HEAD, take
from tests.pupils.test_views import post

__all__ = ["take"]

ALI, MARIA, SAULE = "150531500018", "160901600029", "850101400011"
LEFT = "140101500013"


def zipped(ali: str = ALI, maria: str = MARIA, saule: str = SAULE) -> bytes:
    """A OneRoster zip of a system whose ids are IINs; they stand in columns that nobody reads as well."""
    head = HEAD.strip() + ",identifier,username,userIds\n"
    more = ",{0},{0},{{IIN:{0}}}\n"
    users = head + f"{ali},active,,true,S1,student,Әли,Абай,,,,{saule}" + more.format(ali)
    users += f"{maria},active,,true,S1,student,Мария,Бек,,,," + more.format(maria)
    users += f"{saule},active,,true,S1,parent,Сәуле,Абай,,,," + more.format(saule)
    links = "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role\n"
    links += f"E1,active,,C5,S1,{ali},student\nE2,active,,C5,S1,{maria},student\n"
    born = f"sourcedId,status,dateLastModified,birthDate\n{ali},active,,2015-05-01\n{maria},active,,2015-05-01\n"
    return zip_with(users=users, enrollments=links, demographics=born)


def everything(clock: MovableClock) -> str:
    """Each row of each table as text; bytes are told in hex, and what they say as well."""
    with reading(SYSTEM, clock()) as look:
        tables = look.session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        return "\n".join(
            one for table in tables for one in look.session.scalars(text(f'SELECT t::text FROM "{table}" AS t'))
        )


def leaks(clock: MovableClock, log: str) -> list[str]:
    there = everything(clock) + log
    return [iin for iin in (ALI, MARIA, SAULE) if iin in there or iin.encode().hex() in there]


def upload(browser: FlaskClient, school: School, content: bytes, name: str) -> str:
    page = f"/school/{school.id}/import"
    preview = str(post(browser, page, page, file=(io.BytesIO(content), name)).location)
    assert "What would change" in browser.get(preview).text
    return preview


FILES = {
    "roll.zip": zipped(),
    "roll.csv": csv_of((ALI, *ABAI[1:]), (MARIA, *BEK[1:]), (SAULE, "Үшінші", "Бала", "", "", "нет")),
}


@pytest.mark.parametrize("name", FILES)
def test_no_iin_is_in_the_database_nor_in_the_log(
    name: str, school: School, rows: Any, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    preview = upload(school.office_browser, school, FILES[name], name)
    assert leaks(clock, caplog.text) == []
    answer = post(school.office_browser, f"{preview}/confirm", preview, confirmation="2")
    assert answer.status_code == 303
    assert leaks(clock, caplog.text) == []
    assert {one.sourced_id[:4] for one in rows(Pupil) if one.left_on is None} == {"iin-"}


def test_a_planted_leak_of_ids_is_seen(
    school: School, take: Any, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oneroster, "_PEOPLE", {})
    take(zipped())
    assert leaks(clock, "") == [ALI, MARIA, SAULE]


def test_a_planted_file_that_lies_open_is_seen(
    school: School, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "seal", lambda _key, plain, _context: plain)
    page = f"/school/{school.id}/import"
    post(school.office_browser, page, page, file=(io.BytesIO(FILES["roll.csv"]), "roll.csv"))
    assert leaks(clock, "") == [ALI, MARIA, SAULE]


def test_the_same_iin_is_the_same_pupil_in_a_zip_and_in_a_table() -> None:
    of_zip = read_roster("roll.zip", zipped(), key=KEY)
    of_table = read_roster("roll.csv", csv_of((ALI, *ABAI[1:]), (MARIA, *BEK[1:])), key=KEY)
    assert [one.sourced_id for one in of_zip.rows] == [one.sourced_id for one in of_table.rows]
    assert of_zip.guardians is not None
    assert [one.sourced_id for one in of_zip.guardians[hidden(KEY, ALI)]] == [hidden(KEY, SAULE)]
    assert ALI not in repr(of_zip)


@pytest.mark.parametrize("number", ["090531500016", "90531500016", "0905-3150-0016", "090531 500016"])
def test_an_iin_is_the_same_however_it_is_written_and_without_its_first_zero(number: str) -> None:
    assert hidden(KEY, number) == hidden(KEY, "090531500016")
    assert hidden(KEY, number).startswith("iin-")


@pytest.mark.parametrize("number", ["101", "90531500017", "2026-00017", "U-150531500018x", "class-5-ә", "123456789"])
def test_what_is_no_iin_stays_as_it_is(number: str) -> None:
    assert hidden(KEY, number) == number


def test_who_was_imported_with_a_plain_iin_is_known_again_and_hidden(
    school: School, take: Any, rows: Any, clock: MovableClock
) -> None:
    ids = {"school_id": school.id, "class_id": school.class_id}
    ali = PupilFactory.create(**ids, sourced_id=ALI, surname="Бұрынғы", given_name="Аты", birth_date=None)
    gone = PupilFactory.create(**ids, sourced_id=LEFT)
    mother = ListedGuardianFactory.create(school_id=school.id, pupil_id=ali.id, sourced_id=SAULE, name="Басқа Аты")
    take(zipped(maria="102"), leaving="2")
    after = {one.id: one for one in rows(Pupil)}
    assert (after[ali.id].sourced_id, after[ali.id].surname) == (hidden(KEY, ALI), "Абай")
    assert (after[ali.id].left_on, after[gone.id].sourced_id) == (None, hidden(KEY, LEFT))
    assert [(one.id, one.sourced_id, one.name) for one in rows(ListedGuardian)] == [
        (mother.id, hidden(KEY, SAULE), "Абай Сәуле")
    ]
    there = everything(clock)
    assert [iin for iin in (ALI, SAULE, LEFT) if iin in there] == []


def test_the_worker_hides_what_an_older_version_kept_in_every_school(
    app: Flask, school: School, other_school: School, rows: Any
) -> None:
    key = derive_key(app.extensions["schoolmeals"].settings.secret_key, "pupils sourced ids")
    ids = {"school_id": other_school.id, "class_id": other_school.class_id}
    first = PupilFactory.create(**ids, sourced_id=hidden(key, ALI))
    again = PupilFactory.create(**ids, sourced_id=ALI)
    other = PupilFactory.create(**ids, sourced_id=MARIA)
    with app.app_context():
        jobs.hide_all_numbers()
        jobs.hide_all_numbers()
    kept = {one.id: one.sourced_id for one in rows(Pupil)}
    assert (kept[first.id], kept[other.id]) == (hidden(key, ALI), hidden(key, MARIA))
    assert kept[again.id] == f"{hidden(key, ALI)}-{again.id.hex[-12:]}"
    assert kept[school.ali.id] == "101"


def test_a_file_that_waits_is_unreadable_without_the_secret(school: School, rows: Any, look: Any) -> None:
    upload(school.office_browser, school, csv_of(ABAI, BEK), "roll.csv")
    (waiting,) = rows(RosterImport)
    with pytest.raises(Conflict) as refused:
        look(standing_file, school.id, waiting.id, KEY, actor=school.office)
    assert refused.value.code == "import-unreadable"
