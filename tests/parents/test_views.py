"""Pages and the API of the parents room, by a browser without scripts."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import html5lib
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work
from schoolmeals.identity.models import Person
from schoolmeals.ids import spoken_number
from schoolmeals.parents.models import Notice
from tests.factories import saved, session
from tests.factories.canteen import Canteen
from tests.factories.identity import PersonFactory, signed_in
from tests.factories.parents import NoticeFactory
from tests.factories.wallet import csrf_token
from tests.parents.conftest import Parents

JOINER = "\u2060"


def parsed(page: str) -> Any:
    """The page's tree; raises where the HTML is broken."""
    return html5lib.HTMLParser(strict=True).parse(page)


def words(page: str) -> str:
    """What the main part says, on one line."""
    main = page.split("<main", 1)[1].split("</main>", 1)[0].split(">", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).replace("&#34;", '"')


@pytest.fixture
def mother(app: Flask, parents: Parents) -> FlaskClient:
    return signed_in(app, known(parents.mother.id))


@pytest.fixture
def stranger(app: Flask, parents: Parents) -> FlaskClient:
    return signed_in(app, known(parents.stranger.id))


@pytest.fixture
def base(parents: Parents) -> str:
    return f"/pupil/{parents.school_id}/{parents.pupil_id}"


def known(person_id: UUID | None) -> UUID:
    assert person_id is not None
    return person_id


def told_by(client: FlaskClient, path: str) -> Any:
    """The JSON of an answer."""
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.json


def speak(person_id: UUID | None, language: str) -> None:
    person = session().get_one(Person, person_id)
    person.language = language
    saved(person)


# Home


def test_the_home_page_of_one_child(
    canteen: Canteen, parents: Parents, mother: FlaskClient, ring: Any, base: str
) -> None:
    ring(canteen.order(parents.pupil_id, meal=True))
    page = mother.get("/home")
    assert page.status_code == 200
    parsed(page.text)
    said = words(page.text)
    for expected in (
        "Сейітқали Ерасыл",
        "4,150 ₸",
        "Enough for 4 days, up to Friday 27 November",
        "Today: ate lunch at 12:00",
        "No limit. The set meal is always served.",
        "As of: 23 November, 12:00",
    ):
        assert expected in said, expected
    for href in (f"{base}/top-up", f"{base}/statement", f"{base}/limit", f"{base}/menu", f"{base}/meals", "/claim"):
        assert f'href="{href}"' in page.text, href


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("kk", ["Бүгін түскі ас ішті, 12:00", "4 күнге жетеді, соңғы күн – 27 қараша, жұма", "Ақша салу"]),
        ("ru", ["Сегодня обед получен в 12:00", "Хватит на 4 дня, последний – 27 ноября, пятница", "Пополнить"]),
    ],
)
def test_the_home_page_speaks_as_people_do(
    canteen: Canteen, parents: Parents, mother: FlaskClient, ring: Any, language: str, expected: list[str]
) -> None:
    speak(parents.mother.id, language)
    ring(canteen.order(parents.pupil_id, meal=True))
    said = words(mother.get("/home").text)
    assert [one for one in expected if one not in said] == []


def test_before_the_meal_the_page_names_the_sitting(parents: Parents, mother: FlaskClient) -> None:
    said = words(mother.get("/home").text).replace(JOINER, "")
    assert "Today: not yet. Lunch is at 11:00–14:00" in said
    assert "The first meal appears here" in said


def test_without_a_child_the_page_leads_to_the_code(app: Flask) -> None:
    page = signed_in(app, PersonFactory.create().id).get("/home")
    assert page.status_code == 200
    parsed(page.text)
    assert "Your child is not here yet" in words(page.text)
    assert 'href="/claim"' in page.text
    assert "live.js" not in page.text


def test_staff_without_a_child_are_sent_to_their_desk(app: Flask, parents: Parents) -> None:
    staff = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, parents.school_id)]).id)
    answer = staff.get("/home")
    assert (answer.status_code, answer.location) == (303, "/")
    assert staff.get("/").location == "/day"


