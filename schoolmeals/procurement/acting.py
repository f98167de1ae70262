"""How a deed on a tender begins and ends: the lock, the facts, the permission; then the act and its times.

Three locks keep the order (decision 11). Bids are submitted under ``FOR KEY SHARE``, many at once. Acts are numbered
under ``FOR NO KEY UPDATE``, one by one, and do not wait for bids. Whatever decides whether bids are taken (closing,
amending, suspending, cancelling) takes ``FOR UPDATE``: it waits for the bids that are on their way, and they for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select

from schoolmeals import audit
from schoolmeals.actors import ActorKind, Role
from schoolmeals.asking import Question, ask_together
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, NotFound
from schoolmeals.ids import new_id
from schoolmeals.jobs import defer
from schoolmeals.procurement.access import audits_the_city
from schoolmeals.procurement.models import CommissionSeat, Lot, Tender, TenderAct
from schoolmeals.procurement.rules.acts import Act, ActKind, TenderFacts, after, replay
from schoolmeals.procurement.rules.news import TELL, is_told
from schoolmeals.procurement.rules.permissions import Party, decide
from schoolmeals.procurement.rules.quorum import SeatFacts, heads, holds_a_key
from schoolmeals.procurement.rules.stages import TIMES, TenderStage, TenderTimes, tender_stage


class Instant(NamedTuple):
    """What the database's clock says once a deed's lock is held, and when by it the transaction began."""

    now: datetime
    began: datetime


LegalClock = Callable[[Work, Instant], datetime]
"""Gives the legal time of a deed."""

_CLOCK: Final = "SELECT clock_timestamp() AS now, transaction_timestamp() AS began"


class Lock(Enum):
    """How a deed holds the tender's row; see the module."""

    SUBMIT = "submit"
    ACT = "act"
    CLOSE = "close"


@dataclass(slots=True)
class AtHand:
    """A tender that a permitted deed works on, locked. ``at`` is the deed's instant and its acts' stamp."""

    tender: Tender
    at: datetime
    stage: TenderStage
    parties: frozenset[Party]
    seats: list[SeatFacts]
    work: Work
    _facts: TenderFacts | None = field(default=None)

    @property
    def id(self) -> UUID:
        return self.tender.id

    @property
    def facts(self) -> TenderFacts:
        """What all acts come to; read once, and advanced by each act of this deed."""
        if self._facts is None:
            self._facts = replay(acts_of(self.work, self.tender.id))
        return self._facts

    def advance(self, act: Act) -> None:
        """Let ``act`` have happened."""
        self._facts = after(self.facts, act)


def database_clock(_work: Work, instant: Instant) -> datetime:
    """The database's clock: the legal time."""
    return instant.now


def deed_clock(work: Work, instant: Instant) -> datetime:
    """The deed's own instant, and what has passed on the database's clock since: for clocks that are moved by hand."""
    return work.now + (instant.now - instant.began)


def clock_question() -> Question[Instant]:
    """Asks the database's clock. Statements are carried out in their order: ask it after the lock."""
    return Question(_CLOCK, {}, lambda rows: Instant(rows[0].now, rows[0].began))


def legal_time(work: Work, clock: LegalClock) -> datetime:
    """The legal time now."""
    instant = clock_question()
    ask_together(work.session, instant)
    return clock(work, instant.answer)


def permitted(
    work: Work, deed: str, tender_id: UUID, *, lock: Lock = Lock.ACT, clock: LegalClock | None = None
) -> AtHand:
    """The tender, locked, where the actor may do ``deed`` now. Raises NotFound, NotAllowed or NotNow.

    With ``clock`` the stage is judged, and acts are stamped, at the legal time once the lock is held.
    """
    tender = lock_tender(work, tender_id, lock)
    at = legal_time(work, clock) if clock is not None else work.now
    hand = at_hand(work, tender, at)
    refusal = decide(deed, hand.stage, hand.parties)
    if refusal is not None:
        raise refusal
    return hand


def lock_tender(work: Work, tender_id: UUID, lock: Lock = Lock.ACT) -> Tender:
    """The tender's row, held until the transaction ends, as it is once it is held. Raises NotFound."""
    found = select(Tender).where(Tender.id == tender_id).execution_options(populate_existing=True)
    row: Tender | None = work.session.scalar(_locked(found, lock))
    if row is None:
        raise NotFound
    return row


def at_hand(work: Work, tender: Tender, at: datetime) -> AtHand:
    """What a deed, or a look, needs to know of a tender and of the actor's part in it."""
    seats = seats_of(work, tender.id)
    stage = tender_stage(times_of(tender), at)
    return AtHand(tender, at, stage, parties_of(work, tender, seats), seats, work)


def times_of(tender: Tender) -> TenderTimes:
    """The raw times of a row."""
    return TenderTimes(**{name: getattr(tender, name) for name in TIMES})


def parties_of(work: Work, tender: Tender, seats: list[SeatFacts]) -> frozenset[Party]:
    """What the actor is to the tender."""
    actor = work.actor
    if actor.kind is ActorKind.SYSTEM:
        return frozenset({Party.SYSTEM})
    if actor.kind is not ActorKind.PERSON:
        return frozenset({Party.PUBLIC})
    held = {
        Party.OFFICER: tender.organiser_id in actor.schools_as(Role.PROCUREMENT_OFFICER),
        Party.CITY_ADMIN: actor.has_role(Role.CITY_ADMIN),
        Party.AUDITOR: audits_the_city(work),
        Party.SUPPLIER: actor.has_role(Role.SUPPLIER),
        Party.REVIEW_BODY: tender.review_body_id in actor.schools_as(Role.AUDITOR),
        Party.BUYER: _is_buyer(work, tender),
    }
    found = {party for party, holds in held.items() if holds} | {Party.PERSON, Party.PUBLIC}
    return frozenset(found | _parts_of(work, tender, seats))


