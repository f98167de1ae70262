"""What programs send and are told about pupils, cards, guardians and imports."""

from typing import Any

import marshmallow as ma

from schoolmeals.pupils.facts import AllergenFact, NewPupil
from schoolmeals.pupils.papers import PUPILS_AT_ONCE
from schoolmeals.pupils.rules import (
    BLOCK_REASONS,
    EU_ALLERGENS,
    LISTED_RELATIONS,
    NAME_LENGTH,
    NOTE_LENGTH,
    OTHER,
    RELATIONS,
    SEVERITIES,
)
from schoolmeals.web import Schema

_NAME = ma.validate.Length(1, NAME_LENGTH)
_INSTANT: dict[str, Any] = {"format": "iso"}


class AllergenSchema(Schema):
    """What a pupil must not eat, and how serious it is."""

    code = ma.fields.String(
        required=True,
        validate=ma.validate.Length(1, NAME_LENGTH + len(OTHER)),
        metadata={"description": f"{', '.join(EU_ALLERGENS)}; or {OTHER} and free words"},
    )
    severity = ma.fields.String(required=True, validate=ma.validate.OneOf(SEVERITIES))

    @ma.post_load
    def make(self, data: dict[str, Any], **_: Any) -> AllergenFact:
        """As a fact."""
        return AllergenFact(**data)


class AllergensSchema(Schema):
    """All that a pupil must not eat; what is not in it is taken away."""

    allergens = ma.fields.List(ma.fields.Nested(AllergenSchema), required=True, validate=ma.validate.Length(max=30))


class PupilSchema(Schema):
    """A pupil."""

    id = ma.fields.UUID(required=True)
    school_id = ma.fields.UUID(required=True)
    surname = ma.fields.String(required=True)
    given_name = ma.fields.String(required=True)
    patronymic = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    birth_date = ma.fields.Date(required=True, allow_none=True)
    class_id = ma.fields.UUID(required=True, allow_none=True)
    class_name = ma.fields.String(required=True)
    grade = ma.fields.Integer(required=True, allow_none=True)
    photo_id = ma.fields.UUID(required=True, allow_none=True)
    diet_note = ma.fields.String(required=True)
    allergens = ma.fields.List(ma.fields.Nested(AllergenSchema), required=True)
    joined_on = ma.fields.Date(required=True)
    left_on = ma.fields.Date(required=True, allow_none=True)


class PupilListSchema(Schema):
    """A page of pupils."""

    pupils = ma.fields.List(ma.fields.Nested(PupilSchema), required=True)
    total = ma.fields.Integer(required=True)
    page = ma.fields.Integer(required=True)
    per_page = ma.fields.Integer(required=True)


class MyPupilsSchema(Schema):
    """The pupils whose guardian asks."""

    pupils = ma.fields.List(ma.fields.Nested(PupilSchema), required=True)


class PupilQuerySchema(Schema):
    """Which pupils are asked for."""

    class_id = ma.fields.UUID(load_default=None)
    search = ma.fields.String(load_default="", validate=ma.validate.Length(max=NAME_LENGTH))
    without_card = ma.fields.Boolean(load_default=False)
    left = ma.fields.Boolean(load_default=False)
    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(1, 100_000))
    per_page = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 200))


class NewPupilSchema(Schema):
    """What can be told of a pupil."""

    surname = ma.fields.String(required=True, validate=_NAME)
    given_name = ma.fields.String(required=True, validate=_NAME)
    patronymic = ma.fields.String(load_default="", validate=ma.validate.Length(max=NAME_LENGTH))
    birth_date = ma.fields.Date(load_default=None, allow_none=True)
    class_id = ma.fields.UUID(load_default=None, allow_none=True)
    diet_note = ma.fields.String(load_default="", validate=ma.validate.Length(max=NOTE_LENGTH))

    @ma.post_load
    def make(self, data: dict[str, Any], **_: Any) -> NewPupil:
        """As a pupil to be."""
        return NewPupil(**data)


class ClassSchema(Schema):
    """A class."""

    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    grade = ma.fields.Integer(required=True)
    shift = ma.fields.Integer(required=True)
    pupils = ma.fields.Integer(required=True)


class ClassListSchema(Schema):
    """The classes of a school, the youngest first."""

    classes = ma.fields.List(ma.fields.Nested(ClassSchema), required=True)


class CardSchema(Schema):
    """A card: what people see of its number, never the number."""

    id = ma.fields.UUID(required=True)
    pupil_id = ma.fields.UUID(required=True)
    kind = ma.fields.String(required=True)
    label = ma.fields.String(required=True)
    issued_at = ma.fields.DateTime(required=True, **_INSTANT)
    expires_on = ma.fields.Date(required=True, allow_none=True)
    blocked_at = ma.fields.DateTime(required=True, allow_none=True, **_INSTANT)
    block_reason = ma.fields.String(required=True, allow_none=True)


