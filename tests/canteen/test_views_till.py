"""The till's page and its search, by client: who may open it, and what it never tells."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.actors import Role
from tests.canteen.pages import parsed, person_in
from tests.factories.canteen import Canteen, new_canteen, new_eater
from tests.factories.identity import DeviceFactory, PersonFactory, signed_in_till


def open_till(app: Flask, canteen: Canteen, language: str = "en") -> FlaskClient:
    """A till of the school with a cashier on shift."""
    cashier = PersonFactory.create(name="Сәуле Ахметова", language=language, roles=[(Role.CASHIER, canteen.school_id)])
    till = signed_in_till(app, DeviceFactory.create(school_id=canteen.school_id, cashier_id=cashier.id).id)
    # The shift begins on the till's page, and with it the cashier's language.
    assert till.get("/till").status_code == 200
    return till


@pytest.mark.parametrize(("language", "word"), [("kk", "Ас болсын!"), ("ru", "Приятного аппетита!"), ("en", "Enjoy")])
def test_the_till_speaks_the_cashiers_language(app: Flask, canteen: Canteen, language: str, word: str) -> None:
    page = parsed(open_till(app, canteen, language).get("/till"))
    assert f'<html lang="{language}">' in page
    assert word in page
    assert "Сәуле Ахметова" in page


def test_a_stranger_is_told_what_a_till_is(client: FlaskClient) -> None:
    page = parsed(client.get("/till"), 403)
    assert 'href="/till/enrol"' in page
    parsed(client.get("/till/faces"), 403)


def test_a_person_is_no_till(app: Flask, canteen: Canteen) -> None:
    parsed(person_in(app, Role.SCHOOL_OFFICE, canteen.school_id).get("/till"), 403)


def test_without_a_shift_the_pin_is_asked_for(app: Flask, canteen: Canteen) -> None:
    till = signed_in_till(app, canteen.device_id)
    answer = till.get("/till")
    assert (answer.status_code, answer.location) == (303, "/till/shift")
    parsed(till.get("/till/faces"), 403)


def test_the_page_needs_its_script_and_says_so(app: Flask, canteen: Canteen) -> None:
    page = parsed(open_till(app, canteen).get("/till"))
    assert "The till needs JavaScript." in page
    assert '<script type="module" src="/static/canteen/js/till.js?v=' in page


def test_children_are_found_by_class_and_name_without_their_money(app: Flask, canteen: Canteen, do: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=123_45, surname="Жұмабаева", given_name="Інжу")
    new_eater(canteen, do, surname="Ким", given_name="Алина")
    till = open_till(app, canteen)
    page = till.get("/till/faces?search=жұм").text
    assert f'data-pupil="{pupil_id}"' in page
    assert "Ким" not in page
    assert "123" not in page.replace(str(pupil_id), "").replace(str(canteen.school_id), "")
    assert till.get(f"/till/faces?class_id={canteen.class_id}").text.count("data-pupil") == 2
    for nobody in ("search=zzz", "class_id=no-id"):
        assert "Nobody is found." in till.get(f"/till/faces?{nobody}").text


def test_many_children_ask_for_another_letter(app: Flask, canteen: Canteen, do: Any) -> None:
    for number in range(61):
        new_eater(canteen, do, surname="Ахметов", given_name=f"Әли {number}")
    page = open_till(app, canteen).get("/till/faces?search=ахм").text
    assert page.count("data-pupil") == 60
    assert "There are more." in page


def test_a_till_finds_nobody_of_another_school(app: Flask, canteen: Canteen, do: Any) -> None:
    other = new_canteen(canteen.now)
    new_eater(other, do, surname="Жұмабаева", given_name="Інжу")
    assert "Nobody is found." in open_till(app, canteen).get("/till/faces?search=жұм").text
