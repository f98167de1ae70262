"""What was served is told to the tenders' room: set meals alone, without what was taken back, and anew each night."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals import canteen
from schoolmeals.audit import AuditEvent
from schoolmeals.canteen.jobs import tell_served
from schoolmeals.canteen.served import served_meals
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.procurement.models import ServedMeals
from tests.factories.canteen import Canteen, new_canteen, new_card, new_eater


@pytest.fixture
def kitchen(app: Flask, clock: MovableClock) -> Canteen:
    """A school with a menu for today."""
    return new_canteen(clock())


def told(work: Work) -> list[tuple[date, str, str, int]]:
    rows = work.session.scalars(select(ServedMeals).order_by(ServedMeals.day, ServedMeals.age_group))
    return [(row.day, row.age_group, row.meal, row.meals) for row in rows]


def events(work: Work) -> int:
    noted = select(AuditEvent.id).where(AuditEvent.action == "procurement.note-served-meals")
    return len(work.session.scalars(noted).all())


def eats(kitchen: Canteen, do: Any) -> UUID:
    """A pupil takes a meal and a juice."""
    card = new_card(kitchen, new_eater(kitchen, do, money_minor=5_000_00))
    order = kitchen.order(card, kitchen.juice, meal=True)
    (answer,) = do(canteen.ring_up, [order], actor=kitchen.till)
    assert answer.is_served
    return order.id


def test_set_meals_are_told_by_age_group_and_meal(kitchen: Canteen, do: Any, clock: MovableClock) -> None:
    today = clock().date()
    sales = [eats(kitchen, do) for _ in range(3)]
    tell_served()
    assert do(told) == [(today, "11-14", "lunch", 3)]
    tell_served()
    assert do(events) == 1, "what is known is not told again"
    do(canteen.undo_sale, kitchen.school_id, sales[0], undo_id=new_id(clock()), reason="wrong", actor=kitchen.till)
    tell_served()
    assert do(told) == [(today, "11-14", "lunch", 2)]
    assert do(events) == 2


def test_a_day_on_which_everything_is_taken_back_is_empty(kitchen: Canteen, do: Any, clock: MovableClock) -> None:
    sale_id = eats(kitchen, do)
    tell_served()
    do(canteen.undo_sale, kitchen.school_id, sale_id, undo_id=new_id(clock()), reason="wrong", actor=kitchen.till)
    tell_served()
    assert do(told) == []


def test_another_schools_meals_are_its_own(kitchen: Canteen, do: Any, clock: MovableClock) -> None:
    eats(kitchen, do)
    elsewhere = new_canteen(clock()).school_id
    today = clock().date()
    assert do(served_meals, elsewhere, today - timedelta(days=1), today) == {
        today - timedelta(days=1): {},
        today: {},
    }
