"""The menu pages: drafting, checking, publishing, copying, importing; the meals' times."""

import io
from datetime import date, time
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from schoolmeals.actors import Role
from schoolmeals.audit import AuditEvent
from schoolmeals.canteen import MenuFacts, menu_in_draft, sittings_of
from schoolmeals.canteen.models import Menu, MenuItem, Sitting
from schoolmeals.pupils.models import Photo
from tests.canteen.pages import parsed, person_in, send
from tests.factories.canteen import TODAY, Canteen, SittingFactory
from tests.factories.identity import OrganisationFactory

SOUP = {
    "kind": "buffet",
    "name_kk": "Сорпа",
    "name_ru": "Суп",
    "name_en": "Soup",
    "price": "450,50",
    "portion_g": "250",
    "kcal": "120",
    "allergens": ["milk", "celery"],
    "other": "honey",
}


@pytest.fixture
def office(app: Flask, canteen: Canteen) -> FlaskClient:
    """Somebody of the school's office."""
    return person_in(app, Role.SCHOOL_OFFICE, canteen.school_id)


def menu_path(canteen: Canteen, rest: str = "", day: date = TODAY) -> str:
    return f"/school/{canteen.school_id}/menu/{day}/{rest}"


def item_path(canteen: Canteen, item_id: UUID | None = None) -> str:
    return menu_path(canteen, f"{canteen.sitting_id}/item" + (f"/{item_id}" if item_id else ""))


def drafted(do: Any, canteen: Canteen, day: date = TODAY) -> MenuFacts:
    found: list[MenuFacts] = do(menu_in_draft, canteen.school_id, day)
    return found[0]


def count(do: Any, model: Any) -> int:
    found: int = do(lambda work: work.session.scalar(select(func.count()).select_from(model)))
    return found


# Looking


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_every_page_parses_in_every_language(app: Flask, canteen: Canteen, language: str) -> None:
    office = person_in(app, Role.SCHOOL_OFFICE, canteen.school_id, language)
    school = f"/school/{canteen.school_id}"
    for path in (
        f"{school}/menu",
        f"{school}/menu?day=2026-11-22",
        f"{school}/menu?day=2026-11-24",
        item_path(canteen),
        item_path(canteen, canteen.bun),
        menu_path(canteen, f"{canteen.sitting_id}/publish"),
        menu_path(canteen, "import"),
        f"{school}/sittings",
        f"{school}/sittings/{canteen.sitting_id}",
    ):
        assert f'<html lang="{language}">' in parsed(office.get(path)), path


def test_the_menu_shows_what_is_sold(office: FlaskClient, canteen: Canteen) -> None:
    page = parsed(office.get(f"/school/{canteen.school_id}/menu"))
    assert "Ages 11–14" in page
    assert "850\u00a0₸" in page
    assert "contains: cereals with gluten, milk" in page
    assert "Published" in page
    assert "There is no set meal of their own for: Ages 15–18." in page
    assert "Check and publish" not in page


def test_the_short_address_leads_to_the_own_school(office: FlaskClient, canteen: Canteen) -> None:
    answer = office.get("/menu")
    assert (answer.status_code, answer.location) == (303, f"/school/{canteen.school_id}/menu")


@pytest.mark.parametrize("path", ["menu", "menu?day=tomorrow", "sittings", "menu/template.csv", "day"])
def test_another_school_is_not_found(app: Flask, canteen: Canteen, path: str) -> None:
    stranger = person_in(app, Role.SCHOOL_OFFICE, OrganisationFactory.create().id)
    parsed(stranger.get(f"/school/{canteen.school_id}/{path}"), 404)


def test_parents_and_cashiers_keep_no_menus(app: Flask, canteen: Canteen) -> None:
    for role in (Role.PARENT, Role.CASHIER, Role.AUDITOR):
        parsed(person_in(app, role, canteen.school_id).get(f"/school/{canteen.school_id}/menu"), 403)


# Drafting and publishing


