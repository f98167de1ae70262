"""Suppliers' proofs: for those who act for the supplier, and for the officers who look at them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import defer

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.identity import OrganisationFacts
from schoolmeals.keys import unseal
from schoolmeals.procurement.access import audits_the_city
from schoolmeals.procurement.confirmed import Standing, SupplierStanding, standings
from schoolmeals.procurement.models import Supplier, SupplierProof, SupplierRepresentative


@dataclass(frozen=True, slots=True)
class SupplierLine:
    """A supplier in the officers' list."""

    organisation: OrganisationFacts
    registered_at: datetime | None
    standing: SupplierStanding


@dataclass(frozen=True, slots=True)
class Proofs:
    """A supplier's papers without their content, the newest first, and where it stands."""

    organisation: OrganisationFacts
    standing: SupplierStanding
    papers: tuple[SupplierProof, ...]
    acting: tuple[tuple[str, str, str], ...]
    """Who acts for it: name, position, and by which right."""


def suppliers_to_confirm(work: Work) -> list[SupplierLine]:
    """All suppliers, those that wait for an answer first; for officers. Raises NotFound."""
    _require_office(work)
    times = {row.organisation_id: row.registered_at for row in work.session.scalars(select(Supplier))}
    there = identity.organisations(work, ["supplier"])
    known = standings(work, [one.id for one in there])
    found = [SupplierLine(one, times.get(one.id), known[one.id]) for one in there]
    turn = {Standing.WAITING: 0, Standing.UNCONFIRMED: 1, Standing.RETURNED: 2, Standing.CONFIRMED: 3}
    return sorted(found, key=lambda one: (turn[one.standing.state], one.organisation.name_kk, str(one.organisation.id)))


def proofs(work: Work, organisation_id: UUID) -> Proofs:
    """A supplier's papers; for those who act for it, and for officers. Raises NotFound."""
    _require_reader(work, organisation_id)
    found = (
        select(SupplierProof)
        .where(SupplierProof.organisation_id == organisation_id)
        .order_by(SupplierProof.added_at.desc(), SupplierProof.id.desc())
        .options(defer(SupplierProof.content))
    )
    people = select(SupplierRepresentative).where(
        SupplierRepresentative.organisation_id == organisation_id, SupplierRepresentative.ended_at.is_(None)
    )
    return Proofs(
        organisation=identity.organisation(work, organisation_id),
        standing=standings(work, [organisation_id])[organisation_id],
        papers=tuple(work.session.scalars(found)),
        acting=tuple((one.name, one.position, one.basis) for one in work.session.scalars(people)),
    )


def proof_content(work: Work, organisation_id: UUID, proof_id: UUID, *, key: bytes) -> tuple[SupplierProof, bytes]:
    """One paper, and what it says; for the same readers. Raises NotFound."""
    _require_reader(work, organisation_id)
    row = work.session.get(SupplierProof, proof_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFound
    return row, unseal(key, row.content, row.id.bytes)


def _require_office(work: Work) -> None:
    actor = work.actor
    if not (actor.has_role(Role.PROCUREMENT_OFFICER) or actor.has_role(Role.CITY_ADMIN) or audits_the_city(work)):
        raise NotFound


def _require_reader(work: Work, organisation_id: UUID) -> None:
    if organisation_id not in work.actor.schools_as(Role.SUPPLIER):
        _require_office(work)
