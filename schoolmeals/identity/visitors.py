"""Who sends the present request: a person by the token of a session, or a till by its token or its signature.

An actor of kind device arises only from the token in the device's cookie, or from headers ``X-Device-Id`` and
``X-Device-Signature`` whose signature over this request's body is right. An id alone is never believed.

A till that rings up is remembered by this process, and its doors ask in the very transaction of their deed whether it
still stands as remembered (:func:`standing_question`): a look-up by itself would cost a tap a tenth of its time.
"""

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from flask import current_app, g, request
from sqlalchemy import Connection, Engine, update

from schoolmeals.actors import PUBLIC, Actor, ActorKind, Grant, Role, device, person
from schoolmeals.asking import Question, ask
from schoolmeals.database import Work, db, transaction
from schoolmeals.errors import NotFound
from schoolmeals.identity.actions.profile import set_language
from schoolmeals.identity.models import SignInSession
from schoolmeals.identity.queries import DeviceFacts, device_of, find_device
from schoolmeals.identity.rules import SEEN_AGAIN_AFTER, awaited, proof_stands, session_stands, shift_is_open
from schoolmeals.identity.signatures import verify_signature
from schoolmeals.keys import token_hash
from schoolmeals.web import DEVICE, actor, now, settings
from schoolmeals.web.guards import View
from schoolmeals.web.security import device_cookie_name, session_cookie_name

LONGEST_SIGNED_BODY: Final = 2_000_000
LONGEST_TOKEN: Final = 200

# Everything about a session in one statement: its own times, the person, the standing roles.
_SESSION: Final = """
    SELECT s.id, s.ended_at, s.expires_at, s.last_seen_at, s.carried_by, s.factors,
           coalesce(s.proved_at, s.created_at) AS proved_at, p.id AS person_id, p.language,
           p.totp_confirmed_at IS NOT NULL OR EXISTS (
               SELECT FROM passkey k WHERE k.person_id = p.id AND k.removed_at IS NULL) AS has_second_factor,
           (SELECT array_agg(g.role || ' ' || g.organisation_id) FROM role_grant g
             WHERE g.person_id = p.id AND g.revoked_at IS NULL) AS grants
      FROM sign_in_session s JOIN person p ON p.id = s.person_id
     WHERE s.token_hash = %(token_hash)s AND p.disabled_at IS NULL
    """

_DEVICE_STANDS: Final = """
    SELECT id
      FROM device
     WHERE token_hash = %(token_hash)s AND id = %(id)s AND school_id = %(school_id)s
       AND (public_key, cashier_id, shift_opened_at, enrolled_at, revoked_at) IS NOT DISTINCT FROM
           (CAST(%(public_key)s AS bytea), CAST(%(cashier_id)s AS uuid), CAST(%(shift_opened_at)s AS timestamptz),
            CAST(%(enrolled_at)s AS timestamptz), CAST(%(revoked_at)s AS timestamptz))
"""


def find_actor() -> Actor:
    """Who sends the present request, found with one statement; PUBLIC where nobody is known.

    A browser may be both a till and signed in: doors for devices ask the till, all others the person.
    """
    if _is_device_door():
        return _device_actor() or _person_actor() or PUBLIC
    return _person_actor() or _device_actor() or PUBLIC


def keep_language(language: str) -> None:
    """Remember ``language`` for a person who is signed in, in a transaction of its own."""
    who = actor()
    if who.kind is ActorKind.PERSON:
        with transaction(who, now()) as work:
            set_language(work, language)


def present_session_id() -> UUID | None:
    """The id of the session that this request came with, or None."""
    actor()
    found: UUID | None = g.get("session_id")
    return found


def proved_lately() -> bool:
    """Whether the person who sends this request has proved who they are within the last ten minutes."""
    actor()
    found: tuple[datetime, list[str]] | None = g.get("session_proof")
    return found is not None and proof_stands(*found, now())


def present_token_hash() -> bytes | None:
    """The hash of the session token in this request's cookie, or None."""
    token = request.cookies.get(session_cookie_name(settings()))
    return token_hash(token) if token else None


def present_device() -> DeviceFacts | None:
    """The till that sends this request, as it was loaded with the actor: no further statement."""
    actor()
    found: DeviceFacts | None = g.get("device")
    return found


def remembers_till(view: View) -> View:
    """Mark a view whose deed asks :func:`standing_question`: the till may be taken from memory before."""
    view.remembers_till = True  # type: ignore[attr-defined]
    return view


def standing_question() -> Question[bool] | None:
    """What the deed must ask, where this request's till was taken from memory; no means :class:`TillChanged`."""
    found: bytes | None = g.get("till_from_memory")
    return None if found is None else _device_stands(g.device, found)


def _device_stands(facts: DeviceFacts, token_hash: bytes) -> Question[bool]:
    """Whether the till with this token is still what it was, but for names: to be sent with other questions."""
    parameters = {
        "token_hash": token_hash,
        "id": facts.id,
        "school_id": facts.school_id,
        "public_key": facts.public_key,
        "cashier_id": facts.cashier_id,
        "shift_opened_at": facts.shift_opened_at,
        "enrolled_at": facts.enrolled_at,
        "revoked_at": facts.revoked_at,
    }
    return Question(_DEVICE_STANDS, parameters, bool)


def look_again() -> None:
    """Forget the till that was taken from memory, and look who sends this request."""
    if (remembered := g.pop("till_from_memory", None)) is not None:
        _remembered.pop(remembered, None)
        g.pop("device", None)
        g.pop("actor", None)


