"""People and the roles that they hold."""

from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from schoolmeals import audit
from schoolmeals.actors import Role
from schoolmeals.asking import Question
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotAllowed, NotFound
from schoolmeals.identity.actions.organisations import NEEDED, TOO_LONG
from schoolmeals.identity.actions.sessions import end_sessions_of
from schoolmeals.identity.contacts import email_of, phone_of
from schoolmeals.identity.locks import lock_question
from schoolmeals.identity.models import CashierPin, Device, Organisation, RoleGrant
from schoolmeals.identity.passwords import hash_secret, password_problem
from schoolmeals.identity.rules import ROLES_IN, roles_to_give
from schoolmeals.ids import new_id

LONGEST_NAME: Final = 200
LANGUAGES: Final = ("kk", "ru", "en")

_ADD: Final = """
    INSERT INTO person (id, name, language, password_hash, created_at, email, phone)
    VALUES (%(id)s, %(name)s, %(language)s, %(password_hash)s, %(created_at)s, %(email)s, %(phone)s)
        ON CONFLICT DO NOTHING
    RETURNING id
"""
_KIND: Final = "SELECT kind FROM organisation WHERE id = %(id)s"
_GRANT: Final = """
    INSERT INTO role_grant (id, person_id, role, organisation_id, granted_by, granted_at)
    VALUES (%(id)s, %(person_id)s, %(role)s, %(organisation_id)s, %(by)s, %(at)s)
        ON CONFLICT DO NOTHING
    RETURNING id
"""


def new_person(
    work: Work,
    *,
    name: str,
    email: str | None = None,
    phone: str | None = None,
    language: str = "kk",
    password: str | None = None,
    id: UUID | None = None,
) -> UUID:
    """Add somebody who can sign in by ``email`` or ``phone``; at least one of them.

    Raises Invalid with the fields name, email, phone, password or language, and Conflict ``contact-taken`` where
    somebody else signs in by that e-mail or phone.
    """
    name = name.strip()
    _check_person(name, email, phone, language, password)
    person_id = id or new_id(work.now)
    contacts = {"email": email_of(email) if email else None, "phone": phone_of(phone) if phone else None}
    values = {
        "id": person_id,
        "name": name,
        "language": language,
        "password_hash": hash_secret(password) if password is not None else None,
        "created_at": work.now,
        **contacts,
    }
    adding = Question(_ADD, values, bool)
    work.ask(adding)
    if not adding.answer:
        raise Conflict("contact-taken", N_("Somebody already signs in with this e-mail or phone."))
    audit.record(
        work,
        "identity.add-person",
        audit.Subject("person", person_id),
        {"person_id": person_id, "has_password": password is not None},
        personal={"name": name, **contacts},
    )
    return person_id


def grant_role(work: Work, person_id: UUID, role: Role, organisation_id: UUID) -> None:
    """Make somebody ``role`` in an organisation; nothing happens where they are already.

    Whoever calls this has made sure that the actor may: by an invitation, by a claimed pupil. Raises Conflict
    ``role-does-not-fit`` where that kind of organisation has no such role, NotFound without such an organisation.
    """
    asking = Question(_KIND, {"id": organisation_id}, lambda rows: rows[0].kind if rows else None)
    work.ask(asking)
    kind = asking.answer
    if kind is None:
        raise NotFound
    if role not in ROLES_IN[kind]:
        raise Conflict("role-does-not-fit", N_("There is no such role in this kind of organisation."))
    grant = {
        "id": new_id(work.now),
        "person_id": person_id,
        "role": role.value,
        "organisation_id": organisation_id,
        "by": work.actor.id,
        "at": work.now,
    }
    granting = Question(_GRANT, grant, bool)
    work.ask(lock_question(person_id), granting)
    if granting.answer:
        _record_role(work, "identity.grant-role", person_id, role, organisation_id, kind)


