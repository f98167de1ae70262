"""Proving once more who one is, before a dangerous deed; and what makes a session count for more than a password."""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.errors import N_
from schoolmeals.identity.actions.second_factor import try_second_factor
from schoolmeals.identity.attempts import HOUR, PAUSE, forget_attempts, spend_attempt
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Person, SignInSession
from schoolmeals.identity.passwords import is_secret
from schoolmeals.identity.queries import lock_me
from schoolmeals.verdicts import Refused

WRONG_PASSWORD: Final = Refused("wrong-password", N_("The password is not right."))


def prove_again(work: Work, keys: Keyring, proof: str, *, session_id: UUID | None) -> Refused | None:
    """Let the actor's session do dangerous deeds for ten minutes: by a code of the second factor where there is an
    authenticator app, else by the password. Refused ``wrong-code``, ``wrong-password`` or ``too-many-attempts``.
    """
    person = lock_me(work)
    if person.totp_confirmed_at is not None:
        factor = try_second_factor(work, keys, person, proof)
    else:
        factor = _try_password(work, keys, person, proof)
    if isinstance(factor, Refused):
        return factor
    strengthen_session(work, session_id, factor)
    return None


def strengthen_session(work: Work, session_id: UUID | None, factor: str) -> None:
    """Note that the actor has just proved who they are by ``factor`` in one of their sessions."""
    session = work.session.scalars(
        select(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.person_id == work.actor.id)
        .with_for_update()
    ).one()
    session.proved_at = work.now
    if factor not in session.factors:
        session.factors = [*session.factors, factor]
    work.session.flush()
    audit.record(
        work,
        "identity.prove-again",
        audit.Subject("person", work.actor.id),
        {"session_id": session.id, "factor": factor},
    )


def _try_password(work: Work, keys: Keyring, person: Person, password: str) -> str | Refused:
    right = is_secret(person.password_hash, password)
    key = keys.attempt_key("password", person.id)
    if (refused := spend_attempt(work, "password", key, limit=5, per=HOUR, block=PAUSE)) is not None:
        return refused
    if not right:
        audit.record(
            work, "identity.refuse-password", audit.Subject("person", person.id), {"code": WRONG_PASSWORD.code}
        )
        return WRONG_PASSWORD
    forget_attempts(work, key)
    return "password"
