"""Who sees what, on a real PostgreSQL."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from schoolmeals import pupils
from schoolmeals.actors import Actor, Role
from schoolmeals.clock import MovableClock
from schoolmeals.errors import NotFound
from schoolmeals.parents import queries
from schoolmeals.parents.pulse import pulse_of
from schoolmeals.parents.rules import Enough, Kind, MealFilter, Reach, TodayKind
from tests.factories.canteen import BUN_MINOR, LUNCH_MINOR, Canteen, new_canteen, new_eater
from tests.factories.identity import LONG_AGO, PersonFactory, actor_of
from tests.factories.parents import NoticeFactory
from tests.factories.pupils import GuardianshipFactory
from tests.factories.wallet import put_in
from tests.parents.conftest import Parents, guardian

ALMATY = ZoneInfo("Asia/Almaty")
TODAY = date(2026, 11, 23)
WEEK = [date(2026, 11, day) for day in (17, 18, 19, 20, 23)]


def ids(children: list[queries.Child]) -> list[UUID]:
    return [child.pupil.id for child in children]


def test_both_parents_see_the_child_and_nobody_else_does(
    canteen: Canteen, parents: Parents, do: Any, ring: Any
) -> None:
    sale_id = ring(canteen.order(parents.pupil_id, canteen.bun, meal=True))
    for parent in (parents.mother, parents.father):
        [child] = do(queries.children, ALMATY, actor=parent)
        assert child.pupil.name == "Сейітқали Ерасыл"
        assert child.purse.balance_minor == 5_000_00 - LUNCH_MINOR - BUN_MINOR
        assert child.enough == Enough(Reach.OK, 4, date(2026, 11, 27))
        assert (child.today.kind, [meal.sale_id for meal in child.today.eaten]) == (TodayKind.ATE, [sale_id])
        assert [(meal.total_minor, meal.meal, meal.till) for meal in child.last_meals] == [
            (LUNCH_MINOR + BUN_MINOR, "lunch", child.last_meals[0].till)
        ]
        assert child.week == tuple((day, 1_050_00 if day == TODAY else 0) for day in WEEK)
    assert parents.pupil_id not in ids(do(queries.children, ALMATY, actor=parents.stranger))


def test_a_child_is_found_by_its_guardians_alone(canteen: Canteen, parents: Parents, do: Any, ring: Any) -> None:
    sale_id = ring(canteen.order(parents.pupil_id, meal=True))
    former = guardian(parents.school_id, parents.pupil_id, ended_at=LONG_AGO)
    office = actor_of(PersonFactory.create().id, (Role.SCHOOL_OFFICE, parents.school_id))
    far_office = actor_of(PersonFactory.create().id, (Role.SCHOOL_OFFICE, uuid4()))
    span = MealFilter(TODAY, TODAY)
    looks: list[Callable[[Actor], Any]] = [
        lambda who: do(queries.child, parents.school_id, parents.pupil_id, ALMATY, actor=who),
        lambda who: do(queries.meal_history, parents.school_id, parents.pupil_id, span, actor=who),
        lambda who: do(queries.my_pupil, parents.school_id, parents.pupil_id, actor=who),
    ]
    for look in looks:
        assert look(parents.mother) is not None
        for who in (parents.stranger, former, office):
            with pytest.raises(NotFound):
                look(who)
    for who in (parents.mother, parents.father, office):
        pupil, meal = do(queries.receipt, parents.school_id, sale_id, actor=who)
        assert (pupil.id, meal.sale_id) == (parents.pupil_id, sale_id)
    for who in (parents.stranger, former, far_office):
        with pytest.raises(NotFound):
            do(queries.receipt, parents.school_id, sale_id, actor=who)
    for school_id, wanted in ((parents.school_id, uuid4()), (uuid4(), sale_id)):
        with pytest.raises(NotFound):
            do(queries.receipt, school_id, wanted, actor=parents.mother)


def test_a_planted_hole_in_the_guard_is_seen(
    canteen: Canteen, parents: Parents, do: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pupils, "require_guardian", lambda *_: None)
    monkeypatch.setattr(pupils, "pupil", lambda *_: "somebody else's child")
    assert do(queries.my_pupil, parents.school_id, parents.pupil_id, actor=parents.stranger) == "somebody else's child"


def test_siblings_in_two_schools_stand_side_by_side(
    canteen: Canteen, parents: Parents, do: Any, ring: Any, clock: MovableClock
) -> None:
    elsewhere = new_canteen(clock())
    sibling = new_eater(elsewhere, do, money_minor=300_00)
    GuardianshipFactory.create(school_id=elsewhere.school_id, pupil_id=sibling, person_id=parents.mother.id)
    ring(canteen.order(parents.pupil_id, meal=True))
    found = {child.pupil.id: child for child in do(queries.children, ALMATY, actor=parents.mother)}
    assert set(found) == {parents.pupil_id, sibling}
    assert found[sibling].enough == Enough(Reach.EMPTY, 0)
    assert found[sibling].today.kind is TodayKind.NOT_YET
    assert found[sibling].school.id == elsewhere.school_id
    assert found[sibling].last_meals == ()
    assert ids(do(queries.children, ALMATY, actor=parents.father)) == [parents.pupil_id]


def test_whoever_has_no_child_sees_none(app: Any, do: Any) -> None:
    assert do(queries.children, ALMATY, actor=actor_of(PersonFactory.create().id)) == []


def test_the_home_page_costs_the_same_for_one_child_and_for_three_of_a_school(
    canteen: Canteen, do: Any, count_statements: Any, clock: MovableClock
) -> None:
    mother = actor_of(PersonFactory.create().id)
    counts = []
    for _ in range(3):
        child = new_eater(canteen, do, money_minor=1_000_00)
        GuardianshipFactory.create(school_id=canteen.school_id, pupil_id=child, person_id=mother.id)
        do(canteen_meal, canteen, child, actor=canteen.till, at=clock() - timedelta(days=3))

        def look(work: Any) -> int:
            with count_statements(work.session) as counted:
                queries.children(work, ALMATY)
            return int(counted.count)

        counts.append(do(look, actor=mother))
    assert counts[0] == counts[2]
    assert counts[0] <= 14


def canteen_meal(work: Any, canteen: Canteen, child: UUID) -> None:
    from schoolmeals import canteen as room

    room.ring_up(work, [canteen.order(child, meal=True)])


def test_the_history_holds_what_was_refused_and_what_was_taken_back(
    canteen: Canteen, parents: Parents, do: Any, ring: Any, take_back: Any
) -> None:
    lunch = ring(canteen.order(parents.pupil_id, meal=True))
    undone = ring(canteen.order(parents.pupil_id, canteen.juice))
    take_back(undone)
    refused = ring(canteen.order(parents.pupil_id, (canteen.juice, 20)))
    who = {"actor": parents.mother}
    history = (queries.meal_history, parents.school_id, parents.pupil_id)
    everything = do(*history, MealFilter(TODAY, TODAY, with_refused=True), **who)
    assert {meal.sale_id: (meal.code, meal.counts) for meal in everything} == {
        lunch: (None, True),
        undone: (None, False),
        refused: ("F70", False),
    }
    buffet = do(*history, MealFilter(TODAY, TODAY, Kind.BUFFET), **who)
    assert [meal.sale_id for meal in buffet] == [undone]
    assert do(*history, MealFilter(TODAY - timedelta(days=9), TODAY - timedelta(days=1)), **who) == []


def test_the_menu_is_that_of_the_childs_age(canteen: Canteen, parents: Parents, do: Any) -> None:
    pupil = do(queries.my_pupil, parents.school_id, parents.pupil_id, actor=parents.mother)
    [menu] = do(queries.menu_for, pupil, TODAY, actor=parents.mother)
    items = [item.id for item in queries.items_for(menu, pupil.grade)]
    assert items[0] == canteen.lunch_older
    assert set(items) == {canteen.lunch_older, canteen.juice, canteen.bun}
    assert canteen.lunch in [item.id for item in queries.items_for(menu, 1)]
    assert do(queries.menu_for, pupil, date(2026, 11, 24), actor=parents.mother) == []


def test_notices_are_ones_own_newest_first(parents: Parents, do: Any, clock: MovableClock) -> None:
    own = {"school_id": parents.school_id, "pupil_id": parents.pupil_id}
    old = NoticeFactory.create(**own, person_id=parents.mother.id, at=clock() - timedelta(days=1), read_at=clock())
    new = NoticeFactory.create(**own, person_id=parents.mother.id, at=clock())
    NoticeFactory.create(**own, person_id=parents.father.id)
    told = do(queries.notices_of, actor=parents.mother)
    assert [notice.id for notice in told.notices] == [new.id, old.id]
    assert (told.total, told.unread, told.newest_id) == (2, 1, new.id)
    assert told.names == {parents.pupil_id: "Ерасыл"}
    assert [one.id for one in do(queries.notices_of, unread_only=True, actor=parents.mother).notices] == [new.id]
    assert do(queries.notices_of, actor=parents.stranger).notices == ()


def test_notices_about_a_child_who_is_no_longer_theirs_are_gone(parents: Parents, do: Any) -> None:
    former = guardian(parents.school_id, parents.pupil_id, ended_at=LONG_AGO)
    NoticeFactory.create(school_id=parents.school_id, pupil_id=parents.pupil_id, person_id=former.id)
    told = do(queries.notices_of, actor=former)
    assert (told.notices, told.total, told.unread) == ((), 0, 0)


# The pulse


@pytest.fixture
def pulse(do: Any, parents: Parents) -> Callable[..., str]:
    def run(who: Actor = parents.mother) -> str:
        token: str = do(pulse_of, ALMATY, actor=who).token
        return token

    return run


def test_the_pulse_changes_with_everything_that_the_page_shows(
    canteen: Canteen, parents: Parents, do: Any, ring: Any, take_back: Any, pulse: Any, clock: MovableClock
) -> None:
    tokens = [pulse()]
    sale_id = ring(canteen.order(parents.pupil_id, meal=True))
    tokens.append(pulse())
    take_back(sale_id)
    tokens.append(pulse())
    ring(canteen.order(parents.pupil_id, (canteen.juice, 20)))
    tokens.append(pulse())
    do(put_in, parents.pupil_id, 100_00, school_id=parents.school_id)
    tokens.append(pulse())
    NoticeFactory.create(school_id=parents.school_id, pupil_id=parents.pupil_id, person_id=parents.mother.id)
    tokens.append(pulse())
    clock.move(timedelta(hours=3))
    tokens.append(pulse())
    clock.move(timedelta(days=1))
    tokens.append(pulse())
    assert len(set(tokens)) == 8


def test_the_pulse_stays_while_nothing_of_ones_own_happens(
    canteen: Canteen, parents: Parents, do: Any, ring: Any, pulse: Any, clock: MovableClock
) -> None:
    before = pulse(parents.stranger)
    ring(canteen.order(parents.pupil_id, meal=True))
    clock.move(timedelta(minutes=1))
    assert pulse(parents.stranger) == before


@pytest.mark.parametrize(("after", "wait_ms"), [(0, 500), (2, 500), (3, 5_000), (-2, 5_000)])
def test_the_page_looks_often_around_sittings_only(
    parents: Parents, do: Any, clock: MovableClock, after: int, wait_ms: int
) -> None:
    clock.move(timedelta(hours=after))
    assert do(pulse_of, ALMATY, actor=parents.mother).wait_ms == wait_ms


def test_the_pulse_is_one_statement(parents: Parents, do: Any, count_statements: Any) -> None:
    def look(work: Any) -> int:
        with count_statements(work.session) as counted:
            pulse_of(work, ALMATY)
        return int(counted.count)

    assert do(look, actor=parents.mother) == 1
