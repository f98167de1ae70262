"""Evaluation as it stands: everything that the score sheet's inputs hold, gathered from what was decided and scored.

Not scoped: whoever calls has a tender at hand, or has looked whether the actor may know. Scores that are still hidden
are never gathered here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.admitting import fixes_of, outcomes_of, published, votes_of
from schoolmeals.procurement.anonymised import bid_json, pseudonym
from schoolmeals.procurement.candidates import Candidate, candidates
from schoolmeals.procurement.documents import written
from schoolmeals.procurement.freezing import payload_of
from schoolmeals.procurement.models import (
    Contract,
    EvidenceContest,
    LowPriceExplanation,
    LowPriceRequest,
    LowPriceVote,
    RequirementDecision,
    Score,
    ScoreReveal,
)
from schoolmeals.procurement.profiles import Criterion, Profile
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.admission import Vote
from schoolmeals.procurement.rules.opening import admitted_bids
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.staffing import staff_load
from schoolmeals.procurement.unsealing import cancelled_lots

SUPPLIERS_FAULT = ("supplier", "both")


@dataclass(frozen=True, slots=True)
class Judged:
    """What has to be scored by people: each of these bids for each of these criteria."""

    bids: tuple[UUID, ...]
    criteria: tuple[Criterion, ...]

    def complete(self, scored: set[tuple[UUID, str]]) -> bool:
        """Whether nothing of it is missing."""
        return all((bid, one.code) in scored for bid in self.bids for one in self.criteria)


def inputs_of(
    work: Work, hand: AtHand, profile: Profile, zone: ZoneInfo, *, single_reasons: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The inputs of the score sheet, as they stand now."""
    version = published(work, hand)
    document = json.loads(version.text)
    bids = candidates(work, hand, profile.envelopes)
    named = partial(pseudonym, hand.id)
    keys = {one.person_key for bid in bids if bid.content is not None for one in bid.content.staff}
    elsewhere = staff_load(work, keys, hand.at.astimezone(zone).date(), but_tender=hand.id)
    votes = votes_of(work, hand, fixes_of(work, hand.id))
    outcomes = outcomes_of(work, hand.id)
    return {
        "tender": {
            "id": str(hand.id),
            "number": document["number"],
            "version": version.version,
            "version_sha256": version.sha256.hex(),
        },
        "profile": document["profile"],
        "deadline": hand.facts.terms["bidding"].until.astimezone(zone).date().isoformat(),
        "admission_voters": list(_listed(payload_of(work, hand.id, ActKind.ADMITTED).get("voters"))),
        "voters": [{"seat_id": str(one.id), "name": one.name, "part": one.part} for one in voters(hand.seats)],
        "lots": [_lot(lot, single_reasons or {}) for lot in document["lots"]],
        "fte_elsewhere": {named(key): percent for key, percent in sorted(elsewhere.items())},
        "bids": [
            {
                **bid_json(bid.id, bid.row.lot_id, bid.content, name=named, past=_past(work, bid.row.tenderer_id)),
                **_about(work, bid),
                "requirements": [
                    _requirement(outcomes[bid.id, one.code], votes.get((bid.id, one.code), []))
                    for one in profile.requirements
                    if (bid.id, one.code) in outcomes
                ],
            }
            for bid in bids
        ],
        "contests": [_contest(row) for row in contests_of(work, hand.id)],
        "scores": [_score(row) for row in revealed_scores(work, hand.id)],
        "low_prices": _low_prices(work, hand.id),
    }


def to_judge(work: Work, hand: AtHand, profile: Profile) -> Judged:
    """What people score: every admitted bid, but for those for a cancelled lot, for every criterion that is judged."""
    gone = {str(lot_id) for lot_id in cancelled_lots(hand)}
    admitted = admitted_bids(payload_of(work, hand.id, ActKind.ADMITTED), gone)
    criteria = tuple(one for one in profile.criteria if one.kind == "judged")
    return Judged(tuple(UUID(bid) for bid in sorted(admitted)), criteria)


def scores_of(work: Work, tender_id: UUID, seat_id: UUID | None = None) -> list[Score]:
    """The last score of each seat for each criterion of each bid, hidden ones too; of one seat where it is given."""
    found = select(Score).where(Score.tender_id == tender_id, Score.seat_id.is_not(None))
    if seat_id is not None:
        found = found.where(Score.seat_id == seat_id)
    last = {(row.seat_id, row.bid_id, row.criterion): row for row in work.session.scalars(_in_order(found))}
    return list(last.values())


def revealed_scores(work: Work, tender_id: UUID) -> list[Score]:
    """Those that everybody may know."""
    found = select(Score).join(ScoreReveal, ScoreReveal.score_id == Score.id).where(Score.tender_id == tender_id)
    return list(work.session.scalars(_in_order(found)))


def revealed_ids(work: Work, tender_id: UUID) -> set[UUID]:
    """The scores that were revealed."""
    return set(work.session.scalars(select(ScoreReveal.score_id).where(ScoreReveal.tender_id == tender_id)))


