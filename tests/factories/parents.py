"""What parents see: meals as the rules know them, without a database, and notices with one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import factory

from schoolmeals.ids import new_id
from schoolmeals.parents.models import Notice
from schoolmeals.parents.rules import Item, Meal
from tests.factories import RowFactory

SCHOOL = UUID(int=1)
PUPIL = UUID(int=2)


def item(price_minor: int = 850_00, *, is_set_meal: bool = True, quantity: int = 1, **given: Any) -> Item:
    """A set meal at 850 tenge."""
    names = {"name_kk": "Палау", "name_ru": "Плов", "name_en": "Pilaf", **given}
    return Item(price_minor=price_minor, quantity=quantity, is_set_meal=is_set_meal, **names)


def meal(day: date, total_minor: int = 850_00, **given: Any) -> Meal:
    """Lunch at 12:05 in Almaty on ``day``, paid from the purse."""
    at = datetime(day.year, day.month, day.day, 7, 5, tzinfo=UTC)
    values: dict[str, Any] = {
        "school_id": SCHOOL,
        "sale_id": uuid4(),
        "pupil_id": PUPIL,
        "day": day,
        "at": at,
        "recorded_at": at + timedelta(seconds=1),
        "meal": "lunch",
        "items": (item(total_minor),),
        "total_minor": total_minor,
        "money_minor": total_minor,
        "grace_minor": 0,
        "courtesy_minor": 0,
        "currency": "KZT",
        "till": "Касса 1",
    }
    return Meal(**{**values, **given})


class NoticeFactory(RowFactory[Notice]):
    """An unread notice of a top-up; ``school_id``, ``pupil_id`` and ``person_id`` are needed."""

    class Meta:
        model = Notice

    id = factory.LazyFunction(new_id)
    kind = "top-up-settled"
    cause_id = factory.LazyFunction(uuid4)
    facts = factory.LazyFunction(lambda: {"amount_minor": 500_000, "currency": "KZT"})
    at = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    read_at = None
