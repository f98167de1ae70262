"""What parents see, gathered by the other rooms' doors and decided by the rules. Nothing is copied, nothing is stored.

Everything is scoped: a guardian sees the pupils who are theirs, whoever else their guardian is; the rest is not found.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from schoolmeals import canteen, identity, pupils, wallet
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.parents.models import Notice
from schoolmeals.parents.rules import (
    LOOK_BACK_DAYS,
    PAGE,
    Enough,
    Item,
    Meal,
    MealFilter,
    NoticeKind,
    SittingTime,
    Today,
    chosen,
    enough_for,
    spent_by_day,
    today_of,
    usual_spend_minor,
)
from schoolmeals.workdays import Calendar, local_day

LAST_MEALS: Final = 3


@dataclass(frozen=True, slots=True)
class Child:
    """One child as a parent sees them now."""

    pupil: pupils.PupilFacts
    school: identity.OrganisationFacts
    purse: wallet.PurseFacts
    enough: Enough | None
    today: Today
    last_meals: tuple[Meal, ...]
    week: tuple[tuple[date, int], ...]
    """The last school days up to today, as many as the school's week has, and what was spent on each."""


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """One notice of the actor's."""

    school_id: UUID
    id: UUID
    pupil_id: UUID
    kind: NoticeKind
    cause_id: UUID
    facts: Mapping[str, Any]
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class NoticePage:
    """A page of notices, the newest first, how many there are in all and unread, and the pupils' given names."""

    notices: tuple[NoticeFacts, ...]
    total: int
    unread: int
    names: Mapping[UUID, str]
    newest_id: UUID | None


# Children


def children(work: Work, zone: ZoneInfo) -> list[Child]:
    """The actor's children, the youngest class first, in all schools."""
    mine = pupils.my_pupils(work)
    by_school: dict[UUID, list[pupils.PupilFacts]] = {}
    for one in mine:
        by_school.setdefault(one.school_id, []).append(one)
    found = {
        (child.pupil.school_id, child.pupil.id): child
        for school_id, of_school in by_school.items()
        for child in _children_of_school(work, school_id, of_school, zone)
    }
    return [found[one.school_id, one.id] for one in mine]


def child(work: Work, school_id: UUID, pupil_id: UUID, zone: ZoneInfo) -> Child:
    """One of the actor's children. Raises NotFound."""
    return _children_of_school(work, school_id, [my_pupil(work, school_id, pupil_id)], zone)[0]


def my_pupil(work: Work, school_id: UUID, pupil_id: UUID) -> pupils.PupilFacts:
    """One of the actor's children, from the roll. Raises NotFound."""
    pupils.require_guardian(work, school_id, pupil_id)
    return pupils.pupil(work, school_id, pupil_id)


def _children_of_school(
    work: Work, school_id: UUID, of_school: Sequence[pupils.PupilFacts], zone: ZoneInfo
) -> list[Child]:
    today = local_day(work.now, zone)
    ids = [one.id for one in of_school]
    calendar = identity.calendar_of(work, school_id)
    meals = meals_of_pupils(work, school_id, ids, today - timedelta(days=LOOK_BACK_DAYS), today)
    menus = canteen.menu_of(work, school_id, today)
    priced = _last_with_meals(work, school_id, menus, calendar, today)
    purses = wallet.purses_of(work, school_id, ids)
    shifts = _shifts(work, school_id, of_school)
    school = identity.organisation(work, school_id)
    found = []
    for one in of_school:
        told = today_of(
            meals[one.id],
            sittings_for(menus, shifts.get(one.class_id)),
            calendar,
            today=today,
            local_time=work.now.astimezone(zone).time(),
            has_left=one.left_on is not None and one.left_on <= today,
        )
        enough = _enough(purses[one.id], meals[one.id], set_meal_minor(priced, one.grade), calendar, today)
        last = tuple(meal for meal in meals[one.id] if meal.counts)[:LAST_MEALS]
        week = _week(meals[one.id], calendar, today)
        found.append(Child(one, school, purses[one.id], enough, told, last, week))
    return found


