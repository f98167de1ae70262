"""The evaluation at the commission's table: one's own scores, evidence, low prices, and what ends it."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, Invalid, NotFound, Refusal
from schoolmeals.procurement.actions import evaluation, low_prices, scoring
from schoolmeals.procurement.queries.bid_files import bid_file as opened_file
from schoolmeals.procurement.queries.evaluation import EvaluationBoard, evaluation_board
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.judging import CONTEST_REASONS, as_points, reasons_missing
from schoolmeals.procurement.rules.low_price import low_price_term
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.showing import said, stage_tag
from schoolmeals.procurement.showing_scores import behind, contested, explained, out_text, points_text
from schoolmeals.procurement.views.admission import SHOWN_TYPES
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import again
from schoolmeals.procurement.views.table_frame import DECIDERS, TABLE, local_zone, uuid_of
from schoolmeals.web import actor, guard, now, render, settings

SHEET: Final = "procurement/scoring.html"
ONE_BID: Final = "procurement/scoring_bid.html"


@pages.app_template_filter("points")
def points_filter(milli: int) -> str:
    """Thousandths of points as points."""
    return points_text(milli)


@pages.get("/commission/<uuid:commission_id>/scores")
@guard(TABLE)
def scoring_board(commission_id: UUID) -> Any:
    """One's own scores, who has scored, and what is still open."""
    return render(SHEET, **_board(commission_id))


@pages.post("/commission/<uuid:commission_id>/scores/<score_step>")
@guard(DECIDERS)
def evaluate(commission_id: UUID, score_step: str) -> Any:
    """Record one's own scores, reveal all, extend the evaluation, judge a low price, or finish."""
    if score_step not in STEPS:
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            STEPS[score_step](work, commission_id)
            signs = score_step == "finish" and Party.CHAIR in visible(work, commission_id).parties
    except Refusal as refusal:
        return again(refusal, SHEET, **(_board(commission_id) | {"typed": request.form, "wrong_at": score_step}))
    flash(gettext(DONE[score_step]), "good")
    # Whoever chairs signs the award next; the secretary stays where the way on is told.
    place = "procurement.award_to_sign" if signs else "procurement.scoring_board"
    return redirect(url_for(place, commission_id=commission_id), code=303)


@pages.get("/commission/<uuid:commission_id>/scores/<uuid:bid_id>")
@guard(TABLE)
def scoring_bid(commission_id: UUID, bid_id: UUID) -> Any:
    """The points of one bid as its evidence earns them now."""
    return render(ONE_BID, **_one_bid(commission_id, bid_id))


@pages.post("/commission/<uuid:commission_id>/scores/<uuid:bid_id>/contest")
@guard(DECIDERS)
def contest(commission_id: UUID, bid_id: UUID) -> Any:
    """Say that a document does not prove what it is for."""
    form = request.form
    try:
        with transaction(actor(), now()) as work:
            why = {"reason_code": form.get("reason_code", ""), "reason": form.get("reason", "")}
            scoring.contest_evidence(work, commission_id, bid_id, form.get("sha256", ""), **why)
    except Refusal as refusal:
        return again(refusal, ONE_BID, **(_one_bid(commission_id, bid_id) | {"typed": form}))
    flash(gettext("Your objection is recorded. The document falls where most of the commission contest it."), "good")
    return redirect(url_for("procurement.scoring_bid", commission_id=commission_id, bid_id=bid_id), code=303)


@pages.get("/commission/<uuid:commission_id>/bids/<uuid:bid_id>/<sha256>")
@guard(TABLE)
def bid_file(commission_id: UUID, bid_id: UUID, sha256: str) -> Any:
    """A file of an opened bid, always as a download."""
    keys = ServerKeys.of(settings().secret_key)
    with reading(actor(), now()) as look:
        file, content = opened_file(look, commission_id, bid_id, sha256, keys=keys)
    kind = file.media_type if file.media_type in SHOWN_TYPES else "application/octet-stream"
    answer = Response(content, mimetype=kind)
    answer.headers.set("Content-Disposition", "attachment", filename=file.name)
    return answer


def _score(work: Work, commission_id: UUID) -> None:
    """All fields that are filled and differ from what is recorded; each wrong one is named."""
    board = evaluation_board(work, commission_id, local_zone())
    problems: dict[str, Any] = {}
    for bid_id, code in _fields(board):
        name = f"s-{bid_id}-{code}"
        typed, note = request.form.get(name, ""), request.form.get(f"n-{bid_id}-{code}", "").strip()
        if not typed.strip() or board.own.get((bid_id, code)) == (as_points(typed), note):
            continue
        try:
            scoring.give_score(work, commission_id, uuid_of(bid_id), code, as_points(typed), note=note)
        except Invalid as refusal:
            problems[name] = refusal.fields["points"]
    if problems:
        raise Invalid(fields=problems)


def _reveal(work: Work, commission_id: UUID) -> None:
    scoring.reveal_scores(work, commission_id)


def _extend(work: Work, commission_id: UUID) -> None:
    evaluation.extend_evaluation(work, commission_id, request.form.get("reason", ""), zone=local_zone())


def _finish(work: Work, commission_id: UUID) -> None:
    reasons = {name.removeprefix("single-"): text for name, text in request.form.items() if name.startswith("single-")}
    evaluation.finish_evaluation(work, commission_id, zone=local_zone(), single_reasons=reasons)


def _ask_price(work: Work, commission_id: UUID) -> None:
    bid_id = uuid_of(request.form.get("bid_id", ""))
    low_prices.ask_low_price(work, commission_id, bid_id, zone=local_zone())


