"""A supplier's own view of itself: for those who act for it, and for nobody else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import defer

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.identity import OrganisationFacts
from schoolmeals.keys import unseal
from schoolmeals.procurement.access import require_supplier
from schoolmeals.procurement.models import (
    ExperienceContract,
    Supplier,
    SupplierEquipment,
    SupplierEvidence,
    SupplierRepresentative,
    SupplierStaff,
    SupplierTax,
)
from schoolmeals.procurement.rules.suppliers import overloaded
from schoolmeals.procurement.suppliers import StaffFacts, fte_by_person, staff_of


@dataclass(frozen=True, slots=True)
class OwnSupplier:
    """A supplier as its representatives see it. ``details`` is None where it has said nothing of itself yet."""

    organisation: OrganisationFacts
    details: Supplier | None


@dataclass(frozen=True, slots=True)
class OwnStaff:
    """Somebody of one's own. ``overloaded``: with all employers together it is more than their whole time."""

    facts: StaffFacts
    overloaded: bool


@dataclass(frozen=True, slots=True)
class Representative:
    """Somebody who acts for a supplier, or was invited to. ``id`` is the person's or the invitation's."""

    id: UUID
    name: str
    position: str
    basis: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """What stands in a supplier's ledger."""

    staff: tuple[OwnStaff, ...]
    equipment: tuple[SupplierEquipment, ...]
    experience: tuple[ExperienceContract, ...]
    taxes: tuple[SupplierTax, ...]
    evidence: tuple[SupplierEvidence, ...]


def my_suppliers(work: Work) -> list[OrganisationFacts]:
    """The suppliers that the actor acts for, by name."""
    ids = work.actor.schools_as(Role.SUPPLIER)
    return sorted((identity.organisation(work, id) for id in ids), key=lambda one: (one.name_kk, str(one.id)))


def supplier(work: Work, organisation_id: UUID) -> OwnSupplier:
    """One's own supplier. Raises NotFound."""
    require_supplier(work, organisation_id)
    facts = identity.organisation(work, organisation_id)
    return OwnSupplier(facts, work.session.get(Supplier, organisation_id))


def ledger(work: Work, organisation_id: UUID) -> Ledger:
    """Everything that stands, without the papers' content. Raises NotFound."""
    require_supplier(work, organisation_id)
    return Ledger(
        staff=tuple(_staff(work, organisation_id)),
        equipment=tuple(_lines(work, SupplierEquipment, organisation_id)),
        experience=tuple(_lines(work, ExperienceContract, organisation_id)),
        taxes=tuple(_lines(work, SupplierTax, organisation_id)),
        evidence=tuple(evidence(work, organisation_id)),
    )


def evidence(work: Work, organisation_id: UUID) -> list[SupplierEvidence]:
    """One's own papers without their content, the latest first. Raises NotFound."""
    require_supplier(work, organisation_id)
    found = (
        select(SupplierEvidence)
        .where(SupplierEvidence.organisation_id == organisation_id, SupplierEvidence.removed_at.is_(None))
        .order_by(SupplierEvidence.added_at.desc(), SupplierEvidence.id)
        .options(defer(SupplierEvidence.content))
    )
    return list(work.session.scalars(found))


def evidence_content(work: Work, organisation_id: UUID, sha256: str, *, key: bytes) -> tuple[SupplierEvidence, bytes]:
    """One of one's own papers, and what it says. Raises NotFound."""
    require_supplier(work, organisation_id)
    row = work.session.scalar(
        select(SupplierEvidence).where(
            SupplierEvidence.organisation_id == organisation_id, SupplierEvidence.sha256 == sha256
        )
    )
    if row is None or row.content is None:
        raise NotFound
    return row, unseal(key, row.content, row.id.bytes)


def representatives(work: Work, organisation_id: UUID) -> list[Representative]:
    """Who acts for one's own supplier, and who was invited to. Raises NotFound."""
    require_supplier(work, organisation_id)
    rows = work.session.scalars(
        select(SupplierRepresentative).where(
            SupplierRepresentative.organisation_id == organisation_id, SupplierRepresentative.ended_at.is_(None)
        )
    ).all()
    by_name = {row.name: row for row in rows}
    by_id = {row.person_id or row.invitation_id: row for row in rows}
    found = [
        (one.person.id, one.person.name, by_id.get(one.person.id) or by_name.get(one.person.name), False)
        for one in identity.members(work, organisation_id)
        if one.role is Role.SUPPLIER
    ]
    invited = identity.standing_invitations(work, organisation_id)
    found += [(one.id, one.name, by_id.get(one.id), True) for one in invited]
    return [
        Representative(id, name, row.position if row else "", row.basis if row else "", waits)
        for id, name, row, waits in found
    ]


def _staff(work: Work, organisation_id: UUID) -> list[OwnStaff]:
    found = select(SupplierStaff).where(
        SupplierStaff.organisation_id == organisation_id, SupplierStaff.ended_on.is_(None)
    )
    rows = [staff_of(row) for row in work.session.scalars(found.order_by(SupplierStaff.name, SupplierStaff.id))]
    too_much = overloaded(fte_by_person(work, {row.person_key for row in rows}, work.today))
    return [OwnStaff(row, row.person_key in too_much) for row in rows]


def _lines(work: Work, table: type[Any], organisation_id: UUID) -> Sequence[Any]:
    found = select(table).where(table.organisation_id == organisation_id, table.ended_at.is_(None))
    return work.session.scalars(found.order_by(table.added_at, table.id)).all()
