"""What people type into this room's forms, as the values that its deeds take. A form that cannot be read is Invalid."""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Final
from uuid import UUID

from schoolmeals.canteen.menus import OTHER_ALLERGEN, SET, NewMenuItem
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound
from schoolmeals.money import MINOR_DIGITS

_SUM: Final = re.compile(r"([0-9]{1,8})(?:[.,]([0-9]{1,2}))?")
_NO_SUM: Final = FieldProblem.of("not-a-sum", N_("Write the price in figures, for example 850."))
_NO_NUMBER: Final = FieldProblem.of("not-a-number", N_("Write a whole number, for example 250."))
_NO_TIME: Final = FieldProblem.of("not-a-time", N_("Write the time as hours and minutes, for example 12:30."))
_NO_DAY: Final = FieldProblem.of("not-a-day", N_("Choose a day."))


def read_day(text: str) -> date:
    """The day of an address (``2026-11-23``). Raises NotFound."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFound from error


def read_item(form: Mapping[str, str], allergens: list[str], *, currency: str, photo_id: UUID | None) -> NewMenuItem:
    """A line of a menu. Dishes are one a line, their Russian and English names after ``|``. Raises Invalid.

    No price is a price that the contract says.
    """
    problems: dict[str, list[FieldProblem]] = {}
    price, is_typed = _minor(form.get("price", ""), currency), bool(form.get("price", "").strip())
    if price is None and is_typed:
        problems["price"] = [_NO_SUM]
    numbers = {name: _whole(form.get(name, "")) for name in ("portion_g", "kcal")}
    problems |= {name: [_NO_NUMBER] for name, number in numbers.items() if number == -1}
    if problems:
        raise Invalid("menu-item-invalid", fields=problems)
    kind = form.get("kind", "")
    other = form.get("other", "").strip()
    return NewMenuItem(
        kind=kind,
        age_group=form.get("age_group") or None if kind == SET else None,
        name_kk=form.get("name_kk", ""),
        name_ru=form.get("name_ru", ""),
        name_en=form.get("name_en", ""),
        dishes=_dishes(form.get("dishes", "")),
        photo_id=photo_id,
        price_minor=price,
        currency=currency,
        portion_g=numbers["portion_g"],
        kcal=numbers["kcal"],
        allergens=[*allergens, *([OTHER_ALLERGEN + other] if other else [])],
    )


def read_hours(form: Mapping[str, str]) -> tuple[time, time]:
    """When a sitting begins and ends. Raises Invalid."""
    found = {name: _time(form.get(name, "")) for name in ("opens_at", "closes_at")}
    if missing := {name: [_NO_TIME] for name, value in found.items() if value is None}:
        raise Invalid("sitting-invalid", fields=missing)
    opens_at, closes_at = found["opens_at"], found["closes_at"]
    assert opens_at is not None
    assert closes_at is not None
    return opens_at, closes_at


def read_chosen_day(form: Mapping[str, str], name: str) -> date:
    """A day that was chosen in a form. Raises Invalid."""
    try:
        return date.fromisoformat(form.get(name, ""))
    except ValueError as error:
        raise Invalid("not-a-day", fields={name: [_NO_DAY]}) from error


def read_id(form: Mapping[str, str], name: str) -> UUID:
    """An id of a hidden field. Raises Invalid."""
    try:
        return UUID(form.get(name, ""))
    except ValueError as error:
        raise Invalid from error


def _minor(text: str, currency: str) -> int | None:
    found = _SUM.fullmatch(re.sub(r"[\s\u00a0\u202f]", "", text))
    if found is None:
        return None
    digits = MINOR_DIGITS[currency]
    if found[2] and len(found[2]) > digits:
        return None
    return int(found[1]) * int(10**digits) + int((found[2] or "").ljust(digits, "0") or "0")


def _whole(text: str) -> int | None:
    """None for nothing, -1 for what is no number."""
    text = text.strip()
    if not text:
        return None
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else -1


def _time(text: str) -> time | None:
    found = re.fullmatch(r"([01]?\d|2[0-3])[:.]([0-5]\d)", text.strip(), re.ASCII)
    return time(int(found[1]), int(found[2])) if found else None


def _dishes(text: str) -> list[dict[str, str]]:
    rows = [[part.strip() for part in line.split("|")] for line in text.splitlines() if line.strip()]
    return [{code: name for code, name in zip(("kk", "ru", "en"), row, strict=False) if name} for row in rows]