def test_a_line_is_drafted_and_then_published(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    answer = send(office, item_path(canteen), SOUP)
    assert (answer.status_code, answer.location) == (303, f"/school/{canteen.school_id}/menu?day=2026-11-23")
    menu = drafted(do, canteen)
    assert [line.name("kk") for line in menu.items] == ["Түскі ас", "Түскі ас", "Шырын", "Шырын"]
    soup = menu.draft[-1]
    assert (soup.kind, soup.names, soup.price_minor, soup.portion_g, soup.kcal) == (
        "buffet",
        {"kk": "Сорпа", "ru": "Суп", "en": "Soup"},
        45050,
        250,
        120,
    )
    assert soup.allergens == ("celery", "milk", "other:honey")
    check = menu_path(canteen, f"{canteen.sitting_id}/publish")
    assert "450.50\u00a0₸" in parsed(office.get(check))
    assert "The menu is published." in parsed(send(office, check, {}, follow=True))
    published = drafted(do, canteen)
    assert published.version == 2
    assert published.items[-1].name("en") == "Soup"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"price": "much"}, "Write the price in figures, for example 850."),
        ({"price": "1,234"}, "Write the price in figures, for example 850."),
        ({"kcal": "-3"}, "Write a whole number, for example 250."),
        ({"name_kk": " "}, "Fill this in."),
        ({"kind": "set", "age_group": ""}, "Choose one from the list."),
        ({"allergens": ["sand"]}, "Use the names of the 14 allergens"),
        ({"name_ru": "Cуп\u202e"}, "Use letters, digits and signs only."),
    ],
)
def test_a_wrong_line_comes_back_with_what_was_typed(
    office: FlaskClient, canteen: Canteen, do: Any, changes: dict[str, Any], sentence: str
) -> None:
    before = drafted(do, canteen), count(do, MenuItem)
    page = parsed(send(office, item_path(canteen), SOUP | changes), 422)
    assert sentence in page
    assert "There is a problem" in page
    assert 'value="Soup"' in page
    assert (drafted(do, canteen), count(do, MenuItem)) == before


def test_a_line_is_changed_and_withdrawn_only_on_the_draft(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    page = parsed(office.get(item_path(canteen, canteen.bun)))
    assert 'value="200"' in page
    send(office, item_path(canteen, canteen.bun), SOUP | {"price": "210", "allergens": [], "other": ""})
    withdraw = menu_path(canteen, f"item/{canteen.juice}/withdraw")
    answer = send(office, withdraw, {}, shown_at=f"/school/{canteen.school_id}/menu", follow=True)
    assert "Sold until you publish again: Juice, Juice" in parsed(answer)
    menu = drafted(do, canteen)
    assert canteen.juice in {line.id for line in menu.items}
    assert canteen.juice not in {line.id for line in menu.draft}
    assert menu.draft[-1].price_minor == 21000
    assert {line.id for line in menu.items} == {canteen.lunch, canteen.lunch_older, canteen.juice, canteen.bun}


def picture() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "orange").save(out, "PNG")
    out.seek(0)
    return out


