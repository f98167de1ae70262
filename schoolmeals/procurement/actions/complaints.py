"""Complaints: made by whoever takes part or watches, judged by the review body, carried out by the organiser.

A complaint that waits keeps contracts from being signed; one that is accepted holds every running term until it is
decided and, where it is upheld, carried out.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import (
    AtHand,
    LegalClock,
    Lock,
    database_clock,
    known_act,
    lock_tender,
    permitted,
    record_act,
)
from schoolmeals.procurement.holding import COMPLAINT, cause_of, hold, let_go
from schoolmeals.procurement.models import Complaint, ComplaintFile, ComplaintPost
from schoolmeals.procurement.promoting import end_standing, promote_next, settle, standing_award
from schoolmeals.procurement.queries.complaints import posts_of, stage_of
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.ranked import ranking_of
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind, LotStage
from schoolmeals.procurement.rules.awards import ORDERED, standstill_of
from schoolmeals.procurement.rules.complaints import (
    ABOUT,
    DECISION,
    INADMISSIBLE_CODES,
    LARGEST_BYTES,
    LONGEST,
    MOST_FILES,
    OF_A_LOT,
    OPEN,
    OUTCOMES,
    ComplaintStage,
    may_complain,
    problems_of,
)
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN
from schoolmeals.procurement.rules.terms import as_payload


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that comes with a complaint."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComplaint:
    """What somebody complains about, and what they ask for; ``lot_id`` None where it is about the whole tender."""

    about: str
    text: str
    remedy: str
    language: str
    lot_id: UUID | None = None
    organisation_id: UUID | None = None
    """Of the supplier for which it is made; None for a person's own."""
    files: tuple[Attached, ...] = ()


