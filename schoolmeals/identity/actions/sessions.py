"""Signing in and out. A session's token is known to the client alone; the database keeps its hash."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.errors import N_, NotFound
from schoolmeals.identity.actions.second_factor import SECOND_FACTOR, try_second_factor
from schoolmeals.identity.attempts import HOUR, PAUSE, forget_attempts, spend_attempt
from schoolmeals.identity.contacts import contact_of
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Challenge, Person, SignInSession
from schoolmeals.identity.passwords import LONGEST, is_secret
from schoolmeals.identity.rules import SECOND_FACTOR_WITHIN
from schoolmeals.ids import new_id
from schoolmeals.keys import token_hash
from schoolmeals.verdicts import Refused

DEMO_DOMAIN: Final = "@demo.example"
LONGEST_USER_AGENT: Final = 300
WRONG: Final = Refused("wrong-password", N_("The e-mail, phone or password is not right. Check them and try again."))
TOO_LATE: Final = Refused("sign-in-expired", N_("This took too long. Start again with your password."))


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from, and how long its session may live at most."""

    address: str
    user_agent: str
    longest: timedelta
    carried_by: str = "cookie"
    replaces: bytes | None = None
    """The token hash of the session that this browser had until now: it ends."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session. ``token`` is told once, to the client."""

    token: str
    session_id: UUID
    person_id: UUID
    language: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The password was right. ``token`` proves it for ten minutes."""

    token: str


def sign_in(
    work: Work, keys: Keyring, *, contact: str, password: str, caller: Caller
) -> SignedIn | SecondFactorNeeded | Refused:
    """Sign somebody in by e-mail or phone and password.

    Refused ``wrong-password`` says the same, after the same time, whether the person is unknown, disabled, has no
    password or has another one. Refused ``too-many-attempts`` comes even where the password is right.
    """
    known = contact_of(contact)
    person = _person_by(work, known.email, known.phone) if known is not None else None
    right = is_secret(person.password_hash if person is not None else None, password[: LONGEST + 1])
    name = known.text if known is not None else contact[:LONGEST].casefold()
    # Whoever knows the password must wait as well, or the wait would tell which guess was right.
    if (refused := _count_sign_in(work, keys, name, caller.address)) is not None:
        return refused
    if person is None or not right:
        _record_failure(work, person, WRONG.code, caller, contact=name)
        return WRONG
    _forget_sign_in(work, keys, name, caller.address)
    if person.totp_confirmed_at is not None:
        return _await_second_factor(work, person.id)
    return begin_session(work, person, factors=("password",), caller=caller)


def finish_sign_in(work: Work, keys: Keyring, *, token: str, code: str, caller: Caller) -> SignedIn | Refused:
    """Sign in with the second factor: a code of the authenticator app, or a recovery code. Each opens once.

    Refused ``sign-in-expired`` where the password was given too long ago, ``wrong-code``, ``too-many-attempts``.
    """
    pending = work.session.scalar(
        select(Challenge)
        .where(Challenge.challenge == token_hash(token), Challenge.purpose == SECOND_FACTOR)
        .with_for_update()
    )
    if pending is None or pending.used_at is not None or work.now >= pending.expires_at:
        return TOO_LATE
    person = work.session.scalar(
        select(Person).where(Person.id == pending.person_id, Person.disabled_at.is_(None)).with_for_update()
    )
    if person is None:
        return TOO_LATE
    factor = try_second_factor(work, keys, person, code)
    if isinstance(factor, Refused):
        return factor
    pending.used_at = work.now
    return begin_session(work, person, factors=("password", factor), caller=caller)


def sign_in_demo_person(work: Work, person_id: UUID, caller: Caller) -> SignedIn:
    """Sign in as an invented person, by one tap: a door of the demo only. Raises NotFound for anybody else."""
    person = work.session.get(Person, person_id)
    if person is None or not (person.email or "").endswith(DEMO_DOMAIN) or person.disabled_at is not None:
        raise NotFound
    return begin_session(work, person, factors=("demo",), caller=caller)


def begin_session(work: Work, person: Person, *, factors: tuple[str, ...], caller: Caller) -> SignedIn:
    """A new session with a new token for somebody who has proved who they are."""
    if caller.replaces is not None:
        work.session.execute(
            update(SignInSession)
            .where(SignInSession.token_hash == caller.replaces, SignInSession.ended_at.is_(None))
            .values(ended_at=work.now)
        )
    token = secrets.token_urlsafe(32)
    session = SignInSession(
        token_hash=token_hash(token),
        id=new_id(work.now),
        person_id=person.id,
        carried_by=caller.carried_by,
        factors=list(factors),
        user_agent=caller.user_agent[:LONGEST_USER_AGENT],
        address=caller.address,
        created_at=work.now,
        last_seen_at=work.now,
        expires_at=work.now + caller.longest,
    )
    work.session.add(session)
    work.session.flush()
    audit.record(
        work,
        "identity.sign-in",
        audit.Subject("person", person.id),
        {"session_id": session.id, "factors": list(factors), "carried_by": caller.carried_by},
        personal={"address": caller.address, "user_agent": session.user_agent},
    )
    return SignedIn(token, session.id, person.id, person.language, session.expires_at)


def end_session(work: Work, session_id: UUID) -> None:
    """End one of the actor's own sessions at once. Raises NotFound where it is not theirs or has ended."""
    ended = work.session.scalar(
        update(SignInSession)
        .where(
            SignInSession.id == session_id,
            SignInSession.person_id == work.actor.id,
            SignInSession.ended_at.is_(None),
        )
        .values(ended_at=work.now)
        .returning(SignInSession.id)
    )
    if ended is None:
        raise NotFound
    audit.record(work, "identity.sign-out", audit.Subject("person", work.actor.id), {"session_id": session_id})


