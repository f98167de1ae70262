"""Inviting somebody into a role by a one-time code, and accepting."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals import audit
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound
from schoolmeals.identity.actions.people import grant_role, name_problems, new_person
from schoolmeals.identity.actions.sessions import Caller, SignedIn, begin_session
from schoolmeals.identity.attempts import HOUR, PAUSE, forget_attempts, spend_attempt
from schoolmeals.identity.codes import new_code, plain_code
from schoolmeals.identity.contacts import contact_of
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Invitation, Organisation, Person
from schoolmeals.identity.rules import INVITATION_WITHIN, roles_to_give
from schoolmeals.ids import new_id
from schoolmeals.verdicts import Refused

INVITATION: Final = "invitation"
WRONG_CODE: Final = Refused(
    "wrong-code", N_("This code is not right, was used before, or has expired. Ask who invited you for a new one.")
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody without an account says of themselves."""

    name: str
    contact: str
    password: str
    language: str


def invite(work: Work, organisation_id: UUID, role: Role, name: str, *, keys: Keyring) -> tuple[UUID, str]:
    """Invite somebody to be ``role`` in an organisation: the invitation's id and its code, told once, good for 7 days.

    Raises NotFound where the actor may give no role there, Invalid with the fields role and name.
    """
    kind = work.session.scalar(select(Organisation.kind).where(Organisation.id == organisation_id))
    allowed = roles_to_give(work.actor, kind, organisation_id) if kind is not None else frozenset()
    if kind is None or not allowed:
        raise NotFound
    problems = name_problems(name)
    # A parent's role comes from a claimed pupil alone.
    if role not in allowed - {Role.PARENT}:
        problems["role"] = [FieldProblem.of("not-yours-to-give", N_("You cannot give this role."))]
    if problems:
        raise Invalid(fields=problems)
    invitation_id, code = new_id(work.now), new_code()
    work.session.add(
        Invitation(
            id=invitation_id,
            code_hash=keys.code_hash(INVITATION, code),
            role=role.value,
            organisation_id=organisation_id,
            name=name.strip(),
            invited_by=work.actor.id,
            created_at=work.now,
            expires_at=work.now + INVITATION_WITHIN,
        )
    )
    work.session.flush()
    audit.record(
        work,
        "identity.invite",
        audit.Subject("invitation", invitation_id),
        {"role": role, "organisation_id": organisation_id},
        school_id=organisation_id if kind == "school" else None,
        personal={"name": name.strip()},
    )
    return invitation_id, code


def withdraw_invitation(work: Work, organisation_id: UUID, invitation_id: UUID) -> None:
    """Make an invitation's code worthless. Raises NotFound where it was used or is out of the actor's reach."""
    row = work.session.scalar(
        select(Invitation)
        .where(Invitation.id == invitation_id, Invitation.organisation_id == organisation_id)
        .with_for_update()
    )
    kind = work.session.scalar(select(Organisation.kind).where(Organisation.id == organisation_id))
    if row is None or kind is None or Role(row.role) not in roles_to_give(work.actor, kind, organisation_id):
        raise NotFound
    if row.used_at is not None:
        raise NotFound
    row.withdrawn_at = row.withdrawn_at or work.now
    work.session.flush()
    audit.record(
        work,
        "identity.withdraw-invitation",
        audit.Subject("invitation", invitation_id),
        {},
        school_id=organisation_id if kind == "school" else None,
    )


def accept_invitation(work: Work, code: str, *, keys: Keyring, address: str) -> Refused | None:
    """Take the role of an invitation, for somebody who is signed in."""
    row = _invitation(work, keys, code, address)
    if isinstance(row, Refused):
        return row
    assert work.actor.id is not None
    _use(work, row, work.actor.id)
    return None


def join(work: Work, code: str, newcomer: Newcomer, *, keys: Keyring, caller: Caller) -> SignedIn | Refused:
    """Take the role of an invitation, for somebody who has no account yet: makes one and signs in.

    Raises Invalid with the fields name, contact and password, Conflict ``contact-taken``: nothing is done then, and the
    code stays good.
    """
    row = _invitation(work, keys, code, caller.address)
    if isinstance(row, Refused):
        return row
    contact = contact_of(newcomer.contact)
    if contact is None:
        sentence = N_("This is neither an e-mail address nor a phone number.")
        raise Invalid(fields={"contact": [FieldProblem.of("not-a-contact", sentence)]})
    person_id = new_person(
        work,
        name=newcomer.name,
        email=contact.email,
        phone=contact.phone,
        language=newcomer.language,
        password=newcomer.password,
    )
    _use(work, row, person_id)
    person = work.session.get_one(Person, person_id)
    return begin_session(work, person, factors=("password",), caller=caller)


def _invitation(work: Work, keys: Keyring, code: str, address: str) -> Invitation | Refused:
    """The standing invitation of ``code``, locked, or a refusal."""
    key = keys.attempt_key(INVITATION, address)
    if (refused := spend_attempt(work, INVITATION, key, limit=10, per=HOUR, block=PAUSE)) is not None:
        return refused
    row = _lock_standing(work, keys.code_hash(INVITATION, plain_code(code)))
    if row is None:
        audit.record(
            work,
            "identity.refuse-invitation",
            audit.Subject(INVITATION),
            {"code": WRONG_CODE.code},
            personal={"address": address},
        )
        return WRONG_CODE
    forget_attempts(work, key)
    return row


def _lock_standing(work: Work, code_hash: bytes) -> Invitation | None:
    """The invitation that can be used now, locked, so that of two who come at once the second finds it used."""
    return work.session.scalar(
        select(Invitation)
        .where(
            Invitation.code_hash == code_hash,
            Invitation.expires_at > work.now,
            Invitation.used_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .with_for_update()
    )


def _use(work: Work, row: Invitation, person_id: UUID) -> None:
    row.used_at, row.used_by = work.now, person_id
    work.session.flush()
    grant_role(work, person_id, Role(row.role), row.organisation_id)
    audit.record(work, "identity.accept-invitation", audit.Subject(INVITATION, row.id), {"person_id": person_id})