def test_several_roles_choose_their_desk(app: Flask, parents: Parents) -> None:
    roles = [(Role.SCHOOL_OFFICE, parents.school_id), (Role.PARENT, parents.school_id)]
    both = signed_in(app, PersonFactory.create(roles=roles).id).get("/")
    parsed(both.text)
    assert "Where do you want to go?" in words(both.text)
    assert re.findall(r'<li><a href="([^"]*)">', both.text.split("<main")[1]) == ["/home", "/day"]


def test_a_stranger_at_the_door_is_sent_to_sign_in(client: FlaskClient, base: str) -> None:
    for path in ("/home", "/home/version", base, "/notices", f"{base}/meals"):
        answer = client.get(path)
        assert (answer.status_code, answer.location.split("?")[0]) == (303, "/sign-in"), path


def test_the_version_is_short_and_changes_with_a_tap(
    canteen: Canteen, parents: Parents, mother: FlaskClient, ring: Any
) -> None:
    assert len(mother.get("/home/version").data) < 100
    before = told_by(mother, "/home/version")
    assert set(before) == {"token", "wait_ms"}
    assert f'data-token="{before["token"]}"' in mother.get("/home").text
    assert told_by(mother, "/home/version") == before
    ring(canteen.order(parents.pupil_id, meal=True))
    assert told_by(mother, "/home/version")["token"] != before["token"]


def test_the_script_is_small() -> None:
    from schoolmeals.parents.views import pages

    assert pages.static_folder is not None
    with open(f"{pages.static_folder}/js/live.js", "rb") as script:  # noqa: PTH123
        assert len(script.read()) <= 2_048


# What is another's


@pytest.mark.parametrize("rest", ["", "/meals", "/meals.csv", "/menu"])
def test_another_parents_child_is_not_found(stranger: FlaskClient, mother: FlaskClient, base: str, rest: str) -> None:
    assert mother.get(base + rest).status_code == 200
    assert stranger.get(base + rest).status_code == 404


def test_a_receipt_is_for_the_family_and_the_office(
    app: Flask, canteen: Canteen, parents: Parents, mother: FlaskClient, stranger: FlaskClient, ring: Any
) -> None:
    sale_id = ring(canteen.order(parents.pupil_id, canteen.bun, meal=True))
    page = mother.get(f"/receipt/{parents.school_id}/{sale_id}")
    parsed(page.text)
    said = words(page.text)
    for expected in (
        " ".join(spoken_number(sale_id).split()),
        "Сейітқали Ерасыл",
        "Bun" if "Bun" in said else "Juice",
        "1,050 ₸",
        "from the purse",
    ):
        assert expected in said, expected
    assert stranger.get(f"/receipt/{parents.school_id}/{sale_id}").status_code == 404
    assert mother.get(f"/receipt/{parents.school_id}/{uuid4()}").status_code == 404


# History


def test_the_history_filters_and_keeps_what_was_typed(
    canteen: Canteen, parents: Parents, mother: FlaskClient, base: str, ring: Any
) -> None:
    ring(canteen.order(parents.pupil_id, meal=True))
    ring(canteen.order(parents.pupil_id, (canteen.juice, 20)))
    page = mother.get(f"{base}/meals?from=2026-11-23&to=2026-11-23&kind=all&refused=yes")
    assert page.status_code == 200
    parsed(page.text)
    said = words(page.text)
    assert "There was not enough money for the buffet" in said
    assert "Nothing was sold and nothing was charged" in said
    assert 'value="2026-11-23"' in page.text
    assert "not enough money" not in words(mother.get(f"{base}/meals").text)
    assert "No meals on these days" in words(mother.get(f"{base}/meals?kind=buffet").text)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=tomorrow", "Choose a day, or write it as year-month-day."),
        ("from=2026-11-23&to=2026-11-01", "Choose a first day before the last one."),
        ("from=2020-01-01", "Choose at most one year. Download the years one by one."),
        ("kind=soup", "Choose one of the answers."),
    ],
)
def test_a_filter_that_cannot_be_is_explained(mother: FlaskClient, base: str, query: str, sentence: str) -> None:
    page = mother.get(f"{base}/meals?{query}")
    assert page.status_code == 422
    parsed(page.text)
    assert sentence in words(page.text)
    assert mother.get(f"{base}/meals.csv?{query}").status_code == 422


