"""What guardians are told, on a real PostgreSQL."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from schoolmeals.actors import Actor
from schoolmeals.audit.models import AuditEvent
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work
from schoolmeals.parents import notices
from schoolmeals.parents.jobs import TASKS
from schoolmeals.parents.models import Notice
from schoolmeals.parents.notices import News, collect_notices
from schoolmeals.parents.rules import Meal
from tests.factories.canteen import GRACE_MINOR, LUNCH_MINOR, Canteen, new_card, new_eater
from tests.factories.identity import LONG_AGO
from tests.factories.wallet import eat, put_in
from tests.parents.conftest import Parents, guardian

ALMATY = ZoneInfo("Asia/Almaty")


@pytest.fixture
def collect(do: Any, clock: MovableClock) -> Any:
    """``collect()`` does what the worker does every minute, and gives how many notices are new."""

    def run(since: timedelta = timedelta(minutes=15)) -> int:
        told: int = do(collect_notices, since=clock() - since, zone=ALMATY)
        return told

    return run


def told_to(do: Any, who: Actor) -> list[tuple[str, UUID, dict[str, Any]]]:
    """Kind, cause and facts of everything that somebody was told, in its order."""

    def look(work: Work) -> Any:
        wanted = select(Notice.kind, Notice.cause_id, Notice.facts).where(Notice.person_id == who.id)
        return [tuple(row) for row in work.session.execute(wanted.order_by(Notice.at, Notice.kind, Notice.id))]

    found: list[tuple[str, UUID, dict[str, Any]]] = do(look)
    return found


def events(work: Work) -> int:
    wanted = select(AuditEvent.id).where(AuditEvent.action == "parents.collect_notices")
    return len(work.session.scalars(wanted).all())


def test_a_lent_meal_is_told_to_both_parents_once_and_to_nobody_else(
    canteen: Canteen, parents: Parents, do: Any, ring: Any, collect: Any
) -> None:
    child = new_eater(canteen, do)
    mother, father = guardian(canteen.school_id, child), guardian(canteen.school_id, child, relation="father")
    sale_id = ring(canteen.order(child, meal=True))
    assert collect() == 4
    expected = [
        ("grace-used", sale_id, {"amount_minor": LUNCH_MINOR, "currency": "KZT"}),
        ("low-balance", sale_id, {"days": 0, "reach": "grace"}),
    ]
    assert told_to(do, mother) == expected
    assert told_to(do, father) == expected
    assert told_to(do, parents.mother) == []
    assert collect() == 0
    assert told_to(do, mother) == expected
    assert do(events) == 1


def test_a_former_guardian_is_told_nothing(canteen: Canteen, do: Any, ring: Any, collect: Any) -> None:
    child = new_eater(canteen, do)
    former = guardian(canteen.school_id, child, ended_at=LONG_AGO)
    ring(canteen.order(child, meal=True))
    assert collect() == 0
    assert told_to(do, former) == []


def test_a_courtesy_meal_is_told_as_a_gift(canteen: Canteen, do: Any, ring: Any, collect: Any) -> None:
    child = new_eater(canteen, do)
    do(eat, child, GRACE_MINOR, school_id=canteen.school_id)
    mother = guardian(canteen.school_id, child)
    sale_id = ring(canteen.order(child, meal=True))
    collect()
    assert told_to(do, mother)[0] == ("courtesy-meal", sale_id, {"amount_minor": LUNCH_MINOR, "currency": "KZT"})


def test_a_meal_that_was_taken_back_is_no_news(
    canteen: Canteen, do: Any, ring: Any, take_back: Any, collect: Any
) -> None:
    child = new_eater(canteen, do)
    mother = guardian(canteen.school_id, child)
    take_back(ring(canteen.order(child, meal=True)))
    assert collect() == 0
    assert told_to(do, mother) == []


def test_a_blocked_card_at_the_till_is_told(
    canteen: Canteen, parents: Parents, do: Any, ring: Any, collect: Any
) -> None:
    number = new_card(canteen, parents.pupil_id, blocked_at=LONG_AGO, block_reason="lost")
    tap_id = ring(canteen.order(number, meal=True))
    assert collect() == 2
    assert told_to(do, parents.father) == [("card-blocked-used", tap_id, {})]


def test_an_allergen_that_the_cashier_confirmed_is_told(canteen: Canteen, do: Any, ring: Any, collect: Any) -> None:
    do(put_allergen, canteen.lunch_older)
    child = new_eater(canteen, do, money_minor=50_000_00, allergens=[("milk", "intolerance")])
    mother = guardian(canteen.school_id, child)
    ring(canteen.order(child, meal=True))
    assert collect() == 0
    served = ring(canteen.order(child, meal=True, decisions=("A41",)))
    assert collect() == 1
    assert told_to(do, mother) == [("allergen-override", served, {})]


def put_allergen(work: Work, item_id: UUID) -> None:
    work.session.execute(text("UPDATE menu_item SET allergens = '[\"milk\"]' WHERE id = :id"), {"id": item_id})


def test_an_ordinary_meal_tells_nothing(parents: Parents, canteen: Canteen, do: Any, ring: Any, collect: Any) -> None:
    ring(canteen.order(parents.pupil_id, meal=True))
    assert collect() == 0
    assert told_to(do, parents.mother) == []
    assert do(events) == 0


def test_each_low_state_is_told_once_until_money_comes_in(
    canteen: Canteen, do: Any, ring: Any, collect: Any, clock: MovableClock
) -> None:
    child = new_eater(canteen, do, money_minor=4 * LUNCH_MINOR)
    mother = guardian(canteen.school_id, child)
    first = ring(canteen.order(child, meal=True))
    assert collect() == 1
    low = ("low-balance", first, {"days": 3, "reach": "low"})
    assert told_to(do, mother) == [low]

    clock.move(timedelta(minutes=1))
    second = ring(canteen.order(child, (canteen.juice, 8), meal=False))
    assert collect() == 1, "a worse state is told"
    empty = ("low-balance", second, {"days": 0, "reach": "empty"})
    assert told_to(do, mother) == [low, empty]
    assert collect() == 0, "the same state is not"

    clock.move(timedelta(minutes=1))
    top_up_id = uuid4()
    do(settle, canteen.school_id, child, top_up_id, 1_000_00, clock())
    clock.move(timedelta(minutes=1))
    third = ring(canteen.order(child, (canteen.juice, 3)))
    assert collect() == 2, "after money came in, it is told again"
    assert told_to(do, mother)[2:] == [
        ("top-up-settled", top_up_id, {"amount_minor": 1_000_00, "currency": "KZT"}),
        ("low-balance", third, {"days": 0, "reach": "empty"}),
    ]


def test_money_that_arrived_is_told_to_both(
    parents: Parents, canteen: Canteen, do: Any, collect: Any, clock: MovableClock
) -> None:
    top_up_id = uuid4()
    do(settle, parents.school_id, parents.pupil_id, top_up_id, 1_000_00, clock())
    assert collect() == 2
    told = ("top-up-settled", top_up_id, {"amount_minor": 1_000_00, "currency": "KZT"})
    assert told_to(do, parents.mother) == [told]
    assert told_to(do, parents.father) == [told]
    assert told_to(do, parents.stranger) == []


def settle(work: Work, school_id: UUID, pupil_id: UUID, top_up_id: UUID, amount_minor: int, at: datetime) -> None:
    put_in(work, pupil_id, amount_minor, school_id=school_id)
    work.session.execute(
        text(
            "INSERT INTO top_up (school_id, id, purse_id, amount_minor, currency, method, intended_at, settled_at)"
            " SELECT school_id, :id, id, :amount, 'KZT', 'hosted-page', :at, :at FROM purse WHERE pupil_id = :pupil_id"
        ),
        {"id": top_up_id, "amount": amount_minor, "at": at, "pupil_id": pupil_id},
    )


def test_what_the_worker_slept_through_is_told_by_the_longer_window(
    canteen: Canteen, do: Any, ring: Any, collect: Any, clock: MovableClock
) -> None:
    child = new_eater(canteen, do)
    mother = guardian(canteen.school_id, child)
    sale_id = ring(canteen.order(child, meal=True))
    clock.move(timedelta(hours=20))
    assert collect() == 0
    assert collect(timedelta(days=4)) == 2
    assert [cause for _, cause, _ in told_to(do, mother)] == [sale_id, sale_id]


def test_the_workers_tasks_tell(canteen: Canteen, do: Any, ring: Any) -> None:
    assert [(task.name, task.every) for task in TASKS] == [
        ("parents.tell_lately", "* * * * *"),
        ("parents.tell_of_days", "40 1 * * *"),
    ]
    child = new_eater(canteen, do)
    mother = guardian(canteen.school_id, child)
    ring(canteen.order(child, meal=True))
    for task in TASKS:
        task.do()
    assert [kind for kind, _, _ in told_to(do, mother)] == ["grace-used", "low-balance"]


def test_a_planted_cause_that_changes_from_run_to_run_tells_twice(
    canteen: Canteen, do: Any, ring: Any, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = new_eater(canteen, do)
    mother = guardian(canteen.school_id, child)
    ring(canteen.order(child, meal=True))
    honest = notices.news_of_meal

    def forgetful(meal: Meal, decided: frozenset[str]) -> Iterator[News]:
        for one in honest(meal, decided):
            yield News(one.school_id, one.pupil_id, one.kind, uuid4(), one.at, one.facts)

    monkeypatch.setattr(notices, "news_of_meal", forgetful)
    collect()
    collect()
    assert [kind for kind, _, _ in told_to(do, mother)] == ["grace-used", "grace-used", "low-balance"]
