"""Who does a deed. An actor is handed down from the door to the deed; nothing below asks a request who is there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person may be in an organisation. The values are stored and appear in the API."""

    PARENT = "parent"
    CASHIER = "cashier"
    SCHOOL_OFFICE = "school-office"
    PROCUREMENT_OFFICER = "procurement-officer"
    COMMISSION_MEMBER = "commission-member"
    SUPPLIER = "supplier"
    AUDITOR = "auditor"
    CITY_ADMIN = "city-admin"


class Awaits(StrEnum):
    """What somebody who is signed in must still do before their roles count."""

    SET_UP = "set-up"
    """Set up a second factor: they have none."""
    PROOF = "proof"
    """Use the second factor that they have."""


CITY_WIDE: frozenset[Role] = frozenset({Role.AUDITOR, Role.CITY_ADMIN})
"""Roles held in the city's own organisation, which reach every school of the city."""


class ActorKind(StrEnum):
    PERSON = "person"
    DEVICE = "device"
    SYSTEM = "system"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role in one organisation."""

    role: Role
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with roles, a till's device, the system itself, or the public.

    ``id`` is the person's or device's id. ``school_id`` is set for a device: it acts in that school only.
    ``cashier_id`` is the person whose PIN opened the till. While ``awaits`` is set there are no grants.
    """

    kind: ActorKind
    id: UUID | None = None
    grants: frozenset[Grant] = field(default_factory=frozenset)
    school_id: UUID | None = None
    cashier_id: UUID | None = None
    language: str = "kk"
    awaits: Awaits | None = None

    def has_role(self, role: Role) -> bool:
        """Whether the actor has ``role`` anywhere."""
        return any(grant.role == role for grant in self.grants)

    def has_role_in(self, organisation_id: UUID, roles: Iterable[Role]) -> bool:
        """Whether one of ``roles`` reaches the organisation: held there, or city-wide."""
        wanted = frozenset(roles)
        return any(
            grant.role in wanted and (grant.organisation_id == organisation_id or grant.role in CITY_WIDE)
            for grant in self.grants
        )

    def schools_as(self, role: Role) -> frozenset[UUID]:
        """The organisations in which the actor holds ``role``."""
        return frozenset(grant.organisation_id for grant in self.grants if grant.role == role)

    @property
    def is_city_wide(self) -> bool:
        """Whether the actor reaches every school of the city."""
        return any(grant.role in CITY_WIDE for grant in self.grants)


SYSTEM = Actor(ActorKind.SYSTEM)
PUBLIC = Actor(ActorKind.PUBLIC)


def person(person_id: UUID, grants: Iterable[Grant] = (), language: str = "kk") -> Actor:
    """A person who is signed in."""
    return Actor(ActorKind.PERSON, person_id, frozenset(grants), language=language)


def device(device_id: UUID, school_id: UUID, cashier_id: UUID | None = None) -> Actor:
    """A till's device, opened by a cashier."""
    return Actor(ActorKind.DEVICE, device_id, school_id=school_id, cashier_id=cashier_id)