def test_a_photo_is_kept_small_and_stays_when_the_line_changes(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    send(office, item_path(canteen), SOUP | {"photo": (picture(), "soup.png")})
    soup = drafted(do, canteen).draft[-1]
    assert soup.photo_id is not None
    assert office.get(f"/photo/{canteen.school_id}/{soup.photo_id}").mimetype == "image/webp"
    send(office, item_path(canteen, soup.id), SOUP | {"price": "1"})
    assert drafted(do, canteen).draft[-1].photo_id == soup.photo_id


def test_what_is_no_photo_is_refused(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    page = parsed(send(office, item_path(canteen), SOUP | {"photo": (io.BytesIO(b"GIF89a"), "soup.gif")}), 422)
    assert "This file is not a picture that we can read." in page
    assert (count(do, Photo), count(do, MenuItem)) == (0, 4)


def test_nothing_new_is_not_published(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    page = parsed(send(office, menu_path(canteen, f"{canteen.sitting_id}/publish"), {}), 409)
    assert "Nothing has changed since this menu was published." in page
    assert drafted(do, canteen).version == 1


def test_a_day_that_is_over_is_left_alone(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    path = menu_path(canteen, f"{canteen.sitting_id}/item", date(2026, 11, 20))
    page = parsed(send(office, path, SOUP), 409)
    assert "This day is over." in page
    assert count(do, MenuItem) == 4


def test_missing_lines_and_days_are_not_found(office: FlaskClient, canteen: Canteen) -> None:
    for path in (item_path(canteen, uuid4()), menu_path(canteen, f"{uuid4()}/item"), menu_path(canteen, "x/import")):
        parsed(office.get(path), 404)
    assert office.get(f"/school/{canteen.school_id}/menu/yesterday/import").status_code == 404


# Copying and importing


def test_a_day_is_copied(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    tomorrow = date(2026, 11, 24)
    shown_at = f"/school/{canteen.school_id}/menu?day=2026-11-24"
    answer = send(
        office, menu_path(canteen, "copy", tomorrow), {"source": "2026-11-23"}, shown_at=shown_at, follow=True
    )
    assert "4 lines were copied." in parsed(answer)
    menu = drafted(do, canteen, tomorrow)
    assert (menu.version, len(menu.items), [line.price_minor for line in menu.draft]) == (
        0,
        0,
        [80000, 85000, 30000, 20000],
    )


@pytest.mark.parametrize(("source", "status", "sentence"), [
    ("2026-11-22", 404, "There is no menu on that day to copy."),
    ("", 422, "Choose a day."),
])  # fmt: skip
def test_a_day_without_a_menu_is_not_copied(
    office: FlaskClient, canteen: Canteen, do: Any, source: str, status: int, sentence: str
) -> None:
    shown_at = f"/school/{canteen.school_id}/menu?day=2026-11-24"
    answer = send(office, menu_path(canteen, "copy", date(2026, 11, 24)), {"source": source}, shown_at=shown_at)
    assert sentence in parsed(answer, status)
    assert count(do, Menu) == 1


def test_the_template_is_drafted_as_it_is(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    template = office.get(f"/school/{canteen.school_id}/menu/template.csv")
    assert template.mimetype == "text/csv"
    bad = template.data + "2026-11-23;dinner;1;buffet;;Нан;Хлеб;;;;;пять;;;\r\n".encode()
    form = {"file": (io.BytesIO(bad), "menu.csv")}
    answer = send(office, menu_path(canteen, "import"), form)
    assert answer.status_code == 303
    before = drafted(do, canteen)
    page = parsed(office.get(answer.location))
    assert "2 lines would become the drafts" in page
    assert "The school has no such meal in this shift on that day." in page
    assert "price" in page
    assert drafted(do, canteen) == before
    for _ in range(2):
        told = send(office, answer.location, {}, shown_at=menu_path(canteen, "import"), follow=True)
        assert told.status_code == 200
    done = select(func.count()).where(AuditEvent.action == "canteen.import_menus")
    assert do(lambda work: work.session.scalar(done)) == 1
    assert len(drafted(do, canteen).draft) == 2
    assert len(drafted(do, canteen).items) == 4
    assert office.get(answer.location).status_code == 404


def test_a_dropped_file_changes_nothing(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    form = {"file": (io.BytesIO(office.get(f"/school/{canteen.school_id}/menu/template.xlsx").data), "menu.xlsx")}
    preview = send(office, menu_path(canteen, "import"), form).location
    assert "2 lines would become the drafts" in parsed(office.get(preview))
    before = drafted(do, canteen)
    told = send(office, f"{preview}/drop", {}, shown_at=preview, follow=True)
    assert "Nothing was changed." in parsed(told)
    assert send(office, preview, {}, shown_at=menu_path(canteen, "import")).status_code == 303
    assert drafted(do, canteen) == before


def test_somebody_elses_file_is_not_found(app: Flask, office: FlaskClient, canteen: Canteen, do: Any) -> None:
    template = office.get(f"/school/{canteen.school_id}/menu/template.csv").data
    preview = send(office, menu_path(canteen, "import"), {"file": (io.BytesIO(template), "menu.csv")}).location
    colleague = person_in(app, Role.SCHOOL_OFFICE, canteen.school_id)
    assert colleague.get(preview).status_code == 404
    before = drafted(do, canteen)
    for path in (preview, f"{preview}/drop"):
        assert send(colleague, path, {}, shown_at=menu_path(canteen, "import")).status_code == 404
    assert drafted(do, canteen) == before


@pytest.mark.parametrize(("content", "sentence"), [
    (None, "Choose a file."),
    (b"a;b\n1;2\n", "The first line must name the columns."),
    (b"day;meal\x00\xff\xfe", "The first line must name the columns."),
])  # fmt: skip
def test_an_unreadable_file_changes_nothing(
    office: FlaskClient, canteen: Canteen, do: Any, content: bytes | None, sentence: str
) -> None:
    form = {"file": (io.BytesIO(content), "menu.csv")} if content is not None else {}
    before = drafted(do, canteen)
    assert sentence in parsed(send(office, menu_path(canteen, "import"), form), 422)
    assert drafted(do, canteen) == before


def test_a_file_without_a_good_line_is_a_problem(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    content = "day;meal;kind;name_kk;name_ru;price\r\n2026-11-23;lunch;buffet;Нан;;50\r\n".encode()
    answer = send(office, menu_path(canteen, "import"), {"file": (io.BytesIO(content), "m.csv")})
    page = parsed(office.get(answer.location))
    assert "No line can be taken." in page
    assert "Yes, put these lines" not in page
    assert len(drafted(do, canteen).draft) == 4


# The meals' times


def test_a_meal_is_added_moved_and_ended(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    path = f"/school/{canteen.school_id}/sittings"
    form = {"meal": "lunch", "shift": "2", "opens_at": "14:10", "closes_at": "15:00"}
    page = parsed(send(office, path, form, follow=True))
    assert "Lunch, shift\N{NO-BREAK SPACE}1" in page
    assert "Lunch, shift\N{NO-BREAK SPACE}2" in page
    second = do(sittings_of, canteen.school_id)[1]
    assert (second.opens_at, second.closes_at) == (time(14, 10), time(15))
    send(office, f"{path}/{second.id}", {"opens_at": "14:20", "closes_at": "15.10"})
    assert do(sittings_of, canteen.school_id)[1].opens_at == time(14, 20)
    send(office, f"{path}/{second.id}/end", {}, shown_at=f"{path}/{second.id}")
    assert [one.id for one in do(sittings_of, canteen.school_id, TODAY)] == [canteen.sitting_id]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"opens_at": "25:00"}, "Write the time as hours and minutes, for example 12:30."),
        ({"closes_at": "09:00"}, "A meal ends after it has begun."),
        ({"meal": "supper"}, "Choose one from the list."),
        ({"shift": "4"}, "Shifts are 1, 2 or 3."),
    ],
)
def test_wrong_times_come_back(
    office: FlaskClient, canteen: Canteen, do: Any, changes: dict[str, str], sentence: str
) -> None:
    form = {"meal": "dinner", "shift": "1", "opens_at": "17:00", "closes_at": "18:00"} | changes
    assert sentence in parsed(send(office, f"/school/{canteen.school_id}/sittings", form), 422)
    assert count(do, Sitting) == 1


def test_wrong_hours_leave_a_sitting_as_it_was(office: FlaskClient, canteen: Canteen, do: Any) -> None:
    path = f"/school/{canteen.school_id}/sittings/{canteen.sitting_id}"
    parsed(send(office, path, {"opens_at": "15:00", "closes_at": "14:00"}), 422)
    assert do(sittings_of, canteen.school_id)[0].opens_at == time(11)


def test_a_school_without_meals_is_told_where_to_begin(app: Flask, canteen: Canteen) -> None:
    other = OrganisationFactory.create().id
    page = parsed(person_in(app, Role.SCHOOL_OFFICE, other).get(f"/school/{other}/menu"))
    assert "Set up the meals" in page
    assert SittingFactory.create(school_id=other)
