"""Suppliers, as the room's other parts need them: what they have in common with members, and who works for them.

Not scoped: whoever asks has looked whether the actor may know.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, or_, select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.procurement.models import Supplier, SupplierStaff, SupplierVersion
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


def tenderer_traits(work: Work, organisation_id: UUID, since: datetime | None) -> TendererTraits:
    """What of a supplier could be of a commission's member, too: what it says of itself now, and whatever it has said
    at any time after ``since``, which is when the tender was published. Nobody escapes a question by moving house then.
    Raises NotFound without such an organisation.
    """
    facts = identity.organisation(work, organisation_id)
    row = work.session.get(Supplier, organisation_id)
    said = [*([row] if row is not None else ()), *(_said_since(work, organisation_id, since) if since else ())]
    addresses = [facts.address] if facts.address else []
    return TendererTraits(
        identifier=facts.identifier or str(organisation_id),
        addresses=tuple(dict.fromkeys([*addresses, *(address for one in said for address in one.addresses)])),
        phones=tuple(dict.fromkeys(phone for one in said for phone in one.phones)),
        people=tuple(dict.fromkeys(_person(told) for one in said for told in one.people)),
        founders=frozenset(founder for one in said for founder in one.founders),
    )


def _said_since(work: Work, organisation_id: UUID, since: datetime) -> Sequence[SupplierVersion]:
    found = select(SupplierVersion).where(
        SupplierVersion.organisation_id == organisation_id, SupplierVersion.held_until > since
    )
    return work.session.scalars(found.order_by(SupplierVersion.held_until.desc())).all()


def _person(told: Mapping[str, str]) -> PersonTraits:
    return PersonTraits(
        surname=told["surname"],
        patronymic=told["patronymic"],
        addresses=(told["address"],) if told["address"] else (),
        phones=(told["phone"],) if told["phone"] else (),
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