def end_sessions_of(work: Work, person_id: UUID, *, but: UUID | None = None) -> int:
    """End all sessions of somebody at once, ``but`` one where it is given; how many there were."""
    ended = work.session.scalars(
        update(SignInSession)
        .where(
            SignInSession.person_id == person_id, SignInSession.ended_at.is_(None), SignInSession.id != (but or _NONE)
        )
        .values(ended_at=work.now)
        .returning(SignInSession.id)
    ).all()
    audit.record(
        work, "identity.end-sessions", audit.Subject("person", person_id), {"session_ids": sorted(map(str, ended))}
    )
    return len(ended)


_NONE: Final = UUID(int=0)


def _person_by(work: Work, email: str | None, phone: str | None) -> Person | None:
    one = Person.email == email if email is not None else Person.phone == phone
    return work.session.scalar(select(Person).where(one, Person.disabled_at.is_(None)))


def _count_sign_in(work: Work, keys: Keyring, name: str, address: str) -> Refused | None:
    """Three counts: this person from this address, this person from anywhere, anybody from this address.

    The first is strict; the second is wide enough that a stranger can hardly keep somebody else out, the third lets a
    whole school sign in behind one address.
    """
    for purpose, key, limit in (
        ("sign-in", keys.attempt_key("sign-in", name, address), 5),
        ("sign-in-person", keys.attempt_key("sign-in-person", name), 30),
        ("sign-in-address", keys.attempt_key("sign-in-address", address), 300),
    ):
        if (refused := spend_attempt(work, purpose, key, limit=limit, per=HOUR, block=PAUSE)) is not None:
            return refused
    return None


def _forget_sign_in(work: Work, keys: Keyring, name: str, address: str) -> None:
    forget_attempts(work, keys.attempt_key("sign-in", name, address))


def _await_second_factor(work: Work, person_id: UUID) -> SecondFactorNeeded:
    token = secrets.token_urlsafe(32)
    work.session.add(
        Challenge(
            id=new_id(work.now),
            person_id=person_id,
            purpose=SECOND_FACTOR,
            challenge=token_hash(token),
            created_at=work.now,
            expires_at=work.now + SECOND_FACTOR_WITHIN,
        )
    )
    work.session.flush()
    audit.record(work, "identity.ask-second-factor", audit.Subject("person", person_id), {})
    return SecondFactorNeeded(token)


def _record_failure(work: Work, person: Person | None, code: str, caller: Caller, **personal: str) -> None:
    audit.record(
        work,
        "identity.refuse-sign-in",
        audit.Subject("person", person.id if person is not None else None),
        {"code": code},
        personal={"address": caller.address, **personal},
    )
