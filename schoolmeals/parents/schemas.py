"""What the parents room takes and gives: query strings to filters, facts to JSON. Sums in minor units."""

from datetime import date, datetime
from typing import Any

import marshmallow as ma

from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.parents.rules import Kind, MealFilter, history_span
from schoolmeals.web import Schema
from schoolmeals.web.formats import machine_time

_NOT_A_DAY = N_("Choose a day, or write it as year-month-day.")
_NOT_A_CHOICE = N_("Choose one of the answers.")


def meal_filter(args: Any, today: date) -> MealFilter:
    """The filter that a page's query string asks for. Raises Invalid with the fields ``from``, ``to`` and ``kind``."""
    problems: dict[str, list[FieldProblem]] = {}
    first, last = (_day(args, name, problems) for name in ("from", "to"))
    kind = args.get("kind", Kind.ALL.value)
    if kind not in list(Kind):
        problems["kind"] = [FieldProblem.of("not-a-choice", _NOT_A_CHOICE)]
    if problems:
        raise Invalid(fields=problems)
    return MealFilter(*history_span(first, last, today), Kind(kind), with_refused="refused" in args)


def _day(args: Any, name: str, problems: dict[str, list[FieldProblem]]) -> date | None:
    typed = args.get(name, "").strip()
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        problems[name] = [FieldProblem.of("not-a-day", _NOT_A_DAY)]
        return None


class Instant(ma.fields.AwareDateTime):
    """An instant as RFC 3339 in UTC with Z."""

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else machine_time(value)


class MealQuery(Schema):
    """Which taps are wanted. Days are the school's; both ends included, at most one year."""

    first = ma.fields.Date(data_key="from", load_default=None)
    last = ma.fields.Date(data_key="to", load_default=None)
    kind = ma.fields.String(load_default=Kind.ALL.value, validate=ma.validate.OneOf([kind.value for kind in Kind]))
    refused = ma.fields.Boolean(load_default=False)
    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, 10_000))


class NoticeQuery(Schema):
    """Which notices are wanted."""

    unread = ma.fields.Boolean(load_default=False)
    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, 10_000))


class ItemSchema(Schema):
    """One thing on a sale; ``price_minor`` is of one."""

    name = ma.fields.String()
    price_minor = ma.fields.Integer()
    quantity = ma.fields.Integer()
    is_set_meal = ma.fields.Boolean()


class MealSchema(Schema):
    """One tap. ``code`` is null where it was served; ``undone_at`` is set where it was taken back."""

    id = ma.fields.UUID()
    day = ma.fields.Date()
    at = Instant()
    recorded_at = Instant()
    meal = ma.fields.String(allow_none=True)
    till = ma.fields.String()
    items = ma.fields.List(ma.fields.Nested(ItemSchema))
    total_minor = ma.fields.Integer()
    money_minor = ma.fields.Integer()
    grace_minor = ma.fields.Integer()
    courtesy_minor = ma.fields.Integer()
    currency = ma.fields.String()
    code = ma.fields.String(allow_none=True)
    undone_at = Instant(allow_none=True)


class MealPageSchema(Schema):
    """One page of a history, the newest first."""

    meals = ma.fields.List(ma.fields.Nested(MealSchema))
    total = ma.fields.Integer()
    page = ma.fields.Integer()
    as_of = Instant()


class EnoughSchema(Schema):
    """How long the money lasts: ``grace``, ``empty``, ``last``, ``low`` or ``ok``, and whole school days."""

    state = ma.fields.String()
    days = ma.fields.Integer()
    until = ma.fields.Date(allow_none=True)


class TodaySchema(Schema):
    """``ate``, ``not-yet``, ``did-not-eat``, ``no-lessons`` or ``left``, and today's taps that count."""

    state = ma.fields.String()
    meals = ma.fields.List(ma.fields.Nested(MealSchema))


class DaySchema(Schema):
    """What was spent on one school day."""

    day = ma.fields.Date()
    spent_minor = ma.fields.Integer()


class ChildSchema(Schema):
    """One child as the parent sees them."""

    school_id = ma.fields.UUID()
    pupil_id = ma.fields.UUID()
    name = ma.fields.String()
    class_name = ma.fields.String()
    school = ma.fields.String()
    balance_minor = ma.fields.Integer()
    currency = ma.fields.String()
    limit_minor_day = ma.fields.Integer(allow_none=True)
    enough = ma.fields.Nested(EnoughSchema, allow_none=True)
    today = ma.fields.Nested(TodaySchema)
    last_meals = ma.fields.List(ma.fields.Nested(MealSchema))
    week = ma.fields.List(ma.fields.Nested(DaySchema))


class HomeSchema(Schema):
    """All children of the parent."""

    children = ma.fields.List(ma.fields.Nested(ChildSchema))
    unread_notices = ma.fields.Integer()
    as_of = Instant()


class NoticeSchema(Schema):
    """One notice. ``facts`` depends on ``kind``; sums in minor units."""

    school_id = ma.fields.UUID()
    id = ma.fields.UUID()
    pupil_id = ma.fields.UUID()
    kind = ma.fields.String(attribute="kind.value")
    cause_id = ma.fields.UUID()
    facts = ma.fields.Dict()
    at = Instant()
    read_at = Instant(allow_none=True)


class NoticePageSchema(Schema):
    """One page of notices, the newest first."""

    notices = ma.fields.List(ma.fields.Nested(NoticeSchema))
    total = ma.fields.Integer()
    unread = ma.fields.Integer()
    page = ma.fields.Integer()


class ReadNotices(Schema):
    """Which notices were read: all up to this one."""

    up_to = ma.fields.UUID(required=True)


class MarkedSchema(Schema):
    """How many notices were marked as read by this call."""

    marked = ma.fields.Integer()
