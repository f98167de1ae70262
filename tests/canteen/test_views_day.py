"""The school's day page, taking a sale back, closing the day, and the city's page."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from schoolmeals.actors import Role
from schoolmeals.canteen.models import DayClosing, SaleUndo
from schoolmeals.clock import MovableClock
from schoolmeals.ids import new_id, spoken_number
from tests.canteen.pages import city_admin, parsed, person_in, send
from tests.factories.canteen import (
    BUN_MINOR,
    JUICE_MINOR,
    LUNCH_MINOR,
    TODAY,
    Canteen,
    new_canteen,
    new_card,
    new_eater,
)
from tests.factories.identity import OrganisationFactory
from tests.factories.wallet import balances


@pytest.fixture
def office(app: Flask, canteen: Canteen) -> FlaskClient:
    """Somebody of the school's office."""
    return person_in(app, Role.SCHOOL_OFFICE, canteen.school_id)


@pytest.fixture
def eater(canteen: Canteen, do: Any) -> UUID:
    """A pupil with money for a lunch, a juice and a bun, and 100 tenge more."""
    money = LUNCH_MINOR + JUICE_MINOR + BUN_MINOR + 100_00
    return new_eater(canteen, do, money_minor=money, surname="Нұрланов", given_name="Әли")


def day_path(canteen: Canteen, rest: str = "") -> str:
    return f"/school/{canteen.school_id}/day{rest}"


def count(do: Any, model: Any) -> int:
    found: int = do(lambda work: work.session.scalar(select(func.count()).select_from(model)))
    return found


def row_of(page: str, start: str) -> list[str]:
    """The cells of the table row whose header begins with ``start``."""
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL):
        cells = [re.sub(r"<[^>]*>|\s+", " ", cell).strip() for cell in re.split(r"</t[hd]>", row)]
        if cells[0].startswith(start):
            return [" ".join(cell.split()) for cell in cells[:-1]]
    raise AssertionError(start)


# The day


def test_the_day_shows_what_was_served(office: FlaskClient, canteen: Canteen, eater: UUID, ring: Any) -> None:
    ring(canteen.order(eater, canteen.juice, (canteen.bun, 1), meal=True))
    ring(canteen.order(b"?" * 32, meal=True))
    page = parsed(office.get(day_path(canteen)))
    assert "1 of 1 pupils" in page
    assert row_of(page, "Lunch") == ["Lunch", "1", "1", "1", "1", "0", "1,350 ₸"]
    assert row_of(page, "Juice") == ["Juice", "2", "500 ₸"]
    assert row_of(page, "Card not known") == ["Card not known", "1"]
    assert "Нұрланов Әли" in page
    assert "Unknown card" in page
    assert "Not closed yet" in page
    assert '<time datetime="2026-11-23T07:00:00Z">' in page


def test_only_what_was_not_served_can_be_shown(office: FlaskClient, canteen: Canteen, eater: UUID, ring: Any) -> None:
    ring(canteen.order(eater, meal=True), canteen.order(b"?" * 32, meal=True))
    page = parsed(office.get(day_path(canteen, "?show=refused")))
    assert "Нұрланов" not in page
    assert "Unknown card" in page


def test_many_taps_come_in_pages(office: FlaskClient, canteen: Canteen, ring: Any) -> None:
    ring(*(canteen.order(b"?" * 32, meal=True) for _ in range(51)))
    assert "1–50 / 51" in parsed(office.get(day_path(canteen)))
    last = parsed(office.get(day_path(canteen, "?page=2")))
    assert "51–51 / 51" in last
    assert "page=1" in last
    assert "There are no taps to show." in parsed(office.get(day_path(canteen, "?page=9")))


def test_pupils_without_a_card_are_counted(office: FlaskClient, canteen: Canteen, eater: UUID, do: Any) -> None:
    link = f'/school/{canteen.school_id}/pupils?show=without-card"'
    page = parsed(office.get(day_path(canteen)))
    assert link in page
    assert re.search(r"Pupils without a card</dt>\s*<dd>1</dd>", page)
    new_card(canteen, eater)
    assert re.search(r"Pupils without a card</dt>\s*<dd>0</dd>", parsed(office.get(day_path(canteen))))


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_every_page_parses_in_every_language(
    app: Flask, canteen: Canteen, eater: UUID, ring: Any, language: str
) -> None:
    order = canteen.order(eater, canteen.juice, meal=True)
    ring(order)
    office = person_in(app, Role.SCHOOL_OFFICE, canteen.school_id, language)
    for rest in ("", "?day=2026-11-22", "?day=2026-11-24", f"/2026-11-23/sale/{order.id}/undo", "/2026-11-23/close"):
        assert f'<html lang="{language}">' in parsed(office.get(day_path(canteen, rest))), rest
    assert f'<html lang="{language}">' in parsed(city_admin(app, language).get("/city"))


