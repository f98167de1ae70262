"""Admission: the matrix of bids and requirements, deciding on one bid, asking a supplier to mend, closing the list."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.procurement.actions import admission
from schoolmeals.procurement.admitting import Cell, Fix, Row
from schoolmeals.procurement.queries.admission import AdmissionBoard, admission_board, fix_file
from schoolmeals.procurement.rules.admission import FOR_YES, REASONS, fix_term, may_be_fixed
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.showing import said, stage_tag
from schoolmeals.procurement.showing_scores import decision_tag, finding_text, flag_text, mark_of
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.confirmations import confirmation_tags
from schoolmeals.procurement.views.desk import again
from schoolmeals.procurement.views.table_frame import DECIDERS, TABLE, local_zone
from schoolmeals.web import actor, guard, now, render, roles

MATRIX: Final = "procurement/admission.html"
ONE_BID: Final = "procurement/admission_bid.html"
FILE_READERS: Final = roles(
    Role.COMMISSION_MEMBER, Role.PROCUREMENT_OFFICER, Role.CITY_ADMIN, Role.AUDITOR, Role.SUPPLIER
)
SHOWN_TYPES: Final = frozenset({"application/pdf", "image/png", "image/jpeg"})


@pages.get("/commission/<uuid:commission_id>/admission")
@guard(TABLE)
def admission_matrix(commission_id: UUID) -> Any:
    """Every bid with every requirement, and what is still open."""
    return render(MATRIX, **_matrix(commission_id))


@pages.post("/commission/<uuid:commission_id>/admission")
@guard(DECIDERS)
def close_admission(commission_id: UUID) -> Any:
    """Close the list of admitted bids."""
    try:
        with transaction(actor(), now()) as work:
            admission.finish_admission(work, commission_id, zone=local_zone())
    except Refusal as refusal:
        return again(refusal, MATRIX, **_matrix(commission_id))
    flash(gettext("The list of admitted bids is closed, and the protocol is written."), "good")
    return redirect(url_for("procurement.admission_matrix", commission_id=commission_id), code=303)


@pages.get("/commission/<uuid:commission_id>/admission/<uuid:bid_id>")
@guard(TABLE)
def admission_bid(commission_id: UUID, bid_id: UUID) -> Any:
    """One bid: what was found about each requirement, how members decided, and what was mended."""
    return render(ONE_BID, **_one_bid(commission_id, bid_id))


@pages.post("/commission/<uuid:commission_id>/admission/<uuid:bid_id>/<admission_step>")
@guard(DECIDERS)
def decide_admission(commission_id: UUID, bid_id: UUID, admission_step: str) -> Any:
    """Decide on a requirement, or ask the supplier to mend."""
    if admission_step not in STEPS:
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            STEPS[admission_step](work, commission_id, bid_id)
    except Refusal as refusal:
        context = _one_bid(commission_id, bid_id) | {"typed": request.form, "wrong_at": _wrong_at(admission_step)}
        return again(refusal, ONE_BID, **context)
    flash(gettext(DONE[admission_step]), "good")
    place = f"r-{request.form['requirement']}" if admission_step == "decide" else None
    where = url_for("procurement.admission_bid", commission_id=commission_id, bid_id=bid_id, _anchor=place)
    return redirect(where, code=303)


@pages.get("/commission/<uuid:commission_id>/mended/<uuid:file_id>")
@guard(FILE_READERS)
def mended_file(commission_id: UUID, file_id: UUID) -> Any:
    """A document that came with a mended bid, always as a download."""
    with reading(actor(), now()) as look:
        row = fix_file(look, commission_id, file_id)
        content, name, kind = row.content, row.file_name, row.media_type
    answer = Response(content, mimetype=kind if kind in SHOWN_TYPES else "application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _decide(work: Work, commission_id: UUID, bid_id: UUID) -> None:
    form = request.form
    if form.get("met") not in ("yes", "no"):
        # Whose tender it is comes before what was typed.
        admission_board(work, commission_id, local_zone())
        raise Invalid(fields={"met": [CHOOSE]})
    met = form["met"] == "yes"
    admission.decide_requirement(
        work,
        commission_id,
        bid_id,
        form.get("requirement", ""),
        met=met,
        zone=local_zone(),
        reason_code=form.get("reason_code", ""),
        reason=form.get("reason", ""),
        evidence=form.getlist("evidence"),
    )


def _ask(work: Work, commission_id: UUID, bid_id: UUID) -> None:
    form = request.form
    admission.ask_fix(
        work, commission_id, bid_id, form.getlist("requirements"), form.get("text", ""), zone=local_zone()
    )


STEPS: Final[Mapping[str, Callable[[Work, UUID, UUID], None]]] = {"decide": _decide, "mend": _ask}
DONE: Final = {
    "decide": N_("Your decision is recorded. You can change it until the list is closed."),
    "mend": N_("The supplier is asked, and the term runs."),
}
CHOOSE: Final = FieldProblem.of("choose", N_("Choose whether the requirement is met."))


def _wrong_at(step: str) -> str:
    return request.form.get("requirement", "") if step == "decide" else "mend"


def _matrix(commission_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        board = admission_board(look, commission_id, local_zone())
    undecided = sum(cell.decision.met is None for row in board.rows if row.admitted is None for cell in row.cells)
    return {
        **_frame(board),
        "requirements": [(one.code, said(one.name)) for one in board.profile.requirements],
        "bids": [_bid_line(board, row) for row in board.rows],
        "undecided": undecided,
        "declared_count": sum(one.declared >= one.tenderers for one in board.declarations),
        "may_finish": "finish_admission" in board.deeds,
        "undeclared": board.undeclared if "decide_requirement" in board.deeds else 0,
        "errors": {},
    }


def _frame(board: AdmissionBoard) -> dict[str, Any]:
    return {
        "board": board,
        "commission_id": board.tender_id,
        "title": said(board.title),
        "stage": stage_tag(board.stage),
        "goes_on": board.stage is TenderStage.ADMISSION,
        "seated": board.seat is not None,
    }


def _bid_line(board: AdmissionBoard, row: Row) -> dict[str, Any]:
    lot = board.lots[row.candidate.row.lot_id]
    open_cells = [cell for cell in row.cells if cell.decision.met is None]
    mine = str(board.seat.id) if board.seat is not None else ""
    waits = [cell for cell in open_cells if mine and mine not in {vote.seat_id for vote in cell.votes}]
    return {
        "id": row.candidate.id,
        "tenderer": said(board.names[row.candidate.row.tenderer_id]),
        "lot": gettext("Lot %(number)s: %(school)s", number=lot["position"], school=said(lot["school"]["name"])),
        "unreadable": row.candidate.content is None,
        "admitted": row.admitted,
        "cells": [
            {
                "code": cell.requirement.code,
                "name": said(cell.requirement.name),
                "mark": mark_of(cell.decision),
                "text": decision_tag(cell.decision)[0],
                "flag": flag_text(cell),
            }
            for cell in row.cells
        ],
        "waits": len(waits) if row.admitted is not False else 0,
        "mends": any(_runs(board, row, fix) for fix in row.fixes),
    }


def _one_bid(commission_id: UUID, bid_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        board = admission_board(look, commission_id, local_zone())
        row = board.row(bid_id)
        tags = confirmation_tags(look, [row.candidate.row.tenderer_id])
    seats = {str(seat.id): seat.name for seat in board.voters}
    lot = board.lots[row.candidate.row.lot_id]
    fixable = [cell for cell in row.cells if _may_ask(board, row, cell)]
    return {
        **_frame(board),
        "bid_id": bid_id,
        "tenderer": said(board.names[row.candidate.row.tenderer_id]),
        "confirmation": tags[row.candidate.row.tenderer_id],
        "identifier": row.candidate.content.tenderer.identifier if row.candidate.content is not None else "",
        "lot": gettext("Lot %(number)s: %(school)s", number=lot["position"], school=said(lot["school"]["name"])),
        "row": row,
        "cells": [_shown_cell(board, row, cell, seats) for cell in row.cells],
        "fixes": [_shown_fix(board, row, fix) for fix in row.fixes],
        "may_decide": board.seat is not None
        and "decide_requirement" in board.deeds
        and row.candidate.content is not None
        and not board.undeclared,
        "must_declare": board.undeclared > 0,
        "fixable": [(cell.requirement.code, said(cell.requirement.name)) for cell in fixable],
        "may_ask": "ask_fix" in board.deeds and bool(fixable) and row.candidate.content is not None,
        "reasons": [(code, gettext(text)) for code, text in REASONS.items() if code != FOR_YES],
        "for_yes": (FOR_YES, gettext(REASONS[FOR_YES])),
        "typed": {},
        "wrong_at": "",
        "errors": {},
    }


def _may_ask(board: AdmissionBoard, row: Row, cell: Cell) -> bool:
    fixes = len(row.fixes)
    return may_be_fixed(cell.requirement, cell.decision, cell.finding, fixes=fixes, profile=board.profile) is None


def _shown_cell(board: AdmissionBoard, row: Row, cell: Cell, seats: Mapping[str, str]) -> dict[str, Any]:
    names = {file.sha256: file.name for file in row.candidate.files}
    names |= {file["sha256"]: file["file_name"] for fix in row.fixes for file in fix.files}
    names[row.candidate.content_sha256] = gettext("The bid itself")
    shown = [*cell.finding.evidence, *(sha256 for sha256 in names if sha256 not in cell.finding.evidence)]
    last = {vote.seat_id: vote for vote in cell.votes if vote.seat_id in seats}
    mine = last.get(str(board.seat.id)) if board.seat is not None else None
    return {
        "code": cell.requirement.code,
        "name": said(cell.requirement.name),
        "law": said(cell.requirement.legal_ref),
        "verified": cell.requirement.verified,
        "fixable": cell.requirement.fixable,
        "finding": finding_text(cell.finding),
        "finding_met": cell.finding.met,
        "tag": decision_tag(cell.decision),
        "flag": flag_text(cell),
        "decision": cell.decision,
        "votes": [
            {
                "name": seats[seat],
                "met": vote.met,
                "why": gettext(REASONS[vote.reason_code]) if vote.reason_code in REASONS else "",
                "reason": vote.reason,
                "evidence": [names.get(one, one[:16]) for one in vote.evidence],
            }
            for seat, vote in last.items()
        ],
        "mine": mine,
        "evidence": [(sha256, names.get(sha256, gettext("Import of the register"))) for sha256 in shown],
        "found_files": [
            (sha256, names[sha256])
            for sha256 in cell.finding.evidence
            if sha256 in names and sha256 != row.candidate.content_sha256
        ],
    }


def _shown_fix(board: AdmissionBoard, row: Row, fix: Fix) -> dict[str, Any]:
    term = board.terms.get(fix_term(row.candidate.id))
    return {
        "fix": fix,
        "names": [said(one.name) for one in board.profile.requirements if one.code in fix.requirements],
        "until": term.until if term is not None else None,
        "runs": _runs(board, row, fix),
    }


def _runs(board: AdmissionBoard, row: Row, fix: Fix) -> bool:
    term = board.terms.get(fix_term(row.candidate.id))
    return fix.answered_at is None and term is not None and board.now <= term.until
