"""The award: the protocol that the chair signs with a quorum, awards that fall, and lots that nobody gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotFound, NotNow
from schoolmeals.procurement.acting import AtHand, acts_of, permitted, record_act
from schoolmeals.procurement.models import Award, FrozenBid, Lot, OpenedBid
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.promoting import (
    NO_BID,
    award_best,
    end_lot,
    end_standing,
    lots_with,
    note_award,
    promote_next,
    settle,
    standing_award,
    standstill_terms,
)
from schoolmeals.procurement.protocols import make_protocol, protocol_sha256
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.queries.interests import declared_seats
from schoolmeals.procurement.ranked import ranking_of, tried_bids
from schoolmeals.procurement.rules.acts import ActKind, LotStage
from schoolmeals.procurement.rules.awards import (
    COMPLAINTS_WAIT,
    Candidate,
    Finding,
    following,
    may_end,
    may_give_up,
    objections_term,
    signing_of,
)
from schoolmeals.procurement.rules.drafting import NEEDED
from schoolmeals.procurement.rules.quorum import has_quorum, heads
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import as_payload
from schoolmeals.procurement.table import has_declared, own_seat, require


@dataclass(frozen=True, slots=True)
class SignedAward:
    """What the protocol of the award decided."""

    awards: Mapping[UUID, UUID]
    """Award by lot."""
    passed_over: Mapping[UUID, tuple[UUID, ...]]
    """Bids that fell at the last check, by lot."""
    protocol_id: UUID


def sign_award(
    work: Work, tender_id: UUID, *, present: Sequence[UUID], zone: ZoneInfo, reason: str = ""
) -> SignedAward:
    """Award each lot to its best bid, after looking up once more what could speak against the winner. The chair signs
    for the members who are ``present`` (by seat) and have declared of every bidder. Where fewer bids than usual were
    left, ``reason`` says why it is awarded all the same. Where nobody is left the standstill runs all the same: who was
    passed over can complain. Raises NotNow ``declare-first``, ``no-quorum``, ``chair-away``, ``no-bid-to-award``,
    Conflict ``conflict-of-interest``, Invalid.
    """
    hand = permitted(work, "sign_award", tender_id)
    profile = profile_of(work, hand.tender)
    has_declared(work, hand, own_seat(work, hand))
    declared = {seat.id for seat in declared_seats(work, hand)}
    present = [seat_id for seat_id in present if seat_id in declared]
    _refuse_without_quorum(hand, present, profile)
    ranked = ranking_of(work, tender_id)
    lots = lots_with(hand, LotStage.ACTIVE)
    if not any(ranked.get(lot_id) for lot_id in lots):
        raise NotNow("no-bid-to-award", NO_BID_TO_AWARD)
    _refuse_lonely(profile, [ranked.get(lot_id, ()) for lot_id in lots], reason)
    decided: dict[UUID, Award] = {}
    passed: dict[UUID, list[tuple[Candidate, list[Finding]]]] = {}
    for lot_id in lots:
        award, passed[lot_id] = award_best(work, hand, profile, lot_id, ranked.get(lot_id, ()), zone=zone)
        if award is not None:
            decided[lot_id] = award
            note_award(work, hand, award)
        else:
            end_lot(work, hand, lot_id, "recheck" if passed[lot_id] else NO_BID)
    document = _minutes(work, hand, present, ranked, decided, passed, reason)
    protocol_id = make_protocol(work, hand, "award", document)
    _announce(work, hand, profile, zone, protocol_id)
    gone = {lot_id: tuple(one.bid_id for one, _ in rows) for lot_id, rows in passed.items()}
    return SignedAward({lot_id: award.id for lot_id, award in decided.items()}, gone, protocol_id)


def declare_unsuccessful(work: Work, tender_id: UUID, lot_id: UUID, reason: str) -> None:
    """End a lot for which no bid is left: none came, none was admitted, or every award fell. The tender ends with its
    last lot. Raises NotFound, Invalid, Conflict ``lot-is-settled``, ``bids-left``, NotNow ``complaints-wait``,
    ``objections-run``.
    """
    hand = permitted(work, "declare_unsuccessful", tender_id)
    lot = hand.facts.lots.get(lot_id)
    if lot is None:
        raise NotFound
    if not reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})
    if lot.stage is not LotStage.ACTIVE:
        raise Conflict("lot-is-settled", N_("This lot has an award, or has ended already."))
    if _bids_left(work, hand, lot_id):
        raise Conflict("bids-left", N_("There are bids for this lot that can still win. Decide on them first."))
    if hand.facts.complaints_waiting:
        raise NotNow("complaints-wait", COMPLAINTS_WAIT, count=len(hand.facts.complaints_waiting))
    require(may_give_up(hand.facts.terms.get(objections_term(lot_id)), hand.at))
    end_lot(work, hand, lot_id, NO_BID, reason.strip())
    settle(work, hand)


def end_award(work: Work, tender_id: UUID, lot_id: UUID, *, code: str, reason: str, zone: ZoneInfo) -> UUID | None:
    """Let a lot's award fall before its contract is in force; gives the id of the next in rank's award, None where
    nobody is left and the lot ends. Raises NotFound, Invalid, Conflict ``contract-in-force``, NotNow
    ``still-time-to-sign``.
    """
    hand = permitted(work, "end_award", tender_id)
    if not reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})
    award = standing_award(work, tender_id, lot_id)
    refused = may_end(code, signing_of(hand.facts.terms, lot_id), hand.at)
    if refused is not None:
        raise NotNow(refused.code, refused.sentence, **refused.facts)
    end_standing(work, hand, award, code, reason.strip())
    promoted = promote_next(work, hand, profile_of(work, hand.tender), lot_id, zone)
    return promoted.id if promoted is not None else None


def _refuse_without_quorum(hand: AtHand, present: Sequence[UUID], profile: Profile) -> None:
    refused = has_quorum(hand.seats, present, profile)
    if refused is not None:
        raise NotNow(refused.code, refused.sentence, **refused.facts)
    chair = heads(hand.seats)[0]
    if chair is None or chair.id not in present:
        raise NotNow("chair-away", N_("Whoever chairs must be present to sign."))


def _refuse_lonely(profile: Profile, ranked: Sequence[Sequence[Candidate]], reason: str) -> None:
    """A bid without a rival wins only with written reasons."""
    least = profile.number("single_bid_needs_reason").value
    if any(0 < len(candidates) <= least for candidates in ranked) and not reason.strip():
        raise Invalid("reason-for-single-bid", fields={"reason": [NEEDED]})


def _announce(work: Work, hand: AtHand, profile: Profile, zone: ZoneInfo, protocol_id: UUID) -> None:
    """Begin the standstill; also where nobody was awarded anything: who was passed over can complain until it ends."""
    payload = {"protocol_id": str(protocol_id), "protocol_sha256": protocol_sha256(work, protocol_id)}
    terms = standstill_terms(work, hand, profile, zone)
    record_act(work, hand, ActKind.AWARDED, {**payload, "terms": as_payload(terms)}, subject_id=protocol_id)


def _minutes(
    work: Work,
    hand: AtHand,
    present: Sequence[UUID],
    ranked: Mapping[UUID, Sequence[Candidate]],
    decided: Mapping[UUID, Award],
    passed: Mapping[UUID, list[tuple[Candidate, list[Finding]]]],
    reason: str,
) -> dict[str, Any]:
    """What the protocol says."""
    return {
        "present": [
            {"seat_id": str(seat.id), "name": seat.name, "part": seat.part}
            for seat in hand.seats
            if seat.id in set(present) and seat.votes
        ],
        "reason": reason.strip(),
        "lots": [
            {
                **_placed(work, lot_id),
                "ranking": [_ranked(work, one) for one in ranked.get(lot_id, ())],
                "passed_over": [
                    {**_ranked(work, one), "findings": [each.as_json() for each in found]} for one, found in rows
                ],
                "award": _awarded(work, decided[lot_id]) if lot_id in decided else None,
            }
            for lot_id, rows in passed.items()
        ],
    }


def _placed(work: Work, lot_id: UUID) -> dict[str, Any]:
    row = work.session.get_one(Lot, lot_id)
    school = identity.organisation(work, row.school_id)
    named = {"kk": school.name_kk, "ru": school.name_ru, "en": school.name_en}
    return {"lot_id": str(lot_id), "position": row.position, "school": named}


def _ranked(work: Work, one: Candidate) -> dict[str, Any]:
    return {
        "bid_id": str(one.bid_id),
        "tenderer": _named(work, one.tenderer_id),
        "rank": one.rank,
        "points_milli": one.points_milli,
        "value_minor": one.value_minor,
    }


def _awarded(work: Work, award: Award) -> dict[str, Any]:
    return {
        "award_id": str(award.id),
        "supplier": _named(work, award.supplier_id),
        "rank": award.rank,
        "value_minor": award.value_minor,
        "currency": award.currency,
    }


def _named(work: Work, organisation_id: UUID) -> dict[str, Any]:
    facts = identity.organisation(work, organisation_id)
    return {
        "id": str(facts.id),
        "name": {"kk": facts.name_kk, "ru": facts.name_ru, "en": facts.name_en},
        "identifier": facts.identifier,
    }


def _bids_left(work: Work, hand: AtHand, lot_id: UUID) -> bool:
    """Whether some bid for the lot may still win, as far as the commission has come."""
    if hand.stage is TenderStage.ADMISSION:
        found = (
            select(FrozenBid.id)
            .join(OpenedBid, OpenedBid.bid_id == FrozenBid.id)
            .where(FrozenBid.lot_id == lot_id, OpenedBid.plaintext.is_not(None))
        )
        return work.session.scalar(found.limit(1)) is not None
    if hand.stage is TenderStage.EVALUATION:
        admitted = [act for act in acts_of(work, hand.id) if act.kind is ActKind.ADMITTED]
        lots = admitted[-1].payload.get("lots", {}) if admitted else {}
        return bool(lots.get(str(lot_id), {}).get("admitted"))
    return bool(following(ranking_of(work, hand.id).get(lot_id, ()), tried_bids(work, hand.id, lot_id)))


NO_BID_TO_AWARD: Final = N_("No bid is left to be awarded. Declare the lots unsuccessful instead.")