def test_a_long_history_has_pages(
    canteen: Canteen, parents: Parents, mother: FlaskClient, base: str, ring: Any, clock: MovableClock
) -> None:
    for _ in range(21):
        ring(canteen.order(parents.pupil_id, (canteen.juice, 20)))
    first = mother.get(f"{base}/meals?refused=yes").text
    assert "1–20 of 21" in words(first)
    last = mother.get(f"{base}/meals?refused=yes&page=2").text
    assert "21–21 of 21" in words(last)
    assert "21–21 of 21" in words(mother.get(f"{base}/meals?refused=yes&page=99").text)


def test_the_history_as_a_file(canteen: Canteen, parents: Parents, mother: FlaskClient, base: str, ring: Any) -> None:
    sale_id = ring(canteen.order(parents.pupil_id, meal=True))
    answer = mother.get(f"{base}/meals.csv?from=2026-11-01&to=2026-11-23")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="meals-2026-11-01-2026-11-23.csv"'
    text = answer.data.decode("utf-8")
    assert text.startswith("\ufeffDay;Time;Meal;")
    [line] = text.split("\r\n")[1:-1]
    assert line.startswith("2026-11-23;12:00;Lunch;Lunch;")
    number = spoken_number(sale_id).replace("\u00a0", " ")
    assert line.endswith(f";Served;850,00;850,00;0,00;0,00;KZT;{number}")


# Menu


def test_the_menu_of_the_day(mother: FlaskClient, base: str) -> None:
    page = mother.get(f"{base}/menu")
    parsed(page.text)
    assert "Lunch 11:00–14:00" in words(page.text)
    assert words(page.text).count("Set meal") == 1
    empty = mother.get(f"{base}/menu?day=2026-11-28")
    parsed(empty.text)
    assert "There are no lessons on this day." in words(empty.text)
    assert 'href="' + base + '/menu?day=2026-11-27"' in empty.text
    assert 'href="' + base + '/menu?day=2026-11-30"' in empty.text
    assert mother.get(f"{base}/menu?day=soup").status_code == 404


# Notices


def test_notices_are_read_one_by_one_and_all_at_once(parents: Parents, mother: FlaskClient, do: Any) -> None:
    for _ in range(3):
        told(parents)
    page = mother.get("/notices")
    parsed(page.text)
    assert words(page.text).count("5,000 ₸ arrived in the purse of Ерасыл.") == 3
    [first, *_] = re.findall(r'action="(/notices/[^"]+/read)"', page.text)
    token = csrf_token(mother, "/notices")
    assert mother.post(first, data={"csrf_token": token}).status_code == 303
    assert do(unread) == 2
    assert "New notices" in words(mother.get("/home").text)
    [newest] = re.findall(r'name="up_to" value="([^"]+)"', page.text)
    answer = mother.post("/notices/read", data={"csrf_token": token, "up_to": newest}, follow_redirects=True)
    assert "2 notices marked as read" in words(answer.text)
    assert do(unread) == 0
    assert "New notices" not in words(mother.get("/home").text)


def test_another_parents_notice_stays_unread(parents: Parents, stranger: FlaskClient, do: Any) -> None:
    notice = told(parents)
    token = csrf_token(stranger, "/notices")
    foreign = f"/notices/{parents.school_id}/{notice.id}/read"
    assert stranger.post(foreign, data={"csrf_token": token}).status_code == 404
    assert stranger.post(foreign).status_code == 400
    assert stranger.post("/notices/read", data={"csrf_token": token, "up_to": str(notice.id)}).status_code == 303
    assert stranger.post("/notices/read", data={"csrf_token": token, "up_to": "all"}).status_code == 422
    assert do(unread) == 1


def test_no_page_writes_when_it_is_only_read(
    parents: Parents, canteen: Canteen, mother: FlaskClient, base: str, ring: Any, do: Any, clock: MovableClock
) -> None:
    ring(canteen.order(parents.pupil_id, meal=True))
    told(parents)
    for path in ("/home", "/home/version", base, f"{base}/meals", f"{base}/menu", "/notices", "/api/home"):
        assert mother.get(path).status_code == 200, path
    clock.move(timedelta(minutes=1))
    assert do(unread) == 1


