"""How a lot gets its supplier: the best candidate whom nothing speaks against now, and the next one where an award
falls. Parts of several deeds; each has its tender at hand.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand, record_act
from schoolmeals.procurement.models import Award, Contract
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.ranked import ranking_of, tried_bids
from schoolmeals.procurement.rechecking import refuse_conflicts, speaks_against
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind, LotStage
from schoolmeals.procurement.rules.awards import Candidate, Finding, all_failed, following, may_conclude
from schoolmeals.procurement.rules.stages import OVER
from schoolmeals.procurement.rules.terms import Term, as_payload
from schoolmeals.verdicts import Refused

CURRENCY: Final = "KZT"
NOBODY_LEFT: Final = "nobody-left"
NO_BID: Final = "no-bid"


def standing_award(work: Work, tender_id: UUID, lot_id: UUID) -> Award:
    """The award that a lot has now. Raises NotFound, Conflict ``contract-in-force`` where it can no longer fall."""
    found = select(Award).where(Award.tender_id == tender_id, Award.lot_id == lot_id, Award.ended_at.is_(None))
    award: Award | None = work.session.scalar(found)
    if award is None:
        raise NotFound
    signed = select(Contract.id).where(Contract.award_id == award.id, Contract.active_at.is_not(None))
    if work.session.scalar(signed) is not None:
        raise Conflict("contract-in-force", N_("The contract is in force. It can be terminated, not taken back."))
    return award


def award_best(
    work: Work, hand: AtHand, profile: Profile, lot_id: UUID, candidates: Sequence[Candidate], *, zone: ZoneInfo
) -> tuple[Award | None, list[tuple[Candidate, list[Finding]]]]:
    """Decide on the first candidate whom nothing speaks against at this moment; also tells who was passed over, and
    why. Raises Conflict ``conflict-of-interest`` where a member would decide about somebody close.
    """
    passed: list[tuple[Candidate, list[Finding]]] = []
    for one in candidates:
        refuse_conflicts(work, hand, one.tenderer_id)
        about = {"lot_id": lot_id, "bid_id": one.bid_id, "supplier_id": one.tenderer_id}
        findings = speaks_against(work, hand, profile, **about, occasion="award", zone=zone)
        if not findings:
            return _keep(work, hand, lot_id, one), passed
        passed.append((one, findings))
    return None, passed


def end_standing(work: Work, hand: AtHand, award: Award, code: str, reason: str) -> None:
    """Let an award fall, with the contract that was made of it and that not both have signed."""
    award.ended_at, award.end_code, award.end_reason = hand.at, code, reason
    for contract in work.session.scalars(
        select(Contract).where(Contract.award_id == award.id, Contract.voided_at.is_(None))
    ):
        assert contract.active_at is None, "an award that became a contract in force no longer falls"
        contract.voided_at = hand.at
    work.session.flush()
    payload = {"award_id": str(award.id), "code": code, "reason": reason}
    record_act(work, hand, ActKind.AWARD_ENDED, payload, lot_id=award.lot_id, subject_id=award.id)


def promote_next(work: Work, hand: AtHand, profile: Profile, lot_id: UUID, zone: ZoneInfo) -> Award | None:
    """Award a lot whose award fell to the next in rank, with a standstill of its own; None where nobody is left, and
    the lot ends.
    """
    ranked = ranking_of(work, hand.id).get(lot_id, ())
    left = following(ranked, tried_bids(work, hand.id, lot_id))
    award, _passed = award_best(work, hand, profile, lot_id, left, zone=zone)
    terms = standstill_terms(work, hand, profile, zone)
    own = {f"{name}:{lot_id}": term for name, term in terms.items()}
    if award is None:
        # Whoever was passed over just now can complain about it before the tender ends.
        end_lot(work, hand, lot_id, NOBODY_LEFT, terms={name: own[name] for name in (f"standstill:{lot_id}",)})
        return None
    record_act(work, hand, ActKind.AWARD_MADE, _payload(award, own), lot_id=lot_id, subject_id=award.id)
    return award


def standstill_terms(work: Work, hand: AtHand, profile: Profile, zone: ZoneInfo) -> dict[str, Term]:
    """How long a contract must wait, and until when it is to be signed after that."""
    reckoning, faster = reckoning_of(work, hand.tender, zone), profile.accelerator
    standstill = reckoning.begin(hand.at, profile.term("standstill"), accelerator=faster)
    signing = reckoning.begin(standstill.until, profile.term("signing"), accelerator=faster)
    return {"standstill": standstill, "signing": signing}


def note_award(work: Work, hand: AtHand, award: Award) -> None:
    """Let it have happened that a lot was awarded."""
    record_act(work, hand, ActKind.AWARD_MADE, _payload(award, {}), lot_id=award.lot_id, subject_id=award.id)


def end_lot(
    work: Work, hand: AtHand, lot_id: UUID, code: str, reason: str = "", *, terms: dict[str, Term] | None = None
) -> None:
    """Let a lot end without a supplier; ``terms`` are those in which that can be contested."""
    payload = {"code": code, "reason": reason, **({"terms": as_payload(terms)} if terms else {})}
    record_act(work, hand, ActKind.LOT_UNSUCCESSFUL, payload, lot_id=lot_id)


def settle(work: Work, hand: AtHand) -> None:
    """End the tender where no lot is left that could find a supplier, nobody can contest that any more, and not all of
    them were cancelled. While somebody can, it stays; ``complete_tender`` ends it then.
    """
    if hand.stage in OVER or not all_failed(hand.facts.lots):
        return
    if conclusion_refused(hand) is not None:
        return
    if any(lot.stage is LotStage.UNSUCCESSFUL for lot in hand.facts.lots.values()):
        record_act(work, hand, ActKind.UNSUCCESSFUL, {})


def conclusion_refused(hand: AtHand) -> Refused | None:
    """What keeps the tender from its end; while it is suspended its terms stand still."""
    facts = hand.facts
    at = facts.times.suspended_at or hand.at
    return may_conclude(facts.lots, facts.terms, len(facts.complaints_waiting), at)


def lots_with(hand: AtHand, *stages: LotStage) -> list[UUID]:
    """The lots that are at one of these stages."""
    return [lot_id for lot_id, lot in hand.facts.lots.items() if lot.stage in stages]


def _keep(work: Work, hand: AtHand, lot_id: UUID, one: Candidate) -> Award:
    award = Award(
        id=new_id(hand.at),
        tender_id=hand.id,
        lot_id=lot_id,
        bid_id=one.bid_id,
        supplier_id=one.tenderer_id,
        rank=one.rank,
        points_milli=one.points_milli,
        value_minor=one.value_minor,
        currency=CURRENCY,
        decided_at=hand.at,
    )
    work.session.add(award)
    work.session.flush()
    return award


def _payload(award: Award, terms: dict[str, Term]) -> dict[str, Any]:
    said = {
        "award_id": str(award.id),
        "bid_id": str(award.bid_id),
        "supplier_id": str(award.supplier_id),
        "rank": award.rank,
        "value_minor": award.value_minor,
        "currency": award.currency,
    }
    return {**said, **({"terms": as_payload(terms)} if terms else {})}


LOT_ENDS: Final = {
    NOBODY_LEFT: N_("Nobody in the ranking is left."),
    NO_BID: N_("No bid was admitted."),
    "recheck": N_("Everybody in the ranking was passed over at the last check."),
}
"""Why a lot ended without a supplier."""
