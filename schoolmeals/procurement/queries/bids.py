"""Looking at bids: one's own before the opening, and nobody else's; after that what the opening brought to light."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.models import FrozenBid, OpenedBid
from schoolmeals.procurement.parts import chain_of, missing_parts
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rows import Receipt, ServerKeys, receipt_of, slot_id
from schoolmeals.procurement.rules.bids import confirmed_version, standing
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import Manifest
from schoolmeals.procurement.unsealing import Envelope, envelopes_due, opened_row, shares_of

_READERS: Final = frozenset(
    {Party.CHAIR, Party.MEMBER, Party.SECRETARY, Party.AUDITOR, Party.REVIEW_BODY, Party.SYSTEM}
)
"""Who reads bids once the opening is finished; the public sees names and digests."""
_WORKING: Final = frozenset({TenderStage.OPENING, TenderStage.EVALUATION})


@dataclass(frozen=True, slots=True)
class OwnBid:
    """A supplier's bid for a lot: the receipts of everything said about it, and what stands."""

    lot_id: UUID
    receipts: tuple[Receipt, ...]
    bid_id: UUID | None
    """Of the bid that stands."""
    manifest_sha256: str
    needs_confirmation: bool
    missing: Mapping[str, Sequence[int]]
    """The pieces that have not arrived, by envelope."""


@dataclass(frozen=True, slots=True)
class BoardLine:
    """An envelope at the opening, as everybody may follow it: shares that are here, and what it came to."""

    bid_id: UUID
    lot_id: UUID
    tenderer_id: UUID
    envelope: str
    needed: int
    seats: tuple[UUID, ...]
    """Whose good shares are here."""
    faults: tuple[tuple[UUID, str], ...]
    """Seats whose share was not good, with the fault's code."""
    plaintext_sha256: str | None
    unreadable: str | None


@dataclass(frozen=True, slots=True)
class ShownBid:
    """A bid once the opening is finished. ``plaintext`` and ``files`` are by envelope, and empty for the public."""

    bid_id: UUID
    lot_id: UUID
    tenderer_id: UUID
    received_at: datetime
    manifest_sha256: str
    outcome: str
    digests: Mapping[str, str]
    unreadable: Mapping[str, str]
    plaintext: Mapping[str, Mapping[str, Any] | None]
    files: Mapping[str, Sequence[Mapping[str, Any]]]


def own_bids(work: Work, tender_id: UUID, tenderer_id: UUID, *, keys: ServerKeys) -> list[OwnBid]:
    """What a supplier has submitted, by lot; for those who act for it. Raises NotFound for anybody else."""
    hand = visible(work, tender_id)
    if tenderer_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound
    confirm_from = hand.facts.confirm_from_version
    found = (_own(work, keys, tender_id, lot_id, tenderer_id, confirm_from) for lot_id in hand.facts.lots)
    return [one for one in found if one is not None]


def manifests_to_open(work: Work, tender_id: UUID) -> list[Envelope]:
    """What members need to open their shares; for those with a vote, while an opening goes on. Raises NotFound."""
    hand = visible(work, tender_id)
    if Party.MEMBER not in hand.parties or hand.stage not in _WORKING:
        raise NotFound
    return envelopes_due(work, hand)


def opening_board(work: Work, tender_id: UUID) -> list[BoardLine]:
    """Each envelope that is being opened, for everybody; empty before the opening."""
    hand = visible(work, tender_id)
    return [_line(work, one) for one in envelopes_due(work, hand)] if hand.stage in _WORKING else []


def opened_bids(work: Work, tender_id: UUID) -> list[ShownBid]:
    """All bids of the closed list, once the opening is finished; empty before that, whoever asks."""
    hand = visible(work, tender_id)
    if hand.tender.opened_at is None:
        return []
    found = select(OpenedBid).where(OpenedBid.tender_id == tender_id)
    opened: dict[UUID, list[OpenedBid]] = {}
    for row in work.session.scalars(found):
        opened.setdefault(row.bid_id, []).append(row)
    listed = select(FrozenBid).where(FrozenBid.tender_id == tender_id).order_by(FrozenBid.received_at, FrozenBid.id)
    reads = not hand.parties.isdisjoint(_READERS)
    return [_shown(bid, opened.get(bid.id, []), reads=reads) for bid in work.session.scalars(listed)]


def _own(
    work: Work, keys: ServerKeys, tender_id: UUID, lot_id: UUID, tenderer_id: UUID, confirm_from: int
) -> OwnBid | None:
    chain = chain_of(work, keys, tender_id, lot_id, tenderer_id)
    if not chain:
        return None
    receipts = [receipt_of(keys, slot_id(keys, tender_id, lot_id, tenderer_id, row.place), row) for row in chain]
    bid = standing(chain)
    if bid is None:
        return OwnBid(lot_id, tuple(receipts), None, "", False, {})
    files = Manifest.from_bytes(bid.manifest).envelopes
    missing = {file.name: missing_parts(work, keys, tender_id, file) for file in files}
    stale = confirmed_version(chain, bid) < confirm_from
    return OwnBid(lot_id, tuple(receipts), bid.bid_id, bid.manifest_sha256, stale, missing)


def _line(work: Work, one: Envelope) -> BoardLine:
    row = opened_row(work, one)
    faults = tuple((share.seat_id, share.fault or "") for share in shares_of(work, one, good=False))
    return BoardLine(
        bid_id=one.bid.id,
        lot_id=one.bid.lot_id,
        tenderer_id=one.bid.tenderer_id,
        envelope=one.name,
        needed=one.needed,
        seats=tuple(share.seat_id for share in shares_of(work, one)),
        faults=faults,
        plaintext_sha256=row.plaintext_sha256 if row is not None else None,
        unreadable=row.unreadable if row is not None else None,
    )


def _shown(bid: FrozenBid, opened: Sequence[OpenedBid], *, reads: bool) -> ShownBid:
    return ShownBid(
        bid_id=bid.id,
        lot_id=bid.lot_id,
        tenderer_id=bid.tenderer_id,
        received_at=bid.received_at,
        manifest_sha256=bid.manifest_sha256,
        outcome=bid.outcome,
        digests={row.envelope: row.plaintext_sha256 for row in opened if row.plaintext_sha256 is not None},
        unreadable={row.envelope: row.unreadable for row in opened if row.unreadable is not None},
        plaintext={row.envelope: row.plaintext for row in opened} if reads else {},
        files={row.envelope: row.files for row in opened} if reads else {},
    )
