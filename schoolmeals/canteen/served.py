"""Telling the tenders' room how many set meals were really served: what the next plan is compared with."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text

from schoolmeals import procurement
from schoolmeals.database import Work

MOST_DAYS: Final = 400
_SERVED: Final = text("""
    SELECT sale.service_day AS day, item.age_group, sitting.meal, sum(line.quantity)::bigint AS meals
      FROM sale
      JOIN sale_line AS line ON line.school_id = sale.school_id AND line.sale_id = sale.id AND line.is_set_meal
      JOIN menu_item AS item ON item.school_id = line.school_id AND item.id = line.menu_item_id
      JOIN sitting ON sitting.school_id = sale.school_id AND sitting.id = sale.sitting_id
     WHERE sale.school_id = :school_id AND sale.service_day BETWEEN :first AND :last AND sale.verdict = 'served'
       AND NOT EXISTS (SELECT FROM sale_undo AS undo
                        WHERE undo.school_id = sale.school_id AND undo.sale_id = sale.id)
     GROUP BY sale.service_day, item.age_group, sitting.meal
""")

Counts = Mapping[tuple[str, str], int]
"""Set meals by age group and meal."""


def served_meals(work: Work, school_id: UUID, first: date, last: date) -> dict[date, Counts]:
    """The set meals of each day from ``first`` to ``last``, as they stand now: a day on which nothing was served, or
    everything was taken back, has none. Not scoped.
    """
    assert (last - first).days < MOST_DAYS, "one statement reads it"
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    found: dict[date, dict[tuple[str, str], int]] = {day: {} for day in days}
    for row in work.session.execute(_SERVED, {"school_id": school_id, "first": first, "last": last}):
        found[row.day][row.age_group, row.meal] = row.meals
    return dict(found)


def tell_served_meals(work: Work, school_id: UUID, first: date, last: date) -> None:
    """Tell the tenders' room of each day; for the system alone. What it knows already is not told again."""
    for day, counts in served_meals(work, school_id, first, last).items():
        procurement.note_served_meals(work, school_id, day, counts)
