"""Whether somebody has looked that a supplier's people may act for it. Not scoped: that it is so is public."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from schoolmeals.database import Work
from schoolmeals.errors import N_, NotNow
from schoolmeals.procurement.models import SupplierConfirmation, SupplierProof


class Standing(StrEnum):
    """What is known of a supplier's people."""

    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class SupplierStanding:
    """Where a supplier stands; ``at`` and ``by_organisation_id`` of the last word, None before it. ``reason`` is for
    the supplier and for officers.
    """

    state: Standing
    at: datetime | None = None
    by_organisation_id: UUID | None = None
    reason: str = ""


def standings(work: Work, organisation_ids: Iterable[UUID]) -> dict[UUID, SupplierStanding]:
    """Where suppliers stand. A confirmed one stays so while it sends further papers."""
    ids = set(organisation_ids)
    last = (
        select(SupplierConfirmation)
        .where(SupplierConfirmation.organisation_id.in_(ids))
        .order_by(
            SupplierConfirmation.organisation_id,
            SupplierConfirmation.decided_at.desc(),
            SupplierConfirmation.id.desc(),
        )
        .ext(distinct_on(SupplierConfirmation.organisation_id))
    )
    decided = {row.organisation_id: row for row in work.session.scalars(last)}
    newest = (
        select(SupplierProof.organisation_id, SupplierProof.id)
        .where(SupplierProof.organisation_id.in_(ids))
        .order_by(SupplierProof.organisation_id, SupplierProof.added_at.desc(), SupplierProof.id.desc())
        .ext(distinct_on(SupplierProof.organisation_id))
    )
    proofs = {row.organisation_id: row.id for row in work.session.execute(newest)}
    return {id: _standing(decided.get(id), proofs.get(id)) for id in ids}


def require_confirmed(work: Work, organisation_id: UUID) -> None:
    """Raise NotNow ``not-confirmed`` unless somebody has confirmed who acts for a supplier."""
    if standings(work, [organisation_id])[organisation_id].state is not Standing.CONFIRMED:
        raise NotNow("not-confirmed", NOT_CONFIRMED)


def _standing(row: SupplierConfirmation | None, proof_id: UUID | None) -> SupplierStanding:
    if row is None:
        return SupplierStanding(Standing.UNCONFIRMED if proof_id is None else Standing.WAITING)
    if row.outcome == "confirmed":
        return SupplierStanding(Standing.CONFIRMED, row.decided_at, row.by_organisation_id)
    state = Standing.RETURNED if row.proof_id == proof_id else Standing.WAITING
    return SupplierStanding(state, row.decided_at, row.by_organisation_id, row.reason)


NOT_CONFIRMED: Final = N_(
    "This tender takes bids of confirmed suppliers alone. Send a paper that shows who may act for yours, and wait for "
    "the officer's answer."
)
STANDING_NAMES: Final = {
    Standing.UNCONFIRMED: N_("Who acts for it is not confirmed"),
    Standing.WAITING: N_("Who acts for it is being checked"),
    Standing.CONFIRMED: N_("Who acts for it is confirmed"),
    Standing.RETURNED: N_("The papers were returned"),
}
