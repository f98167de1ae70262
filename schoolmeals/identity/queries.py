"""Looking up people, organisations, calendars, tills and sessions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Connection, Select, func, or_, select
from sqlalchemy.orm import Session

from schoolmeals.actors import CITY_WIDE, Actor, ActorKind, Grant, Role, person
from schoolmeals.asking import ask
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.identity.models import (
    CashierPin,
    Device,
    Invitation,
    Organisation,
    Passkey,
    Person,
    RecoveryCode,
    RoleGrant,
    SignInSession,
)
from schoolmeals.workdays import Calendar, CalendarDay, SchoolWeek, calendar_from

_DEVICE: Final = """
    SELECT device.id, device.school_id, device.name, device.public_key, device.cashier_id, person.name AS cashier_name,
           device.shift_opened_at, device.enrolled_at, device.revoked_at
      FROM device
      LEFT JOIN person ON person.id = device.cashier_id
     WHERE device.{by} = %(value)s
"""

_DEVICE_BY: Final = {by: _DEVICE.format(by=by) for by in ("id", "token_hash")}

WHOLE_WEEK = 5
"""School days a week where a school has not said otherwise."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Somebody, for other rooms: never a secret."""

    id: UUID
    name: str
    email: str | None
    phone: str | None
    language: str


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """A school, the city's department or a supplier, with its names in three languages."""

    id: UUID
    kind: str
    name_kk: str
    name_ru: str
    name_en: str
    identifier_scheme: str | None
    identifier: str | None
    district: str | None
    address: str | None

    def district_in(self, language: str) -> str:
        """The district, typed as one name or as ``Kazakh / Russian``, for a reader of ``language``; else empty."""
        kazakh, _, russian = (self.district or "").partition(" / ")
        return russian if language == "ru" and russian else kazakh

    def name(self, language: str) -> str:
        """The name in ``language``; in Kazakh for any language that we do not speak."""
        return {"kk": self.name_kk, "ru": self.name_ru, "en": self.name_en}.get(language, self.name_kk)


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """A till. ``public_key`` is SubjectPublicKeyInfo in DER; None until the device is enrolled. ``cashier_id`` and the
    shift are as stored: whether the shift is still open is decided where the device becomes an actor.
    """

    id: UUID
    school_id: UUID
    name: str
    public_key: bytes | None
    cashier_id: UUID | None
    cashier_name: str | None
    shift_opened_at: datetime | None
    enrolled_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """One standing role of one person in one organisation."""

    grant_id: UUID
    person: PersonFacts
    role: Role
    organisation_id: UUID
    has_pin: bool


