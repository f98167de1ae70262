"""Suppliers, as the room's other parts need them: what they have in common with members, and who works for them.

Not scoped: whoever asks has looked whether the actor may know.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.procurement.models import Supplier, SupplierStaff
from schoolmeals.procurement.rules.conflicts import PersonTraits, TendererTraits


@dataclass(frozen=True, slots=True)
class StaffFacts:
    """Somebody in a supplier's ledger. ``person_key`` is the same for the same person, whoever employs them."""

    id: UUID
    organisation_id: UUID
    person_key: str
    name: str
    post: str
    grade: int | None
    education: str
    fte_percent: int
    started_on: date
    ended_on: date | None
    evidence: tuple[str, ...]


def tenderer_traits(work: Work, organisation_id: UUID) -> TendererTraits:
    """What of a supplier could be of a commission's member, too. Raises NotFound without such an organisation."""
    facts = identity.organisation(work, organisation_id)
    row = work.session.get(Supplier, organisation_id)
    addresses = [facts.address] if facts.address else []
    identifier = facts.identifier or str(organisation_id)
    if row is None:
        return TendererTraits(identifier=identifier, addresses=tuple(addresses))
    people = [
        PersonTraits(
            surname=one["surname"],
            patronymic=one["patronymic"],
            addresses=(one["address"],) if one["address"] else (),
            phones=(one["phone"],) if one["phone"] else (),
        )
        for one in row.people
    ]
    return TendererTraits(
        identifier=identifier,
        addresses=tuple(dict.fromkeys([*addresses, *row.addresses])),
        phones=tuple(row.phones),
        people=tuple(people),
        founders=frozenset(row.founders),
    )


def staff_facts(work: Work, staff_ids: Iterable[UUID]) -> dict[UUID, StaffFacts]:
    """The lines of the staff ledger with these ids, whoever's; those that are not there are left out."""
    found = select(SupplierStaff).where(SupplierStaff.id.in_(list(staff_ids)))
    return {row.id: staff_of(row) for row in work.session.scalars(found)}


def fte_by_person(work: Work, person_keys: Iterable[str], on: date) -> dict[str, int]:
    """How many percent of their time people work on a day, over all employers' ledgers."""
    found = (
        select(SupplierStaff.person_key, func.sum(SupplierStaff.fte_percent))
        .where(
            SupplierStaff.person_key.in_(list(person_keys)),
            SupplierStaff.started_on <= on,
            or_(SupplierStaff.ended_on.is_(None), SupplierStaff.ended_on >= on),
        )
        .group_by(SupplierStaff.person_key)
    )
    return {key: int(percent) for key, percent in work.session.execute(found)}


def staff_of(row: SupplierStaff) -> StaffFacts:
    """The facts of a row."""
    values = {name: getattr(row, name) for name in StaffFacts.__dataclass_fields__ if name != "evidence"}
    return StaffFacts(**values, evidence=tuple(row.evidence))
