"""Public holidays, school breaks, moved days, and the length of the school week."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID

import holidays
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from schoolmeals import audit
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound
from schoolmeals.identity.actions.organisations import LONGEST_NAME, NEEDED, TOO_LONG
from schoolmeals.identity.queries import require_role_in
from schoolmeals.ids import new_id
from schoolmeals.workdays import CalendarDay, SchoolWeek

NATURES: Final = ("holiday", "break", "school-day")
MOST_DAYS_AT_ONCE: Final = 100
_COUNTRY: Final = "KZ"

# The library speaks Kazakh and English; the Russian names are those of the law on holidays.
_RUSSIAN: Final = {
    "New Year's Day": "Новый год",
    "Orthodox Christmas": "Православное Рождество",
    "International Women's Day": "Международный женский день",
    "Nowruz Holiday": "Наурыз мейрамы",
    "Kazakhstan's People Solidarity Holiday": "Праздник единства народа Казахстана",
    "Defender of the Fatherland Day": "День защитника Отечества",
    "Victory Day": "День Победы",
    "Capital Day": "День столицы",
    "Constitution Day": "День Конституции Республики Казахстан",
    "Republic Day": "День Республики",
    "Independence Day": "День Независимости",
    "Eid al-Adha": "Курбан айт",
    "Day of the First President": "День Первого Президента",
}
_DAY_OFF: Final = "выходной день"
_REMARK: Final = re.compile(r" \((?P<remark>[^)]*)\)")
_REMARKS: Final = {
    "observed": "перенос",
    "estimated": "дата уточняется",
    "observed, estimated": "перенос, дата уточняется",
}


def seed_calendar(work: Work, years: Iterable[int]) -> int:
    """Write the public holidays of Kazakhstan for ``years``, in three languages; how many days were new.

    A day that is there already stays as it is.
    """
    wanted = list(years)
    kazakh = holidays.country_holidays(_COUNTRY, years=wanted, language="kk")
    english = holidays.country_holidays(_COUNTRY, years=wanted, language="en_US")
    rows = [
        {
            "id": new_id(work.now),
            "school_id": None,
            "day": day,
            "nature": "holiday",
            "name_kk": kazakh[day],
            "name_ru": russian_name(name),
            "name_en": name,
        }
        for day, name in sorted(english.items())
    ]
    added = work.session.scalars(
        insert(CalendarDay).values(rows).on_conflict_do_nothing().returning(CalendarDay.day)
    ).all()
    audit.record(work, "identity.seed-calendar", audit.Subject("calendar"), {"years": wanted, "days": len(added)})
    return len(added)


def russian_name(english: str) -> str:
    """A holiday's Russian name for the library's English one; the English one where we know none."""
    parts = []
    for name in english.split("; "):
        bare = _REMARK.sub("", name)
        remark = _REMARK.search(name)
        known = _RUSSIAN.get(bare, _DAY_OFF if bare == "Day off" else bare)
        told = _REMARKS.get(remark["remark"], "перенос") if remark is not None else None
        parts.append(f"{known} ({told})" if told else known)
    return "; ".join(parts)


def edit_calendar(
    work: Work, school_id: UUID, days: Iterable[date], *, nature: str, name_kk: str, name_ru: str, name_en: str
) -> None:
    """Say of ``days`` what they are in one school: free (``holiday``, ``break``) or taught (``school-day``).

    What was said of them before is replaced. Scoped to the school's office. Raises Invalid.
    """
    require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    wanted = sorted(set(days))
    names = {"name_kk": name_kk.strip(), "name_ru": name_ru.strip(), "name_en": name_en.strip()}
    _check_days(wanted, nature, names)
    statement = insert(CalendarDay).values(
        [{"id": new_id(work.now), "school_id": school_id, "day": day, "nature": nature, **names} for day in wanted]
    )
    changes = {name: statement.excluded[name] for name in ("nature", *names)}
    work.session.execute(
        statement.on_conflict_do_update(index_elements=[CalendarDay.school_id, CalendarDay.day], set_=changes)
    )
    audit.record(
        work,
        "identity.edit-calendar",
        audit.Subject("school", school_id),
        {"days": wanted, "nature": nature, **names},
        school_id=school_id,
    )


def clear_calendar_day(work: Work, school_id: UUID, day: date) -> None:
    """Forget what the school said of ``day``. Scoped to the school's office; NotFound where it said nothing."""
    require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    gone = work.session.scalar(
        delete(CalendarDay).where(CalendarDay.school_id == school_id, CalendarDay.day == day).returning(CalendarDay.id)
    )
    if gone is None:
        raise NotFound
    audit.record(
        work, "identity.clear-calendar-day", audit.Subject("school", school_id), {"day": day}, school_id=school_id
    )


def set_school_week(work: Work, school_id: UUID, days: int) -> None:
    """Teach ``days`` (5 or 6) days a week. Scoped to the school's office. Raises Invalid."""
    require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    if days not in (5, 6):
        raise Invalid(fields={"days": [FieldProblem.of("five-or-six", N_("Choose five or six days."))]})
    work.session.execute(
        insert(SchoolWeek)
        .values(school_id=school_id, days=days)
        .on_conflict_do_update(index_elements=[SchoolWeek.school_id], set_={"days": days})
    )
    audit.record(
        work, "identity.set-school-week", audit.Subject("school", school_id), {"days": days}, school_id=school_id
    )


def _check_days(days: list[date], nature: str, names: dict[str, str]) -> None:
    problems: dict[str, list[FieldProblem]] = {}
    if not days or len(days) > MOST_DAYS_AT_ONCE:
        sentence = N_("Choose a first and a last day, not more than %(most)s days apart.")
        problems["last"] = [FieldProblem.of("days", sentence, most=MOST_DAYS_AT_ONCE)]
    if nature not in NATURES:
        problems["nature"] = [NEEDED]
    for name, text in names.items():
        if not text or len(text) > LONGEST_NAME:
            problems[name] = [NEEDED if not text else TOO_LONG]
    if problems:
        raise Invalid(fields=problems)
