"""What the canteen's API takes and gives, in JSON. Money is whole minor units, times are UTC with Z, ids are UUIDs."""

from datetime import datetime, time
from typing import Any

import marshmallow as ma

from schoolmeals.canteen.menus import HIGHEST_PRICE_MINOR, LONGEST_NAME, MOST_DISHES, NewMenuItem
from schoolmeals.canteen.rules import AGE_GROUPS, MEALS
from schoolmeals.canteen.till_json import instant
from schoolmeals.web import Schema

_NAME = ma.validate.Length(max=LONGEST_NAME)


class Instant(ma.fields.AwareDateTime):
    """RFC 3339 in UTC with Z, to the millisecond."""

    def _serialize(self, value: datetime | None, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else instant(value)


class LocalTime(ma.fields.Time):
    """Hours and minutes of the school's clocks, ``12:30``."""

    def _serialize(self, value: time | None, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else value.isoformat(timespec="minutes")


# Sittings and menus


class SittingSchema(Schema):
    """When a meal is served."""

    id = ma.fields.UUID(required=True)
    meal = ma.fields.String(required=True, validate=ma.validate.OneOf(MEALS))
    shift = ma.fields.Integer(required=True)
    opens_at = LocalTime(required=True)
    closes_at = LocalTime(required=True)
    ended_on = ma.fields.Date(required=True, allow_none=True)


class SittingListSchema(Schema):
    """A school's sittings, by hour."""

    sittings = ma.fields.List(ma.fields.Nested(SittingSchema), required=True)


class NewSittingSchema(Schema):
    """A sitting to be held."""

    id = ma.fields.UUID(load_default=None)
    meal = ma.fields.String(required=True, validate=ma.validate.OneOf(MEALS))
    shift = ma.fields.Integer(load_default=1, strict=True, validate=ma.validate.Range(1, 3))
    opens_at = ma.fields.Time(required=True)
    closes_at = ma.fields.Time(required=True)


class SittingHoursSchema(Schema):
    """Other hours for a sitting."""

    opens_at = ma.fields.Time(required=True)
    closes_at = ma.fields.Time(required=True)


class EndSchema(Schema):
    """The first day without it."""

    on = ma.fields.Date(required=True)


class DishSchema(Schema):
    """A dish's name in three languages."""

    kk = ma.fields.String(required=True, validate=ma.validate.Length(1, LONGEST_NAME))
    ru = ma.fields.String(validate=_NAME)
    en = ma.fields.String(validate=_NAME)


class NewMenuItemSchema(Schema):
    """A line of a menu. Where a contract feeds the school, a set meal's price is left out: the contract says it."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(["set", "buffet"]))
    age_group = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(AGE_GROUPS))
    name_kk = ma.fields.String(required=True, validate=ma.validate.Length(1, LONGEST_NAME))
    name_ru = ma.fields.String(required=True, validate=ma.validate.Length(1, LONGEST_NAME))
    name_en = ma.fields.String(load_default="", validate=_NAME)
    dishes = ma.fields.List(
        ma.fields.Nested(DishSchema), load_default=list, validate=ma.validate.Length(max=MOST_DISHES)
    )
    photo_id = ma.fields.UUID(load_default=None, allow_none=True)
    price_minor = ma.fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=ma.validate.Range(0, HIGHEST_PRICE_MINOR)
    )
    portion_g = ma.fields.Integer(load_default=None, allow_none=True, strict=True)
    kcal = ma.fields.Integer(load_default=None, allow_none=True, strict=True)
    allergens = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, LONGEST_NAME + 6)),
        load_default=list,
        validate=ma.validate.Length(max=30),
    )

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: object) -> NewMenuItem:
        return NewMenuItem(**data)


class MenuLineSchema(Schema):
    """A line of a menu as it is sold."""

    id = ma.fields.UUID(required=True)
    position = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True)
    age_group = ma.fields.String(required=True, allow_none=True)
    names = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    dishes = ma.fields.List(ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()), required=True)
    photo_id = ma.fields.UUID(required=True, allow_none=True)
    price_minor = ma.fields.Integer(required=True)
    currency = ma.fields.String(required=True)
    portion_g = ma.fields.Integer(required=True, allow_none=True)
    kcal = ma.fields.Integer(required=True, allow_none=True)
    allergens = ma.fields.List(ma.fields.String(), required=True)
    contract_item_id = ma.fields.UUID(required=True, allow_none=True)


class MenuSchema(Schema):
    """One sitting's menu of one day."""

    menu_id = ma.fields.UUID(required=True, allow_none=True)
    day = ma.fields.Date(required=True)
    sitting_id = ma.fields.UUID(required=True)
    meal = ma.fields.String(required=True)
    shift = ma.fields.Integer(required=True)
    opens_at = LocalTime(required=True)
    closes_at = LocalTime(required=True)
    version = ma.fields.Integer(required=True, metadata={"description": "0: not published"})
    published_at = Instant(required=True, allow_none=True)
    items = ma.fields.List(ma.fields.Nested(MenuLineSchema), required=True)


class DraftMenuSchema(MenuSchema):
    """A menu with what its next version will be."""

    draft = ma.fields.List(ma.fields.Nested(MenuLineSchema), required=True)
    has_changes = ma.fields.Boolean(required=True)
    missing_age_groups = ma.fields.List(ma.fields.String(), required=True)


class MenuDaySchema(Schema):
    """A day's menus, by hour."""

    menus = ma.fields.List(ma.fields.Nested(MenuSchema), required=True)


class DraftDaySchema(Schema):
    """A day's menus with their drafts."""

    menus = ma.fields.List(ma.fields.Nested(DraftMenuSchema), required=True)


class ItemIdSchema(Schema):
    """The id of a line; a published line that is changed gets another."""

    id = ma.fields.UUID(required=True)


class VersionSchema(Schema):
    """The version that a menu has become."""

    version = ma.fields.Integer(required=True)


class CopySchema(Schema):
    """The day whose menus are copied."""

    source = ma.fields.Date(required=True)


class LinesSchema(Schema):
    """How many lines were drafted."""

    lines = ma.fields.Integer(required=True)


class BadRowSchema(Schema):
    """A row of a file that could not be used."""

    line = ma.fields.Integer(required=True)
    column = ma.fields.String(required=True)
    code = ma.fields.String(required=True)
    sentence = ma.fields.String(required=True)


class MenuImportSchema(Schema):
    """What became of a file: good rows were drafted, bad ones are listed."""

    lines = ma.fields.Integer(required=True)
    days = ma.fields.List(ma.fields.Date(), required=True)
    problems = ma.fields.List(ma.fields.Nested(BadRowSchema), required=True)


# Meals and days


class SalePeriodSchema(Schema):
    """Local days, both included; without them the last thirty."""

    since = ma.fields.Date(load_default=None)
    until = ma.fields.Date(load_default=None)


class SoldItemSchema(Schema):
    """Something that was sold."""

    menu_item_id = ma.fields.UUID(required=True)
    names = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    price_minor = ma.fields.Integer(required=True)
    quantity = ma.fields.Integer(required=True)
    is_set_meal = ma.fields.Boolean(required=True)
    photo_id = ma.fields.UUID(required=True, allow_none=True)


class SaleSchema(Schema):
    """A tap as guardians and the school's office read it."""

    sale_id = ma.fields.UUID(required=True)
    pupil_id = ma.fields.UUID(required=True, allow_none=True)
    day = ma.fields.Date(required=True)
    tapped_at = Instant(required=True)
    recorded_at = Instant(required=True)
    meal = ma.fields.String(required=True, allow_none=True)
    items = ma.fields.List(ma.fields.Nested(SoldItemSchema), required=True)
    total_minor = ma.fields.Integer(required=True)
    money_minor = ma.fields.Integer(required=True)
    grace_minor = ma.fields.Integer(required=True)
    courtesy_minor = ma.fields.Integer(required=True)
    currency = ma.fields.String(required=True)
    device_name = ma.fields.String(required=True)
    verdict = ma.fields.String(required=True)
    code = ma.fields.String(required=True, allow_none=True)
    undone_at = Instant(required=True, allow_none=True)


class SaleListSchema(Schema):
    """Taps, newest first, as they were at one moment."""

    as_of = Instant(required=True)
    meals = ma.fields.List(ma.fields.Nested(SaleSchema), required=True)


class SittingCountSchema(Schema):
    """What one sitting has served."""

    sitting_id = ma.fields.UUID(required=True)
    meal = ma.fields.String(required=True)
    shift = ma.fields.Integer(required=True)
    set_meals = ma.fields.Integer(required=True)
    pupils = ma.fields.Integer(required=True)
    buffet_sales = ma.fields.Integer(required=True)
    refused = ma.fields.Integer(required=True)
    undone = ma.fields.Integer(required=True)
    total_minor = ma.fields.Integer(required=True)
    courtesy_minor = ma.fields.Integer(required=True)


class DayCountsSchema(Schema):
    """A school's day."""

    day = ma.fields.Date(required=True)
    sittings = ma.fields.List(ma.fields.Nested(SittingCountSchema), required=True)
    pupils = ma.fields.Integer(required=True)
    fed = ma.fields.Integer(required=True)
    set_meals = ma.fields.Integer(required=True)
    total_minor = ma.fields.Integer(required=True)
    currency = ma.fields.String(required=True)
    closed_at = Instant(required=True, allow_none=True)


class ClosingSchema(Schema):
    """How a day was closed."""

    day = ma.fields.Date(required=True)
    closed_at = Instant(required=True)
    counts = ma.fields.Dict(required=True)
    trial_balance = ma.fields.List(ma.fields.Dict(), required=True)


class CitySchoolSchema(Schema):
    """One school's day among the city's."""

    school_id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    counts = ma.fields.Nested(DayCountsSchema, required=True)


class CityDaySchema(Schema):
    """The city's day, school by school."""

    as_of = Instant(required=True)
    schools = ma.fields.List(ma.fields.Nested(CitySchoolSchema), required=True)
