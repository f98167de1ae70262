"""Who may look at a school's roll, and who may change it. Strangers learn nothing: for them there is no such school."""

from typing import Final
from uuid import UUID

from schoolmeals import identity
from schoolmeals.actors import Actor, ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound

READERS: Final = (Role.SCHOOL_OFFICE, Role.CASHIER, Role.CITY_ADMIN, Role.AUDITOR)
OFFICE: Final = (Role.SCHOOL_OFFICE, Role.CITY_ADMIN)


def reads_roll(actor: Actor, school_id: UUID) -> bool:
    """Whether ``actor`` may see every pupil of the school: its people, its tills, the city, the system itself."""
    match actor.kind:
        case ActorKind.SYSTEM:
            return True
        case ActorKind.DEVICE:
            return actor.school_id == school_id
        case _:
            return actor.has_role_in(school_id, READERS)


def keeps_roll(actor: Actor, school_id: UUID) -> bool:
    """Whether ``actor`` may change the roll of the school."""
    return actor.kind is ActorKind.SYSTEM or actor.has_role_in(school_id, OFFICE)


def require_reader(work: Work, school_id: UUID) -> None:
    """Raise NotFound where the actor may not see the whole roll."""
    if not reads_roll(work.actor, school_id):
        raise NotFound


def require_office(work: Work, school_id: UUID) -> None:
    """Raise NotFound where the actor may not change the roll, or there is no such school."""
    identity.require_role_in(work, school_id, *OFFICE)
