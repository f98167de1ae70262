"""What a school's public page puts where, which days it shows, and what a search finds. Pure."""

from datetime import date, timedelta
from typing import Final, Literal

AROUND: Final = timedelta(days=31)
"""How far from today menus are shown."""
Place = Literal["now", "coming", "past"]


def place_of(starts_on: date, ends_on: date, today: date, *, is_active: bool) -> Place:
    """Where a contract that both sides have signed belongs. One whose last day is over is past, also before anybody
    has closed it.
    """
    if not is_active or ends_on < today:
        return "past"
    return "now" if starts_on <= today else "coming"


def is_shown(day: date, today: date) -> bool:
    """Whether a day is near enough for its menu to be shown."""
    return abs(day - today) <= AROUND


def matches(text: str, *fields: str | None) -> bool:
    """Whether each word of ``text`` is in one of the fields, however it is written."""
    where = " ".join(field.casefold() for field in fields if field)
    return all(word in where for word in text.casefold().split())
