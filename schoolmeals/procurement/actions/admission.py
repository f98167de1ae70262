"""Admission: members decide requirement by requirement, suppliers mend what may be mended, and the list is closed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.database import Work
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.jobs import defer
from schoolmeals.procurement.acting import AtHand, permitted, record_act
from schoolmeals.procurement.admitting import Row, admission_of, fixes_of, published
from schoolmeals.procurement.models import FixAnswer, FixFile, FixRequest, RequirementDecision
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.protocols import make_protocol, protocol_sha256
from schoolmeals.procurement.queries.interests import declared_seats
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.admission import (
    fix_term,
    may_be_fixed,
    may_close,
    may_finish,
    may_fix,
    reason_problems,
)
from schoolmeals.procurement.rules.awards import objections_term
from schoolmeals.procurement.rules.opening import windows
from schoolmeals.procurement.rules.quorum import voters
from schoolmeals.procurement.rules.sheet import quorum
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import as_payload
from schoolmeals.procurement.score_minutes import admission_minutes
from schoolmeals.procurement.table import ASK_SUPPLIER, has_declared, own_bid, own_seat, require, said_in

MOST_FILES: Final = 20
LARGEST_FILE_BYTES: Final = 10 << 20


@dataclass(frozen=True, slots=True)
class MendingFile:
    """A document that a supplier sends for a requirement."""

    requirement: str
    file_name: str
    media_type: str
    content: bytes


def decide_requirement(
    work: Work,
    tender_id: UUID,
    bid_id: UUID,
    requirement: str,
    *,
    met: bool,
    zone: ZoneInfo,
    reason_code: str = "",
    reason: str = "",
    evidence: Sequence[str] = (),
) -> None:
    """Decide as a member whether a bid meets a requirement; a later decision takes the place of an earlier one.

    Raises Invalid for a rejection (or a yes against what was found) without reason and evidence, NotNow
    ``declare-first``, NotFound.
    """
    hand = permitted(work, "decide_requirement", tender_id)
    row = _row(work, hand, bid_id, zone)
    cell = row.cell(requirement)
    if cell is None or row.candidate.content is None:
        raise NotFound
    seat = own_seat(work, hand)
    has_declared(work, hand, seat)
    given = {"reason_code": reason_code, "reason": reason.strip(), "evidence": list(evidence)}
    problems = reason_problems(
        cell.finding, met=met, reason_code=reason_code, reason=reason, evidence=evidence, known=cell.known
    )
    if problems:
        raise Invalid(fields=problems)
    about = {"bid_id": bid_id, "requirement": requirement, "met": met, **given}
    id, at = new_id(hand.at), hand.at
    work.session.add(
        RequirementDecision(id=id, tender_id=hand.id, seat_id=seat.id, finding=None, flag="", at=at, **about)
    )
    work.session.flush()
    said = {"bid": str(bid_id), "requirement": requirement, "met": met, **given}
    record_act(work, hand, ActKind.REQUIREMENT_DECIDED, said, lot_id=row.candidate.row.lot_id, subject_id=seat.id)


def ask_fix(
    work: Work, tender_id: UUID, bid_id: UUID, requirements: Sequence[str], text: str, *, zone: ZoneInfo
) -> UUID:
    """Ask a supplier, once, to mend what may be mended in a bid; gives the request's id. Its term begins at once.

    Raises Invalid, NotFound, NotNow ``not-fixable``, ``fixed-before`` or ``nothing-to-fix``.
    """
    hand = permitted(work, "ask_fix", tender_id)
    profile = _profile(work, hand)
    row = _row(work, hand, bid_id, zone)
    wanted = sorted(set(requirements))
    if not wanted:
        raise Invalid(fields={"requirements": [CHOOSE_REQUIREMENT]})
    if row.candidate.content is None:
        raise NotFound
    for code in wanted:
        cell = row.cell(code)
        if cell is None:
            raise NotFound
        require(may_be_fixed(cell.requirement, cell.decision, cell.finding, fixes=len(row.fixes), profile=profile))
    request = FixRequest(
        id=new_id(hand.at),
        tender_id=hand.id,
        bid_id=bid_id,
        requirements=wanted,
        text=said_in("text", text),
        by_person=work.actor.id,
        at=hand.at,
    )
    work.session.add(request)
    work.session.flush()
    term = reckoning_of(work, hand.tender, zone).begin(hand.at, profile.term("fix"), accelerator=profile.accelerator)
    payload = {"bid": str(bid_id), "requirements": wanted, "terms": as_payload({fix_term(bid_id): term})}
    record_act(work, hand, ActKind.FIX_ASKED, payload, lot_id=row.candidate.row.lot_id, subject_id=request.id)
    defer(work, ASK_SUPPLIER, bid_id=str(bid_id), what="mend")
    return request.id


def give_fix(
    work: Work, tender_id: UUID, bid_id: UUID, text: str, files: Sequence[MendingFile], *, answer_id: UUID
) -> None:
    """Answer, as the supplier, what the commission asked to be mended; once, within the term.

    The same ``answer_id`` again changes nothing. What comes now proves requirements, and earns no points. Raises
    Invalid, NotFound, NotNow ``fix-not-asked``, ``fix-given`` or ``fix-late``.
    """
    hand = permitted(work, "give_fix", tender_id)
    bid = own_bid(work, hand, bid_id)
    if work.session.get(FixAnswer, answer_id) is not None:
        return
    asked = next((one for one in reversed(fixes_of(work, hand.id)) if one.bid_id == bid_id), None)
    term = hand.facts.terms.get(fix_term(bid_id))
    given = asked is not None and asked.answered_at is not None
    require(may_fix(term.until if term is not None else None, hand.at, given=given))
    assert asked is not None, "a term that runs was begun by a request"
    problem = _files_problem(files, asked.requirements)
    if problem is not None:
        raise Invalid(fields={"files": [problem]})
    answer = FixAnswer(id=answer_id, fix_id=asked.id, text=said_in("text", text), by_person=work.actor.id, at=hand.at)
    work.session.add(answer)
    work.session.flush()
    rows = [_file_row(hand, answer_id, file) for file in files]
    work.session.add_all(rows)
    work.session.flush()
    said = {"bid": str(bid_id), "files": [{"requirement": row.requirement, "sha256": row.sha256} for row in rows]}
    record_act(work, hand, ActKind.FIX_GIVEN, said, lot_id=bid.lot_id, subject_id=asked.id)


def finish_admission(work: Work, tender_id: UUID, *, zone: ZoneInfo) -> Mapping[str, Any]:
    """Close the list of admitted bids, and begin the evaluation's term, and that of the prices where they came in an
    envelope of their own; gives the bids by lot.

    Raises NotNow ``fix-running``, ``requirements-undecided`` or ``declarations-missing``.
    """
    hand = permitted(work, "finish_admission", tender_id)
    version = published(work, hand)
    document = json.loads(version.text)
    profile = Profile.from_json(document["profile"])
    rows = admission_of(work, hand, profile, document, zone)
    undecided = sum(cell.decision.met is None for row in rows if row.admitted is None for cell in row.cells)
    require(may_finish(undecided, sum(_still_mends(hand, row) for row in rows)))
    require(may_close(len(declared_seats(work, hand)), quorum(len(voters(hand.seats)), profile)))
    _keep_outcomes(work, hand, rows)
    lots = _by_lot(document, rows)
    protocol_id = make_protocol(work, hand, "admission", admission_minutes(work, hand, document, rows))
    begun = {"evaluation": profile.term("evaluation")}
    if len(profile.envelopes) > 1:
        begun[windows(TenderStage.EVALUATION).window] = profile.term("opening_window")
    # Where all who bid for a lot were turned away nothing else would keep it from ending before anybody can complain.
    turned_away = [lot_id for lot_id, made in lots.items() if made["rejected"] and not made["admitted"]]
    begun |= {objections_term(lot_id): profile.term("standstill") for lot_id in turned_away}
    reckoning = reckoning_of(work, hand.tender, zone)
    terms = {name: reckoning.begin(hand.at, length, accelerator=profile.accelerator) for name, length in begun.items()}
    payload = {
        "lots": lots,
        "voters": [str(seat.id) for seat in voters(hand.seats)],
        "protocol_sha256": protocol_sha256(work, protocol_id),
        "terms": as_payload(terms),
    }
    record_act(work, hand, ActKind.ADMITTED, payload)
    return lots


def _profile(work: Work, hand: AtHand) -> Profile:
    return Profile.from_json(json.loads(published(work, hand).text)["profile"])


def _row(work: Work, hand: AtHand, bid_id: UUID, zone: ZoneInfo) -> Row:
    document = json.loads(published(work, hand).text)
    rows = admission_of(work, hand, Profile.from_json(document["profile"]), document, zone)
    for row in rows:
        if row.candidate.id == bid_id:
            return row
    raise NotFound


def _still_mends(hand: AtHand, row: Row) -> bool:
    term = hand.facts.terms.get(fix_term(row.candidate.id))
    open_fix = any(fix.answered_at is None for fix in row.fixes)
    return open_fix and term is not None and hand.at <= term.until


def _keep_outcomes(work: Work, hand: AtHand, rows: Sequence[Row]) -> None:
    """Write down what was found and decided; a requirement that is open where another has failed is left open."""
    for row in rows:
        for cell in row.cells:
            outcome = RequirementDecision(
                id=new_id(hand.at),
                tender_id=hand.id,
                bid_id=row.candidate.id,
                requirement=cell.requirement.code,
                seat_id=None,
                met=cell.decision.met is True,
                reason_code="" if cell.decision.met is not None else "undecided",
                reason="",
                evidence=list(cell.finding.evidence),
                finding=cell.finding.as_json(),
                flag=cell.decision.flag,
                at=hand.at,
            )
            work.session.add(outcome)
    work.session.flush()


def _by_lot(document: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, dict[str, list[str]]]:
    lots: dict[str, dict[str, list[str]]] = {lot["id"]: {"admitted": [], "rejected": []} for lot in document["lots"]}
    for row in rows:
        lots[str(row.candidate.row.lot_id)]["admitted" if row.admitted else "rejected"].append(str(row.candidate.id))
    return lots


def _files_problem(files: Sequence[MendingFile], requirements: Sequence[str]) -> FieldProblem | None:
    if len(files) > MOST_FILES:
        return FieldProblem.of("too-many-files", TOO_MANY_FILES, most=MOST_FILES)
    for file in files:
        if file.requirement not in requirements:
            return CHOOSE_REQUIREMENT
        if not 0 < len(file.content) <= LARGEST_FILE_BYTES:
            return FieldProblem.of("file-size", FILE_SIZE, most=LARGEST_FILE_BYTES >> 20)
    return None


def _file_row(hand: AtHand, answer_id: UUID, file: MendingFile) -> FixFile:
    return FixFile(
        id=new_id(hand.at),
        answer_id=answer_id,
        requirement=file.requirement,
        file_name=file.file_name[-200:],
        media_type=file.media_type[:100],
        size_bytes=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
        content=file.content,
    )


CHOOSE_REQUIREMENT: Final = FieldProblem.of("choose-requirement", N_("Choose at least one requirement."))
TOO_MANY_FILES: Final = N_("Send at most %(most)s files.")
FILE_SIZE: Final = N_("A file is empty, or larger than %(most)s MB.")
