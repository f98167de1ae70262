"""Ending a tender, or one of its lots, before it has come to a contract: with a coded and a published reason."""

from uuid import UUID

from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotFound
from schoolmeals.procurement.acting import AtHand, LegalClock, Lock, database_clock, permitted, record_act
from schoolmeals.procurement.holding import unsettled_complaints
from schoolmeals.procurement.promoting import end_standing, settle
from schoolmeals.procurement.ranked import awards_of
from schoolmeals.procurement.rules.acts import ActKind, LotStage
from schoolmeals.procurement.rules.awards import CANCEL_CODES, CANCELLED, FAILED, may_cancel
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN
from schoolmeals.procurement.table import require


def cancel_tender(
    work: Work,
    tender_id: UUID,
    *,
    reason_code: str,
    reason: str,
    lot_id: UUID | None = None,
    clock: LegalClock = database_clock,
) -> None:
    """Cancel a tender whole, or one lot of it; awards in it fall. What has become a contract in force is not taken
    back, and nobody escapes a complaint by cancelling what it is about: the review body, which may order it, judges
    first, and what it ordered is carried out. Raises Invalid, NotFound, NotNow ``complaints-wait``, Conflict
    ``contract-in-force``, ``lot-is-settled``.
    """
    hand = permitted(work, "cancel_tender", tender_id, lock=Lock.CLOSE, clock=clock)
    require(may_cancel(unsettled_complaints(hand.facts)))
    if reason_code not in CANCEL_CODES:
        raise Invalid(fields={"reason_code": [UNKNOWN]})
    if not reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})
    said = {"reason_code": reason_code, "reason": reason.strip()}
    if lot_id is not None:
        _cancel_lot(work, hand, lot_id, said)
        settle(work, hand)
        if not all(lot.stage is LotStage.CANCELLED for lot in hand.facts.lots.values()):
            return
    _cancel(work, hand, said)


def _cancel(work: Work, hand: AtHand, said: dict[str, str]) -> None:
    if any(lot.stage is LotStage.CONTRACTED for lot in hand.facts.lots.values()):
        raise Conflict("contract-in-force", N_("A contract is in force. Cancel the other lots one by one."))
    _end_awards(work, hand, None, said["reason"])
    record_act(work, hand, ActKind.CANCELLED, said)


def _cancel_lot(work: Work, hand: AtHand, lot_id: UUID, said: dict[str, str]) -> None:
    lot = hand.facts.lots.get(lot_id)
    if lot is None:
        raise NotFound
    if lot.stage in FAILED or lot.stage is LotStage.CONTRACTED:
        raise Conflict("lot-is-settled", N_("This lot has a contract, or has ended already."))
    _end_awards(work, hand, lot_id, said["reason"])
    record_act(work, hand, ActKind.LOT_CANCELLED, said, lot_id=lot_id)


def _end_awards(work: Work, hand: AtHand, lot_id: UUID | None, reason: str) -> None:
    for award in awards_of(work, hand.id):
        if award.ended_at is None and lot_id in (None, award.lot_id):
            end_standing(work, hand, award, CANCELLED, reason)
