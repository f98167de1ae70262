"""Pulling notices out of what happened. The journal never pushes: a till does not wait for a parent to be told.

The worker calls ``collect_notices(work, since=...)`` every minute with a window that overlaps the last one. The same
cause is told once to each guardian, so overlapping, repeating and running late do no harm.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from schoolmeals import audit, canteen, identity, pupils, wallet
from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.parents.models import Notice
from schoolmeals.parents.queries import meals_of_pupils, reach_of
from schoolmeals.parents.rules import LOOK_BACK_DAYS, Meal, NoticeKind, Reach, worth_telling
from schoolmeals.workdays import local_day

BLOCKED_CARD: Final = "C11"
ALLERGEN_CODES: Final = frozenset({"A40", "A41"})
OFFLINE_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class News:
    """Something worth telling about one pupil, before it is told to each guardian."""

    school_id: UUID
    pupil_id: UUID
    kind: NoticeKind
    cause_id: UUID
    at: datetime
    facts: Mapping[str, Any]


Taps = dict[UUID, dict[UUID, frozenset[str]]]
"""By pupil, by sale: the codes about which the cashier was warned and decided by name."""


def collect_notices(work: Work, *, since: datetime, zone: ZoneInfo) -> int:
    """Write the notices of everything recorded at ``since`` or later. Gives how many are new."""
    school_ids = [school.id for school in identity.schools(work)]
    # Money that came in is told first: it makes an earlier low balance worth telling again.
    told = _tell(work, list(_settled(work, school_ids, since)))
    for school_id, taps in _tapped(work, school_ids, since, zone).items():
        told += _tell(work, list(_of_school(work, school_id, taps, zone)))
    if told:
        audit.record(work, "parents.collect_notices", audit.Subject("notice"), {"count": told, "since": since})
    return told


def _tapped(work: Work, school_ids: Sequence[UUID], since: datetime, zone: ZoneInfo) -> dict[UUID, Taps]:
    first_day = local_day(since, zone) - timedelta(days=OFFLINE_DAYS)
    found: dict[UUID, Taps] = {}
    for tap in canteen.taps_recorded(work, school_ids, since=since, first_day=first_day):
        found.setdefault(tap.school_id, {}).setdefault(tap.pupil_id, {})[tap.sale_id] = tap.decided
    return found


def _settled(work: Work, school_ids: Sequence[UUID], since: datetime) -> Iterator[News]:
    for one in wallet.top_ups_settled(work, school_ids, since=since):
        assert one.settled_at is not None
        facts = {"amount_minor": one.amount_minor, "currency": one.currency}
        yield News(one.school_id, one.pupil_id, NoticeKind.TOP_UP_SETTLED, one.id, one.settled_at, facts)


def _of_school(work: Work, school_id: UUID, taps: Taps, zone: ZoneInfo) -> Iterator[News]:
    today = local_day(work.now, zone)
    meals = meals_of_pupils(work, school_id, list(taps), today - timedelta(days=LOOK_BACK_DAYS), today)
    for pupil_id, history in meals.items():
        for meal in history:
            if meal.sale_id in taps[pupil_id]:
                yield from news_of_meal(meal, taps[pupil_id][meal.sale_id])
    yield from _low_balances(work, school_id, meals, taps, zone)


def news_of_meal(meal: Meal, decided: frozenset[str]) -> Iterator[News]:
    """What one tap gives to tell. A sale that was taken back is no news, but who was warned stays warned."""
    sum_of = {"currency": meal.currency}
    if meal.counts and meal.grace_minor:
        yield _news(meal, NoticeKind.GRACE_USED, {"amount_minor": meal.grace_minor, **sum_of})
    if meal.counts and meal.courtesy_minor:
        yield _news(meal, NoticeKind.COURTESY_MEAL, {"amount_minor": meal.courtesy_minor, **sum_of})
    if meal.code == BLOCKED_CARD:
        yield _news(meal, NoticeKind.CARD_BLOCKED_USED, {})
    if meal.counts and ALLERGEN_CODES & decided:
        yield _news(meal, NoticeKind.ALLERGEN_OVERRIDE, {})


def _news(meal: Meal, kind: NoticeKind, facts: Mapping[str, Any]) -> News:
    return News(meal.school_id, meal.pupil_id, kind, meal.sale_id, meal.recorded_at, facts)


def _low_balances(
    work: Work, school_id: UUID, meals: Mapping[UUID, Sequence[Meal]], taps: Taps, zone: ZoneInfo
) -> Iterator[News]:
    """A purse that came down to a state which its guardians have not been told since money last came in.

    The cause is what was recorded last, not what was tapped last: an offline till may tell of older taps later.
    """
    told = _told_reaches(work, school_id, list(meals))
    for pupil_id, enough in reach_of(work, school_id, meals, zone).items():
        new = [meal for meal in meals[pupil_id] if meal.counts and meal.sale_id in taps[pupil_id]]
        if enough is not None and new and worth_telling(enough.reach, told.get(pupil_id)):
            cause = max(new, key=lambda meal: (meal.recorded_at, meal.sale_id))
            facts = {"reach": enough.reach.value, "days": enough.days}
            yield News(school_id, pupil_id, NoticeKind.LOW_BALANCE, cause.sale_id, work.now, facts)


def _told_reaches(work: Work, school_id: UUID, pupil_ids: Sequence[UUID]) -> dict[UUID, Reach]:
    """The state that each pupil's guardians were told last, unless money has come in since."""
    rows = work.session.execute(
        select(Notice.pupil_id, Notice.kind, Notice.facts)
        .where(
            Notice.school_id == school_id,
            Notice.pupil_id.in_(pupil_ids),
            Notice.kind.in_([NoticeKind.LOW_BALANCE, NoticeKind.TOP_UP_SETTLED]),
        )
        .order_by(Notice.pupil_id, Notice.at.desc())
        .ext(distinct_on(Notice.pupil_id))
    )
    return {row.pupil_id: Reach(row.facts["reach"]) for row in rows if row.kind == NoticeKind.LOW_BALANCE}


def _tell(work: Work, news: Sequence[News]) -> int:
    """Write each piece of news for each guardian, unless it was told before. Gives how many rows are new."""
    rows = [
        {
            "school_id": one.school_id,
            "id": new_id(work.now),
            "person_id": person_id,
            "pupil_id": one.pupil_id,
            "kind": one.kind.value,
            "cause_id": one.cause_id,
            "facts": dict(one.facts),
            "at": one.at,
            "read_at": None,
        }
        for one, person_id in _addressed(work, news)
    ]
    if not rows:
        return 0
    written = insert(Notice).on_conflict_do_nothing().returning(Notice.id)
    return len(work.session.execute(written, rows).all())


def _addressed(work: Work, news: Iterable[News]) -> Iterator[tuple[News, UUID]]:
    """Earlier news first, so that notices sort by their ids as things happened."""
    by_school: dict[UUID, list[News]] = {}
    for one in news:
        by_school.setdefault(one.school_id, []).append(one)
    for school_id, of_school in by_school.items():
        guardians = pupils.guardians_of(work, school_id, sorted({one.pupil_id for one in of_school}))
        for one in sorted(of_school, key=lambda one: one.at):
            for guardian in guardians.get(one.pupil_id, ()):
                yield one, guardian.person_id
