"""The annual plan: what a line of it must say."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.drafting import NEEDED, OUT_OF_RANGE, UNKNOWN, Problems
from schoolmeals.procurement.rules.need import AGE_GROUPS, MEALS

MOST_PUPILS: Final = 10_000
HIGHEST_AMOUNT_MINOR: Final = 100_000_000_000_00
ENDS_BEFORE: Final = FieldProblem.of("ends-before", N_("The last day is before the first."))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlanLine:
    """A line to be written into the plan. ``planned_days`` None: all school days of the span."""

    school_id: UUID
    year: int
    title: Mapping[str, str]
    profile_code: str
    starts_on: date
    ends_on: date
    pupils: Mapping[str, int]
    meals: Sequence[str]
    amount_minor: int
    announce_on: date
    planned_days: int | None = None
    currency: str = "KZT"


def plan_line_problems(line: NewPlanLine, profiles: Collection[str], this_year: int) -> Problems:
    """What is wrong with a line, by field. Whether its days are real is asked of the calendar."""
    found: Problems = {
        "title": [] if all(line.title.get(language, "").strip() for language in ("kk", "ru")) else [NEEDED],
        "profile_code": [] if line.profile_code in profiles else [UNKNOWN],
        "ends_on": [] if line.starts_on <= line.ends_on else [ENDS_BEFORE],
        "year": _range(line.year, this_year - 1, this_year + 3),
        "amount_minor": _range(line.amount_minor, 1, HIGHEST_AMOUNT_MINOR),
        "meals": [] if line.meals and set(line.meals) <= set(MEALS) else [UNKNOWN],
        "pupils": _pupil_problems(line.pupils),
        "planned_days": [] if line.planned_days is None else _range(line.planned_days, 1, 366),
    }
    return {name: problems for name, problems in found.items() if problems}


def _pupil_problems(pupils: Mapping[str, int]) -> list[FieldProblem]:
    if set(pupils) - set(AGE_GROUPS):
        return [UNKNOWN]
    return _range(sum(pupils.values()), 1, MOST_PUPILS) if all(count >= 0 for count in pupils.values()) else [UNKNOWN]


def _range(value: int, least: int, most: int) -> list[FieldProblem]:
    if least <= value <= most:
        return []
    return [FieldProblem.of("out-of-range", OUT_OF_RANGE, least=least, most=most)]