class TillChanged(Exception):
    """The till does not stand as it was remembered."""


def device_from_headers(work: Work) -> DeviceFacts:
    """The till named by ``X-Device-Id`` whose key signed this request's body (``X-Device-Signature``, base64url).

    For tills that are no browsers. Raises NotFound where there is no such till in use or the signature is wrong.
    """
    signed = _signed_headers()
    if signed is None:
        raise NotFound
    facts = device_of(work, signed.device_id)
    if not _is_in_use(facts) or not _signed_it(facts, signed.signature):
        raise NotFound
    return facts


@dataclass(frozen=True, slots=True)
class _Signed:
    device_id: UUID
    signature: bytes


def _person_actor() -> Actor | None:
    token, carried_by = _session_token()
    if not token or len(token) > LONGEST_TOKEN:
        return None
    with _connection() as connection:
        found = ask(connection, _SESSION, {"token_hash": token_hash(token)})
        row = found[0] if found else None
        if row is None or row.carried_by != carried_by or not _stands(row):
            return None
        if now() >= row.last_seen_at + SEEN_AGAIN_AFTER:
            connection.execute(update(SignInSession).where(SignInSession.id == row.id).values(last_seen_at=now()))
    g.session_id, g.session_proof = row.id, (row.proved_at, row.factors)
    grants = [_grant(words) for words in row.grants or ()]
    awaits = None
    if settings().demands_second_factor:
        awaits = awaited([one.role for one in grants], row.factors, has_second_factor=row.has_second_factor)
    who = person(row.person_id, grants, row.language)
    # Without grants no room admits them, whatever a door may forget to ask.
    return who if awaits is None else replace(who, grants=frozenset(), awaits=awaits)


def _session_token() -> tuple[str | None, str]:
    """A bearer token where one is sent, else the cookie's. They are no substitutes for each other: what comes without
    being asked for by a script (a cookie) must also carry a CSRF token, and a bearer token is excused from it.
    """
    if request.authorization is not None and request.authorization.type == "bearer":
        return request.authorization.token, "bearer"
    return request.cookies.get(session_cookie_name(settings())), "cookie"


def _stands(row: Any) -> bool:
    return session_stands(
        ended_at=row.ended_at,
        expires_at=row.expires_at,
        last_seen_at=row.last_seen_at,
        idle=timedelta(minutes=settings().session_idle_minutes),
        now=now(),
    )


def _grant(words: str) -> Grant:
    role, organisation_id = words.split(" ")
    return Grant(Role(role), UUID(organisation_id))


def _device_actor() -> Actor | None:
    token = request.cookies.get(device_cookie_name(settings()))
    signed = None if token else _signed_headers()
    if token and len(token) <= LONGEST_TOKEN:
        facts = _till_of(token_hash(token))
    elif signed is not None:
        with _connection() as connection:
            facts = find_device(connection, "id", signed.device_id)
    else:
        return None
    if facts is None or not _is_in_use(facts) or (signed is not None and not _signed_it(facts, signed.signature)):
        return None
    g.device = facts
    longest = timedelta(hours=settings().till_shift_hours)
    open_for = facts.cashier_id if shift_is_open(facts.shift_opened_at, longest, now()) else None
    return device(facts.id, facts.school_id, open_for)


_remembered: Final[dict[bytes, DeviceFacts]] = {}
"""Tills by the hash of their token, as this process last saw them."""
MOST_REMEMBERED: Final = 4096


def _till_of(hashed: bytes) -> DeviceFacts | None:
    remembers = getattr(_door(), "remembers_till", False)
    if remembers and (remembered := _remembered.get(hashed)) is not None:
        longest = timedelta(hours=settings().till_shift_hours)
        if shift_is_open(remembered.shift_opened_at, longest, now()):
            g.till_from_memory = hashed
            return remembered
    with _connection() as connection:
        facts = find_device(connection, "token_hash", hashed)
    if remembers and facts is not None:
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        _remembered[hashed] = facts
    return facts


def _is_in_use(facts: DeviceFacts) -> bool:
    return facts.enrolled_at is not None and facts.revoked_at is None


def _signed_headers() -> _Signed | None:
    """What the two headers say, unproved. Only a request with a body can be signed: an empty one always looks alike."""
    device_id, signature = request.headers.get("X-Device-Id"), request.headers.get("X-Device-Signature")
    if not device_id or not signature or not 0 < (request.content_length or 0) <= LONGEST_SIGNED_BODY:
        return None
    try:
        return _Signed(UUID(device_id), signature_bytes(signature))
    except ValueError:
        return None


def signature_bytes(header: str) -> bytes:
    """The bytes of an ``X-Device-Signature``. Raises ValueError where it is not base64url."""
    try:
        return base64.b64decode(header + "=" * (-len(header) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _signed_it(facts: DeviceFacts, signature: bytes) -> bool:
    return facts.public_key is not None and verify_signature(facts.public_key, request.get_data(), signature)


def _is_device_door() -> bool:
    """Whether the wanted door is one for devices only."""
    return getattr(_door(), "guard_policy", None) is DEVICE


def _door() -> Any:
    view: Any = current_app.view_functions.get(request.endpoint or "")
    methods = getattr(view, "view_class", None)
    return getattr(methods, request.method.lower(), None) if methods is not None else view


def _connection() -> Connection:
    """A connection on which each statement stands for itself: one round trip, no transaction around it."""
    return _without_transactions(db.engine).connect()


@lru_cache(maxsize=8)
def _without_transactions(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="AUTOCOMMIT")
