"""Admission as it stands: every bid with every requirement, what is found, how members voted, and what it comes to.

Not scoped: whoever calls has a tender at hand, or has looked whether the actor may know.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.procurement import registers
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.anonymised import bid_facts
from schoolmeals.procurement.candidates import Candidate, candidates
from schoolmeals.procurement.models import (
    FixAnswer,
    FixFile,
    FixRequest,
    RequirementDecision,
    TenderAct,
    TenderVersion,
)
from schoolmeals.procurement.profiles import Profile, Requirement
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.admission import Decision, Finding, Vote, decision, is_admitted
from schoolmeals.procurement.rules.affiliation import in_common
from schoolmeals.procurement.rules.findings import BidGround, RegisterWord, finding
from schoolmeals.procurement.rules.quorum import voters
from schoolmeals.procurement.rules.scoring import overcommitted
from schoolmeals.procurement.rules.sheet import quorum
from schoolmeals.procurement.staffing import staff_load
from schoolmeals.procurement.suppliers import tenderer_traits
from schoolmeals.procurement.unsealing import cancelled_lots


@dataclass(frozen=True, slots=True)
class Fix:
    """What a supplier was asked to mend, and what came of it. Files are there without their content."""

    id: UUID
    bid_id: UUID
    requirements: tuple[str, ...]
    text: str
    asked_at: datetime
    answered_at: datetime | None
    answer: str
    files: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A requirement of a bid: what is found, how each seat voted, and the outcome so far."""

    requirement: Requirement
    finding: Finding
    votes: tuple[Vote, ...]
    decision: Decision
    known: frozenset[str]
    """The digests that a decision can rest on."""


@dataclass(frozen=True, slots=True)
class Row:
    """A bid with all its requirements, and what it was asked to mend."""

    candidate: Candidate
    cells: tuple[Cell, ...]
    fixes: tuple[Fix, ...]

    @property
    def admitted(self) -> bool | None:
        return is_admitted(cell.decision for cell in self.cells)

    def cell(self, requirement: str) -> Cell | None:
        """The cell of a requirement; None where the procedure has no such one."""
        return next((one for one in self.cells if one.requirement.code == requirement), None)


def admission_of(work: Work, hand: AtHand, profile: Profile, document: Mapping[str, Any], zone: ZoneInfo) -> list[Row]:
    """All bids under admission, in the order of receipt, decided by those who have a vote now. Bids for a lot that was
    cancelled before anything was decided on them are none of it.
    """
    bids = candidates(work, hand, profile.envelopes)
    if hand.tender.admitted_at is None:
        gone = cancelled_lots(hand)
        bids = [one for one in bids if one.row.lot_id not in gone]
    fixes = fixes_of(work, hand.id)
    grounds = _grounds(work, hand, profile, document, bids, fixes, zone)
    votes = votes_of(work, hand, fixes)
    voting = {str(seat.id) for seat in voters(hand.seats)}
    needed = quorum(len(voting), profile)
    rows = []
    for bid in bids:
        cells = []
        for one in profile.requirements:
            found = finding(one, bid.content, grounds[bid.id])
            cast = tuple(votes.get((bid.id, one.code), ()))
            known = bid.digests | set(found.evidence) | set(grounds[bid.id].mended_evidence.get(one.code, ()))
            cells.append(Cell(one, found, cast, decision(found, cast, voting, needed), frozenset(known)))
        rows.append(Row(bid, tuple(cells), tuple(fix for fix in fixes if fix.bid_id == bid.id)))
    return rows


def fixes_of(work: Work, tender_id: UUID) -> list[Fix]:
    """What suppliers were asked to mend, the first first."""
    asked = select(FixRequest).where(FixRequest.tender_id == tender_id).order_by(FixRequest.at, FixRequest.id)
    rows = list(work.session.scalars(asked))
    ids = [row.id for row in rows]
    answers = {row.fix_id: row for row in work.session.scalars(select(FixAnswer).where(FixAnswer.fix_id.in_(ids)))}
    columns = [column for column in FixFile.__table__.c if column.name != "content"]
    found = select(*columns).where(FixFile.answer_id.in_([row.id for row in answers.values()])).order_by(FixFile.id)
    files: dict[UUID, list[Mapping[str, Any]]] = {}
    for file in work.session.execute(found).mappings():
        files.setdefault(file["answer_id"], []).append(dict(file))
    return [_fix(row, answers.get(row.id), files) for row in rows]


def votes_of(work: Work, hand: AtHand, fixes: Sequence[Fix]) -> dict[tuple[UUID, str], list[Vote]]:
    """The votes that count, by bid and requirement: those since the commission began, or had to begin anew, and of
    what was mended those since it was.
    """
    since = began_anew_at(work, hand)
    mended = {
        (fix.bid_id, code): fix.answered_at for fix in fixes if fix.answered_at is not None for code in fix.requirements
    }
    found = select(RequirementDecision).where(
        RequirementDecision.tender_id == hand.id,
        RequirementDecision.seat_id.is_not(None),
        RequirementDecision.at >= since,
    )
    votes: dict[tuple[UUID, str], list[Vote]] = {}
    for row in work.session.scalars(found.order_by(RequirementDecision.at, RequirementDecision.id)):
        key = (row.bid_id, row.requirement)
        if row.at >= mended.get(key, since):
            votes.setdefault(key, []).append(_vote(row))
    return votes


