"""The form of the four-week menu: a table of weeks and days, in which a week is copied and a table is pasted.

It is typed into and sent like any section's form, by the same names; the days are there already, and need no typing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from babel.dates import get_day_names
from flask import request
from flask_babel import gettext

from schoolmeals.errors import FieldProblem, Invalid
from schoolmeals.procurement.rules.drafting import UNKNOWN
from schoolmeals.procurement.rules.menus import (
    LEAST_WEEKDAYS,
    MOST_WEEKDAYS,
    WEEKS,
    Place,
    place_of,
    weekdays_of,
    with_table,
    with_week_copied,
    written_rows,
)
from schoolmeals.procurement.rules.need import MEALS
from schoolmeals.procurement.words import MEAL_NAMES
from schoolmeals.web import language

MENU: Final = "menu"
STEPS: Final = ("copy", "paste")


def menu_of_form(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the table says now, with the week copied or the lines pasted that its buttons ask for. Raises Invalid."""
    rows = written_rows(content.get("days", ()))
    step = request.form.get("step")
    if step == "copy":
        rows = with_week_copied(rows, _week("from_week"), _week("to_week"))
    elif step == "paste":
        meal = request.form.get("paste_meal", "")
        if meal not in MEALS:
            raise Invalid(fields={"paste_meal": [UNKNOWN]})
        made = with_table(rows, request.form.get("table", ""), meal, _week("paste_week"), _weekdays(rows))
        if isinstance(made, FieldProblem):
            raise Invalid(fields={"table": [made]})
        rows = made
    said = {name: value for name, value in content.items() if name != "days"}
    return {**said, "days": list(rows)} if rows else said


def menu_context(content: Mapping[str, Any], meals: Sequence[str]) -> dict[str, Any]:
    """What the template of the table needs. ``meals`` are those that the lot asks for."""
    rows = list(content.get("days", ()))
    by_place = {place: (number, row) for number, row in enumerate(rows) if (place := place_of(row)) is not None}
    used = {place.meal for place in by_place} | set(meals) or {"lunch"}
    weekdays, chosen = _weekdays(rows), [meal for meal in MEALS if meal in used]
    names = weekday_names()
    weeks = []
    spare = len(rows)
    for week in WEEKS:
        cells = []
        for weekday in range(1, weekdays + 1):
            for meal in chosen:
                number, row = by_place.get(Place(week, weekday, meal), (spare, {}))
                spare += number == spare
                label = names[weekday - 1] if len(chosen) == 1 else f"{names[weekday - 1]}, {gettext(MEAL_NAMES[meal])}"
                about = {"week": week, "weekday": weekday, "meal": meal}
                dishes = row.get("dishes") or {}
                cells.append(
                    {**about, "name": f"days.{number}", "label": label, "dishes": dishes, "kcal": row.get("kcal")}
                )
        weeks.append({"number": week, "cells": cells, "is_empty": not any(cell["dishes"] for cell in cells)})
    known = {number for number, _ in by_place.values()}
    return {
        "weeks": weeks,
        "odd_rows": [(f"days.{number}", row) for number, row in enumerate(rows) if number not in known],
        "weekdays": weekdays,
        "other_weekdays": MOST_WEEKDAYS if weekdays == LEAST_WEEKDAYS else LEAST_WEEKDAYS,
        "week_numbers": [(week, gettext("Week %(number)s", number=week)) for week in WEEKS],
        "meals": [(meal, gettext(MEAL_NAMES[meal])) for meal in chosen],
        "typed": request.form,
    }


def weekday_names() -> list[str]:
    """Monday to Saturday."""
    names = get_day_names("wide", locale=language())
    return [f"{names[weekday][0].upper()}{names[weekday][1:]}" for weekday in range(MOST_WEEKDAYS)]


def _weekdays(rows: Sequence[Mapping[str, Any]]) -> int:
    """As many as something is written for, or as the reader asks for."""
    asked = request.values.get("weekdays", "")
    return max(weekdays_of(rows), MOST_WEEKDAYS if asked == str(MOST_WEEKDAYS) else LEAST_WEEKDAYS)


def _week(name: str) -> int:
    """A week that was chosen. Raises Invalid."""
    text = request.form.get(name, "")
    if text not in {str(week) for week in WEEKS}:
        raise Invalid(fields={name: [UNKNOWN]})
    return int(text)
