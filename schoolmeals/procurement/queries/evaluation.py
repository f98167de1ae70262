"""Looking at an evaluation: one's own sheet while it goes on, who has scored (not what), and the published result."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.candidates import BidFile, candidates
from schoolmeals.procurement.evaluating import inputs_of, revealed_ids, scores_of, seats_that_scored, to_judge
from schoolmeals.procurement.models import FrozenBid, LowPriceExplanation, LowPriceRequest, ScoreSheet
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries.admission import at_the_table, names_of
from schoolmeals.procurement.queries.interests import DeclarationState, shown_states, undeclared
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.low_price import low_price_term
from schoolmeals.procurement.rules.permissions import DEEDS, decide
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.ranking import Ranked
from schoolmeals.procurement.rules.sheet import evaluated, quorum
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import Term
from schoolmeals.procurement.unsealing import envelopes_due, opened_row, profile_at


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationBoard:
    """An evaluation as somebody at the commission's table sees it; hidden scores are there only where they are one's
    own. ``inputs`` and ``results`` are those of the score sheet, as they stand now.
    """

    tender_id: UUID
    stage: TenderStage
    profile: Profile
    inputs: Mapping[str, Any]
    results: Mapping[str, Any]
    names: Mapping[str, Mapping[str, str]]
    """Of the tenderers, by bid."""
    files: Mapping[str, tuple[BidFile, ...]]
    seat: SeatFacts | None
    own: Mapping[tuple[str, str], tuple[int, str]]
    """The actor's own points and notes, by bid and criterion."""
    fixed: frozenset[tuple[str, str]]
    """Those of them that are revealed."""
    done: tuple[SeatFacts, ...]
    voters: tuple[SeatFacts, ...]
    quorum: int
    hidden: int
    sealed: int
    """Price envelopes that are not opened yet."""
    undeclared: int
    """Of how many tenderers the actor, as a member, has still to declare; until then nothing is scored."""
    declarations: tuple[DeclarationState, ...]
    """How far each member has come with that; empty for those who may not know it."""
    terms: Mapping[str, Term]
    deeds: frozenset[str]
    now: datetime


@dataclass(frozen=True, slots=True)
class Sheet:
    """A published score sheet. ``text`` is the canonical JSON whose digest is ``sha256``; ``holds`` is False once a
    decision on a complaint has sent the tender back, until the next one is published.
    """

    at: datetime
    document: Mapping[str, Any]
    text: str
    sha256: str
    holds: bool


@dataclass(frozen=True, slots=True)
class LowPriceTask:
    """A price that a supplier is asked to explain."""

    title: Mapping[str, str]
    facts: Mapping[str, Any]
    until: datetime
    explanation: str
    open: bool


def ranking(work: Work, tender_id: UUID) -> dict[UUID, tuple[Ranked, ...]]:
    """The places of the bids, by lot, as the last evaluation found them; empty before one is finished. Not scoped."""
    row = _last_sheet(work, tender_id)
    if row is None:
        return {}
    lots = json.loads(row.text)["results"]["lots"]
    return {UUID(lot): tuple(Ranked(**one) for one in made["ranking"]) for lot, made in lots.items()}


def evaluation_board(work: Work, tender_id: UUID, zone: ZoneInfo) -> EvaluationBoard:
    """The evaluation as it stands, once admission is decided. Raises NotFound for whoever has no part in it."""
    hand = at_the_table(work, tender_id)
    if hand.tender.admitted_at is None:
        raise NotFound
    profile = profile_at(work, hand)
    inputs = inputs_of(work, hand, profile, zone)
    seat = next((one for one in voters(hand.seats) if one.person_id == work.actor.id), None)
    scores, known = scores_of(work, tender_id), revealed_ids(work, tender_id)
    bids = candidates(work, hand, profile.envelopes)
    mine = [row for row in scores if seat is not None and row.seat_id == seat.id]
    voting = voters(hand.seats)
    return EvaluationBoard(
        tender_id=tender_id,
        stage=hand.stage,
        profile=profile,
        inputs=inputs,
        results=evaluated(inputs),
        names={str(bid.id): names_of(work, bid.row.tenderer_id) for bid in bids},
        files={str(bid.id): bid.files for bid in bids},
        seat=seat,
        own={(str(row.bid_id), row.criterion): (row.points_milli, row.note) for row in mine},
        fixed=frozenset((str(row.bid_id), row.criterion) for row in mine if row.id in known),
        done=tuple(seats_that_scored(scores, hand.seats, to_judge(work, hand, profile))),
        voters=tuple(voting),
        quorum=quorum(len(voting), profile),
        hidden=sum(row.id not in known for row in scores),
        sealed=sum(opened_row(work, one) is None for one in envelopes_due(work, hand)),
        undeclared=len(undeclared(work, hand, seat)),
        declarations=tuple(shown_states(work, hand)),
        terms=hand.facts.terms,
        deeds=frozenset(deed for deed in DEEDS if decide(deed, hand.stage, hand.parties) is None),
        now=hand.at,
    )


def score_sheet(work: Work, tender_id: UUID) -> Sheet:
    """The published score sheet, for everybody; the last one where an evaluation was repeated. Raises NotFound before
    an evaluation is finished.
    """
    hand = visible(work, tender_id)
    row = _last_sheet(work, tender_id)
    if row is None:
        raise NotFound
    return Sheet(row.at, json.loads(row.text), row.text, row.sha256.hex(), hand.tender.evaluated_at is not None)


def low_price_task(work: Work, tender_id: UUID, bid_id: UUID) -> LowPriceTask:
    """The price that the actor's bid has to explain. Raises NotFound where nothing was asked, or of others' bids."""
    hand = visible(work, tender_id)
    bid = work.session.get(FrozenBid, bid_id)
    asked = work.session.scalar(
        select(LowPriceRequest).where(LowPriceRequest.bid_id == bid_id, LowPriceRequest.tender_id == tender_id)
    )
    if bid is None or asked is None or bid.tenderer_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound
    given = work.session.get(LowPriceExplanation, asked.id)
    until = hand.facts.terms[low_price_term(bid_id)].until
    is_open = given is None and hand.at <= until and hand.stage is TenderStage.EVALUATION
    return LowPriceTask(hand.tender.title, asked.facts, until, given.text if given is not None else "", is_open)


def _last_sheet(work: Work, tender_id: UUID) -> ScoreSheet | None:
    found = select(ScoreSheet).where(ScoreSheet.tender_id == tender_id)
    return work.session.scalar(found.order_by(ScoreSheet.at.desc(), ScoreSheet.id.desc()).limit(1))
