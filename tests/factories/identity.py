"""Schools, people with roles, their sessions, and tills."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import factory
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask, current_app
from flask.testing import FlaskClient

from schoolmeals.actors import Actor, Grant, Role, person
from schoolmeals.identity.models import Device, Organisation, Person, RoleGrant, SignInSession
from schoolmeals.ids import new_id
from schoolmeals.keys import token_hash
from schoolmeals.web.security import device_cookie_name, session_cookie_name
from tests.factories import RowFactory

LONG_AGO: Final = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
TILL_KEY: Final = ec.generate_private_key(ec.SECP256R1())
"""The private key of every till that a factory makes."""


class OrganisationFactory(RowFactory[Organisation]):
    """A school; ``kind="city"`` for the education department."""

    class Meta:
        model = Organisation

    id = factory.LazyFunction(new_id)
    kind = "school"
    name_kk = factory.Sequence(lambda n: f"№{n + 1} мектеп")
    name_ru = factory.Sequence(lambda n: f"Школа №{n + 1}")
    name_en = factory.Sequence(lambda n: f"School No. {n + 1}")
    created_at = LONG_AGO


class RoleGrantFactory(RowFactory[RoleGrant]):
    """A standing role; ``person_id`` and ``organisation_id`` are needed."""

    class Meta:
        model = RoleGrant

    id = factory.LazyFunction(new_id)
    role = Role.CASHIER.value
    granted_at = LONG_AGO


class PersonFactory(RowFactory[Person]):
    """Somebody. ``roles=[(Role.CASHIER, school.id)]`` grants roles besides."""

    class Meta:
        model = Person

    id = factory.LazyFunction(new_id)
    name = factory.Sequence(lambda n: f"Айгүл Серікқызы {n + 1}")
    email = factory.Sequence(lambda n: f"person{n + 1}@example.kz")
    phone = None
    language = "en"
    created_at = LONG_AGO

    @factory.post_generation
    def roles(self: Any, create: bool, extracted: Iterable[tuple[Role, UUID]] | None, **_kwargs: Any) -> None:
        for role, organisation_id in extracted or ():
            RoleGrantFactory(person_id=self.id, role=role.value, organisation_id=organisation_id)


class DeviceFactory(RowFactory[Device]):
    """A till that is enrolled with :data:`TILL_KEY`; ``school_id`` is needed. ``cashier_id`` opens a shift."""

    class Meta:
        model = Device

    id = factory.LazyFunction(new_id)
    name = factory.Sequence(lambda n: f"Till {n + 1}")
    public_key = TILL_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    token_hash = factory.LazyAttribute(lambda device: token_hash(till_token(device.id)))
    shift_opened_at = factory.LazyAttribute(lambda device: _now() if device.cashier_id else None)
    cashier_id = None
    created_at = LONG_AGO
    enrolled_at = LONG_AGO


def actor_of(person_id: UUID, *grants: tuple[Role, UUID], language: str = "en") -> Actor:
    """The actor for ``do(deed, ..., actor=...)``: a person with roles in organisations."""
    return person(person_id, [Grant(role, organisation_id) for role, organisation_id in grants], language)


def signed_in(app: Flask, person_id: UUID) -> FlaskClient:
    """A browser in which the person is signed in."""
    token, now = secrets.token_urlsafe(32), _now()
    SessionFactory(token_hash=token_hash(token), person_id=person_id, created_at=now)
    client = app.test_client()
    client.set_cookie(session_cookie_name(app.extensions["schoolmeals"].settings), token)
    return client


def signed_in_till(app: Flask, device_id: UUID) -> FlaskClient:
    """A till's browser: a client with the cookie of a device that :class:`DeviceFactory` made."""
    client = app.test_client()
    client.set_cookie(device_cookie_name(app.extensions["schoolmeals"].settings), till_token(device_id))
    return client


def till_signature(body: bytes) -> bytes:
    """What a factory's till signs under ``body``: IEEE P1363, r and s in 32 bytes each, as WebCrypto makes it."""
    r, s = decode_dss_signature(TILL_KEY.sign(body, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def till_token(device_id: UUID) -> str:
    """The device token that a factory's till has in its cookie."""
    return f"token-of-{device_id}"


class SessionFactory(RowFactory[SignInSession]):
    """A sign-in; ``token_hash`` and ``person_id`` are needed."""

    class Meta:
        model = SignInSession

    id = factory.LazyFunction(new_id)
    carried_by = "cookie"
    factors = factory.LazyFunction(lambda: ["password"])
    user_agent = "a test's browser"
    address = "127.0.0.1"
    created_at = factory.LazyFunction(lambda: _now())
    last_seen_at = factory.SelfAttribute("created_at")
    expires_at = factory.LazyAttribute(lambda session: session.created_at + timedelta(days=30))


def _now() -> datetime:
    """The instant at which the app's own clock stands."""
    instant: datetime = current_app.extensions["schoolmeals"].clock()
    return instant