def _enough(
    purse: wallet.PurseFacts, meals: Sequence[Meal], set_meal: int | None, calendar: Calendar, today: date
) -> Enough | None:
    spent = spent_by_day(meals)
    usual = usual_spend_minor(spent, calendar, today, set_meal_minor=set_meal)
    return enough_for(purse.balance_minor, usual, calendar, today, ate_today=today in spent)


def _last_with_meals(
    work: Work, school_id: UUID, menus: list[canteen.MenuFacts], calendar: Calendar, today: date
) -> list[canteen.MenuFacts]:
    """Today's menus, or those of the school day before where today has none: what a set meal costs these days."""
    before = calendar.last_school_days(today - timedelta(days=1), 1)
    if any(menu.items for menu in menus) or not before:
        return menus
    return canteen.menu_of(work, school_id, before[0])


def set_meal_minor(menus: Iterable[canteen.MenuFacts], grade: int | None) -> int | None:
    """What the dearest set meal for a pupil of ``grade`` costs; None where no menu has one."""
    prices = [item.price_minor for menu in menus for item in items_for(menu, grade) if item.age_group is not None]
    return max(prices, default=None)


def reach_of(
    work: Work, school_id: UUID, meals: Mapping[UUID, Sequence[Meal]], zone: ZoneInfo
) -> dict[UUID, Enough | None]:
    """How far the purses of pupils of one school reach, by pupil; for the worker."""
    today = local_day(work.now, zone)
    calendar = identity.calendar_of(work, school_id)
    purses = wallet.purses_of(work, school_id, list(meals))
    found = {}
    for pupil_id, history in meals.items():
        spent = spent_by_day(history)
        usual = usual_spend_minor(spent, calendar, today, set_meal_minor=spent.get(today))
        balance_minor = purses[pupil_id].balance_minor
        found[pupil_id] = enough_for(balance_minor, usual, calendar, today, ate_today=today in spent)
    return found


def _week(meals: Iterable[Meal], calendar: Calendar, today: date) -> tuple[tuple[date, int], ...]:
    spent = spent_by_day(meals)
    return tuple((day, spent.get(day, 0)) for day in calendar.last_school_days(today, calendar.days_a_week))


def _shifts(work: Work, school_id: UUID, of_school: Sequence[pupils.PupilFacts]) -> dict[UUID | None, int | None]:
    class_ids = [one.class_id for one in of_school if one.class_id is not None]
    shifts = pupils.shifts_of_classes(work, school_id, class_ids)
    return {one.class_id: shifts.get(one.class_id) for one in of_school if one.class_id is not None}


# Menus


def sittings_for(menus: Iterable[canteen.MenuFacts], shift: int | None) -> list[SittingTime]:
    """The sittings of a shift; all of them for a pupil in no class."""
    return [
        SittingTime(menu.meal, menu.opens_at, menu.closes_at) for menu in menus if shift is None or menu.shift == shift
    ]


def items_for(menu: canteen.MenuFacts, grade: int | None) -> list[canteen.MenuLine]:
    """What a menu holds for a pupil of ``grade``: the set meal of the nearest age group, and the buffet."""
    groups = {item.age_group for item in menu.items if item.age_group is not None}
    group = canteen.nearest_age_group(canteen.age_group_of(grade), groups)
    return [item for item in menu.items if item.age_group is None or item.age_group == group]


def menu_for(work: Work, pupil: pupils.PupilFacts, day: date) -> list[canteen.MenuFacts]:
    """The published menus of the pupil's sittings on ``day``, the earliest first."""
    shift = _shifts(work, pupil.school_id, [pupil]).get(pupil.class_id)
    menus = canteen.menu_of(work, pupil.school_id, day)
    return sorted(
        (menu for menu in menus if menu.items and (shift is None or menu.shift == shift)),
        key=lambda menu: menu.opens_at,
    )


# Meals


