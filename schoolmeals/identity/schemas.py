"""What programs send and are told about sessions and themselves."""

from typing import Any

import marshmallow as ma

from schoolmeals.actors import Role
from schoolmeals.web import Schema


class SignInSchema(Schema):
    """E-mail or phone and password, and a code where there is a second factor."""

    contact = ma.fields.String(required=True, validate=ma.validate.Length(1, 254))
    password = ma.fields.String(required=True, load_only=True, validate=ma.validate.Length(1, 1_000))
    code = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(1, 40),
        metadata={"description": "a code of the authenticator app, or a recovery code"},
    )


class SessionSchema(Schema):
    """One signed-in browser or program."""

    id = ma.fields.UUID(required=True)
    carried_by = ma.fields.String(required=True, validate=ma.validate.OneOf(["cookie", "bearer"]))
    factors = ma.fields.List(ma.fields.String(), required=True)
    user_agent = ma.fields.String(required=True)
    address = ma.fields.String(required=True)
    created_at = ma.fields.DateTime(required=True, format="iso")
    last_seen_at = ma.fields.DateTime(required=True, format="iso")
    expires_at = ma.fields.DateTime(required=True, format="iso")
    is_this = ma.fields.Boolean(required=True)


class NewSessionSchema(Schema):
    """A session that has just begun, with its token: told once."""

    token = ma.fields.String(required=True, metadata={"description": "send it as Authorization: Bearer"})
    session_id = ma.fields.UUID(required=True)
    person_id = ma.fields.UUID(required=True)
    expires_at = ma.fields.DateTime(required=True, format="iso")


class GrantSchema(Schema):
    """One role in one organisation."""

    role = ma.fields.String(required=True, validate=ma.validate.OneOf([role.value for role in Role]))
    organisation_id = ma.fields.UUID(required=True)


class MeSchema(Schema):
    """Who is signed in."""

    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    email = ma.fields.String(required=True, allow_none=True)
    phone = ma.fields.String(required=True, allow_none=True)
    language = ma.fields.String(required=True, validate=ma.validate.OneOf(["kk", "ru", "en"]))
    has_second_factor = ma.fields.Boolean(required=True)
    grants: Any = ma.fields.List(ma.fields.Nested(GrantSchema), required=True)