def _is_buyer(work: Work, tender: Tender) -> bool:
    schools = work.actor.schools_as(Role.SCHOOL_OFFICE)
    if not schools:
        return False
    found = select(Lot.id).where(Lot.tender_id == tender.id, Lot.school_id.in_(schools), Lot.removed_at.is_(None))
    return work.session.scalar(found.limit(1)) is not None


def _parts_of(work: Work, tender: Tender, seats: list[SeatFacts]) -> set[Party]:
    parts: set[Party] = set()
    chair = heads(seats)[0]
    for seat in seats:
        if seat.person_id != work.actor.id:
            continue
        if not seat.stands:
            parts |= {Party.KEY_HOLDER} if holds_a_key(seat, tender.published_at) else set()
        elif seat.accepted_at is None:
            parts.add(Party.INVITED)
        elif seat.votes:
            parts |= {Party.MEMBER, Party.CHAIR} if seat == chair else {Party.MEMBER}
        else:
            parts.add(Party.SECRETARY if seat.part == "secretary" else Party.ALTERNATE)
    return parts


def seats_of(work: Work, tender_id: UUID) -> list[SeatFacts]:
    """All seats of a tender's commission, also those that have ended, by position."""
    found = select(CommissionSeat).where(CommissionSeat.tender_id == tender_id).order_by(CommissionSeat.position)
    rows = work.session.scalars(found.execution_options(populate_existing=True))
    return [SeatFacts(**{name: getattr(row, name) for name in SeatFacts.__dataclass_fields__}) for row in rows]


def acts_of(work: Work, tender_id: UUID) -> list[Act]:
    """All acts of a tender in their order. Not scoped."""
    rows = work.session.scalars(select(TenderAct).where(TenderAct.tender_id == tender_id).order_by(TenderAct.number))
    return [act_of(row) for row in rows]


def act_of(row: TenderAct) -> Act:
    """The act of a row."""
    return Act(
        id=row.id,
        number=row.number,
        kind=ActKind(row.kind),
        at=row.at,
        payload=row.payload,
        by_person=row.by_person,
        lot_id=row.lot_id,
        subject_id=row.subject_id,
    )


def known_act(work: Work, tender_id: UUID, act_id: UUID, kind: ActKind) -> Act | None:
    """The act that a repeated request has made before; None for a new one. Raises Conflict for another deed's id.

    Ask it under the tender's lock.
    """
    row = work.session.get(TenderAct, act_id)
    if row is None:
        return None
    if row.tender_id != tender_id or row.kind != kind.value:
        raise Conflict("id-used", ID_USED)
    return act_of(row)


def record_act(
    work: Work,
    hand: AtHand,
    kind: ActKind,
    payload: Mapping[str, Any] | None = None,
    *,
    lot_id: UUID | None = None,
    subject_id: UUID | None = None,
    id: UUID | None = None,
    personal: Mapping[str, Any] | None = None,
) -> Act:
    """Let something have happened to the tender: the act's row, the tender's times, and the audit log's event.

    ``payload`` is JSON, and public once the tender is, but for hidden kinds; ``personal`` goes to the audit log alone.
    """
    row = TenderAct(
        id=id or new_id(hand.at),
        tender_id=hand.id,
        number=hand.facts.acts + 1,
        kind=kind.value,
        lot_id=lot_id,
        subject_id=subject_id,
        at=hand.at,
        by_kind=work.actor.kind.value,
        by_person=work.actor.id,
        payload=dict(payload or {}),
    )
    work.session.add(row)
    act = act_of(row)
    hand.advance(act)
    _keep_times(hand)
    work.session.flush()
    if hand.facts.version and is_told(kind):
        defer(work, TELL, act_id=str(act.id))
    named = {"tender": hand.id, "number": act.number, "lot": lot_id, "subject": subject_id, "payload": act.payload}
    audit.record(work, f"procurement.{kind.value}", audit.Subject("tender-act", act.id), named, personal=personal)
    return act


def _keep_times(hand: AtHand) -> None:
    """Write what the acts come to into the columns that lists narrow by."""
    tender, facts = hand.tender, hand.facts
    for name, value in asdict(facts.times).items():
        setattr(tender, name, value)
    tender.acts, tender.version, tender.number = facts.acts, facts.version, facts.number
    hand.stage = tender_stage(facts.times, hand.at)


def reseated(hand: AtHand) -> AtHand:
    """The same tender with its seats read again, after a deed has changed them."""
    return replace(hand, seats=seats_of(hand.work, hand.id))


def _locked(found: Select[Any], lock: Lock) -> Select[Any]:
    match lock:
        case Lock.SUBMIT:
            return found.with_for_update(read=True, key_share=True)
        case Lock.ACT:
            return found.with_for_update(key_share=True)
        case Lock.CLOSE:
            return found.with_for_update()


def hold_name(work: Work, name: str) -> None:
    """Let only one deed at a time go on under ``name``, until its transaction ends."""
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


ID_USED: Final = N_("This number was already used for something else. Load the page again.")