def _judge_price(work: Work, commission_id: UUID) -> None:
    form = request.form
    accepted = form.get("accepted") == "yes"
    bid_id = uuid_of(form.get("bid_id", ""))
    low_prices.judge_low_price(work, commission_id, bid_id, accepted=accepted, reason=form.get("reason", ""))


STEPS: Final[Mapping[str, Callable[[Work, UUID], None]]] = {
    "give": _score,
    "reveal": _reveal,
    "extend": _extend,
    "finish": _finish,
    "ask-price": _ask_price,
    "judge-price": _judge_price,
}
DONE: Final = {
    "give": N_("Your scores are recorded. Nobody else sees them before all are revealed."),
    "reveal": N_("The scores are revealed."),
    "extend": N_("The evaluation has more time."),
    "finish": N_("The evaluation is finished. The score sheet and the protocol are public."),
    "ask-price": N_("The supplier is asked to explain the price."),
    "judge-price": N_("Your decision on the price is recorded."),
}


def _fields(board: EvaluationBoard) -> list[tuple[str, str]]:
    """What the actor can score, once they have declared of every tenderer: scores that are not revealed yet."""
    judged = [one.code for one in board.profile.criteria if one.kind == "judged"]
    return [
        (bid_id, code)
        for bid_id in board.results["points"]
        for code in judged
        if not board.undeclared and (bid_id, code) not in board.fixed
    ]


def _board(commission_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        board = evaluation_board(look, commission_id, local_zone())
    results, bids = board.results, {bid["bid_id"]: bid for bid in board.inputs["bids"]}
    term = board.terms.get("evaluation")
    alone = reasons_missing(results, board.inputs["bids"], {})
    done = {seat.id for seat in board.done}
    may_score = "give_score" in board.deeds and board.seat is not None
    return {
        **_frame(board),
        "until": term.until if term is not None else None,
        "over": term is not None and board.now > term.until,
        "lots": [_lot(board, lot, bids) for lot in board.inputs["lots"]],
        "judged": [(one, said(one.name)) for one in board.profile.criteria if one.kind == "judged"],
        "fields": set(_fields(board)) if may_score else set(),
        "may_score": may_score,
        "undeclared": board.undeclared if may_score else 0,
        "progress_list": [(seat.name, seat.id in done) for seat in board.voters],
        "done_count": len(board.done),
        "needs_scores": any(one.kind == "judged" for one in board.profile.criteria) and bool(results["points"]),
        "alone": [(lot["lot_id"], _lot_name(lot)) for lot in board.inputs["lots"] if lot["lot_id"] in alone],
        "typed": {},
        "wrong_at": "",
        "errors": {},
    }


def _frame(board: EvaluationBoard) -> dict[str, Any]:
    return {
        "board": board,
        "commission_id": board.tender_id,
        "number": board.inputs["tender"]["number"],
        "stage": stage_tag(board.stage),
        "goes_on": board.stage is TenderStage.EVALUATION,
        "seated": board.seat is not None,
        "names": {bid: said(name) for bid, name in board.names.items()},
        "by_price": board.profile.price_mode == "competitive",
    }


def _lot(board: EvaluationBoard, lot: Mapping[str, Any], bids: Mapping[str, Any]) -> dict[str, Any]:
    made = board.results["lots"][lot["lot_id"]]
    return {
        "name": _lot_name(lot),
        "bids": [one for one in board.results["points"] if bids[one]["lot_id"] == lot["lot_id"]],
        "ranking": [{**one, "behind": behind(one["decided_by"], board.profile)} for one in made["ranking"]],
        "unranked": [(bid, out_text(code)) for bid, code in made["unranked"].items()],
        "values": made["values"],
        "low_prices": [_low_price(board, one) for one in made["low_prices"]],
    }


def _lot_name(lot: Mapping[str, Any]) -> str:
    return str(gettext("Lot %(number)s: %(school)s", number=lot["position"], school=said(lot["school"])))


def _low_price(board: EvaluationBoard, low: Mapping[str, Any]) -> dict[str, Any]:
    asked = next((one for one in board.inputs["low_prices"] if one["bid_id"] == low["bid_id"]), None)
    term = board.terms.get(low_price_term(UUID(low["bid_id"])))
    voting = {str(seat.id) for seat in board.voters}
    votes = [one for one in asked["votes"] if one["seat_id"] in voting] if asked is not None else []
    waits = asked is not None and not asked["explanation"] and term is not None and board.now <= term.until
    return {
        **low,
        "asked": asked,
        "until": term.until if term is not None else None,
        "waits": waits,
        "votes_for": sum(one["accepted"] for one in votes),
        "votes_against": sum(not one["accepted"] for one in votes),
    }


def _one_bid(commission_id: UUID, bid_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        board = evaluation_board(look, commission_id, local_zone())
    key = str(bid_id)
    if key not in board.results["points"]:
        raise NotFound
    criteria = {one.code: one for one in board.profile.criteria}
    files = {file.sha256: file.name for file in board.files[key]}
    reasons = {code: gettext(text) for code, text in CONTEST_REASONS.items()}
    return {
        **_frame(board),
        "bid_id": bid_id,
        "tenderer": said(board.names[key]),
        "points": [
            {
                **one,
                "name": said(criteria[one["criterion"]].name),
                "why": explained(one),
                "files": [(sha256, files.get(sha256, sha256[:16])) for sha256 in one["evidence"]],
                "hidden": one["rule"] == "judged" and not one["inputs"]["count"],
            }
            for one in board.results["points"][key]
        ],
        "contests": [
            {**one, "file": files.get(one["sha256"], one["sha256"][:16])}
            for one in contested(board.inputs, board.results, key)
        ],
        "may_contest": "contest_evidence" in board.deeds and board.seat is not None and not board.undeclared,
        "files": list(files.items()),
        "reasons": list(reasons.items()),
        "typed": {},
        "errors": {},
    }