def people(work: Work, ids: Iterable[UUID]) -> dict[UUID, PersonFacts]:
    """The people with these ids. Whoever asks has already found out that the actor may know them."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = work.session.scalars(select(Person).where(Person.id.in_(wanted)))
    return {row.id: person_facts(row) for row in rows}


def person_facts(row: Person) -> PersonFacts:
    """The facts of a row."""
    return PersonFacts(row.id, row.name, row.email, row.phone, row.language)


def organisation(work: Work, organisation_id: UUID) -> OrganisationFacts:
    """One organisation; its name is public. Raises NotFound where there is none."""
    row = work.session.get(Organisation, organisation_id)
    if row is None:
        raise NotFound
    return organisation_facts(row)


def organisations(work: Work, kinds: Sequence[str]) -> list[OrganisationFacts]:
    """All organisations of these kinds, by name."""
    found = select(Organisation).where(Organisation.kind.in_(kinds)).order_by(Organisation.name_kk, Organisation.id)
    return [organisation_facts(row) for row in work.session.scalars(found)]


def organisation_facts(row: Organisation) -> OrganisationFacts:
    """The facts of a row."""
    return OrganisationFacts(**{name: getattr(row, name) for name in OrganisationFacts.__dataclass_fields__})


def schools(work: Work) -> list[OrganisationFacts]:
    """The schools that the actor reaches, by name: their own, or all of them with a city-wide role."""
    found = select(Organisation).where(Organisation.kind == "school").order_by(Organisation.name_kk, Organisation.id)
    if work.actor.kind is ActorKind.DEVICE:
        found = found.where(Organisation.id == work.actor.school_id)
    elif not (work.actor.kind is ActorKind.SYSTEM or work.actor.is_city_wide):
        found = found.where(Organisation.id.in_([grant.organisation_id for grant in work.actor.grants]))
    return [organisation_facts(row) for row in work.session.scalars(found)]


def require_role_in(work: Work, school_id: UUID, *roles: Role) -> None:
    """Raise NotFound unless the actor holds one of ``roles`` in the school, or city-wide while there is such a school.

    The system itself reaches every school that there is. A device holds no role: its own doors compare its school.
    """
    own = {Grant(role, school_id) for role in roles if role not in CITY_WIDE}
    if work.actor.kind is ActorKind.PERSON and not own.isdisjoint(work.actor.grants):
        return
    wide = any(work.actor.has_role(role) for role in CITY_WIDE.intersection(roles))
    if work.actor.kind is ActorKind.SYSTEM or wide:
        found = select(Organisation.id).where(Organisation.id == school_id, Organisation.kind == "school")
        if work.session.scalar(found) is not None:
            return
    raise NotFound


def people_in(work: Work, organisation_id: UUID, role: Role | None = None) -> list[PersonFacts]:
    """The people who hold a role in an organisation now (any but a parent's, where none is named), by name.

    Whoever asks has already found out that the actor may know them.
    """
    held = select(RoleGrant.person_id).where(
        RoleGrant.organisation_id == organisation_id,
        RoleGrant.revoked_at.is_(None),
        RoleGrant.role == role.value if role is not None else RoleGrant.role != Role.PARENT.value,
    )
    rows = work.session.scalars(select(Person).where(Person.id.in_(held)).order_by(Person.name, Person.id))
    return [person_facts(row) for row in rows]


def holds_role(work: Work, person_id: UUID, organisation_id: UUID, role: Role) -> bool:
    """Whether a person now holds ``role`` in that very organisation; for deeds that somebody else's PIN answers for."""
    found = select(RoleGrant.id).where(
        RoleGrant.person_id == person_id,
        RoleGrant.role == role.value,
        RoleGrant.organisation_id == organisation_id,
        RoleGrant.revoked_at.is_(None),
    )
    return work.session.scalar(found) is not None


def acting_person(work: Work, person_id: UUID) -> Actor:
    """A person as an actor with the roles that they hold now, for what they have asked the worker to do."""
    row = work.session.scalar(select(Person).where(Person.id == person_id, Person.disabled_at.is_(None)))
    if row is None:
        raise NotFound
    held = select(RoleGrant.role, RoleGrant.organisation_id).where(
        RoleGrant.person_id == person_id, RoleGrant.revoked_at.is_(None)
    )
    grants = [Grant(Role(role), organisation_id) for role, organisation_id in work.session.execute(held)]
    return person(person_id, grants, row.language)


def calendar_of(work: Work, school_id: UUID) -> Calendar:
    """The school's calendar: its week, the country's free days, and the school's own days above them."""
    week = work.session.scalar(select(SchoolWeek.days).where(SchoolWeek.school_id == school_id))
    days = calendar_days(work, school_id)
    country = [day for day in days if day.school_id is None]
    own = [day for day in days if day.school_id is not None]
    return calendar_from(week or WHOLE_WEEK, country, own)


def calendar_days(work: Work, school_id: UUID) -> list[CalendarDay]:
    """The country's and the school's special days, earliest first."""
    found = select(CalendarDay).where(or_(CalendarDay.school_id.is_(None), CalendarDay.school_id == school_id))
    return list(work.session.scalars(found.order_by(CalendarDay.day, CalendarDay.school_id)))


def device_of(work: Work, device_id: UUID) -> DeviceFacts:
    """A till by its id. Not scoped: whoever asks compares its school. Raises NotFound where there is none."""
    facts = find_device(work.session, "id", device_id)
    if facts is None:
        raise NotFound
    return facts


def find_device(
    asked: Session | Connection, by: Literal["id", "token_hash"], value: UUID | bytes
) -> DeviceFacts | None:
    """A till by its id or the hash of its token: one statement."""
    rows = ask(asked, _DEVICE_BY[by], {"value": value})
    return DeviceFacts(*rows[0]) if rows else None


def devices_of(work: Work, school_id: UUID) -> list[DeviceFacts]:
    """The tills of a school, those in use first, then by name. Scoped to its office."""
    require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    found = _select_devices().where(Device.school_id == school_id)
    rows = work.session.execute(found.order_by(Device.revoked_at.is_not(None), Device.name, Device.id))
    return [DeviceFacts(**row._mapping) for row in rows]


def _select_devices() -> Select[*tuple[Any, ...]]:
    """A till with the cashier whose shift it is, in the order of :class:`DeviceFacts`: one statement."""
    return select(
        Device.id,
        Device.school_id,
        Device.name,
        Device.public_key,
        Device.cashier_id,
        Person.name.label("cashier_name"),
        Device.shift_opened_at,
        Device.enrolled_at,
        Device.revoked_at,
    ).outerjoin(Person, Person.id == Device.cashier_id)


def members(work: Work, organisation_id: UUID) -> list[Member]:
    """Who holds which role in an organisation but for parents, by role and name. The actions' rules say who may ask."""
    found = (
        select(RoleGrant, Person, CashierPin.set_at)
        .join(Person, Person.id == RoleGrant.person_id)
        .outerjoin(
            CashierPin, (CashierPin.person_id == Person.id) & (CashierPin.school_id == RoleGrant.organisation_id)
        )
        .where(
            RoleGrant.organisation_id == organisation_id,
            RoleGrant.revoked_at.is_(None),
            RoleGrant.role != Role.PARENT.value,
        )
        .order_by(RoleGrant.role, Person.name, Person.id)
    )
    return [
        Member(grant.id, person_facts(person), Role(grant.role), grant.organisation_id, pin_set_at is not None)
        for grant, person, pin_set_at in work.session.execute(found)
    ]


def my_sessions(work: Work) -> list[SignInSession]:
    """The actor's standing sessions, the latest used first."""
    found = select(SignInSession).where(
        SignInSession.person_id == work.actor.id,
        SignInSession.ended_at.is_(None),
        SignInSession.expires_at > work.now,
    )
    return list(work.session.scalars(found.order_by(SignInSession.last_seen_at.desc(), SignInSession.id)))


def me(work: Work) -> Person:
    """The actor's own row. Raises NotFound where the actor is no person."""
    row = work.session.get(Person, work.actor.id) if work.actor.kind is ActorKind.PERSON else None
    if row is None:
        raise NotFound
    return row


def lock_me(work: Work) -> Person:
    """The actor's own row, locked: deeds about one person's ways in come one after the other. Raises NotFound."""
    row = work.session.get(Person, work.actor.id, with_for_update=True) if work.actor.id is not None else None
    if row is None:
        raise NotFound
    return row


def my_passkeys(work: Work) -> list[Passkey]:
    """The actor's passkeys, the oldest first."""
    found = select(Passkey).where(Passkey.person_id == work.actor.id, Passkey.removed_at.is_(None))
    return list(work.session.scalars(found.order_by(Passkey.created_at, Passkey.id)))


def recovery_codes_left(work: Work) -> int:
    """How many of the actor's recovery codes are unused."""
    found = select(func.count()).where(RecoveryCode.person_id == work.actor.id, RecoveryCode.used_at.is_(None))
    return work.session.scalar(found) or 0


def my_tills(work: Work) -> list[OrganisationFacts]:
    """The schools in which the actor is a cashier."""
    found = select(Organisation).where(Organisation.id.in_(work.actor.schools_as(Role.CASHIER)))
    return [organisation_facts(row) for row in work.session.scalars(found.order_by(Organisation.name_kk))]


def cashiers_of(work: Work, school_id: UUID) -> list[PersonFacts]:
    """The cashiers of a school who have a PIN, by name: for its own till. Raises NotFound for anybody else."""
    if work.actor.kind is not ActorKind.DEVICE or work.actor.school_id != school_id:
        raise NotFound
    found = (
        select(Person)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .join(CashierPin, (CashierPin.person_id == Person.id) & (CashierPin.school_id == RoleGrant.organisation_id))
        .where(
            RoleGrant.organisation_id == school_id,
            RoleGrant.role == Role.CASHIER.value,
            RoleGrant.revoked_at.is_(None),
            Person.disabled_at.is_(None),
        )
    )
    return [person_facts(row) for row in work.session.scalars(found.order_by(Person.name, Person.id))]


def standing_invitations(work: Work, organisation_id: UUID) -> list[Invitation]:
    """The invitations into an organisation that wait to be accepted, the newest first."""
    found = select(Invitation).where(
        Invitation.organisation_id == organisation_id,
        Invitation.used_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > work.now,
    )
    return list(work.session.scalars(found.order_by(Invitation.created_at.desc(), Invitation.id)))


def organisations_to_staff(work: Work) -> list[OrganisationFacts]:
    """The organisations in which the actor may give some role, schools last, by name."""
    found = select(Organisation).order_by(Organisation.kind == "school", Organisation.name_kk, Organisation.id)
    if not work.actor.has_role(Role.CITY_ADMIN):
        found = found.where(Organisation.id.in_(work.actor.schools_as(Role.SCHOOL_OFFICE)))
    return [organisation_facts(row) for row in work.session.scalars(found)]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """An invented person, offered on the sign-in page of a demo. ``place`` is None for somebody without a role."""

    id: UUID
    name: str
    role: Role | None
    place: OrganisationFacts | None


def demo_people(work: Work, domain: str) -> list[DemoPerson]:
    """People whose e-mail ends in ``domain``, once for each role, in the order of their making."""
    found = (
        select(Person, RoleGrant.role, Organisation)
        .outerjoin(RoleGrant, (RoleGrant.person_id == Person.id) & RoleGrant.revoked_at.is_(None))
        .outerjoin(Organisation, Organisation.id == RoleGrant.organisation_id)
        .where(Person.email.endswith(domain, autoescape=True), Person.disabled_at.is_(None))
        .order_by(Person.created_at, Person.id, RoleGrant.id)
        .limit(100)
    )
    rows: Sequence[Any] = work.session.execute(found).all()
    return [
        DemoPerson(
            person.id,
            person.name,
            Role(role) if role is not None else None,
            organisation_facts(place) if place is not None else None,
        )
        for person, role, place in rows
    ]