def told(parents: Parents) -> Notice:
    own = {"school_id": parents.school_id, "pupil_id": parents.pupil_id}
    notice: Notice = NoticeFactory.create(**own, person_id=parents.mother.id)
    return notice


def unread(work: Work) -> int:
    return len(work.session.scalars(select(Notice.id).where(Notice.read_at.is_(None))).all())


# The API


def test_the_api_tells_what_the_home_page_shows(
    canteen: Canteen, parents: Parents, mother: FlaskClient, ring: Any
) -> None:
    sale_id = ring(canteen.order(parents.pupil_id, meal=True))
    told(parents)
    home = told_by(mother, "/api/home")
    [child] = home.pop("children")
    assert home == {"as_of": "2026-11-23T07:00:00Z", "unread_notices": 1}
    [meal] = child.pop("last_meals")
    assert child.pop("today") == {"state": "ate", "meals": [meal]}
    assert meal == {
        "id": str(sale_id),
        "day": "2026-11-23",
        "at": "2026-11-23T07:00:00Z",
        "recorded_at": "2026-11-23T07:00:00Z",
        "meal": "lunch",
        "till": meal["till"],
        "items": [{"name": "Lunch", "price_minor": 85000, "quantity": 1, "is_set_meal": True}],
        "total_minor": 85000,
        "money_minor": 85000,
        "grace_minor": 0,
        "courtesy_minor": 0,
        "currency": "KZT",
        "code": None,
        "undone_at": None,
    }
    assert child.pop("week")[-1] == {"day": "2026-11-23", "spent_minor": 85000}
    assert child == {
        "school_id": str(parents.school_id),
        "pupil_id": str(parents.pupil_id),
        "name": "Сейітқали Ерасыл",
        "class_name": child["class_name"],
        "school": child["school"],
        "balance_minor": 415000,
        "currency": "KZT",
        "limit_minor_day": None,
        "enough": {"state": "ok", "days": 4, "until": "2026-11-27"},
    }


def test_the_apis_history_is_scoped_and_paged(
    canteen: Canteen, parents: Parents, mother: FlaskClient, stranger: FlaskClient, client: FlaskClient, ring: Any
) -> None:
    ring(canteen.order(parents.pupil_id, meal=True))
    ring(canteen.order(parents.pupil_id, (canteen.juice, 20)))
    path = f"/api/pupils/{parents.school_id}/{parents.pupil_id}/meals"
    assert [meal["code"] for meal in told_by(mother, path)["meals"]] == [None]
    assert told_by(mother, f"{path}?refused=true")["total"] == 2
    assert told_by(mother, f"{path}?page=2")["meals"] == []
    assert mother.get(f"{path}?from=2026-11-24&to=2026-11-23").status_code == 422
    assert mother.get(f"{path}?kind=soup").status_code == 422
    assert stranger.get(path).status_code == 404
    assert client.get(path).status_code == 401


def test_the_apis_notices(parents: Parents, mother: FlaskClient, do: Any) -> None:
    notice = told(parents)
    answer = mother.get("/api/notices?unread=true").json
    assert answer == {
        "notices": [
            {
                "school_id": str(parents.school_id),
                "id": str(notice.id),
                "pupil_id": str(parents.pupil_id),
                "kind": "top-up-settled",
                "cause_id": str(notice.cause_id),
                "facts": {"amount_minor": 500000, "currency": "KZT"},
                "at": "2026-11-23T06:00:00Z",
                "read_at": None,
            }
        ],
        "total": 1,
        "unread": 1,
        "page": 1,
    }
    headers = {"X-CSRFToken": csrf_token(mother, "/notices")}
    assert mother.post("/api/notices/read", json={"up_to": "soup"}, headers=headers).status_code == 422
    assert mother.post("/api/notices/read", json={"up_to": str(notice.id), "x": 1}, headers=headers).status_code == 422
    assert do(unread) == 1
    for marked in (1, 0):
        done = mother.post("/api/notices/read", json={"up_to": str(notice.id)}, headers=headers)
        assert (done.status_code, done.json) == (200, {"marked": marked})
    assert do(unread) == 0
