"""A meal history as CSV for spreadsheets: semicolons and a byte order mark, as Excel in Kazakhstan expects them."""

import csv
import io
from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from schoolmeals import identity
from schoolmeals.files import guarded
from schoolmeals.ids import spoken_number
from schoolmeals.money import MINOR_DIGITS
from schoolmeals.parents.rules import Meal
from schoolmeals.parents.sentences import gettext, items_text, meal_name, refused_sentence

BYTE_ORDER_MARK: Final = "\ufeff"


def meal_csv(meals: Iterable[Meal], zone: ZoneInfo) -> str:
    """One line per tap, in the language of the request; sums in whole units with two digits, e.g. ``850,00``."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(_head())
    writer.writerows([guarded(cell) for cell in _line(meal, zone)] for meal in meals)
    return BYTE_ORDER_MARK + out.getvalue()


def _head() -> list[str]:
    return [
        gettext("Day"),
        gettext("Time"),
        gettext("Meal"),
        gettext("What was bought"),
        gettext("Till"),
        gettext("State"),
        gettext("Sum"),
        gettext("From the purse"),
        gettext("To be paid later"),
        gettext("Courtesy fund"),
        gettext("Currency"),
        gettext("Receipt"),
    ]


def _line(meal: Meal, zone: ZoneInfo) -> list[str]:
    sums = (meal.total_minor, meal.money_minor, meal.grace_minor, meal.courtesy_minor)
    return [
        meal.day.isoformat(),
        meal.at.astimezone(zone).strftime("%H:%M"),
        meal_name(meal.meal) if meal.is_meal else gettext("Buffet"),
        items_text(meal.items),
        identity.till_name(meal.till),
        state_word(meal) or gettext("Served"),
        *(_sum(minor, meal.currency) for minor in sums),
        meal.currency,
        spoken_number(meal.sale_id),
    ]


def state_word(meal: Meal) -> str | None:
    """What became of a tap, where it was not simply served."""
    if meal.code is not None:
        return refused_sentence(meal.code)
    return gettext("Taken back") if meal.undone_at is not None else None


def _sum(minor: int, currency: str) -> str:
    digits = MINOR_DIGITS[currency]
    whole, rest = divmod(minor, 10**digits)
    return f"{whole},{rest:0{digits}d}" if digits else str(whole)
