"""Making the demo city: interrupted, in several processes, and on a day without school."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals import identity, pupils
from schoolmeals.actors import SYSTEM, person
from schoolmeals.canteen.models import DayClosing
from schoolmeals.database import reading
from schoolmeals.demo import city as city_module
from schoolmeals.demo.city import demo_people, is_unfinished, seed_city
from schoolmeals.demo.side_by_side import Hurry, Interrupted, live_side_by_side
from schoolmeals.identity.queries import demo_people as people_of_the_demo
from schoolmeals.ledger.proofs import prove
from schoolmeals.web.frame import frame

NOON = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""Monday noon in Almaty: lunch of the first shift."""


def test_a_city_without_its_last_person_is_unfinished(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_unfinished(), "an empty database is not a city"
    monkeypatch.setattr(city_module, "live_day", _interrupt)
    with pytest.raises(Interrupted):
        seed_city(NOON, zone=frame().zone, schools=1, pupils=5, days=2)
    assert is_unfinished()
    assert demo_people() == []


def test_several_schools_live_in_processes_of_their_own(app: Flask) -> None:
    seed_city(NOON, zone=frame().zone, schools=2, pupils=12, days=1)
    assert not is_unfinished()
    with reading(SYSTEM, NOON) as look:
        schools = identity.schools(look)
        assert [pupils.pupils_of_school(look, school.id).total for school in schools] == [6, 6]
        assert [finding.law.sentence for finding in prove(look) if not finding.holds] == []
        olga = next(one for one in people_of_the_demo(look, "@demo.example") if one.name.startswith("Лебедева"))
    with reading(person(olga.id), NOON) as look:
        mine = pupils.my_pupils(look)
    assert sorted(child.given_name for child in mine) == ["Кирилл", "Мария", "Тимофей"]
    assert len({child.school_id for child in mine}) == 2


def test_on_a_sunday_the_last_school_day_is_over(app: Flask) -> None:
    sunday = NOON - timedelta(days=1)
    seed_city(sunday, zone=frame().zone, schools=1, pupils=5, days=1)
    with reading(SYSTEM, sunday) as look:
        assert list(look.session.scalars(select(DayClosing.day))) == [date(2026, 11, 20)]


def test_a_life_that_fails_stops_the_others() -> None:
    with pytest.raises(Interrupted):
        live_side_by_side([_interrupt, _wait_for_stop], steps=2, label="", on_fork=lambda: None)


def _interrupt(*_: object) -> None:
    raise Interrupted


def _wait_for_stop(hurry: Hurry) -> None:
    while True:
        hurry.check()
