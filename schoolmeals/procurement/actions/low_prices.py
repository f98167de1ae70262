"""Abnormally low prices: the supplier explains, the members judge."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import Conflict, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.jobs import defer
from schoolmeals.procurement.acting import AtHand, permitted, record_act
from schoolmeals.procurement.evaluating import inputs_of
from schoolmeals.procurement.models import FrozenBid, LowPriceExplanation, LowPriceRequest, LowPriceVote
from schoolmeals.procurement.profiles import Length
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.judging import PRICES_SEALED
from schoolmeals.procurement.rules.low_price import (
    ASKED_ALREADY,
    EXPLAINED_ALREADY,
    EXPLAINED_LATE,
    EXPLANATION_RUNS,
    NOT_ASKED,
    NOT_LOW,
    low_price_term,
)
from schoolmeals.procurement.rules.sheet import evaluated
from schoolmeals.procurement.rules.terms import as_payload
from schoolmeals.procurement.table import ASK_SUPPLIER, has_declared, own_bid, own_seat, said_in
from schoolmeals.procurement.unsealing import envelopes_due, opened_row, profile_at


def ask_low_price(work: Work, tender_id: UUID, bid_id: UUID, *, zone: ZoneInfo) -> None:
    """Ask a supplier to explain an abnormally low price, within the procedure's term.

    Raises NotFound, Conflict ``asked-already``, NotNow ``prices-sealed`` or ``not-low``.
    """
    hand = permitted(work, "ask_low_price", tender_id)
    profile = profile_at(work, hand)
    bid = _bid(work, hand, bid_id)
    sealed = sum(opened_row(work, one) is None for one in envelopes_due(work, hand))
    if sealed:
        raise NotNow("prices-sealed", PRICES_SEALED, count=sealed)
    low = _low(work, hand, bid, zone)
    if low is None or profile.low_price is None:
        raise NotNow("not-low", NOT_LOW)
    if _request(work, bid_id) is not None:
        raise Conflict("asked-already", ASKED_ALREADY)
    facts = {name: value for name, value in low.items() if name not in ("bid_id", "accepted")}
    row = LowPriceRequest(
        id=new_id(hand.at), tender_id=hand.id, bid_id=bid_id, facts=facts, by_person=work.actor.id, at=hand.at
    )
    work.session.add(row)
    work.session.flush()
    explanation = profile.low_price.explanation
    term = reckoning_of(work, hand.tender, zone).begin(
        hand.at, Length(explanation.value, explanation.unit), accelerator=profile.accelerator
    )
    payload = {"bid": str(bid_id), **facts, "terms": as_payload({low_price_term(bid_id): term})}
    record_act(work, hand, ActKind.LOW_PRICE_ASKED, payload, lot_id=bid.lot_id, subject_id=row.id)
    defer(work, ASK_SUPPLIER, bid_id=str(bid_id), what="low-price")


def explain_low_price(work: Work, tender_id: UUID, bid_id: UUID, text: str) -> None:
    """Explain, as the supplier, how the price comes about; once, within the term.

    Raises Invalid, NotFound, NotNow ``low-price-not-asked``, ``explained-already`` or ``explained-late``.
    """
    hand = permitted(work, "explain_low_price", tender_id)
    bid = own_bid(work, hand, bid_id)
    request = _request(work, bid_id)
    if request is None:
        raise NotNow("low-price-not-asked", NOT_ASKED)
    if work.session.get(LowPriceExplanation, request.id) is not None:
        raise NotNow("explained-already", EXPLAINED_ALREADY)
    if not _may_explain(hand, bid_id):
        raise NotNow("explained-late", EXPLAINED_LATE)
    row = LowPriceExplanation(request_id=request.id, text=said_in("text", text), by_person=work.actor.id, at=hand.at)
    work.session.add(row)
    work.session.flush()
    record_act(work, hand, ActKind.LOW_PRICE_EXPLAINED, {"bid": str(bid_id)}, lot_id=bid.lot_id, subject_id=request.id)


def judge_low_price(work: Work, tender_id: UUID, bid_id: UUID, *, accepted: bool, reason: str) -> None:
    """Accept the explanation of a low price as a member, or do not; a later word takes the place of an earlier one.

    Raises Invalid, NotFound, NotNow ``low-price-not-asked``, ``explanation-runs`` or ``declare-first``.
    """
    hand = permitted(work, "judge_low_price", tender_id)
    bid = _bid(work, hand, bid_id)
    request = _request(work, bid_id)
    if request is None:
        raise NotNow("low-price-not-asked", NOT_ASKED)
    if work.session.get(LowPriceExplanation, request.id) is None and _may_explain(hand, bid_id):
        raise NotNow("explanation-runs", EXPLANATION_RUNS)
    seat = own_seat(work, hand)
    has_declared(work, hand, seat)
    row = LowPriceVote(
        id=new_id(hand.at),
        tender_id=hand.id,
        bid_id=bid_id,
        seat_id=seat.id,
        accepted=accepted,
        reason=said_in("reason", reason),
        at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    said = {"bid": str(bid_id), "accepted": accepted, "reason": row.reason}
    record_act(work, hand, ActKind.LOW_PRICE_JUDGED, said, lot_id=bid.lot_id, subject_id=seat.id)


def _may_explain(hand: AtHand, bid_id: UUID) -> bool:
    term = hand.facts.terms.get(low_price_term(bid_id))
    return term is not None and hand.at <= term.until


def _bid(work: Work, hand: AtHand, bid_id: UUID) -> FrozenBid:
    row = work.session.get(FrozenBid, bid_id)
    if row is None or row.tender_id != hand.id:
        raise NotFound
    return row


def _low(work: Work, hand: AtHand, bid: FrozenBid, zone: ZoneInfo) -> Mapping[str, Any] | None:
    """By what a bid's price is abnormally low now; None where it is not."""
    results = evaluated(inputs_of(work, hand, profile_at(work, hand), zone))
    found = results["lots"][str(bid.lot_id)]["low_prices"]
    return next((one for one in found if one["bid_id"] == str(bid.id)), None)


def _request(work: Work, bid_id: UUID) -> LowPriceRequest | None:
    return work.session.scalar(select(LowPriceRequest).where(LowPriceRequest.bid_id == bid_id))