def revoke_role(work: Work, person_id: UUID, role: Role, organisation_id: UUID) -> None:
    """Take a role away at once: the person's sessions end, and a till that is open on their PIN closes.

    Raises NotFound where there is no such standing role or it is out of the actor's reach, NotAllowed for the actor's
    own last way to mend it: nobody takes their own role.
    """
    kind = work.session.scalar(select(Organisation.kind).where(Organisation.id == organisation_id))
    if kind is None or role not in roles_to_give(work.actor, kind, organisation_id):
        raise NotFound
    if person_id == work.actor.id:
        raise NotAllowed("own-role", N_("You cannot take your own role away. Ask somebody else with this right."))
    if not _take_role(work, person_id, role, organisation_id):
        raise NotFound
    if role is Role.CASHIER:
        _leave_tills(work, person_id, organisation_id)
    end_sessions_of(work, person_id)
    _record_role(work, "identity.revoke-role", person_id, role, organisation_id, kind)


def end_parent_role(work: Work, person_id: UUID, school_id: UUID) -> None:
    """Somebody's last pupil in the school is gone: they are no parent there any more, and stay signed in.

    Whoever calls this has made sure, after :func:`lock_person`. Nothing happens where they are none.
    """
    if _take_role(work, person_id, Role.PARENT, school_id):
        _record_role(work, "identity.revoke-role", person_id, Role.PARENT, school_id, "school")


def _take_role(work: Work, person_id: UUID, role: Role, organisation_id: UUID) -> bool:
    """Whether there was such a standing role."""
    revoked = work.session.scalar(
        update(RoleGrant)
        .where(
            RoleGrant.person_id == person_id,
            RoleGrant.role == role.value,
            RoleGrant.organisation_id == organisation_id,
            RoleGrant.revoked_at.is_(None),
        )
        .values(revoked_at=work.now)
        .returning(RoleGrant.id)
    )
    return revoked is not None


def _check_person(name: str, email: str | None, phone: str | None, language: str, password: str | None) -> None:
    """Raise Invalid where one of these cannot be."""
    problems = name_problems(name) | _contact_problems(email, phone)
    if password is not None and (problem := password_problem(password, name, email or "", phone or "")) is not None:
        problems["password"] = [problem]
    if language not in LANGUAGES:
        problems["language"] = [NEEDED]
    if problems:
        raise Invalid(fields=problems)


def name_problems(name: str) -> dict[str, list[FieldProblem]]:
    """What is wrong with a person's name."""
    if not name.strip():
        return {"name": [NEEDED]}
    return {"name": [TOO_LONG]} if len(name) > LONGEST_NAME else {}


def _contact_problems(email: str | None, phone: str | None) -> dict[str, list[FieldProblem]]:
    problems: dict[str, list[FieldProblem]] = {}
    if not email and not phone:
        problems["email"] = [FieldProblem.of("contact-needed", N_("Give an e-mail address or a phone number."))]
    if email and email_of(email) is None:
        problems["email"] = [FieldProblem.of("not-an-email", N_("This is not an e-mail address."))]
    if phone and phone_of(phone) is None:
        problems["phone"] = [FieldProblem.of("not-a-phone", N_("This is not a phone number."))]
    return problems


def _leave_tills(work: Work, person_id: UUID, school_id: UUID) -> None:
    work.session.execute(
        update(Device)
        .where(Device.cashier_id == person_id, Device.school_id == school_id)
        .values(cashier_id=None, shift_opened_at=None)
    )
    pin = work.session.get(CashierPin, (school_id, person_id))
    if pin is not None:
        work.session.delete(pin)


def _record_role(work: Work, action: str, person_id: UUID, role: Role, organisation_id: UUID, kind: str) -> None:
    audit.record(
        work,
        action,
        audit.Subject("person", person_id),
        {"person_id": person_id, "role": role, "organisation_id": organisation_id},
        school_id=organisation_id if kind == "school" else None,
    )
