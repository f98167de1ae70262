"""Declarations of interest: which tenderers a member has to speak of, and what both have in common by the registers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.freezing import frozen_list
from schoolmeals.procurement.models import InterestDeclaration
from schoolmeals.procurement.queries.commission import member_traits
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.bids import Outcome
from schoolmeals.procurement.rules.conflicts import Hit, hits
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.suppliers import tenderer_traits

_READERS = frozenset({Party.MEMBER, Party.SECRETARY, Party.AUDITOR, Party.REVIEW_BODY, Party.CITY_ADMIN, Party.SYSTEM})


@dataclass(frozen=True, slots=True)
class TendererToDeclare:
    """A tenderer, what the member has said, and what the registers find in common. A hit is a question, no verdict."""

    tenderer_id: UUID
    name: Mapping[str, str]
    identifier: str | None
    declared: bool
    has_interest: bool
    hits: Sequence[Hit]


@dataclass(frozen=True, slots=True)
class DeclarationState:
    """How far a voting member has come: how many of how many tenderers, and how many hits nobody has answered."""

    seat: SeatFacts
    declared: int
    tenderers: int
    open_hits: int


def to_declare(work: Work, tender_id: UUID) -> list[TendererToDeclare]:
    """The tenderers whose bids are opened, for the holder of a seat. Raises NotFound."""
    hand = visible(work, tender_id)
    seat = next((one for one in hand.seats if one.person_id == work.actor.id and one.pool_member_id), None)
    if seat is None or hand.tender.opening_started_at is None:
        raise NotFound
    said = _said(work, tender_id).get(seat.id, {})
    mine = member_traits(work, seat)
    found = []
    for tenderer_id in tenderers_of(work, hand):
        facts = identity.organisation(work, tenderer_id)
        row = said.get(tenderer_id)
        name = {"kk": facts.name_kk, "ru": facts.name_ru, "en": facts.name_en}
        common = hits(mine, tenderer_traits(work, tenderer_id, hand.tender.published_at))
        is_interest = row is not None and row.has_interest
        found.append(TendererToDeclare(tenderer_id, name, facts.identifier, row is not None, is_interest, common))
    return found


def declaration_states(work: Work, tender_id: UUID) -> list[DeclarationState]:
    """How far each voting member has come; for commission, auditors and city admin. Raises NotFound."""
    hand = visible(work, tender_id)
    if hand.parties.isdisjoint(_READERS):
        raise NotFound
    return _states(work, hand)


def undeclared(work: Work, hand: AtHand, seat: SeatFacts | None) -> list[UUID]:
    """The tenderers of whom a seat has not said yet whether there is an interest; nobody where there is no seat."""
    if seat is None:
        return []
    found = select(InterestDeclaration.tenderer_id).where(InterestDeclaration.seat_id == seat.id)
    known = set(work.session.scalars(found))
    return [one for one in tenderers_of(work, hand) if one not in known]


def declared_seats(work: Work, hand: AtHand) -> list[SeatFacts]:
    """The voting members who have said of every tenderer whether there is an interest."""
    return [seat for seat in voters(hand.seats) if not undeclared(work, hand, seat)]


def shown_states(work: Work, hand: AtHand) -> list[DeclarationState]:
    """How far each voting member has come, for a page; nothing for those who may not know it."""
    return [] if hand.parties.isdisjoint(_READERS) else _states(work, hand)


def tenderers_of(work: Work, hand: AtHand) -> list[UUID]:
    """Who has a bid in the closed list that was not withdrawn, in the order of the list; empty before the opening."""
    if hand.tender.opening_started_at is None:
        return []
    out = frozenset({Outcome.WITHDRAWN})
    return list(dict.fromkeys(one.tenderer_id for one in frozen_list(work, hand.id) if one.outcome not in out))


def _states(work: Work, hand: AtHand) -> list[DeclarationState]:
    said = _said(work, hand.id)
    traits = {id: tenderer_traits(work, id, hand.tender.published_at) for id in tenderers_of(work, hand)}
    states = []
    for seat in voters(hand.seats):
        own = said.get(seat.id, {})
        mine = member_traits(work, seat)
        open_hits = sum(len(hits(mine, one)) for id, one in traits.items() if id not in own)
        states.append(DeclarationState(seat, len(own), len(traits), open_hits))
    return states


def _said(work: Work, tender_id: UUID) -> dict[UUID, dict[UUID, InterestDeclaration]]:
    found: dict[UUID, dict[UUID, InterestDeclaration]] = {}
    rows = work.session.scalars(select(InterestDeclaration).where(InterestDeclaration.tender_id == tender_id))
    for row in rows:
        found.setdefault(row.seat_id, {})[row.tenderer_id] = row
    return found
