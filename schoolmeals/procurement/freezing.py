"""What closing does, whoever closes: the list of bids as it is from now on, written once and never changed."""

from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work, insert_rows
from schoolmeals.procurement.acting import AtHand, record_act
from schoolmeals.procurement.documents import canonical_text, digest_of, written
from schoolmeals.procurement.models import FrozenBid, TenderAct
from schoolmeals.procurement.parts import all_rows
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.bids import FrozenFacts, Outcome, RowFacts, RowKind, frozen


def freeze(work: Work, hand: AtHand, keys: ServerKeys) -> str:
    """Make the list, once; gives its digest. ``hand`` is held for closing, so that no bid is on its way.

    The digest says nothing about how many there are: every manifest has a random number in it. Raises Conflict where a
    row was changed; a damaged row must not drop out unseen.
    """
    if hand.tender.closed_at is not None:
        return str(payload_of(work, hand.id, ActKind.CLOSED)["list_sha256"])
    rows: dict[UUID, RowFacts] = {}
    said: list[RowFacts] = []
    for row in all_rows(work, keys, hand.id):
        said.append(row)
        if row.kind is RowKind.BID:
            rows[row.bid_id] = row
    listed = frozen(said, hand.facts.confirm_from_version)
    insert_rows(work.session, FrozenBid, [_as_row(hand.id, one, rows[one.id]) for one in listed])
    digest = digest_of(canonical_text([_shown(one) for one in listed])).hex()
    record_act(work, hand, ActKind.CLOSED, {"list_sha256": digest})
    return digest


def frozen_list(work: Work, tender_id: UUID) -> list[FrozenFacts]:
    """The list that closing made, in its order. Not scoped."""
    found = select(FrozenBid).where(FrozenBid.tender_id == tender_id).order_by(FrozenBid.received_at, FrozenBid.id)
    return [_as_facts(row) for row in work.session.scalars(found)]


def payload_of(work: Work, tender_id: UUID, kind: ActKind) -> dict[str, object]:
    """What the latest act of a kind says; empty where there is none."""
    found = select(TenderAct.payload).where(TenderAct.tender_id == tender_id, TenderAct.kind == kind.value)
    return work.session.scalar(found.order_by(TenderAct.number.desc()).limit(1)) or {}


def _as_row(tender_id: UUID, one: FrozenFacts, row: RowFacts) -> dict[str, object]:
    return {
        "id": one.id,
        "tender_id": tender_id,
        "lot_id": one.lot_id,
        "tenderer_id": one.tenderer_id,
        "place": one.place,
        "manifest": row.manifest,
        "manifest_sha256": one.manifest_sha256,
        "received_at": one.received_at,
        "tender_version": one.tender_version,
        "outcome": one.outcome.value,
    }


def _as_facts(row: FrozenBid) -> FrozenFacts:
    return FrozenFacts(
        id=row.id,
        lot_id=row.lot_id,
        tenderer_id=row.tenderer_id,
        place=row.place,
        received_at=row.received_at,
        tender_version=row.tender_version,
        manifest_sha256=row.manifest_sha256,
        outcome=Outcome(row.outcome),
    )


def _shown(one: FrozenFacts) -> dict[str, str]:
    return {
        "bid_id": str(one.id),
        "manifest_sha256": one.manifest_sha256,
        "received_at": written(one.received_at),
        "outcome": one.outcome.value,
    }
