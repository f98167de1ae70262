"""The room's decisions: who may give which role, which session still stands, when somebody has tried too often."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pyotp

from schoolmeals.actors import Actor, ActorKind, Awaits, Grant, Role
from schoolmeals.errors import N_
from schoolmeals.verdicts import Refused

SEEN_AGAIN_AFTER: Final = timedelta(minutes=1)
"""A session's ``last_seen_at`` is written at most this often."""
SECOND_FACTOR_WITHIN: Final = timedelta(minutes=10)
PROOF_LASTS: Final = timedelta(minutes=10)
"""Dangerous deeds are open for so long after somebody has proved who they are."""
PASSKEY_WITHIN: Final = timedelta(minutes=5)
ENROLMENT_WITHIN: Final = timedelta(minutes=15)
INVITATION_WITHIN: Final = timedelta(days=7)
MOST_DOUBLINGS: Final = 6
TOTP_SECONDS: Final = 30
TOO_MANY: Final = N_("Too many attempts. Try again in %(minutes)s min.")

ROLES_IN: Final[dict[str, frozenset[Role]]] = {
    "city": frozenset({Role.CITY_ADMIN, Role.AUDITOR, Role.PROCUREMENT_OFFICER, Role.COMMISSION_MEMBER}),
    "school": frozenset(
        {Role.SCHOOL_OFFICE, Role.CASHIER, Role.PARENT, Role.PROCUREMENT_OFFICER, Role.COMMISSION_MEMBER}
    ),
    "supplier": frozenset({Role.SUPPLIER}),
    "state": frozenset({Role.AUDITOR}),
}
"""The roles that make sense in each kind of organisation."""
OFFICE_GIVES: Final = frozenset({Role.CASHIER, Role.SCHOOL_OFFICE})
"""The roles that a school office gives in its own school."""
OFFICE_MENDS: Final = OFFICE_GIVES | {Role.PARENT}
"""The roles of those to whom a school office may give a new way in."""


SECOND_FACTOR_ROLES: Final = frozenset(
    {Role.CITY_ADMIN, Role.AUDITOR, Role.PROCUREMENT_OFFICER, Role.COMMISSION_MEMBER, Role.SCHOOL_OFFICE}
)
"""The roles that touch money, tenders or a whole school's children. They count only behind a second factor, where the
installation demands it.
"""
STRONG: Final = frozenset({"totp", "recovery", "passkey"})
"""The ways of signing in that a password alone does not open."""


@dataclass(frozen=True, slots=True)
class AttemptState:
    """How often one thing was tried in the present window."""

    count: int
    window_started_at: datetime
    blocked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """``count`` free attempts within ``per``; from then on one after each pause, which begins with ``block`` and
    doubles.
    """

    count: int
    per: timedelta
    block: timedelta


def roles_to_give(actor: Actor, kind: str, organisation_id: UUID) -> frozenset[Role]:
    """The roles that ``actor`` may give and take in an organisation of that kind."""
    possible = ROLES_IN.get(kind, frozenset())
    if actor.kind is ActorKind.SYSTEM or actor.has_role(Role.CITY_ADMIN):
        return possible
    if actor.has_role_in(organisation_id, [Role.SUPPLIER]):
        return possible & {Role.SUPPLIER}
    return possible & OFFICE_GIVES if actor.has_role_in(organisation_id, [Role.SCHOOL_OFFICE]) else frozenset()


def may_mend_way_in(actor: Actor, person_id: UUID, grants: Iterable[Grant]) -> bool:
    """Whether ``actor`` may give somebody with ``grants`` a new way in: a city admin anybody, a school office only
    those whose every role is one of its own school, or it could slip into what reaches further. Nobody themselves.
    """
    if person_id == actor.id:
        return False
    if actor.kind is ActorKind.SYSTEM or actor.has_role(Role.CITY_ADMIN):
        return True
    held, own = list(grants), actor.schools_as(Role.SCHOOL_OFFICE)
    return bool(held) and all(one.role in OFFICE_MENDS and one.organisation_id in own for one in held)


def after_attempt(before: AttemptState | None, limit: Limit, now: datetime) -> tuple[AttemptState, Refused | None]:
    """The state after one more attempt at ``now``, and the refusal where it came too soon.

    The last free attempt starts a pause. After each pause one more attempt is free, and the next pause is twice as
    long, until the window is over and everything begins anew: nobody is locked out for ever. An attempt during a pause
    is not counted, so that hammering makes no pause longer.
    """
    if before is not None and before.blocked_until is not None and now < before.blocked_until:
        wait = int((before.blocked_until - now).total_seconds()) + 1
        return before, Refused("too-many-attempts", TOO_MANY, {"retry_after_s": wait, "minutes": -(-wait // 60)})
    if before is None or now >= before.window_started_at + limit.per:
        before = AttemptState(0, now)
    count = before.count + 1
    pause = limit.block * 2 ** min(max(count - limit.count, 0), MOST_DOUBLINGS)
    return AttemptState(count, before.window_started_at, now + pause if count >= limit.count else None), None


def session_stands(
    *, ended_at: datetime | None, expires_at: datetime, last_seen_at: datetime, idle: timedelta, now: datetime
) -> bool:
    """Whether a session still lets somebody in: not ended, not too old, and not idle for too long."""
    return ended_at is None and now < expires_at and now < last_seen_at + idle


def shift_is_open(opened_at: datetime | None, longest: timedelta, now: datetime) -> bool:
    """Whether a till's shift is open. It closes by itself when it has been open for ``longest``."""
    return opened_at is not None and now < opened_at + longest


def totp_step(secret: str, code: str, last_step: int | None, now: datetime) -> int | None:
    """The time step whose code was given, or None where it is wrong or was used before.

    One step before and after the present is accepted, for clocks that are a little off; a step opens only once, and
    none before it opens afterwards (RFC 6238 section 5.2).
    """
    present = int(now.timestamp()) // TOTP_SECONDS
    generator = pyotp.TOTP(secret, interval=TOTP_SECONDS)
    for step in (present - 1, present, present + 1):
        right = generator.generate_otp(step)
        if hmac.compare_digest(right.encode(), code.encode()) and (last_step is None or step > last_step):
            return step
    return None


def needs_second_factor(roles: Iterable[Role], *, has_second_factor: bool) -> bool:
    """Whether somebody should be asked to set up a second factor: whoever handles other people's data. Cashiers sign
    in at the till by PIN.
    """
    return not has_second_factor and bool(frozenset(roles) - {Role.PARENT, Role.CASHIER})


def awaited(roles: Iterable[Role], factors: Iterable[str], *, has_second_factor: bool) -> Awaits | None:
    """What somebody with ``roles``, signed in by ``factors``, must still do where staff need a second factor.

    A password alone is not enough for somebody who has a passkey, either: else whoever learns the password could set
    up a second factor of their own beside it.
    """
    if SECOND_FACTOR_ROLES.isdisjoint(roles) or not STRONG.isdisjoint(factors):
        return None
    return Awaits.PROOF if has_second_factor else Awaits.SET_UP


def proof_stands(proved_at: datetime, factors: Iterable[str], now: datetime) -> bool:
    """Whether a dangerous deed may go on. Invented people have nothing to prove themselves with."""
    return now < proved_at + PROOF_LASTS or "demo" in factors
