"""What an opening works on: the bids to be opened, the shares that are here, and the envelopes that they open.

Not scoped: whoever calls has a tender at hand, or has looked whether the actor may know.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.freezing import payload_of
from schoolmeals.procurement.models import FrozenBid, OpenedBid, OpeningShare, TenderAct, TenderVersion
from schoolmeals.procurement.parts import is_whole, stored_file
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.acts import ActKind, LotStage
from schoolmeals.procurement.rules.bids import key_set_of
from schoolmeals.procurement.rules.opening import admitted_bids, due
from schoolmeals.procurement.rules.quorum import SeatFacts, holds_a_key
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import (
    Manifest,
    OpenedEnvelope,
    OpenedShare,
    open_envelope,
    open_with_recovery,
    recorded_manifest,
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One envelope of a bid that is to be opened."""

    bid: FrozenBid
    name: str
    manifest: Manifest

    @property
    def needed(self) -> int:
        return self.manifest.bid.k


def open_lots(hand: AtHand) -> frozenset[UUID]:
    """The lots that may still find a supplier: bids for others are nobody's business any more, and stay sealed."""
    return frozenset(id for id, lot in hand.facts.lots.items() if lot.stage is LotStage.ACTIVE)


def cancelled_lots(hand: AtHand) -> frozenset[UUID]:
    """The lots that were given up for good: nothing more is decided about them."""
    return frozenset(id for id, lot in hand.facts.lots.items() if lot.stage is LotStage.CANCELLED)


def envelopes_due(work: Work, hand: AtHand) -> list[Envelope]:
    """The envelopes that are to be opened at the tender's stage, in the order of the list; none of a lot that ended."""
    ids = [str(id) for id in _listed(payload_of(work, hand.id, ActKind.OPENING_STARTED).get("bids"))]
    if hand.stage is not TenderStage.OPENING:
        admitted = admitted_bids(payload_of(work, hand.id, ActKind.ADMITTED))
        ids = [id for id in ids if id in admitted]
    rows = {str(row.id): row for row in work.session.scalars(select(FrozenBid).where(FrozenBid.tender_id == hand.id))}
    names, lots = due(profile_at(work, hand).envelopes, hand.stage), open_lots(hand)
    listed = [rows[id] for id in ids if rows[id].lot_id in lots]
    return [Envelope(bid, name, manifest_of(work, bid)) for bid in listed for name in names]


def envelope_due(work: Work, hand: AtHand, bid_id: UUID, name: str) -> Envelope:
    """One of them. Raises NotFound."""
    for one in envelopes_due(work, hand):
        if (one.bid.id, one.name) == (bid_id, name):
            return one
    raise NotFound


def manifest_of(work: Work, bid: FrozenBid) -> Manifest:
    """The manifest as it was submitted, to the keys of the version that it was submitted on. Raises SealingFault."""
    version = work.session.get_one(TenderVersion, (bid.tender_id, bid.tender_version))
    return recorded_manifest(bid.manifest, key_set_of(json.loads(version.text)), sha256=bid.manifest_sha256)


def profile_at(work: Work, hand: AtHand) -> Profile:
    """The procedure that the tender was published with."""
    version = work.session.get_one(TenderVersion, (hand.id, hand.tender.version))
    return Profile.from_json(json.loads(version.text)["profile"])


def shares_of(work: Work, envelope: Envelope, *, good: bool = True) -> list[OpeningShare]:
    """The shares of an envelope that are here."""
    found = select(OpeningShare).where(OpeningShare.bid_id == envelope.bid.id, OpeningShare.envelope == envelope.name)
    return list(work.session.scalars(found.where(OpeningShare.ok.is_(good)).order_by(OpeningShare.id)))


def opened_row(work: Work, envelope: Envelope) -> OpenedBid | None:
    """What the envelope came to; None where it is not open."""
    return work.session.get(OpenedBid, (envelope.bid.id, envelope.name))


def waiting(work: Work, keys: ServerKeys, envelopes: list[Envelope]) -> list[UUID]:
    """The bids that cannot be opened with the shares and files that are here."""
    stuck = []
    for one in envelopes:
        if opened_row(work, one) is not None:
            continue
        file = one.manifest.envelope(one.name)
        if len(shares_of(work, one)) < one.needed or not is_whole(work, keys, one.bid.tender_id, file):
            stuck.append(one.bid.id)
    return stuck


def adjournments(work: Work, hand: AtHand) -> int:
    """How often the opening that goes on was put off; that of the prices is another than that of the bids."""
    of_tender = TenderAct.tender_id == hand.id
    found = select(func.count()).where(of_tender, TenderAct.kind == ActKind.OPENING_ADJOURNED)
    if hand.stage is TenderStage.EVALUATION:
        admitted = select(func.max(TenderAct.number)).where(of_tender, TenderAct.kind == ActKind.ADMITTED)
        found = found.where(TenderAct.number > admitted.scalar_subquery())
    return work.session.scalar(found) or 0


def own_key_seat(work: Work, hand: AtHand) -> SeatFacts:
    """The actor's seat at the opening: the one that votes, else the one that left and to whose key bids are sealed.
    Raises NotFound.
    """
    own = [seat for seat in hand.seats if seat.person_id == work.actor.id]
    voting = [seat for seat in own if seat.votes]
    left = [seat for seat in own if holds_a_key(seat, hand.tender.published_at)]
    for seat in (*voting, *left):
        return seat
    raise NotFound


def unseal_envelope(work: Work, keys: ServerKeys, one: Envelope, identity: str | None = None) -> OpenedEnvelope:
    """Open an envelope with the shares that are here, or with the key that its bidder disclosed. Close it; raises
    SealingFault.
    """
    with stored_file(work, keys, one.bid.tender_id, one.manifest.envelope(one.name)) as copy:
        if identity is not None:
            return open_with_recovery(one.manifest, one.name, identity, copy)
        return open_envelope(one.manifest, one.name, [_as_share(one, row) for row in shares_of(work, one)], copy)


def _as_share(one: Envelope, row: OpeningShare) -> OpenedShare:
    assert row.share is not None, "a good share is there"
    bid = one.manifest.bid
    return OpenedShare(bid.tender_id, bid.bid_id, one.name, str(row.seat_id), row.share)


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []
