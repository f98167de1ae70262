"""An opening as everybody may follow it: each step while it happens, and what came of it afterwards."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import AtHand, acts_of
from schoolmeals.procurement.models import FrozenBid, InterestDeclaration, OpenedBid, OpeningShare
from schoolmeals.procurement.queries.interests import tenderers_of
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.acts import Act, ActKind
from schoolmeals.procurement.rules.bids import files_from, files_until
from schoolmeals.procurement.rules.opening import windows
from schoolmeals.procurement.rules.permissions import DEEDS, decide
from schoolmeals.procurement.rules.quorum import SeatFacts, holds_a_key, quorum_size, voters
from schoolmeals.procurement.rules.stages import UNPUBLISHED, TenderStage
from schoolmeals.procurement.rules.terms import Term
from schoolmeals.procurement.unsealing import adjournments, envelopes_due, profile_at

_STEPS = frozenset(
    {
        ActKind.CLOSED,
        ActKind.OPENING_STARTED,
        ActKind.SHARE_GIVEN,
        ActKind.BID_OPENED,
        ActKind.BID_UNREADABLE,
        ActKind.OPENING_ADJOURNED,
        ActKind.OPENED,
        ActKind.PRICES_OPENED,
        ActKind.SEAT_ENDED,
        ActKind.SEAT_CALLED,
    }
)
"""What is told of an opening. A share's act is hidden elsewhere because it names its member; here that is the point."""
_LIVE = frozenset({TenderStage.OPENING, TenderStage.EVALUATION})


@dataclass(frozen=True, slots=True)
class EnvelopeLine:
    """An envelope: whose good shares are here, whose were not good and why, and what it came to."""

    bid_id: UUID
    lot_id: UUID
    tenderer_id: UUID
    received_at: datetime
    envelope: str
    good: tuple[UUID, ...]
    bad: tuple[tuple[UUID, str], ...]
    plaintext_sha256: str | None
    unreadable: str | None
    faults: tuple[tuple[str, str], ...]
    """What was found at the opening: a fault's code, and the seats that it names."""

    @property
    def is_closed(self) -> bool:
        return self.plaintext_sha256 is None and self.unreadable is None


@dataclass(frozen=True, slots=True)
class OpeningFacts:
    """An opening as it is now. ``token`` changes with each step."""

    tender_id: UUID
    number: str
    stage: TenderStage
    deadline: datetime
    begins_at: datetime
    """When it may begin at the earliest: until then sealed files may follow."""
    list_sha256: str | None
    window: Term | None
    reveal: Term | None
    put_off: int
    """How often the opening that goes on was put off."""
    key_holders: int
    """To how many keys the bids are sealed."""
    staying: int
    """How many of those who hold them still sit in the commission."""
    needed: int
    envelopes: Sequence[str]
    """What a bid consists of."""
    seats: Sequence[SeatFacts]
    present: frozenset[UUID]
    quorum: int
    """How many voting members a decision takes."""
    declared: Mapping[UUID, int]
    """Of how many bidders each seat has said whether there is an interest."""
    bidders: int
    lines: Sequence[EnvelopeLine]
    steps: Sequence[Act]
    protocol_sha256: str | None
    unanswered: int
    deeds: frozenset[str]
    token: str

    @property
    def is_live(self) -> bool:
        return self.stage in _LIVE


def opening(work: Work, tender_id: UUID) -> OpeningFacts:
    """The opening of a published tender, for everybody; before the deadline it says when that is. Raises NotFound."""
    hand = visible(work, tender_id)
    bidding = hand.facts.terms.get("bidding")
    if hand.stage in UNPUBLISHED or bidding is None:
        raise NotFound
    profile = profile_at(work, hand)
    steps = [act for act in acts_of(work, tender_id) if act.kind in _STEPS and act.at > bidding.until]
    lines = _lines(work, hand)
    return OpeningFacts(
        tender_id=tender_id,
        number=hand.tender.number or "",
        stage=hand.stage,
        deadline=bidding.until,
        begins_at=files_until(files_from(hand.facts.terms), profile),
        list_sha256=_said(steps, ActKind.CLOSED, "list_sha256"),
        window=hand.facts.terms.get(windows(hand.stage).window),
        reveal=hand.facts.terms.get(windows(hand.stage).reveal),
        put_off=adjournments(work, hand),
        key_holders=sum(holds_a_key(seat, hand.tender.published_at) for seat in hand.seats),
        staying=sum(seat.votes and holds_a_key(seat, hand.tender.published_at) for seat in hand.seats),
        needed=profile.commission("shares_needed").value,
        envelopes=profile.json["envelopes"],
        seats=voters(hand.seats),
        present=frozenset(id for line in lines for id in (*line.good, *(seat for seat, _ in line.bad))),
        quorum=quorum_size(hand.seats, profile),
        declared=_declared(work, tender_id),
        bidders=len(tenderers_of(work, hand)),
        lines=lines,
        steps=steps,
        protocol_sha256=_said(steps, ActKind.OPENED, "protocol_sha256"),
        unanswered=len(hand.facts.unanswered),
        deeds=frozenset(deed for deed in DEEDS if decide(deed, hand.stage, hand.parties) is None),
        token=token_of(hand),
    )


def opening_token(work: Work, tender_id: UUID) -> str:
    """Something short that changes with each step, for pages that follow. Raises NotFound."""
    return token_of(visible(work, tender_id))


def seat_names(work: Work, tender_id: UUID) -> dict[str, str]:
    """Who holds or held each seat, by its id as faults and acts write it. Raises NotFound."""
    return {str(seat.id): seat.name for seat in visible(work, tender_id).seats}


def token_of(hand: AtHand) -> str:
    """The number of the last act, and the stage, which may change by time alone."""
    return f"{hand.tender.acts}-{hand.stage.value}"


def _declared(work: Work, tender_id: UUID) -> dict[UUID, int]:
    """That somebody has declared is everybody's business; what, is not."""
    found = select(InterestDeclaration.seat_id, func.count()).where(InterestDeclaration.tender_id == tender_id)
    rows = work.session.execute(found.group_by(InterestDeclaration.seat_id))
    return {row[0]: row[1] for row in rows}


def _lines(work: Work, hand: AtHand) -> list[EnvelopeLine]:
    """The envelopes that were or are to be opened, in the order of the list; three statements."""
    due = [(one.bid.id, one.name) for one in envelopes_due(work, hand)] if hand.stage in _LIVE else []
    found = select(OpenedBid).where(OpenedBid.tender_id == hand.id)
    opened = {(row.bid_id, row.envelope): row for row in work.session.scalars(found)}
    shares: dict[tuple[UUID, str], list[OpeningShare]] = {}
    given = select(OpeningShare).where(OpeningShare.tender_id == hand.id).order_by(OpeningShare.at, OpeningShare.id)
    for row in work.session.scalars(given):
        shares.setdefault((row.bid_id, row.envelope), []).append(row)
    listed = select(FrozenBid).where(FrozenBid.tender_id == hand.id).order_by(FrozenBid.received_at, FrozenBid.id)
    bids = {row.id: row for row in work.session.scalars(listed)}
    keys = sorted({*due, *opened}, key=lambda key: (list(bids).index(key[0]), key[1] == "price"))
    return [_line(bids[key[0]], key[1], shares.get(key, []), opened.get(key)) for key in keys]


def _line(bid: FrozenBid, envelope: str, shares: Iterable[OpeningShare], row: OpenedBid | None) -> EnvelopeLine:
    rows = list(shares)
    return EnvelopeLine(
        bid_id=bid.id,
        lot_id=bid.lot_id,
        tenderer_id=bid.tenderer_id,
        received_at=bid.received_at,
        envelope=envelope,
        good=tuple(one.seat_id for one in rows if one.ok),
        bad=tuple((one.seat_id, one.fault or "") for one in rows if not one.ok),
        plaintext_sha256=row.plaintext_sha256 if row is not None else None,
        unreadable=row.unreadable if row is not None else None,
        faults=tuple((one["code"], one["member"]) for one in row.faults) if row is not None else (),
    )


def _said(steps: Sequence[Act], kind: ActKind, name: str) -> str | None:
    found = next((act.payload.get(name) for act in reversed(steps) if act.kind is kind), None)
    return str(found) if found is not None else None