def contests_of(work: Work, tender_id: UUID) -> list[EvidenceContest]:
    """Who contests which evidence, the first first."""
    found = select(EvidenceContest).where(EvidenceContest.tender_id == tender_id)
    return list(work.session.scalars(found.order_by(EvidenceContest.at, EvidenceContest.id)))


def seats_that_scored(scores: Sequence[Score], seats: Sequence[SeatFacts], judged: Judged) -> list[SeatFacts]:
    """The voters who have scored everything that there is to score."""
    done = {seat.id: {(row.bid_id, row.criterion) for row in scores if row.seat_id == seat.id} for seat in seats}
    return [seat for seat in voters(seats) if judged.complete(done[seat.id])]


def _in_order(found: Any) -> Any:
    return found.order_by(Score.at, Score.id)


def _lot(lot: Mapping[str, Any], single_reasons: Mapping[str, str]) -> dict[str, Any]:
    sections = lot["sections"]
    return {
        "lot_id": lot["id"],
        "position": lot["position"],
        "school": lot["school"]["name"],
        "posts": [
            {"post": row["post"], "count": row["count"], "fte_percent": row["fte_percent"]}
            for row in sections.get("staff", {}).get("posts", ())
        ],
        "domestic_percent": sections.get("origin", {}).get("domestic_percent") or 0,
        "items": [
            {"id": item["id"], "quantity": item["quantity"], "ceiling_minor": item["ceiling_minor"]}
            for item in lot["items"]
        ],
        "single_reason": single_reasons.get(lot["id"], ""),
    }


def _about(work: Work, bid: Candidate) -> dict[str, Any]:
    tenderer = identity.organisation(work, bid.row.tenderer_id)
    return {
        "tenderer": {
            "id": str(tenderer.id),
            "name": {"kk": tenderer.name_kk, "ru": tenderer.name_ru, "en": tenderer.name_en},
            "identifier": tenderer.identifier,
        },
        "received_at": written(bid.row.received_at),
        "content_sha256": bid.content_sha256,
        "unreadable": bid.unreadable,
        "prices": [{"lot_item_id": str(one.lot_item_id), "price_minor": one.price_minor} for one in bid.prices],
    }


def _past(work: Work, supplier_id: UUID) -> dict[str, int]:
    """How many contracts of a supplier have ended well, and how many by its fault."""
    completed = func.count().filter(Contract.completed_at.is_not(None), Contract.terminated_at.is_(None))
    terminated = func.count().filter(Contract.fault.in_(SUPPLIERS_FAULT))
    found = select(completed, terminated).select_from(Contract).where(Contract.supplier_id == supplier_id)
    ended, broken = work.session.execute(found).one()
    return {"completed": ended, "terminated": broken}


def _requirement(outcome: RequirementDecision, votes: Sequence[Vote]) -> dict[str, Any]:
    return {
        "code": outcome.requirement,
        "finding": outcome.finding,
        "votes": [
            {
                "seat_id": vote.seat_id,
                "met": vote.met,
                "reason_code": vote.reason_code,
                "reason": vote.reason,
                "evidence": list(vote.evidence),
                "at": written(vote.at),
            }
            for vote in votes
        ],
    }


def _contest(row: EvidenceContest) -> dict[str, Any]:
    return {
        "seat_id": str(row.seat_id),
        "bid_id": str(row.bid_id),
        "sha256": row.sha256,
        "reason_code": row.reason_code,
        "reason": row.reason,
        "at": written(row.at),
    }


def _score(row: Score) -> dict[str, Any]:
    return {
        "seat_id": str(row.seat_id),
        "bid_id": str(row.bid_id),
        "criterion": row.criterion,
        "points_milli": row.points_milli,
        "note": row.note,
        "salt": row.salt,
        "commitment": row.commitment,
        "at": written(row.at),
    }


def _low_prices(work: Work, tender_id: UUID) -> list[dict[str, Any]]:
    asked = select(LowPriceRequest).where(LowPriceRequest.tender_id == tender_id).order_by(LowPriceRequest.at)
    rows = list(work.session.scalars(asked))
    ids = [row.id for row in rows]
    found = select(LowPriceExplanation).where(LowPriceExplanation.request_id.in_(ids))
    explained = {row.request_id: row.text for row in work.session.scalars(found)}
    votes = select(LowPriceVote).where(LowPriceVote.tender_id == tender_id).order_by(LowPriceVote.at, LowPriceVote.id)
    last = {(row.bid_id, row.seat_id): row for row in work.session.scalars(votes)}
    return [
        {
            "bid_id": str(row.bid_id),
            "asked_at": written(row.at),
            "explanation": explained.get(row.id, ""),
            "votes": [
                {"seat_id": str(seat), "accepted": vote.accepted, "reason": vote.reason}
                for (bid, seat), vote in last.items()
                if bid == row.bid_id
            ],
        }
        for row in rows
    ]


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []
