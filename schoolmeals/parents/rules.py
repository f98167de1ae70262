"""What a parent is told, decided from facts: how long the money lasts, whether the child has eaten, who paid a meal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem, Invalid

USUAL_DAYS: Final = 10
"""How many school days with a meal make what a pupil usually spends."""
LOOK_BACK_DAYS: Final = 62
"""How far back those days are looked for, in calendar days: over the longest school break but summer."""
LOW_FROM_DAYS: Final = 3
PAGE: Final = 20
HISTORY_DAYS: Final = 30
"""What a history shows where nobody asked for more."""
LONGEST_HISTORY_DAYS: Final = 366
NAME_THE_DAY_UP_TO_DAYS: Final = 10
"""Beyond two school weeks the last covered day is a guess that nobody needs."""


class SchoolDays(Protocol):
    """The part of a school's calendar that the rules ask."""

    def is_school_day(self, day: date) -> bool:
        """Whether the school teaches on ``day``."""

    def next_school_day(self, after: date) -> date | None:
        """The first school day later than ``after``."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on a sale, under its three names; ``price_minor`` is of one."""

    name_kk: str
    name_ru: str
    name_en: str
    price_minor: int
    quantity: int
    is_set_meal: bool
    photo_id: UUID | None = None

    def name(self, language: str) -> str:
        """Its name in ``language``."""
        return {"kk": self.name_kk, "ru": self.name_ru}.get(language, self.name_en)


@dataclass(frozen=True, slots=True)
class Meal:
    """One tap as a parent sees it. ``code`` is None where it was served; ``meal`` is the sitting's, e.g. ``lunch``."""

    school_id: UUID
    sale_id: UUID
    pupil_id: UUID
    day: date
    at: datetime
    recorded_at: datetime
    meal: str | None
    items: tuple[Item, ...]
    total_minor: int
    money_minor: int
    grace_minor: int
    courtesy_minor: int
    currency: str
    till: str
    code: str | None = None
    undone_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether it was served and not taken back."""
        return self.code is None and self.undone_at is None

    @property
    def is_meal(self) -> bool:
        """Whether a set meal is on it; everything else is from the buffet."""
        return any(item.is_set_meal for item in self.items)

    @property
    def photo_id(self) -> UUID | None:
        """The first picture among its items."""
        return next((item.photo_id for item in self.items if item.photo_id is not None), None)


# How long the money lasts


class Reach(StrEnum):
    """How far a purse reaches, from the worst to the best."""

    GRACE = "grace"
    """The school has lent something that is not paid back yet."""
    EMPTY = "empty"
    """What is left does not cover one more usual day."""
    LAST = "last"
    LOW = "low"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Enough:
    """``days``: whole school days that the money covers; ``until``: the last of them, where it is near."""

    reach: Reach
    days: int
    until: date | None = None


def usual_spend_minor(
    spent_minor: Mapping[date, int], calendar: SchoolDays, today: date, *, set_meal_minor: int | None
) -> int | None:
    """The median of what was spent on the last ten school days before today on which the child ate.

    Today is left out: it may not be over. Between two middle values the dearer half counts, so that nobody is promised
    too much. Without a history the price of the set meal stands in; None where that is unknown too.
    """
    days = sorted((day for day in spent_minor if day < today and calendar.is_school_day(day)), reverse=True)
    spends = sorted(spent_minor[day] for day in days[:USUAL_DAYS])
    if not spends:
        return set_meal_minor
    middle = len(spends) // 2
    return spends[middle] if len(spends) % 2 else -(-(spends[middle - 1] + spends[middle]) // 2)


def enough_for(
    balance_minor: int, daily_minor: int | None, calendar: SchoolDays, today: date, *, ate_today: bool
) -> Enough | None:
    """How many school days ``balance_minor`` (what is there, less what was lent) covers at ``daily_minor`` a day.

    Today is the first of them unless the child has eaten. None where meals cost the parent nothing, or nobody knows.
    """
    if balance_minor < 0:
        return Enough(Reach.GRACE, 0)
    if not daily_minor:
        return None
    days = balance_minor // daily_minor
    if days == 0:
        return Enough(Reach.EMPTY, 0)
    reach = Reach.LAST if days == 1 else Reach.LOW if days <= LOW_FROM_DAYS else Reach.OK
    return Enough(reach, days, _last_covered(days, calendar, today, ate_today=ate_today))


def _last_covered(days: int, calendar: SchoolDays, today: date, *, ate_today: bool) -> date | None:
    if days > NAME_THE_DAY_UP_TO_DAYS:
        return None
    day: date | None = today if ate_today else today - timedelta(days=1)
    for _ in range(days):
        day = calendar.next_school_day(day) if day is not None else None
    return day


def spent_by_day(meals: Iterable[Meal]) -> dict[date, int]:
    """What was eaten for on each day, in minor units, whoever paid; days without a meal are missing."""
    spent: dict[date, int] = {}
    for meal in meals:
        if meal.counts and meal.total_minor:
            spent[meal.day] = spent.get(meal.day, 0) + meal.total_minor
    return spent


# Today


@dataclass(frozen=True, slots=True)
class SittingTime:
    """When a meal is served, in the school's local time."""

    meal: str
    opens_at: time
    closes_at: time