def make_complaint(work: Work, tender_id: UUID, complaint_id: UUID, new: NewComplaint) -> UUID:
    """Complain about a tender's terms or about a decision in it. The same id again gives the same answer. Raises
    Invalid, NotFound, NotNow (see ``rules.complaints.may_complain``), Conflict ``no-review-body``, ``complained``.
    """
    lock_tender(work, tender_id)
    known = known_act(work, tender_id, complaint_id, ActKind.COMPLAINT_MADE)
    if known is not None and known.by_person == work.actor.id:
        return complaint_id
    hand = permitted(work, "make_complaint", tender_id)
    _check(work, hand, new)
    author = work.actor.id
    assert author is not None, "only people complain"
    row = Complaint(
        id=complaint_id,
        tender_id=tender_id,
        lot_id=new.lot_id,
        number=_next_number(work, tender_id),
        about=new.about,
        text=new.text.strip(),
        remedy=new.remedy.strip(),
        language=new.language,
        author_id=author,
        author_organisation_id=new.organisation_id,
        at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    files = [_keep_file(work, hand, complaint_id, one) for one in new.files]
    payload = {"number": row.number, "about": new.about, "files": files}
    record_act(work, hand, ActKind.COMPLAINT_MADE, payload, lot_id=new.lot_id, subject_id=complaint_id, id=complaint_id)
    return complaint_id


def withdraw_complaint(work: Work, tender_id: UUID, complaint_id: UUID, *, reason: str, zone: ZoneInfo) -> None:
    """Take one's own complaint back before it is decided; what it held runs on. Raises NotFound, NotNow."""
    hand = permitted(work, "withdraw_complaint", tender_id, lock=Lock.CLOSE)
    row = _complaint(work, hand, complaint_id)
    if row.author_id != work.actor.id:
        raise NotFound
    stage = _in(work, row, ComplaintStage.WAITING, ComplaintStage.ACCEPTED)
    _say(work, hand, row, "withdrawn", reason.strip())
    record_act(work, hand, ActKind.COMPLAINT_WITHDRAWN, {"number": row.number}, subject_id=row.id)
    if stage is ComplaintStage.ACCEPTED:
        _release(work, hand, row, "withdrawn", zone)
    settle(work, hand)


def accept_complaint(
    work: Work, tender_id: UUID, complaint_id: UUID, *, zone: ZoneInfo, clock: LegalClock = database_clock
) -> None:
    """Take a complaint up: every running term of the tender stands still, and the term to decide begins. Raises
    NotFound, NotNow.
    """
    hand = permitted(work, "accept_complaint", tender_id, lock=Lock.CLOSE, clock=clock)
    row = _complaint(work, hand, complaint_id)
    _in(work, row, ComplaintStage.WAITING)
    profile = profile_of(work, hand.tender)
    length = profile.term("complaint_decision")
    term = reckoning_of(work, hand.tender, zone).begin(hand.at, length, accelerator=profile.accelerator)
    _say(work, hand, row, "accepted", "")
    payload = {"number": row.number, "terms": as_payload({f"{DECISION}{row.id}": term})}
    record_act(work, hand, ActKind.COMPLAINT_ACCEPTED, payload, subject_id=row.id)
    hold(work, hand, COMPLAINT, cause_of(row.id), str(row.number))


def refuse_complaint(work: Work, tender_id: UUID, complaint_id: UUID, *, code: str, reason: str) -> None:
    """Say that a complaint is not taken up, and why. Raises NotFound, Invalid, NotNow."""
    hand = permitted(work, "refuse_complaint", tender_id)
    row = _complaint(work, hand, complaint_id)
    _in(work, row, ComplaintStage.WAITING)
    given = _given(reason)
    if code not in INADMISSIBLE_CODES:
        raise Invalid(fields={"code": [UNKNOWN]})
    _say(work, hand, row, "refused", given, code=code)
    payload = {"number": row.number, "code": code, "reason": given}
    record_act(work, hand, ActKind.COMPLAINT_INADMISSIBLE, payload, subject_id=row.id)
    settle(work, hand)


def decide_complaint(
    work: Work,
    tender_id: UUID,
    complaint_id: UUID,
    *,
    outcome: str,
    reasons: str,
    remedies: Sequence[Mapping[str, Any]] = (),
    zone: ZoneInfo,
) -> None:
    """Decide an accepted complaint, with reasons; one that is upheld orders something. A declined one lets the tender
    run on at once. ``remedies``: ``[{"kind", "lot_id"}]``. Raises NotFound, Invalid, NotNow.
    """
    hand = permitted(work, "decide_complaint", tender_id, lock=Lock.CLOSE)
    row = _complaint(work, hand, complaint_id)
    _in(work, row, ComplaintStage.ACCEPTED)
    given = _given(reasons, "reasons")
    if outcome not in OUTCOMES:
        raise Invalid(fields={"outcome": [UNKNOWN]})
    evaluated = hand.facts.times.evaluated_at is not None
    problems = problems_of(remedies, outcome, hand.facts.lots, evaluated=evaluated)
    if problems:
        raise Invalid(fields=problems)
    ordered = [dict(one) for one in remedies]
    _say(work, hand, row, "decided", given, outcome=outcome, remedies=ordered)
    payload = {"number": row.number, "outcome": outcome, "remedies": ordered, "reason": given}
    record_act(work, hand, ActKind.COMPLAINT_DECIDED, payload, subject_id=row.id)
    if outcome == "declined":
        _release(work, hand, row, "declined", zone)
        settle(work, hand)


def execute_decision(work: Work, tender_id: UUID, complaint_id: UUID, *, report: str, zone: ZoneInfo) -> None:
    """Carry out what an upheld complaint ordered: awards fall and the next in rank follow, lots end, the commission
    takes up admission or evaluation again; the tender runs on. ``report`` says what was done. Raises NotFound,
    Invalid, NotNow.
    """
    hand = permitted(work, "execute_decision", tender_id, lock=Lock.CLOSE)
    row = _complaint(work, hand, complaint_id)
    _in(work, row, ComplaintStage.TO_BE_EXECUTED)
    given = _given(report, "report")
    ordered = next(post.remedies or [] for post in posts_of(work, row.id) if post.kind == "decided")
    _say(work, hand, row, "executed", given)
    back = _back_to(work, hand, {one["kind"] for one in ordered}, zone)
    if back:
        _end_all(work, hand, given)
    # What stood still runs on first: a term that the order begins has not stood still.
    _release(work, hand, row, "executed", zone)
    payload = {"number": row.number, "reason": given, **back}
    record_act(work, hand, ActKind.COMPLAINT_EXECUTED, payload, subject_id=row.id)
    for one in ordered:
        _carry_out(work, hand, one, given, zone)


def _check(work: Work, hand: AtHand, new: NewComplaint) -> None:
    problems: dict[str, list[FieldProblem]] = {}
    for name, text in (("text", new.text), ("remedy", new.remedy)):
        if not text.strip() or len(text) > LONGEST:
            problems[name] = [NEEDED if not text.strip() else TOO_LONG]
    if new.about not in ABOUT:
        problems["about"] = [UNKNOWN]
    if new.lot_id is not None and new.lot_id not in hand.facts.lots:
        problems["lot_id"] = [UNKNOWN]
    if len(new.files) > MOST_FILES or any(not 0 < len(one.content) <= LARGEST_BYTES for one in new.files):
        problems["files"] = [UNUSABLE_FILES]
    if problems:
        raise Invalid(fields=problems)
    if new.organisation_id is not None and new.organisation_id not in work.actor.schools_as(Role.SUPPLIER):
        raise NotFound
    if hand.tender.review_body_id is None:
        raise Conflict("no-review-body", N_("This tender names nobody who judges complaints. Go to a court."))
    _refuse_too_late(hand, new)
    waiting = select(Complaint.id).where(Complaint.tender_id == hand.id, Complaint.author_id == work.actor.id)
    if any(stage_of(work, one) in OPEN for one in work.session.scalars(waiting).all()):
        raise Conflict("complained", N_("Your earlier complaint about this tender is still open. Add to it there."))


def _refuse_too_late(hand: AtHand, new: NewComplaint) -> None:
    terms, lot_id = hand.facts.terms, new.lot_id
    standstill = standstill_of(terms, lot_id) if lot_id is not None else terms.get("standstill")
    refused = may_complain(new.about, hand.stage, standstill, hand.facts.times.suspended_at, hand.at)
    if refused is not None:
        raise NotNow(refused.code, refused.sentence, **refused.facts)


def _next_number(work: Work, tender_id: UUID) -> int:
    return (work.session.scalar(select(func.count()).where(Complaint.tender_id == tender_id)) or 0) + 1


def _keep_file(work: Work, hand: AtHand, complaint_id: UUID, one: Attached) -> str:
    """Keep a file; gives its digest, which the act names."""
    row = ComplaintFile(
        id=new_id(hand.at),
        complaint_id=complaint_id,
        file_name=one.name[:200],
        media_type=one.media_type,
        size_bytes=len(one.content),
        sha256=sha256(one.content).digest(),
        content=one.content,
        added_at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    return row.sha256.hex()


def _complaint(work: Work, hand: AtHand, complaint_id: UUID) -> Complaint:
    row: Complaint | None = work.session.get(Complaint, complaint_id)
    if row is None or row.tender_id != hand.id:
        raise NotFound
    return row


def _in(work: Work, row: Complaint, *stages: ComplaintStage) -> ComplaintStage:
    stage = stage_of(work, row.id)
    if stage not in stages:
        raise NotNow(f"complaint-is-{stage.value}", SETTLED)
    return stage


def _say(work: Work, hand: AtHand, row: Complaint, kind: str, text: str, **more: Any) -> None:
    post = ComplaintPost(
        id=new_id(hand.at),
        complaint_id=row.id,
        kind=kind,
        text=text,
        by_person=work.actor.id,
        at=hand.at,
        **{"code": None, "outcome": None, "remedies": None, **more},
    )
    work.session.add(post)
    work.session.flush()


def _release(work: Work, hand: AtHand, row: Complaint, reason: str, zone: ZoneInfo) -> None:
    if cause_of(row.id) in hand.facts.suspensions:
        let_go(work, hand, cause_of(row.id), reason, zone, subject_id=row.id)


def _back_to(work: Work, hand: AtHand, ordered: Set[str], zone: ZoneInfo) -> dict[str, Any]:
    """Where the commission begins anew: the wider order counts. An evaluation alone is of the lots that were ranked,
    and has its whole term again.
    """
    if "repeat-admission" in ordered:
        return {"back_to": "admission"}
    if "repeat-evaluation" not in ordered or hand.facts.times.evaluated_at is None:
        return {}
    profile = profile_of(work, hand.tender)
    term = reckoning_of(work, hand.tender, zone).begin(
        hand.at, profile.term("evaluation"), accelerator=profile.accelerator
    )
    lots = sorted(str(lot_id) for lot_id, ranked in ranking_of(work, hand.id).items() if ranked)
    return {"back_to": "evaluation", "lots": lots, "terms": as_payload({"evaluation": term})}


def _carry_out(work: Work, hand: AtHand, remedy: Mapping[str, Any], reason: str, zone: ZoneInfo) -> None:
    """Where one order has overtaken another (an award fell with the return to admission), nothing is left to do."""
    if remedy["kind"] not in OF_A_LOT:
        return
    lot_id = UUID(remedy["lot_id"])
    stage = hand.facts.lots[lot_id].stage
    if stage not in OF_A_LOT[remedy["kind"]]:
        return
    if stage is LotStage.AWARDED:
        end_standing(work, hand, standing_award(work, hand.id, lot_id), ORDERED, reason)
    if remedy["kind"] == "end-award":
        promote_next(work, hand, profile_of(work, hand.tender), lot_id, zone)
    else:
        record_act(work, hand, ActKind.LOT_CANCELLED, {"reason_code": "other", "reason": reason}, lot_id=lot_id)
        settle(work, hand)


def _end_all(work: Work, hand: AtHand, reason: str) -> None:
    """Where the commission decides anew no award can stand."""
    for lot_id, lot in list(hand.facts.lots.items()):
        if lot.stage is LotStage.AWARDED:
            end_standing(work, hand, standing_award(work, hand.id, lot_id), ORDERED, reason)


def _given(text: str, name: str = "reason") -> str:
    if not text.strip():
        raise Invalid(fields={name: [NEEDED]})
    return text.strip()


SETTLED: Final = N_("This complaint is at another stage. Load the page again.")
TOO_LONG: Final = FieldProblem.of("too-long", N_("This text is too long."))
UNUSABLE_FILES: Final = FieldProblem.of("unusable-files", N_("Attach at most ten files of at most 5 MB each."))
