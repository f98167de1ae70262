"""The demo city: alive, honest in its books, and thrown away where it was not finished."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select

from schoolmeals import canteen, identity, pupils, wallet
from schoolmeals.actors import SYSTEM, Grant, Role, person
from schoolmeals.audit import AuditEvent
from schoolmeals.canteen.models import DayClosing, Menu, Sale
from schoolmeals.database import Work, reading
from schoolmeals.demo import city as city_module
from schoolmeals.demo.city import demo_people, seed_city, till_codes
from schoolmeals.demo.dishes import BUFFET, LUNCHES, pictured_dishes
from schoolmeals.demo.families import KNOWN_CARD, plan_town
from schoolmeals.demo.names import KAZAKH_SURNAMES, Family, new_family
from schoolmeals.demo.pictures import dish_picture, figure_picture
from schoolmeals.keys import derive_key
from schoolmeals.ledger.proofs import prove
from schoolmeals.web.frame import frame
from tests.shelf import empty

NOON = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""Monday noon in Almaty: lunch of the first shift."""
TODAY = date(2026, 11, 23)
MOST_BYTES = 4_096


@pytest.fixture(scope="module")
def small_city(_session_app: Flask, owner_engine: Engine) -> Iterator[Flask]:
    """One school, forty pupils, five school days before a Monday noon; made once for the tests that look at it."""
    with _session_app.app_context():
        seed_city(NOON, zone=frame().zone, schools=1, pupils=40, days=5)
    yield _session_app
    empty(owner_engine)


@pytest.fixture
def look(small_city: Flask) -> Iterator[Work]:
    """The system looks at the small city."""
    with small_city.app_context(), reading(SYSTEM, NOON) as work:
        yield work


@pytest.fixture
def school_id(look: Work) -> UUID:
    return identity.schools(look)[0].id


def rows(look: Work, statement: Any) -> list[Any]:
    return list(look.session.execute(statement))


def test_the_books_hold_every_law(look: Work) -> None:
    assert [finding.law.sentence for finding in prove(look) if not finding.holds] == []


def test_there_is_a_life_to_look_at(look: Work, school_id: UUID) -> None:
    assert pupils.pupils_of_school(look, school_id).total == 40
    verdicts = dict(rows(look, select(Sale.verdict, func.count()).group_by(Sale.verdict)))
    assert verdicts["served"] > 100
    grace, courtesy = rows(look, select(func.sum(Sale.grace_minor), func.sum(Sale.courtesy_minor)))[0]
    assert grace > 0
    assert courtesy >= 0


def test_every_past_day_is_closed_and_today_is_not(look: Work, school_id: UUID) -> None:
    closed = [day for (day,) in rows(look, select(DayClosing.day).order_by(DayClosing.day))]
    assert closed == identity.calendar_of(look, school_id).last_school_days(TODAY - timedelta(days=1), 5)
    assert len(closed) == 5


def test_today_is_served_only_up_to_now(look: Work, school_id: UUID) -> None:
    taps = [at for (at,) in rows(look, select(Sale.tapped_at).where(Sale.service_day == TODAY))]
    assert taps
    assert max(taps) <= look.now
    fed = canteen.day_counts(look, school_id, TODAY)
    assert fed.fed < 40, "the older ones have not eaten yet"


def test_menus_reach_five_school_days_ahead(look: Work, school_id: UUID) -> None:
    ahead = {day for (day,) in rows(look, select(Menu.day).where(Menu.day > TODAY, Menu.version > 0))}
    assert len(ahead) == 5


def test_no_deed_lies_in_the_future_or_is_anybodys(look: Work) -> None:
    latest = rows(look, select(func.max(AuditEvent.at)))[0][0]
    assert latest <= look.now
    actions = {action for (action,) in rows(look, select(AuditEvent.action).distinct())}
    assert {
        "canteen.ring_up", "canteen.publish_menu", "canteen.close_day", "pupils.enrol_pupil", "pupils.add_guardian",
        "wallet.take_cash", "wallet.settle_top_up", "wallet.set_limit",
    } <= actions  # fmt: skip


def test_demo_people_are_listed_with_what_they_are(small_city: Flask) -> None:
    with small_city.app_context():
        lines = demo_people()
    assert len(lines) == 13
    assert lines[0].startswith("Ахметова Сәуле")
    assert "parent" in lines[0]
    assert any("cashier, PIN 4719" in line for line in lines)
    assert lines[-1].startswith("Нұрпейісова Айнұр")


def test_two_households_and_a_grandmother_see_the_same_child(look: Work, school_id: UUID) -> None:
    key = derive_key(frame().settings.secret_key, city_module.CARD_NUMBERS)
    number = pupils.number_hash(key, KNOWN_CARD.format(1))
    pupil_id = pupils.till_facts(look, school_id, number_hashes=[number], pupil_ids=[]).cards[number].pupil_id
    guardians = pupils.guardians_of(look, school_id, [pupil_id])[pupil_id]
    assert sorted(one.relation for one in guardians) == ["father", "mother", "relative"]
    for one in guardians:
        guardian = Work(look.session, person(one.person_id, [Grant(Role.PARENT, school_id)]), look.now)
        assert [child.given_name for child in pupils.my_pupils(guardian)] == ["Аяла"]
        assert wallet.purse_of(guardian, school_id, pupil_id).pupil_id == pupil_id


def test_each_school_offers_a_till_to_visitors(small_city: Flask) -> None:
    with small_city.app_context():
        [(name, code)] = till_codes()
    assert name == "School No. 301"
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", code)


def test_children_bear_their_familys_names() -> None:
    kazakh = Family("kk", "Оспанов", ("Серік", "Серікұлы", "Серікқызы"), "Алма")
    girl, boy = kazakh.child(Random(1), is_girl=True), kazakh.child(Random(1), is_girl=False)
    assert (girl.surname, girl.patronymic) == ("Оспанова", "Серікқызы")
    assert (boy.surname, boy.patronymic) == ("Оспанов", "Серікұлы")
    bare = Family("kk", "Төлеген", ("Серік", "Серікұлы", "Серікқызы"), "Алма")
    assert bare.parent(is_mother=True) == "Төлеген Алма"
    assert {new_family(Random(n)).language for n in range(50)} == {"kk", "ru"}
    assert not any(re.search("[A-Za-z]", surname) for surname in KAZAKH_SURNAMES)


def test_the_same_seed_invents_the_same_town() -> None:
    towns = [plan_town(Random(7), schools=4, pupils=100, today=TODAY) for _ in range(2)]
    assert towns[0] == towns[1]
    assert [len(children) for children in towns[0].children] == [25, 25, 25, 25]
    classes = {child.class_name for children in towns[0].children for child in children}
    assert "5 «Ә»" in classes


def test_kitchens_keep_to_the_norm() -> None:
    names = " ".join(dish.ru.casefold() for dish in pictured_dishes())
    assert not re.search("сосиск|колбас|газиров|лимонад|чипс|фри", names)
    assert len(LUNCHES) == 10
    assert all(item.price_minor < 400_00 for item in BUFFET)


def test_pictures_are_small() -> None:
    pictures = [dish_picture(dish.look, dish.colour) for dish in pictured_dishes()]
    pictures += [figure_picture(number, is_girl=number % 2 == 0) for number in range(36)]
    assert max(map(len, pictures)) <= MOST_BYTES
    assert all(picture[8:12] == b"WEBP" for picture in pictures)
