"""A till's taps, answers and state in JSON. ``till_json.py`` reads taps by hand; these document what it reads."""

import marshmallow as ma

from schoolmeals.canteen.rules import MAX_QUANTITY
from schoolmeals.canteen.schemas import Instant, LocalTime, MenuLineSchema
from schoolmeals.canteen.till_json import (
    DECIDABLE,
    LARGEST_SEQ,
    LONGEST_CARD,
    LONGEST_REASON,
    MOST_DECISIONS,
    MOST_ITEMS,
    MOST_TAPS,
)
from schoolmeals.web import Schema


class TapItemSchema(Schema):
    """Something of the menu."""

    menu_item_id = ma.fields.UUID(required=True)
    quantity = ma.fields.Integer(load_default=1, strict=True, validate=ma.validate.Range(1, MAX_QUANTITY))


class DecisionSchema(Schema):
    """What the cashier decided about one code."""

    code = ma.fields.String(required=True, validate=ma.validate.OneOf(sorted(DECIDABLE)))
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=LONGEST_REASON))


class TapSchema(Schema):
    """One tap. Exactly one of ``card_number`` and ``pupil_id`` says who eats."""

    id = ma.fields.UUID(required=True, metadata={"description": "made by the till (UUIDv7); again is the same tap"})
    seq = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, LARGEST_SEQ))
    tapped_at = ma.fields.AwareDateTime(required=True, metadata={"description": "by the till's clock"})
    sitting_id = ma.fields.UUID(required=True)
    card_number = ma.fields.String(allow_none=True, validate=ma.validate.Length(max=LONGEST_CARD))
    pupil_id = ma.fields.UUID(allow_none=True)
    wants_set_meal = ma.fields.Boolean(
        load_default=False, metadata={"description": "the set meal of the pupil's age group, chosen by the server"}
    )
    items = ma.fields.List(ma.fields.Nested(TapItemSchema), validate=ma.validate.Length(max=MOST_ITEMS))
    decisions = ma.fields.List(ma.fields.Nested(DecisionSchema), validate=ma.validate.Length(max=MOST_DECISIONS))


class TapsSchema(Schema):
    """A till's taps, in the order in which it took them."""

    taps = ma.fields.List(ma.fields.Nested(TapSchema), required=True, validate=ma.validate.Length(1, MOST_TAPS))


class TillAllergenSchema(Schema):
    """What a pupil must not or should not eat."""

    code = ma.fields.String(required=True, metadata={"description": "one of the EU's 14, or other: and words"})
    severity = ma.fields.String(required=True, validate=ma.validate.OneOf(["certified", "intolerance", "wish"]))


class TillPupilSchema(Schema):
    """A pupil as tills see them: nothing about money."""

    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    class_name = ma.fields.String(required=True)
    photo_url = ma.fields.String(required=True, allow_none=True)
    diet_note = ma.fields.String(required=True)
    allergens = ma.fields.List(ma.fields.Nested(TillAllergenSchema), required=True)


class AnswerItemSchema(Schema):
    """An item that was served or declined."""

    menu_item_id = ma.fields.UUID(required=True)
    quantity = ma.fields.Integer(required=True)
    is_set_meal = ma.fields.Boolean(required=True)


class WarningSchema(Schema):
    """What did not stop the sale."""

    code = ma.fields.String(required=True)
    sentence = ma.fields.String(required=True)


class AnswerSchema(Schema):
    """The answer to one tap; the same for every child, whoever pays. The codes are in docs/rules-of-the-till.md."""

    tap_id = ma.fields.UUID(required=True, allow_none=True, metadata={"description": "null: not even the id was one"})
    verdict = ma.fields.String(required=True, validate=ma.validate.OneOf(["served", "refused"]))
    code = ma.fields.String(required=True, allow_none=True)
    sentence = ma.fields.String(required=True)
    allergens = ma.fields.List(ma.fields.String(), required=True, metadata={"description": "that A40 to A42 speak of"})
    recorded_at = Instant(required=True)
    replayed = ma.fields.Boolean(required=True, metadata={"description": "answered before; nothing was sold now"})
    pupil = ma.fields.Nested(TillPupilSchema, required=True, allow_none=True)
    items = ma.fields.List(ma.fields.Nested(AnswerItemSchema), required=True)
    declined = ma.fields.List(ma.fields.Nested(AnswerItemSchema), required=True)
    warnings = ma.fields.List(ma.fields.Nested(WarningSchema), required=True)


class AnswersSchema(Schema):
    """One answer for each tap, in their order."""

    answers = ma.fields.List(ma.fields.Nested(AnswerSchema), required=True)


class UndoSchema(Schema):
    """A sale to be taken back; the same ``undo_id`` again is the same undo."""

    sale_id = ma.fields.UUID(required=True)
    undo_id = ma.fields.UUID(required=True, metadata={"description": "made by the caller"})
    reason = ma.fields.String(load_default="", validate=ma.validate.Length(max=LONGEST_REASON))


class UndoneSchema(Schema):
    """A sale that was taken back."""

    sale_id = ma.fields.UUID(required=True)
    undo_id = ma.fields.UUID(required=True, attribute="id")
    undone_at = Instant(required=True)


class StateSittingSchema(Schema):
    """A sitting of today at the till."""

    id = ma.fields.UUID(required=True)
    meal = ma.fields.String(required=True)
    shift = ma.fields.Integer(required=True)
    opens_at = LocalTime(required=True)
    closes_at = LocalTime(required=True)
    is_open = ma.fields.Boolean(required=True)
    count = ma.fields.Integer(required=True, metadata={"description": "set meals served so far"})
    version = ma.fields.Integer(required=True)
    items = ma.fields.List(ma.fields.Nested(MenuLineSchema), required=True)


class StateSaleSchema(Schema):
    """One of the till's last sales."""

    id = ma.fields.UUID(required=True)
    pupil_name = ma.fields.String(required=True)
    class_name = ma.fields.String(required=True)
    recorded_at = Instant(required=True)
    is_undone = ma.fields.Boolean(required=True)


class TillStateSchema(Schema):
    """What the till's page needs besides answers."""

    as_of = Instant(required=True)
    day = ma.fields.Date(required=True)
    last_seq = ma.fields.Integer(required=True, metadata={"description": "the highest number this till has counted"})
    cashier_name = ma.fields.String(required=True)
    is_office = ma.fields.Boolean(required=True, metadata={"description": "may decide about A40"})
    sittings = ma.fields.List(ma.fields.Nested(StateSittingSchema), required=True)
    sales = ma.fields.List(ma.fields.Nested(StateSaleSchema), required=True)


class TillClassSchema(Schema):
    """A class and its pupils."""

    id = ma.fields.UUID(required=True, allow_none=True)
    name = ma.fields.String(required=True)
    pupils = ma.fields.List(ma.fields.Nested(TillPupilSchema), required=True)


class TillPupilsSchema(Schema):
    """The school's classes with their pupils, for finding somebody without a card."""

    classes = ma.fields.List(ma.fields.Nested(TillClassSchema), required=True)