class TodayKind(StrEnum):
    """What there is to say about today."""

    ATE = "ate"
    NOT_YET = "not-yet"
    DID_NOT_EAT = "did-not-eat"
    NO_LESSONS = "no-lessons"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Today:
    """``eaten``: today's sales that count, earliest first. ``sitting``: the next one, where the child has not eaten.
    ``next_day``: when the school teaches again, where it does not today.
    """

    kind: TodayKind
    eaten: tuple[Meal, ...] = ()
    sitting: SittingTime | None = None
    next_day: date | None = None


def today_of(
    meals: Iterable[Meal],
    sittings: Sequence[SittingTime],
    calendar: SchoolDays,
    *,
    today: date,
    local_time: time,
    has_left: bool = False,
) -> Today:
    """What to say about today. A meal that was eaten is told whatever the calendar says."""
    eaten = tuple(sorted((meal for meal in meals if meal.counts and meal.day == today), key=lambda meal: meal.at))
    if eaten:
        return Today(TodayKind.ATE, eaten=eaten)
    if has_left:
        return Today(TodayKind.LEFT)
    if not calendar.is_school_day(today):
        return Today(TodayKind.NO_LESSONS, next_day=calendar.next_school_day(today))
    coming = sorted((one for one in sittings if one.closes_at > local_time), key=lambda one: one.opens_at)
    if coming or not sittings:
        return Today(TodayKind.NOT_YET, sitting=coming[0] if coming else None)
    return Today(TodayKind.DID_NOT_EAT)


# Who paid


class Source(StrEnum):
    """Where the money for a meal came from."""

    PURSE = "purse"
    GRACE = "grace"
    COURTESY = "courtesy"


def paid_from(meal: Meal) -> tuple[tuple[Source, int], ...]:
    """The parts of a meal's price in minor units, by where they came from; nothing for a refused or a free meal."""
    parts = (
        (Source.PURSE, meal.money_minor),
        (Source.GRACE, meal.grace_minor),
        (Source.COURTESY, meal.courtesy_minor),
    )
    return tuple((source, minor) for source, minor in parts if minor > 0)


# Choosing from the history


class Kind(StrEnum):
    """Which sales a history shows."""

    ALL = "all"
    MEAL = "meal"
    BUFFET = "buffet"


@dataclass(frozen=True, slots=True)
class MealFilter:
    """``first`` and ``last`` are both included."""

    first: date
    last: date
    kind: Kind = Kind.ALL
    with_refused: bool = False


def history_span(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The days of a history, both included: what was asked for, else the thirty days up to today. Raises Invalid."""
    last = last or today
    first = first or last - timedelta(days=HISTORY_DAYS)
    if first > last:
        raise Invalid(
            fields={"from": [FieldProblem.of("from-after-to", N_("Choose a first day before the last one."))]}
        )
    if (last - first).days >= LONGEST_HISTORY_DAYS:
        too_long = FieldProblem.of("too-long", N_("Choose at most one year. Download the years one by one."))
        raise Invalid(fields={"from": [too_long]})
    return first, last


def chosen(meals: Iterable[Meal], wanted: MealFilter) -> list[Meal]:
    """The meals that ``wanted`` lets pass, in their order. What was taken back stays: it is shown as such."""
    return [
        meal
        for meal in meals
        if wanted.first <= meal.day <= wanted.last
        and (meal.code is None or wanted.with_refused)
        and (wanted.kind is Kind.ALL or meal.is_meal == (wanted.kind is Kind.MEAL))
    ]


# Notices


class NoticeKind(StrEnum):
    """What a guardian is told of."""

    GRACE_USED = "grace-used"
    COURTESY_MEAL = "courtesy-meal"
    TOP_UP_SETTLED = "top-up-settled"
    LOW_BALANCE = "low-balance"
    CARD_BLOCKED_USED = "card-blocked-used"
    ALLERGEN_OVERRIDE = "allergen-override"


def worth_telling(reach: Reach, told: Reach | None) -> bool:
    """Whether a purse's new state is told: each state once until money comes in, and never that all is well."""
    return reach is not Reach.OK and reach is not told
