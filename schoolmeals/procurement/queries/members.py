"""What a member of a commission sees: the own seat, what is to be done, and what the own key is to open."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import AtHand, at_hand
from schoolmeals.procurement.models import CommissionSeat, MemberKey, OpeningShare, Tender, TenderVersion
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.queries.interests import undeclared
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.bids import key_set_of
from schoolmeals.procurement.rules.opening import may_help
from schoolmeals.procurement.rules.permissions import DEEDS, DRAFT_READERS, decide
from schoolmeals.procurement.rules.quorum import SeatFacts, heads, holds_a_key
from schoolmeals.procurement.rules.stages import UNPUBLISHED, TenderStage
from schoolmeals.procurement.sealing import Member
from schoolmeals.procurement.unsealing import Envelope, envelopes_due


@dataclass(frozen=True, slots=True)
class MySeat:
    """One of the actor's seats."""

    tender_id: UUID
    title: Mapping[str, str]
    number: str | None
    stage: TenderStage
    seat: SeatFacts
    has_done: bool
    """Whether the own part of this stage is done: every share handed in, or every interest declared."""


@dataclass(frozen=True, slots=True)
class SeatView:
    """The actor's seat in one commission. ``deeds`` are what can be done now, as far as stage and part decide."""

    tender_id: UUID
    title: Mapping[str, str]
    number: str | None
    stage: TenderStage
    published_at: datetime | None
    opening_started_at: datetime | None
    opened_at: datetime | None
    admitted_at: datetime | None
    evaluated_at: datetime | None
    seat: SeatFacts
    chairs: bool
    fingerprint: str | None
    shares_needed: int
    """How many members open a bid together."""
    deeds: frozenset[str]
    holds_key: bool
    """Whether bids are sealed to the seat's key."""
    helps: bool
    """The seat has ended, and its share is asked for all the same: those who stay hold too few."""
    has_done: bool
    """As :class:`MySeat` has it."""


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """The wrapped key of the actor's seat."""

    recipient: str
    key_file: str
    passkey_credential: str | None
    passkey_file: str | None


@dataclass(frozen=True, slots=True)
class ShareToOpen:
    """An envelope in which a share waits for the actor's key; ``given`` where it was handed in already."""

    envelope: Envelope
    given: bool


def my_seats(work: Work) -> list[MySeat]:
    """The actor's seats in all commissions, the latest first. Whoever has left a commission before the tender was
    published knows no more of it than others do.
    """
    found = select(CommissionSeat.tender_id).where(CommissionSeat.person_id == work.actor.id)
    rows = work.session.scalars(select(Tender).where(Tender.id.in_(found)).order_by(Tender.made_at.desc(), Tender.id))
    seats = []
    for tender in rows:
        hand = at_hand(work, tender, work.now)
        if hand.stage in UNPUBLISHED and hand.parties.isdisjoint(DRAFT_READERS):
            continue
        own = next(seat for seat in hand.seats if seat.person_id == work.actor.id)
        done = _has_done(work, hand, own)
        seats.append(MySeat(tender.id, tender.title, tender.number, hand.stage, own, done))
    return seats


def _has_done(work: Work, hand: AtHand, seat: SeatFacts) -> bool:
    if hand.stage is TenderStage.OPENING:
        return may_open(work, hand, seat) and all(one.given for one in _shares(work, hand, seat))
    return hand.stage is TenderStage.ADMISSION and seat.votes and not undeclared(work, hand, seat)


def seat_view(work: Work, tender_id: UUID) -> SeatView:
    """The actor's seat in a tender's commission, also one that has ended. Raises NotFound."""
    hand = visible(work, tender_id)
    seat = _own(work, hand)
    row = hand.tender
    deeds = frozenset(deed for deed in DEEDS if decide(deed, hand.stage, hand.parties) is None)
    fingerprint = Member(str(seat.id), seat.key_public).fingerprint if seat.key_public is not None else None
    return SeatView(
        tender_id=row.id,
        title=row.title,
        number=row.number,
        stage=hand.stage,
        published_at=row.published_at,
        opening_started_at=row.opening_started_at,
        opened_at=row.opened_at,
        admitted_at=row.admitted_at,
        evaluated_at=row.evaluated_at,
        seat=seat,
        chairs=heads(hand.seats)[0] == seat,
        fingerprint=fingerprint,
        shares_needed=profile_of(work, row).commission("shares_needed").value,
        deeds=deeds if seat.stands else deeds & {"give_shares"},
        holds_key=holds_a_key(seat, row.published_at),
        helps=may_open(work, hand, seat) and not seat.stands,
        has_done=_has_done(work, hand, seat),
    )


def kept_files(work: Work, tender_id: UUID) -> KeptFiles | None:
    """The wrapped key of the actor's own seat; None where nothing is kept. Raises NotFound for anybody else."""
    hand = visible(work, tender_id)
    row = work.session.get(MemberKey, _own(work, hand).id)
    if row is None or not row.key_file:
        return None
    return KeptFiles(row.recipient, row.key_file, row.passkey_credential, row.passkey_file)


def shares_to_open(work: Work, tender_id: UUID) -> Sequence[ShareToOpen]:
    """What waits for the actor's key while an opening goes on. Raises NotFound for whoever has no share to give."""
    hand = visible(work, tender_id)
    seat = _own(work, hand)
    if not may_open(work, hand, seat):
        raise NotFound
    return _shares(work, hand, seat)


def _shares(work: Work, hand: AtHand, seat: SeatFacts) -> list[ShareToOpen]:
    found = select(OpeningShare.bid_id, OpeningShare.envelope).where(
        OpeningShare.tender_id == hand.id, OpeningShare.seat_id == seat.id, OpeningShare.ok
    )
    given = {(bid_id, name) for bid_id, name in work.session.execute(found)}
    return [ShareToOpen(one, (one.bid.id, one.name) in given) for one in envelopes_due(work, hand)]


def may_open(work: Work, hand: AtHand, seat: SeatFacts) -> bool:
    """Whether a seat's shares are wanted now: from those who hold a key and stay, from others where these are few."""
    published_at = hand.tender.published_at
    if hand.stage not in (TenderStage.OPENING, TenderStage.EVALUATION) or not holds_a_key(seat, published_at):
        return False
    return seat.votes or may_help(hand.seats, published_at, profile_of(work, hand.tender)) is None


def may_open_now(work: Work, tender_id: UUID) -> bool:
    """The same of the actor's own seat. Raises NotFound."""
    hand = visible(work, tender_id)
    return may_open(work, hand, _own(work, hand))


def _own(work: Work, hand: AtHand) -> SeatFacts:
    own = [seat for seat in hand.seats if seat.person_id == work.actor.id]
    if not own:
        raise NotFound
    # One person has one seat of a tender; an ended one is shown too, so that its holder knows that it ended.
    return own[-1]


def key_set_bytes(work: Work, envelope: Envelope) -> bytes:
    """The published keys that an envelope was sealed to, as the file that sealing reads."""
    version = work.session.get_one(TenderVersion, (envelope.bid.tender_id, envelope.bid.tender_version))
    return key_set_of(json.loads(version.text)).to_bytes()
