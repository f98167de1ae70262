"""What a parent is told, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.errors import Invalid
from schoolmeals.parents.rules import (
    Enough,
    Kind,
    MealFilter,
    Reach,
    SittingTime,
    Source,
    Today,
    TodayKind,
    chosen,
    enough_for,
    history_span,
    paid_from,
    spent_by_day,
    today_of,
    usual_spend_minor,
    worth_telling,
)
from schoolmeals.workdays import Calendar
from tests.factories.parents import item, meal

MONDAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 27)
CALENDAR = Calendar(5, {})
LUNCH = SittingTime("lunch", time(12, 0), time(12, 40))
BREAKFAST = SittingTime("breakfast", time(8, 30), time(9, 0))
WORST_TO_BEST = list(Reach)


def back(school_days: int) -> date:
    """The school day so many before MONDAY."""
    return CALENDAR.last_school_days(MONDAY - timedelta(days=1), school_days)[0]


# How long the money lasts


@pytest.mark.parametrize(
    ("balance_minor", "expected"),
    [
        (-1, Enough(Reach.GRACE, 0)),
        (0, Enough(Reach.EMPTY, 0)),
        (849_99, Enough(Reach.EMPTY, 0)),
        (850_00, Enough(Reach.LAST, 1, MONDAY)),
        (1_700_00, Enough(Reach.LOW, 2, MONDAY + timedelta(days=1))),
        (3 * 850_00, Enough(Reach.LOW, 3, MONDAY + timedelta(days=2))),
        (4 * 850_00, Enough(Reach.OK, 4, MONDAY + timedelta(days=3))),
        (6 * 850_00, Enough(Reach.OK, 6, date(2026, 11, 30))),
        (11 * 850_00, Enough(Reach.OK, 11, None)),
    ],
)
def test_how_long_a_balance_lasts(balance_minor: int, expected: Enough) -> None:
    assert enough_for(balance_minor, 850_00, CALENDAR, MONDAY, ate_today=False) == expected


def test_after_todays_meal_the_days_begin_tomorrow() -> None:
    assert enough_for(850_00, 850_00, CALENDAR, FRIDAY, ate_today=True) == Enough(Reach.LAST, 1, date(2026, 11, 30))


def test_holidays_are_not_counted_as_days_that_cost_money() -> None:
    calendar = Calendar(5, {FRIDAY: False, MONDAY + timedelta(days=5): True})
    enough = enough_for(6 * 850_00, 850_00, calendar, MONDAY, ate_today=False)
    assert enough == Enough(Reach.OK, 6, date(2026, 11, 30))


@pytest.mark.parametrize("daily_minor", [None, 0])
def test_nothing_is_said_where_meals_cost_nothing_or_nobody_knows(daily_minor: int | None) -> None:
    assert enough_for(500_00, daily_minor, CALENDAR, MONDAY, ate_today=False) is None


def test_what_was_lent_is_said_even_then() -> None:
    assert enough_for(-1, None, CALENDAR, MONDAY, ate_today=False) == Enough(Reach.GRACE, 0)


@given(
    balances=st.tuples(st.integers(-500_000, 5_000_000), st.integers(-500_000, 5_000_000)).map(sorted),
    daily_minor=st.integers(1, 300_000),
    today=st.dates(date(2026, 9, 1), date(2027, 5, 25)),
    free=st.sets(st.dates(date(2026, 9, 1), date(2027, 6, 25)), max_size=40),
    ate_today=st.booleans(),
)
def test_more_money_never_lasts_shorter(
    balances: list[int], daily_minor: int, today: date, free: set[date], ate_today: bool
) -> None:
    calendar = Calendar(6, dict.fromkeys(free, False))
    less, more = (enough_for(one, daily_minor, calendar, today, ate_today=ate_today) for one in balances)
    assert less is not None
    assert more is not None
    assert less.days <= more.days
    assert WORST_TO_BEST.index(less.reach) <= WORST_TO_BEST.index(more.reach)
    assert less.until is None or more.until is None or less.until <= more.until
    assert less.days * daily_minor <= max(balances[0], 0) < (less.days + 1) * daily_minor
    assert less.until is None or calendar.is_school_day(less.until)


@given(costs=st.tuples(st.integers(1, 300_000), st.integers(1, 300_000)).map(sorted), balance=st.integers(0, 5_000_000))
def test_dearer_meals_never_last_longer(costs: list[int], balance: int) -> None:
    cheap, dear = (enough_for(balance, cost, CALENDAR, MONDAY, ate_today=False) for cost in costs)
    assert cheap is not None
    assert dear is not None
    assert cheap.days >= dear.days


# What a day usually costs


def test_the_median_of_the_last_ten_days_with_a_meal() -> None:
    spent = {back(n): 100_00 * n for n in range(1, 13)}
    assert usual_spend_minor(spent, CALENDAR, MONDAY, set_meal_minor=850_00) == 550_00


def test_between_two_middle_values_the_dearer_half_counts() -> None:
    spent = {back(1): 100, back(2): 201}
    assert usual_spend_minor(spent, CALENDAR, MONDAY, set_meal_minor=None) == 151


def test_days_without_a_meal_today_and_free_days_are_left_out() -> None:
    saturday = MONDAY - timedelta(days=2)
    spent = {MONDAY: 9_000_00, saturday: 5_000_00, back(3): 850_00, back(9): 850_00, back(20): 950_00}
    assert usual_spend_minor(spent, CALENDAR, MONDAY, set_meal_minor=1) == 850_00


def test_without_a_history_the_set_meal_stands_in() -> None:
    assert usual_spend_minor({}, CALENDAR, MONDAY, set_meal_minor=850_00) == 850_00
    assert usual_spend_minor({MONDAY: 100}, CALENDAR, MONDAY, set_meal_minor=None) is None


def test_what_a_day_cost_counts_neither_what_was_taken_back_nor_what_was_refused() -> None:
    day = back(1)
    meals = [
        meal(day, 850_00),
        meal(day, 300_00, items=(item(300_00, is_set_meal=False),)),
        meal(day, 850_00, undone_at=datetime(2026, 11, 20, 8, tzinfo=UTC)),
        meal(day, 400_00, code="F70"),
        meal(back(2), 850_00, money_minor=0, courtesy_minor=850_00),
        meal(back(3), 0),
    ]
    assert spent_by_day(meals) == {day: 1_150_00, back(2): 850_00}


# Today


def test_what_was_eaten_today_is_told_in_its_order() -> None:
    lunch = meal(MONDAY)
    breakfast = meal(MONDAY, at=lunch.at - timedelta(hours=3), meal="breakfast")
    meals = [lunch, breakfast, meal(back(1)), meal(MONDAY, code="F70")]
    told = today_of(meals, [LUNCH], CALENDAR, today=MONDAY, local_time=time(13))
    assert told == Today(TodayKind.ATE, eaten=(breakfast, lunch))


def test_a_meal_that_was_taken_back_was_not_eaten() -> None:
    meals = [meal(MONDAY, undone_at=datetime(2026, 11, 23, 7, 6, tzinfo=UTC))]
    told = today_of(meals, [LUNCH, BREAKFAST], CALENDAR, today=MONDAY, local_time=time(12, 10))
    assert told == Today(TodayKind.NOT_YET, sitting=LUNCH)


@pytest.mark.parametrize(
    ("local_time", "expected"),
    [
        (time(7, 0), Today(TodayKind.NOT_YET, sitting=BREAKFAST)),
        (time(9, 0), Today(TodayKind.NOT_YET, sitting=LUNCH)),
        (time(12, 39, 59), Today(TodayKind.NOT_YET, sitting=LUNCH)),
        (time(12, 40), Today(TodayKind.DID_NOT_EAT)),
    ],
)
def test_not_yet_names_the_next_sitting(local_time: time, expected: Today) -> None:
    assert today_of([], [LUNCH, BREAKFAST], CALENDAR, today=MONDAY, local_time=local_time) == expected


def test_a_day_without_lessons_names_the_next_with_lessons() -> None:
    saturday = date(2026, 11, 28)
    told = today_of([], [LUNCH], CALENDAR, today=saturday, local_time=time(9))
    assert told == Today(TodayKind.NO_LESSONS, next_day=date(2026, 11, 30))
    assert today_of([], [], CALENDAR, today=MONDAY, local_time=time(9)) == Today(TodayKind.NOT_YET)
    assert today_of([], [LUNCH], CALENDAR, today=MONDAY, local_time=time(9), has_left=True) == Today(TodayKind.LEFT)


# Who paid


def test_who_paid_names_only_those_who_did() -> None:
    shared = meal(MONDAY, 850_00, money_minor=500_00, grace_minor=300_00, courtesy_minor=50_00)
    assert paid_from(shared) == ((Source.PURSE, 500_00), (Source.GRACE, 300_00), (Source.COURTESY, 50_00))
    assert paid_from(meal(MONDAY)) == ((Source.PURSE, 850_00),)
    assert paid_from(meal(MONDAY, 0)) == ()


# The history


def test_the_filter_chooses_days_kinds_and_refusals() -> None:
    lunch = meal(MONDAY)
    bun = meal(MONDAY, 250_00, items=(item(250_00, is_set_meal=False),))
    refused = replace(bun, code="F70")
    taken_back = replace(lunch, undone_at=lunch.at)
    before = meal(back(1))
    meals = [lunch, bun, refused, taken_back, before]
    today = MealFilter(MONDAY, MONDAY)
    assert chosen(meals, today) == [lunch, bun, taken_back]
    assert chosen(meals, replace(today, with_refused=True)) == [lunch, bun, refused, taken_back]
    assert chosen(meals, replace(today, kind=Kind.MEAL)) == [lunch, taken_back]
    assert chosen(meals, replace(today, kind=Kind.BUFFET, with_refused=True)) == [bun, refused]
    assert chosen(meals, MealFilter(back(1), back(1))) == [before]


def test_a_history_is_of_thirty_days_unless_asked_otherwise() -> None:
    assert history_span(None, None, MONDAY) == (date(2026, 10, 24), MONDAY)
    assert history_span(back(3), None, MONDAY) == (back(3), MONDAY)
    assert history_span(date(2025, 11, 23), MONDAY, MONDAY) == (date(2025, 11, 23), MONDAY)


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(MONDAY, back(1), "from-after-to"), (date(2025, 11, 22), MONDAY, "too-long")],
)
def test_a_history_that_cannot_be_is_refused_at_its_first_day(first: date, last: date, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        history_span(first, last, MONDAY)
    assert [problem.code for problem in refused.value.fields["from"]] == [code]


# Notices


@pytest.mark.parametrize(
    ("reach", "told", "expected"),
    [
        (Reach.OK, None, False),
        (Reach.OK, Reach.LOW, False),
        (Reach.LOW, None, True),
        (Reach.LOW, Reach.LOW, False),
        (Reach.LAST, Reach.LOW, True),
        (Reach.GRACE, Reach.EMPTY, True),
        (Reach.GRACE, Reach.GRACE, False),
    ],
)
def test_each_state_is_told_once(reach: Reach, told: Reach | None, expected: bool) -> None:
    assert worth_telling(reach, told) is expected