class CardListSchema(Schema):
    """The cards of a pupil that have not ended."""

    cards = ma.fields.List(ma.fields.Nested(CardSchema), required=True)


class NewCardSchema(Schema):
    """A card as the reader reads it."""

    number = ma.fields.String(required=True, load_only=True, validate=ma.validate.Length(1, 60))


class BlockSchema(Schema):
    """Why a card is stopped."""

    reason = ma.fields.String(load_default="lost", validate=ma.validate.OneOf(BLOCK_REASONS))


class GuardianSchema(Schema):
    """Somebody who answers for a pupil."""

    person_id = ma.fields.UUID(required=True)
    relation = ma.fields.String(required=True, validate=ma.validate.OneOf(RELATIONS))
    since = ma.fields.DateTime(required=True, **_INSTANT)


class GuardianListSchema(Schema):
    """The guardians of a pupil."""

    guardians = ma.fields.List(ma.fields.Nested(GuardianSchema), required=True)


class ListedGuardianSchema(Schema):
    """Whom the school's list calls a pupil's guardian, and how far they have come."""

    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    relation = ma.fields.String(required=True, validate=ma.validate.OneOf(LISTED_RELATIONS))
    email = ma.fields.String(required=True)
    phone = ma.fields.String(required=True)
    invited_at = ma.fields.DateTime(required=True, allow_none=True, **_INSTANT)
    good_until = ma.fields.DateTime(required=True, allow_none=True, **_INSTANT)
    has_joined = ma.fields.Boolean(required=True)


class ListedGuardianListSchema(Schema):
    """The guardians on the school's list, by name. None of them sees anything before they have claimed the pupil."""

    guardians = ma.fields.List(ma.fields.Nested(ListedGuardianSchema), required=True)


class ChosenPupilsSchema(Schema):
    """For whom something is printed or sent: pupils by their ids, or a whole class."""

    pupil_ids = ma.fields.List(ma.fields.UUID(), load_default=list, validate=ma.validate.Length(max=PUPILS_AT_ONCE))
    class_id = ma.fields.UUID(load_default=None, allow_none=True)

    @ma.validates_schema
    def one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        """Either pupils or a class."""
        if bool(data["pupil_ids"]) == (data["class_id"] is not None):
            raise ma.ValidationError("give either pupil_ids or class_id", "pupil_ids")


class SentSchema(Schema):
    """How many letters are on their way."""

    letters = ma.fields.Integer(required=True)


class GivenCodeSchema(Schema):
    """A claim code. It is told only now."""

    code = ma.fields.String(required=True)
    address = ma.fields.String(required=True, metadata={"description": "where it is claimed"})
    good_until = ma.fields.DateTime(required=True, **_INSTANT)


class ClaimSchema(Schema):
    """A claim code from the school's letter."""

    code = ma.fields.String(required=True, load_only=True, validate=ma.validate.Length(1, 40))
    relation = ma.fields.String(required=True, validate=ma.validate.OneOf(RELATIONS))


class ClaimedSchema(Schema):
    """The pupil that was claimed."""

    school_id = ma.fields.UUID(required=True)
    pupil_id = ma.fields.UUID(required=True)
    is_new = ma.fields.Boolean(required=True)


class ProblemRowSchema(Schema):
    """What is wrong with one value of a file."""

    file = ma.fields.String(required=True)
    line = ma.fields.Integer(required=True)
    column = ma.fields.String(required=True)
    code = ma.fields.String(required=True)
    sentence = ma.fields.String(required=True)


class ImportSchema(Schema):
    """A roll that was uploaded."""

    id = ma.fields.UUID(required=True)
    file_name = ma.fields.String(required=True)
    counts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer(), required=True)
    must_be_confirmed = ma.fields.Boolean(required=True)
    problems = ma.fields.List(ma.fields.Nested(ProblemRowSchema), required=True)
    rows_total = ma.fields.Integer(required=True)
    rows_done = ma.fields.Integer(required=True)
    uploaded_at = ma.fields.DateTime(required=True, **_INSTANT)
    confirmed_at = ma.fields.DateTime(required=True, allow_none=True, **_INSTANT)
    applied_at = ma.fields.DateTime(required=True, allow_none=True, **_INSTANT)
    dropped_at = ma.fields.DateTime(required=True, allow_none=True, **_INSTANT)


class ConfirmSchema(Schema):
    """The yes to a preview."""

    confirmation = ma.fields.String(
        load_default="",
        validate=ma.validate.Length(max=20),
        metadata={"description": "the number of pupils who leave, where must_be_confirmed is true"},
    )


class UploadSchema(Schema):
    """A file."""

    file = ma.fields.Raw(required=True, metadata={"type": "string", "format": "binary"})
