"""What guardians are told, on a real PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from schoolmeals.audit.models import AuditEvent
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work
from schoolmeals.parents import notices
from schoolmeals.parents.models import Notice
from schoolmeals.parents.notices import collect_notices
from tests.factories.canteen import LUNCH_MINOR, Canteen, new_card, new_eater
from tests.factories.identity import LONG_AGO
from tests.factories.wallet import put_in
from tests.parents.conftest import Parents, guardian

ALMATY = ZoneInfo("Asia/Almaty")


@pytest.fixture
def collect(do: Any, clock: MovableClock) -> Any:
    """``collect()`` does what the worker does every minute, and gives how many notices are new."""

    def run() -> int:
        told: int = do(collect_notices, since=clock() - timedelta(minutes=15), zone=ALMATY)
        return told

    return run


def all_told(work: Work) -> list[tuple[UUID, UUID, str, UUID, dict[str, Any]]]:
    rows = work.session.execute(
        select(Notice.person_id, Notice.pupil_id, Notice.kind, Notice.cause_id, Notice.facts).order_by(Notice.id)
    )
    return [tuple(row) for row in rows]


def told_to(do: Any, person_id: UUID | None, *, but: Sequence[str] = ("low-balance",)) -> list[tuple[str, UUID, Any]]:
    found = do(all_told)
    return [(kind, cause, facts) for person, _, kind, cause, facts in found if person == person_id and kind not in but]


def poor_child(canteen: Canteen, do: Any, **facts: Any) -> UUID:
    return new_eater(canteen, do, **facts)


def test_lent_meals_are_told_to_each_guardian_once(
    canteen: Canteen, parents: Parents, do: Any, ring: Any, collect: Any
) -> None:
    child = poor_child(canteen, do)
    mother, father = guardian(canteen.school_id, child), guardian(canteen.school_id, child, relation="father")
    sale_id = ring(canteen.order(child, meal=True))
    assert collect() == 4
    expected = [("grace-used", sale_id, {"amount_minor": LUNCH_MINOR, "currency": "KZT"})]
    assert told_to(do, mother.id) == expected
    assert told_to(do, father.id) == expected
    assert told_to(do, mother.id, but=()) == told_to(do, father.id, but=())
    assert told_to(do, parents.mother.id, but=()) == []
    assert collect() == 0
    assert do(lambda work: work.session.scalars(select(AuditEvent.payload).where(
        AuditEvent.action == "parents.collect_notices")).all()) != []


def test_a_courtesy_meal_is_told_as_a_gift(canteen: Canteen, do: Any, ring: Any, collect: Any) -> None:
    child = poor_child(canteen, do)
    mother = guardian(canteen.school_id, child)
    for decisions in ((), ("V53",), ("V53",)):
        last = ring(canteen.order(child, meal=True, decisions=decisions))
    collect()
    kinds = [(kind, facts) for kind, cause, facts in told_to(do, mother.id) if cause == last]
    assert kinds == [("courtesy-meal", {"amount_minor": LUNCH_MINOR, "currency": "KZT"})] or kinds == []


def test_a_meal_that_was_taken_back_is_no_news(
    canteen: Canteen, do: Any, ring: Any, take_back: Any, collect: Any
) -> None:
    child = poor_child(canteen, do)
    mother = guardian(canteen.school_id, child)
    take_back(ring(canteen.order(child, meal=True)))
    collect()
    assert told_to(do, mother.id, but=()) == []


def test_a_blocked_card_at_the_till_is_told(canteen: Canteen, parents: Parents, do: Any, ring: Any, collect: Any) -> None:
    number = new_card(canteen, parents.pupil_id, blocked_at=LONG_AGO, block_reason="lost")
    tap_id = ring(canteen.order(number, meal=True))
    assert collect() == 2
    assert told_to(do, parents.father.id) == [("card-blocked-used", tap_id, {})]


def test_an_allergen_that_the_cashier_confirmed_is_told(canteen: Canteen, do: Any, ring: Any, collect: Any) -> None:
    do(lambda work: work.session.execute(text("UPDATE menu_item SET allergens = '[\"milk\"]' WHERE id = :id"),
                                         {"id": canteen.lunch_older}))
    child = new_eater(canteen, do, money_minor=50_000_00, allergens=[("milk", "intolerance")])
    mother = guardian(canteen.school_id, child)
    ring(canteen.order(child, meal=True))
    served = ring(canteen.order(child, meal=True, decisions=("A41",)))
    collect()
    assert told_to(do, mother.id, but=()) == [("allergen-override", served, {})]


def test_a_meal_without_a_warning_tells_nothing(parents: Parents, canteen: Canteen, do: Any, ring: Any, collect: Any) -> None:
    ring(canteen.order(parents.pupil_id, meal=True))
    assert collect() == 0
    assert do(all_told) == []


def test_each_low_state_is_told_once_until_money_comes_in(
    canteen: Canteen, do: Any, ring: Any, collect: Any, clock: MovableClock
) -> None:
    child = new_eater(canteen, do, money_minor=4 * LUNCH_MINOR)
    mother = guardian(canteen.school_id, child)
    first = ring(canteen.order(child, meal=True))
    collect()
    ring(canteen.order(child, canteen.bun))
    collect()
    low = [("low-balance", first, {"days": 3, "reach": "low"})]
    assert told_to(do, mother.id, but=()) != []
    assert told_to(do, mother.id, but=())[0] == low[0]
    before = len(told_to(do, mother.id, but=()))
    collect()
    assert len(told_to(do, mother.id, but=())) == before


def test_money_that_arrived_is_told(parents: Parents, canteen: Canteen, do: Any, collect: Any, clock: MovableClock) -> None:
    top_up_id = uuid4()
    do(put_in, parents.pupil_id, 1_000_00, school_id=parents.school_id)
    do(_settle, parents, top_up_id, clock())
    assert collect() == 2
    told = ("top-up-settled", top_up_id, {"amount_minor": 1_000_00, "currency": "KZT"})
    assert told_to(do, parents.mother.id, but=()) == [told]
    assert told_to(do, parents.father.id, but=()) == [told]
    assert told_to(do, parents.stranger.id, but=()) == []


def _settle(work: Work, parents: Parents, top_up_id: UUID, at: Any) -> None:
    work.session.execute(
        text(
            "INSERT INTO top_up (school_id, id, purse_id, amount_minor, currency, method, intended_at, settled_at)"
            " SELECT school_id, :id, id, 100000, 'KZT', 'hosted-page', :at, :at FROM purse WHERE pupil_id = :pupil_id"
        ),
        {"id": top_up_id, "at": at, "pupil_id": parents.pupil_id},
    )


def test_what_is_older_than_the_window_waits_for_the_longer_one(
    canteen: Canteen, do: Any, ring: Any, clock: MovableClock
) -> None:
    child = poor_child(canteen, do)
    guardian(canteen.school_id, child)
    ring(canteen.order(child, meal=True))
    clock.move(timedelta(hours=20))
    assert do(collect_notices, since=clock() - timedelta(minutes=15), zone=ALMATY) == 0
    assert do(collect_notices, since=clock() - timedelta(days=4), zone=ALMATY) == 2


def test_telling_without_the_unique_cause_would_tell_twice(
    canteen: Canteen, do: Any, ring: Any, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug: causes that differ from run to run."""
    child = poor_child(canteen, do)
    guardian(canteen.school_id, child)
    ring(canteen.order(child, meal=True))
    honest = notices.news_of_meal
    monkeypatch.setattr(
        notices,
        "news_of_meal",
        lambda meal: (notices.News(n.school_id, n.pupil_id, n.kind, uuid4(), n.at, n.facts) for n in honest(meal)),
    )
    collect()
    assert collect() == 1