def test_an_auditor_looks_but_does_not_touch(app: Flask, canteen: Canteen, eater: UUID, ring: Any) -> None:
    order = canteen.order(eater, meal=True)
    ring(order)
    auditor = person_in(app, Role.AUDITOR, OrganisationFactory.create(kind="city").id)
    page = parsed(auditor.get(day_path(canteen)))
    assert "The school office closes the day." in page
    assert "/undo" not in page
    parsed(auditor.get(day_path(canteen, "/2026-11-23/close")), 403)
    parsed(auditor.get(day_path(canteen, f"/2026-11-23/sale/{order.id}/undo")), 403)


def test_another_schools_day_is_not_found(app: Flask, canteen: Canteen, eater: UUID, ring: Any, do: Any) -> None:
    order = canteen.order(eater, meal=True)
    ring(order)
    other = new_canteen(canteen.now)
    stranger = person_in(app, Role.SCHOOL_OFFICE, other.school_id)
    undo = day_path(canteen, f"/2026-11-23/sale/{order.id}/undo")
    for path in (day_path(canteen), day_path(canteen, ".csv"), day_path(canteen, "/2026-11-23/close"), undo):
        parsed(stranger.get(path), 404)
    own = day_path(other, "/2026-11-23/close")
    parsed(send(stranger, undo, {"undo_id": new_id(), "reason": "mine"}, shown_at=own), 404)
    parsed(send(stranger, day_path(canteen, "/2026-11-23/close"), {}, shown_at=own), 404)
    assert (count(do, SaleUndo), count(do, DayClosing)) == (0, 0)


# The file


