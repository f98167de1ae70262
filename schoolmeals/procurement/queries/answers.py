"""What a supplier still has to answer, and the ways to the commission's decisions, beside a tender's public page."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.procurement.models import (
    FixAnswer,
    FixRequest,
    FrozenBid,
    LowPriceExplanation,
    LowPriceRequest,
    ScoreSheet,
)
from schoolmeals.procurement.queries.admission import READERS
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.admission import fix_term
from schoolmeals.procurement.rules.low_price import low_price_term


@dataclass(frozen=True, slots=True)
class AnswerDue:
    """Something that the commission asks of one of the actor's bids. ``kind`` is ``mend`` or ``low-price``."""

    kind: str
    bid_id: UUID
    until: datetime


@dataclass(frozen=True, slots=True)
class DecisionLinks:
    """What the page of a tender leads to. ``table`` says whether the actor follows the commission's work."""

    due: tuple[AnswerDue, ...]
    scored: bool
    table: bool
    admitted: bool


def decision_links(work: Work, tender_id: UUID) -> DecisionLinks:
    """What there is to see, and to answer, of a tender's admission and evaluation. Raises NotFound."""
    hand = visible(work, tender_id)
    if hand.tender.opened_at is None:
        return DecisionLinks((), scored=False, table=False, admitted=False)
    sheet = work.session.scalar(select(ScoreSheet.id).where(ScoreSheet.tender_id == tender_id).limit(1))
    asked = [(kind, bid_id) for kind, bid_id in _asked(work, tender_id)]
    names = {"mend": fix_term, "low-price": low_price_term}
    terms = [(kind, bid_id, hand.facts.terms.get(names[kind](bid_id))) for kind, bid_id in asked]
    due = tuple(
        AnswerDue(kind, bid_id, term.until)
        for kind, bid_id, term in terms
        if term is not None and hand.at <= term.until
    )
    return DecisionLinks(
        due,
        scored=sheet is not None,
        table=not hand.parties.isdisjoint(READERS),
        admitted=hand.tender.admitted_at is not None,
    )


def _asked(work: Work, tender_id: UUID) -> list[tuple[str, UUID]]:
    """What was asked of the actor's bids and not answered yet."""
    own = work.actor.schools_as(Role.SUPPLIER)
    if not own:
        return []
    bids = select(FrozenBid.id).where(FrozenBid.tender_id == tender_id, FrozenBid.tenderer_id.in_(own))
    fixes = select(FixRequest.bid_id).where(FixRequest.bid_id.in_(bids), FixRequest.id.not_in(select(FixAnswer.fix_id)))
    prices = select(LowPriceRequest.bid_id).where(
        LowPriceRequest.bid_id.in_(bids), LowPriceRequest.id.not_in(select(LowPriceExplanation.request_id))
    )
    mend = [("mend", bid_id) for bid_id in work.session.scalars(fixes)]
    return mend + [("low-price", bid_id) for bid_id in work.session.scalars(prices)]
