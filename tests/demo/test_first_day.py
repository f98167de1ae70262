"""docs/first-day.md, step by step, with the files that it names."""

import base64
import re
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals import canteen, identity, pupils, wallet
from schoolmeals.actors import SYSTEM
from schoolmeals.cli import first_admin
from schoolmeals.clock import MovableClock
from schoolmeals.database import reading
from schoolmeals.pupils.commands import import_roster
from schoolmeals.worker import run_worker
from tests.canteen.pages import parsed, send

FOLDER = Path(__file__).parents[2] / "docs" / "first-day"
PASSWORD = "qozy men jalqau mysyq"
CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b")
TOMORROW = "2026-11-24"


def command(app: Flask, deed: Any, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(deed, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def joined(app: Flask, code: str, name: str, contact: str) -> FlaskClient:
    browser = app.test_client()
    browser.set_cookie("language", "en")
    answer = send(browser, "/join", {"code": code, "name": name, "contact": contact, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return browser


def code_in(text: str) -> str:
    found = CODE.search(text)
    assert found is not None, text
    return found[0]


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return joined(app, code_in(command(app, first_admin, "Айнұр")), "Айнұр", "ainur@city.example")


@pytest.fixture
def school_id(app: Flask, admin: FlaskClient, clock: MovableClock) -> UUID:
    names = {"name_kk": "№ 1 мектеп", "name_ru": "Школа № 1", "name_en": "School No. 1"}
    assert send(admin, "/city/schools/new", names).status_code == 303
    with reading(SYSTEM, clock()) as look:
        return identity.schools(look)[0].id


@pytest.fixture
def office(app: Flask, admin: FlaskClient, school_id: UUID) -> FlaskClient:
    form = {"role": "school-office", "name": "Марина"}
    answer = send(admin, f"/people/{school_id}/invitations", form, shown_at=f"/people/{school_id}", follow=True)
    return joined(app, code_in(answer.text), "Марина", "office@school.example")


@pytest.fixture
def roll(app: Flask, school_id: UUID) -> None:
    output = command(app, import_roster, str(FOLDER / "roster.csv"), "--school", str(school_id))
    assert "School No. 1" in output
    assert (f"  {'guardian links':<16}{4:>7}" in output, "roster.csv:" in output) == (True, False)


def test_a_roll_comes_in_from_a_table_and_from_oneroster(
    app: Flask, school_id: UUID, roll: None, clock: MovableClock, tmp_path: Path
) -> None:
    archive = tmp_path / "oneroster.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        for part in sorted((FOLDER / "oneroster").glob("*.csv")):
            bundle.write(part, part.name)
    with reading(SYSTEM, clock()) as look:
        assert pupils.pupils_of_school(look, school_id).total == 4
        assert [one.name for one in pupils.classes_of_school(look, school_id)] == ["2 «А»", "5 «Ә»"]
    # Another roll of the same school: who is not in it has left, and that many want a word.
    command(app, import_roster, str(archive), "--school", str(school_id), "--leaving", "4")
    with reading(SYSTEM, clock()) as look:
        assert [one.name for one in pupils.pupils_of_school(look, school_id).pupils] == [
            "Жұмабаева Аяулым",
            "Соколов Матвей",
        ]


def test_cards_are_printed_for_a_class(
    app: Flask, office: FlaskClient, school_id: UUID, roll: None, clock: MovableClock
) -> None:
    with reading(SYSTEM, clock()) as look:
        class_id = pupils.classes_of_school(look, school_id)[0].id
    page = f"/school/{school_id}/cards"
    answer = send(office, f"{page}/print", {"class_id": class_id}, shown_at=page)
    run_worker(app, wait=False)
    assert office.get(f"{answer.location}/download").data.startswith(b"%PDF")
    with reading(SYSTEM, clock()) as look:
        assert pupils.pupils_of_school(look, school_id, without_card=True).total == 2


def test_a_menu_is_imported_and_published(office: FlaskClient, school_id: UUID, clock: MovableClock) -> None:
    sitting = {"meal": "lunch", "shift": "1", "opens_at": "11:00", "closes_at": "14:00"}
    assert send(office, f"/school/{school_id}/sittings", sitting).status_code == 303
    page = f"/school/{school_id}/menu/{TOMORROW}/import"
    with (FOLDER / "menu.csv").open("rb") as file:
        answer = send(office, page, {"file": (file, "menu.csv")})
    assert answer.status_code == 303, answer.text
    assert send(office, answer.location, {}).status_code == 303
    with reading(SYSTEM, clock()) as look:
        sitting_id = canteen.sittings_of(look, school_id)[0].id
    page = f"/school/{school_id}/menu/{TOMORROW}/{sitting_id}/publish"
    assert send(office, page, {}).status_code == 303
    with reading(SYSTEM, clock()) as look:
        [menu] = canteen.menu_of(look, school_id, clock().date().replace(day=24))
    assert [line.price_minor for line in menu.items] == [811_00, 896_00, 180_00]


def test_a_till_is_opened(app: Flask, office: FlaskClient, school_id: UUID) -> None:
    form = {"role": "cashier", "name": "Гүлнар"}
    answer = send(office, f"/people/{school_id}/invitations", form, shown_at=f"/people/{school_id}", follow=True)
    cashier = joined(app, code_in(answer.text), "Гүлнар", "cashier@school.example")
    assert send(cashier, f"/me/pin/{school_id}", {"pin": "4719"}).status_code == 303
    code = code_in(send(office, f"/school/{school_id}/tills", {"name": "1-касса"}).text)
    till = app.test_client()
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    token = re.search(r'name="csrf_token" value="([^"]+)"', till.get("/till/enrol").text)
    assert token is not None
    headers = {"X-CSRFToken": token[1]}
    assert till.post("/till/enrol", json={"code": code, "public_key": der}, headers=headers).status_code == 200
    shift = till.get("/till/shift").text
    cashier_id = re.search(r'value="([0-9a-f-]{36})"', shift)
    assert cashier_id is not None, shift
    assert send(till, "/till/shift", {"cashier": cashier_id[1], "pin": "4719"}).status_code == 303
    parsed(till.get("/till"))


def test_cash_is_taken(office: FlaskClient, school_id: UUID, roll: None, clock: MovableClock) -> None:
    with reading(SYSTEM, clock()) as look:
        pupil_id = pupils.pupils_of_school(look, school_id).pupils[0].id
    page = f"/school/{school_id}/cash-desk"
    form = {"id": "01995a00-0000-7000-8000-000000000001", "pupil": pupil_id, "amount": "5000"}
    assert send(office, page, form, shown_at=f"{page}?pupil={pupil_id}").status_code == 303
    with reading(SYSTEM, clock()) as look:
        assert wallet.purse_of(look, school_id, pupil_id).money_minor == 5_000_00


def test_the_page_names_every_file_and_command() -> None:
    text = (FOLDER.parent / "first-day.md").read_text(encoding="utf-8")
    for name in ("roster.csv", "menu.csv", "oneroster", "first-admin", "import-roster", "/till/enrol", "/cash-desk"):
        assert name in text
