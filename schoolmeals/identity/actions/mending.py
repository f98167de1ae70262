"""Giving somebody else a new way in: a code for a new password, or another try at a second factor."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update

from schoolmeals import audit
from schoolmeals.actors import Grant, Role
from schoolmeals.database import Work
from schoolmeals.errors import N_, NotAllowed, NotFound
from schoolmeals.identity import letters
from schoolmeals.identity.actions.sessions import end_sessions_of
from schoolmeals.identity.codes import new_code
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Passkey, PasswordReset, Person, RecoveryCode, RoleGrant
from schoolmeals.identity.resets import RESET, end_resets_of
from schoolmeals.identity.rules import may_mend_way_in
from schoolmeals.ids import new_id

CODE_LASTS: Final = timedelta(hours=24)


def give_password_code(work: Work, keys: Keyring, person_id: UUID) -> str:
    """A code with which somebody sets a new password, told once to whoever hands it over, good for 24 hours.

    Raises NotFound for a stranger, NotAllowed ``not-yours-to-mend`` for somebody whose roles reach further than the
    actor's (:func:`schoolmeals.identity.rules.may_mend_way_in`).
    """
    person = _lock_to_mend(work, person_id)
    code = new_code()
    end_resets_of(work, person.id)
    reset = PasswordReset(
        id=new_id(work.now),
        person_id=person.id,
        code_hash=keys.code_hash(RESET, code),
        given_by=work.actor.id,
        asked_at=work.now,
        expires_at=work.now + CODE_LASTS,
    )
    work.session.add(reset)
    work.session.flush()
    letters.write(work, keys, person, letters.CODE_GIVEN_SUBJECT, letters.CODE_GIVEN_TEXT)
    audit.record(work, "identity.give-password-code", audit.Subject("person", person.id), {"reset_id": reset.id})
    return code


def reset_second_factor(work: Work, keys: Keyring, person_id: UUID) -> None:
    """Take somebody's authenticator app, recovery codes and passkeys away, for who has lost them; all sessions end.

    Raises NotFound, NotAllowed as :func:`give_password_code` does.
    """
    person = _lock_to_mend(work, person_id)
    person.totp_secret_sealed = person.totp_confirmed_at = person.totp_last_step = None
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    work.session.execute(
        update(Passkey).where(Passkey.person_id == person.id, Passkey.removed_at.is_(None)).values(removed_at=work.now)
    )
    work.session.flush()
    end_sessions_of(work, person.id)
    letters.write(work, keys, person, letters.FACTOR_REMOVED_SUBJECT, letters.FACTOR_REMOVED_TEXT)
    audit.record(work, "identity.reset-second-factor", audit.Subject("person", person.id), {})


def _lock_to_mend(work: Work, person_id: UUID) -> Person:
    """Somebody whose way in the actor may mend, locked. Raises NotFound, NotAllowed ``not-yours-to-mend``."""
    person = work.session.get(Person, person_id, with_for_update=True)
    if person is None or person.disabled_at is not None:
        raise NotFound
    held = select(RoleGrant.role, RoleGrant.organisation_id).where(
        RoleGrant.person_id == person_id, RoleGrant.revoked_at.is_(None)
    )
    grants = [Grant(Role(role), organisation_id) for role, organisation_id in work.session.execute(held)]
    if not may_mend_way_in(work.actor, person_id, grants):
        raise NotAllowed(
            "not-yours-to-mend",
            N_("This person has roles beyond your school. Only a city admin can give them a new way in."),
        )
    return person