def test_the_file_has_every_tap_and_no_formula(
    app: Flask, canteen: Canteen, ring: Any, do: Any, office: FlaskClient
) -> None:
    pupil = new_eater(canteen, do, money_minor=LUNCH_MINOR, surname="=HYPERLINK(1)", given_name="Ә")
    order = canteen.order(pupil, meal=True)
    ring(order, canteen.order(b"?" * 32, meal=True))
    answer = office.get(day_path(canteen, ".csv?day=2026-11-23"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="day-2026-11-23.csv"'
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert lines[0] == "Time;Class;Pupil;Meal;What it was;Till;State;Sum;Currency;Receipt"
    number = spoken_number(order.id).replace("\u00a0", " ")
    served = next(line for line in lines if number in line)
    assert served.startswith("12:00;")
    assert ";'=HYPERLINK(1) Ә;Lunch;Lunch;Till " in served
    assert ";Served;850,00;KZT;" in served
    assert any(";C10 Card not known;0,00;KZT;" in line for line in lines)


# Taking a sale back


def test_a_sale_is_taken_back_once_with_a_reason(
    office: FlaskClient, canteen: Canteen, eater: UUID, ring: Any, do: Any, clock: MovableClock
) -> None:
    order = canteen.order(eater, canteen.juice, meal=True)
    before = do(balances, eater, school_id=canteen.school_id)
    ring(order)
    clock.move(timedelta(hours=1))
    path, undo_id = day_path(canteen, f"/2026-11-23/sale/{order.id}/undo"), new_id()
    form = {"undo_id": undo_id, "reason": "The plate fell"}
    assert "The sale is taken back." in parsed(send(office, path, form, follow=True))
    assert do(balances, eater, school_id=canteen.school_id) == before
    assert send(office, path, form).status_code == 303
    again = parsed(send(office, path, {**form, "undo_id": new_id()}), 409)
    assert "This sale has already been taken back." in again
    assert count(do, SaleUndo) == 1
    assert row_of(parsed(office.get(day_path(canteen))), "Lunch") == ["Lunch", "0", "0", "0", "0", "1", "0 ₸"]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_without_a_reason_nothing_is_taken_back(
    office: FlaskClient, canteen: Canteen, eater: UUID, ring: Any, do: Any, reason: str
) -> None:
    order = canteen.order(eater, meal=True)
    ring(order)
    before = do(balances, eater, school_id=canteen.school_id)
    path = day_path(canteen, f"/2026-11-23/sale/{order.id}/undo")
    page = parsed(send(office, path, {"undo_id": new_id(), "reason": reason}), 422)
    assert '<a href="#f-reason">Write the reason, in up to 200 characters.</a>' in page
    assert (do(balances, eater, school_id=canteen.school_id), count(do, SaleUndo)) == (before, 0)


def test_a_form_without_its_id_is_refused(
    office: FlaskClient, canteen: Canteen, eater: UUID, ring: Any, do: Any
) -> None:
    order = canteen.order(eater, meal=True)
    ring(order)
    path = day_path(canteen, f"/2026-11-23/sale/{order.id}/undo")
    parsed(send(office, path, {"undo_id": "once", "reason": "so"}), 422)
    assert count(do, SaleUndo) == 0


def test_a_missing_sale_is_not_found(office: FlaskClient, canteen: Canteen) -> None:
    parsed(office.get(day_path(canteen, f"/2026-11-23/sale/{new_id()}/undo")), 404)
    parsed(office.get(day_path(canteen, "?day=23.11.2026")), 404)


# Closing


def test_the_day_is_checked_and_closed_once(
    office: FlaskClient, canteen: Canteen, eater: UUID, ring: Any, do: Any
) -> None:
    ring(canteen.order(eater, meal=True))
    path = day_path(canteen, "/2026-11-23/close")
    check = parsed(office.get(path))
    assert "The books balance" in check
    assert row_of(check, "Meals sold") == ["Meals sold", "0 ₸", "850 ₸"]
    page = parsed(send(office, path, {}, follow=True))
    assert "The day is closed." in page
    assert "Trial balance at the closing" in page
    assert row_of(page, "Meals sold") == ["Meals sold", "0 ₸", "850 ₸"]
    again = parsed(send(office, path, {}, shown_at=day_path(canteen)), 409)
    assert "This day is already closed." in again
    assert count(do, DayClosing) == 1


def test_a_day_to_come_is_not_closed(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    assert "This day has not come yet." in parsed(office.get(day_path(canteen, "?day=2026-11-24")))
    page = parsed(send(office, day_path(canteen, "/2026-11-24/close"), {}), 409)
    assert "This day has not come yet." in page
    assert count(do, DayClosing) == 0


# The city


def test_the_city_sees_every_school(app: Flask, canteen: Canteen, eater: UUID, ring: Any) -> None:
    ring(canteen.order(eater, canteen.juice, meal=True))
    new_canteen(canteen.now)
    page = parsed(city_admin(app).get("/city"))
    assert "0 of 2" in page
    assert row_of(page, "Total") == ["Total", "1", "1", "0", "1,150 ₸", ""]
    assert f"/school/{canteen.school_id}/day?day={TODAY}" in page
    assert "The books balance" in page
    assert row_of(page, "Meals sold") == ["Meals sold", "0 ₸", "1,150 ₸"]


def test_a_city_without_schools_is_told_where_to_begin(app: Flask) -> None:
    assert "There are no schools yet" in parsed(city_admin(app).get("/city"))


def test_the_city_may_close_but_not_take_back(app: Flask, canteen: Canteen, eater: UUID, ring: Any, do: Any) -> None:
    order = canteen.order(eater, meal=True)
    ring(order)
    admin = city_admin(app)
    send(admin, day_path(canteen, "/2026-11-23/close"), {})
    assert count(do, DayClosing) == 1
    parsed(admin.get(day_path(canteen, f"/2026-11-23/sale/{order.id}/undo")), 403)


@pytest.mark.parametrize("role", [Role.SCHOOL_OFFICE, Role.PARENT, Role.CASHIER])
def test_the_city_page_is_the_citys(app: Flask, canteen: Canteen, role: Role) -> None:
    parsed(person_in(app, role, canteen.school_id).get("/city"), 403)


def test_a_day_before_the_tests_is_empty(office: FlaskClient, canteen: Canteen) -> None:
    page = parsed(office.get(day_path(canteen, f"?day={date(2026, 11, 20)}")))
    assert "There are no taps to show." in page