def meals_of_pupils(
    work: Work, school_id: UUID, pupil_ids: Collection[UUID], first: date, last: date
) -> dict[UUID, list[Meal]]:
    """The taps of pupils of one school, by pupil, the newest first. The caller answers for these pupils."""
    found: dict[UUID, list[Meal]] = {pupil_id: [] for pupil_id in pupil_ids}
    for facts in canteen.meals_of(work, school_id, list(pupil_ids), first, last):
        assert facts.pupil_id is not None, "asked for by pupil"
        found[facts.pupil_id].append(_meal(facts, facts.pupil_id))
    return found


def meal_history(work: Work, school_id: UUID, pupil_id: UUID, wanted: MealFilter) -> list[Meal]:
    """One child's taps that ``wanted`` lets pass, the newest first. Raises NotFound."""
    my_pupil(work, school_id, pupil_id)
    return chosen(meals_of_pupils(work, school_id, [pupil_id], wanted.first, wanted.last)[pupil_id], wanted)


def receipt(work: Work, school_id: UUID, sale_id: UUID) -> tuple[pupils.PupilFacts, Meal]:
    """One tap and whose it was, for the pupil's guardians and the school's office. Raises NotFound."""
    found = canteen.whose_sale(work, school_id, sale_id)
    if found is None:
        raise NotFound
    pupil_id, day = found
    if work.actor.has_role_in(school_id, [Role.SCHOOL_OFFICE]):
        identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE)
    else:
        pupils.require_guardian(work, school_id, pupil_id)
    meals = meals_of_pupils(work, school_id, [pupil_id], day, day)[pupil_id]
    return pupils.pupil(work, school_id, pupil_id), next(meal for meal in meals if meal.sale_id == sale_id)


def _meal(facts: canteen.MealFacts, pupil_id: UUID) -> Meal:
    return Meal(
        school_id=facts.school_id,
        sale_id=facts.sale_id,
        pupil_id=pupil_id,
        day=facts.day,
        at=facts.tapped_at,
        recorded_at=facts.recorded_at,
        meal=facts.meal,
        items=tuple(_item(item) for item in facts.items),
        total_minor=facts.total_minor,
        money_minor=facts.money_minor,
        grace_minor=facts.grace_minor,
        courtesy_minor=facts.courtesy_minor,
        currency=facts.currency,
        till=facts.device_name,
        code=facts.code,
        undone_at=facts.undone_at,
    )


def _item(item: canteen.MealItem) -> Item:
    return Item(
        item.names["kk"],
        item.names["ru"],
        item.names["en"],
        item.price_minor,
        item.quantity,
        item.is_set_meal,
        item.photo_id,
    )


# Notices


def notices_of(work: Work, *, page: int = 1, unread_only: bool = False, per_page: int = PAGE) -> NoticePage:
    """What the actor was told about children who are still theirs, the newest first."""
    mine = pupils.my_pupils(work)
    own = Notice.person_id == work.actor.id, Notice.pupil_id.in_([one.id for one in mine])
    counts = select(func.count(), func.count().filter(Notice.read_at.is_(None))).where(*own)
    total, unread = work.session.execute(counts).one()
    wanted = select(Notice).where(*own, Notice.read_at.is_(None)) if unread_only else select(Notice).where(*own)
    newest_first = wanted.order_by(Notice.at.desc(), Notice.id.desc())
    rows = work.session.scalars(newest_first.limit(per_page).offset((page - 1) * per_page))
    newest_id = work.session.scalar(select(Notice.id).where(*own).order_by(Notice.id.desc()).limit(1))
    names = {one.id: one.given_name for one in mine}
    return NoticePage(tuple(_notice(row) for row in rows), total, unread, names, newest_id)


def _notice(row: Notice) -> NoticeFacts:
    return NoticeFacts(
        row.school_id,
        row.id,
        row.pupil_id,
        NoticeKind(row.kind),
        row.cause_id,
        row.facts,
        row.at,
        row.read_at,
    )
