"""Looking at how somebody signs in, for the office that helps them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals.actors import Grant, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.identity.models import Passkey, Person, RoleGrant
from schoolmeals.identity.queries import organisations_to_staff
from schoolmeals.identity.rules import may_mend_way_in


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How a member of an organisation signs in, and whether the actor may give them a new way."""

    person_id: UUID
    name: str
    contact: str
    has_app: bool
    passkeys: int
    may_mend: bool


def ways_in(work: Work, organisation_id: UUID, person_id: UUID) -> WaysIn:
    """The ways in of somebody who holds a role in the organisation. Raises NotFound for one that the actor does not
    staff, and for people who are nobody there.
    """
    person = work.session.scalar(select(Person).where(Person.id == person_id, Person.disabled_at.is_(None)))
    held = select(RoleGrant.role, RoleGrant.organisation_id).where(
        RoleGrant.person_id == person_id, RoleGrant.revoked_at.is_(None)
    )
    grants = [Grant(Role(role), place) for role, place in work.session.execute(held)]
    is_staffed = organisation_id in {one.id for one in organisations_to_staff(work)}
    if person is None or not is_staffed or organisation_id not in {grant.organisation_id for grant in grants}:
        raise NotFound
    counted = select(func.count()).where(Passkey.person_id == person_id, Passkey.removed_at.is_(None))
    return WaysIn(
        person_id,
        person.name,
        person.email or person.phone or "",
        person.totp_confirmed_at is not None,
        work.session.scalar(counted) or 0,
        may_mend_way_in(work.actor, person_id, grants),
    )