def began_anew_at(work: Work, hand: AtHand, *, to: Collection[str] = ("admission",)) -> datetime:
    """When a decision on a complaint last sent the commission back, to admission or ``to`` whatever is named; the
    tender's beginning where none has.
    """
    found = select(TenderAct).where(TenderAct.tender_id == hand.id, TenderAct.kind == ActKind.COMPLAINT_EXECUTED.value)
    back = [row.at for row in work.session.scalars(found) if row.payload.get("back_to") in to]
    return max([hand.tender.made_at, *back])


def outcomes_of(work: Work, tender_id: UUID) -> dict[tuple[UUID, str], RequirementDecision]:
    """What the commission's decisions came to, by bid and requirement; the last where it had to decide again."""
    found = select(RequirementDecision).where(
        RequirementDecision.tender_id == tender_id, RequirementDecision.seat_id.is_(None)
    )
    rows = work.session.scalars(found.order_by(RequirementDecision.at, RequirementDecision.id))
    return {(row.bid_id, row.requirement): row for row in rows}


def published(work: Work, hand: AtHand) -> TenderVersion:
    """The text that the tender goes by."""
    return work.session.get_one(TenderVersion, (hand.id, hand.tender.version))


def _grounds(
    work: Work,
    hand: AtHand,
    profile: Profile,
    document: Mapping[str, Any],
    bids: Sequence[Candidate],
    fixes: Sequence[Fix],
    zone: ZoneInfo,
) -> dict[UUID, BidGround]:
    lots = {lot["id"]: lot for lot in document["lots"]}
    over = _overcommitted(work, hand, profile, bids, zone)
    traits = {bid.id: tenderer_traits(work, bid.row.tenderer_id, hand.tender.published_at) for bid in bids}
    found = {}
    for bid in bids:
        others = [
            one for one in bids if one.row.lot_id == bid.row.lot_id and one.row.tenderer_id != bid.row.tenderer_id
        ]
        evidence = _mended(fix for fix in fixes if fix.bid_id == bid.id)
        found[bid.id] = BidGround(
            content_sha256=bid.content_sha256,
            posts=lots[str(bid.row.lot_id)]["sections"].get("staff", {}).get("posts", ()),
            overcommitted=over,
            registers=_registers(work, hand, profile, bid.row.tenderer_id, zone),
            affiliates=[kind.value for one in others for kind in in_common(traits[bid.id], traits[one.id])],
            mended=frozenset(evidence),
            mended_evidence=evidence,
        )
    return found


def _overcommitted(
    work: Work, hand: AtHand, profile: Profile, bids: Sequence[Candidate], zone: ZoneInfo
) -> frozenset[str]:
    keys = {one.person_key for bid in bids if bid.content is not None for one in bid.content.staff}
    elsewhere = staff_load(work, keys, hand.at.astimezone(zone).date(), but_tender=hand.id)
    readable = [bid_facts(bid.id, bid.row.lot_id, bid.content) for bid in bids if bid.content is not None]
    return overcommitted(readable, elsewhere, profile.number("fte_max_percent").value)


def _registers(
    work: Work, hand: AtHand, profile: Profile, tenderer_id: UUID, zone: ZoneInfo
) -> dict[str, RegisterWord]:
    checks = (one.check.partition(":") for one in profile.requirements)
    asked = [name for kind, _, name in checks if kind == "register"]
    snapshot = registers.check(work, tenderer_id, hand.at, registers=asked, zone=zone)
    return {
        one.register: RegisterWord(hits=len(snapshot.hits_in(one.register)), sha256=one.sha256)
        for one in snapshot.imports
    }


def _mended(fixes: Any) -> dict[str, tuple[str, ...]]:
    """What was sent for each requirement that a supplier was asked to mend and has answered to."""
    found: dict[str, tuple[str, ...]] = {}
    for fix in fixes:
        if fix.answered_at is not None:
            for code in fix.requirements:
                hashes = tuple(file["sha256"] for file in fix.files if file["requirement"] == code)
                found[code] = (*found.get(code, ()), *hashes)
    return found


def _fix(row: FixRequest, answer: FixAnswer | None, files: Mapping[UUID, Sequence[Mapping[str, Any]]]) -> Fix:
    return Fix(
        id=row.id,
        bid_id=row.bid_id,
        requirements=tuple(row.requirements),
        text=row.text,
        asked_at=row.at,
        answered_at=answer.at if answer is not None else None,
        answer=answer.text if answer is not None else "",
        files=tuple(files.get(answer.id, ())) if answer is not None else (),
    )


def _vote(row: RequirementDecision) -> Vote:
    return Vote(
        seat_id=str(row.seat_id),
        met=row.met,
        reason_code=row.reason_code,
        reason=row.reason,
        evidence=tuple(row.evidence),
        at=row.at,
    )
