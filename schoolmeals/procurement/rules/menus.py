"""The four-week menu as a table of places: a meal on a day of a week. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.drafting import LANGUAGES
from schoolmeals.procurement.rules.need import MEALS

WEEKS: Final = (1, 2, 3, 4)
MOST_WEEKDAYS: Final = 6
LEAST_WEEKDAYS: Final = 5
_PARTS: Final = len(LANGUAGES) + 1
"""Of a pasted line: the dishes in each language, and the energy."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row of the menu stands."""

    week: int
    weekday: int
    meal: str


def place_of(row: Row) -> Place | None:
    """The place that a row names; None where it names none of the table."""
    week, weekday, meal = row.get("week"), row.get("weekday"), row.get("meal")
    if not isinstance(week, int) or not isinstance(weekday, int) or meal not in MEALS:
        return None
    return Place(week, weekday, str(meal)) if week in WEEKS and 1 <= weekday <= MOST_WEEKDAYS else None


def weekdays_of(rows: Sequence[Row]) -> int:
    """How many days a week the table has: six where something is written for a sixth."""
    return max([LEAST_WEEKDAYS, *(place.weekday for row in rows if (place := place_of(row)) is not None)])


def written_rows(rows: Sequence[Row]) -> list[Row]:
    """The rows that say something, in the order of the days; what names no place comes last, as it was."""
    told = [row for row in rows if row.get("dishes") or row.get("kcal") not in (None, "")]
    placed = [(place, row) for row in told if (place := place_of(row)) is not None]
    ordered = sorted(placed, key=lambda one: (one[0].week, one[0].weekday, MEALS.index(one[0].meal)))
    return [*(row for _, row in ordered), *(row for row in told if place_of(row) is None)]


def with_week_copied(rows: Sequence[Row], source: int, target: int) -> list[Row]:
    """The menu with one week written like another; what stood in it is gone."""
    kept = [row for row in rows if row.get("week") != target]
    return written_rows([*kept, *({**row, "week": target} for row in rows if row.get("week") == source)])


def with_table(rows: Sequence[Row], text: str, meal: str, first_week: int, weekdays: int) -> list[Row] | FieldProblem:
    """The menu with the lines of a table: one day a line, from the Monday of ``first_week`` on, the dishes in Kazakh,
    Russian and English and the energy with tabs or semicolons between. An empty line leaves its day as it is.
    """
    lines = text.rstrip().splitlines()
    days = [(week, day) for week in WEEKS if week >= first_week for day in range(1, weekdays + 1)]
    if not text.strip() or len(lines) > len(days):
        return FieldProblem.of("menu-lines", TOO_MANY_LINES, most=len(days))
    found: dict[Place | None, Row] = {place_of(row): row for row in rows}
    for number, (line, (week, day)) in enumerate(zip(lines, days, strict=False), start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.replace(";", "\t").split("\t")]
        if len(parts) != _PARTS or not parts[-1].isascii() or not parts[-1].isdecimal() or len(parts[-1]) > 4:
            return FieldProblem.of("menu-line", WRONG_LINE, number=number)
        dishes = {language: part for language, part in zip(LANGUAGES, parts, strict=False) if part}
        about = {"week": week, "weekday": day, "meal": meal}
        found[Place(week, day, meal)] = {**about, "dishes": dishes, "kcal": int(parts[-1])}
    return written_rows([*found.values()])


TOO_MANY_LINES: Final = N_("Paste one line for each day: at least one, and at most %(most)s.")
WRONG_LINE: Final = N_(
    "Line %(number)s: write the dishes in Kazakh, in Russian and in English, and the energy as a number."
)
