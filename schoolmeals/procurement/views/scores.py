"""The published result of an evaluation: places, every point with its reason, and the file that proves them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from flask_babel import gettext

from schoolmeals.database import reading
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries.evaluation import score_sheet
from schoolmeals.procurement.queries.tenders import tender as tender_of
from schoolmeals.procurement.rules.admission import FLAGS
from schoolmeals.procurement.showing import said
from schoolmeals.procurement.showing_scores import behind, contested, explained, out_text
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.web import PUBLIC_POLICY, actor, guard, now, render


@pages.get("/tenders/<uuid:tender_id>/scores")
@guard(PUBLIC_POLICY)
def scores(tender_id: UUID) -> Any:
    """Who has which place, and why."""
    with reading(actor(), now()) as look:
        sheet = score_sheet(look, tender_id)
        view = tender_of(look, tender_id)
    inputs, results = sheet.document["inputs"], sheet.document["results"]
    profile = Profile.from_json(inputs["profile"])
    bids = {bid["bid_id"]: bid for bid in inputs["bids"]}
    return render(
        "procurement/scores.html",
        tender_id=tender_id,
        title=said(view.line.title),
        number=inputs["tender"]["number"],
        sheet=sheet,
        by_price=profile.price_mode == "competitive",
        lots=[_lot(lot, inputs, results, profile, bids) for lot in inputs["lots"]],
        members=[(one["seat_id"], one["name"]) for one in inputs["voters"]],
        contests=[
            {**one, "tenderer": said(bids[one["bid_id"]]["tenderer"]["name"])} for one in contested(inputs, results)
        ],
        overcommitted=len(results["overcommitted"]),
    )


@pages.get("/tenders/<uuid:tender_id>/scores.json")
@guard(PUBLIC_POLICY)
def scores_json(tender_id: UUID) -> Any:
    """The score sheet's own bytes, whose SHA-256 is in the tender's history."""
    with reading(actor(), now()) as look:
        sheet = score_sheet(look, tender_id)
    answer = Response(sheet.text, mimetype="application/json")
    name = f"scores-{sheet.document['inputs']['tender']['number']}.json"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _lot(
    lot: Mapping[str, Any],
    inputs: Mapping[str, Any],
    results: Mapping[str, Any],
    profile: Profile,
    bids: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    made = results["lots"][lot["lot_id"]]
    return {
        "name": gettext("Lot %(number)s: %(school)s", number=lot["position"], school=said(lot["school"])),
        "single_reason": lot["single_reason"],
        "ranking": [
            {
                **one,
                "tenderer": said(bids[one["bid_id"]]["tenderer"]["name"]),
                "identifier": bids[one["bid_id"]]["tenderer"]["identifier"],
                "behind": behind(one["decided_by"], profile),
                "points": _points(results["points"][one["bid_id"]], one["bid_id"], inputs, profile),
                "flags": _flags(results["admission"][one["bid_id"]], profile),
            }
            for one in made["ranking"]
        ],
        "unranked": [(said(bids[bid]["tenderer"]["name"]), out_text(code)) for bid, code in made["unranked"].items()],
        "rejected": [
            _rejected(bid, results["admission"][bid["bid_id"]], profile)
            for bid in inputs["bids"]
            if bid["lot_id"] == lot["lot_id"] and bid["bid_id"] not in results["points"]
        ],
    }


def _points(
    points: list[Mapping[str, Any]], bid_id: str, inputs: Mapping[str, Any], profile: Profile
) -> list[dict[str, Any]]:
    criteria = {one.code: one for one in profile.criteria}
    names = {one["seat_id"]: one["name"] for one in inputs["voters"]}
    given = {(one["seat_id"], one["criterion"]): one for one in inputs["scores"] if one["bid_id"] == bid_id}
    return [
        {
            **one,
            "name": said(criteria[one["criterion"]].name),
            "law": said(criteria[one["criterion"]].most.legal_ref),
            "verified": criteria[one["criterion"]].most.verified,
            "why": explained(one),
            "scores": [
                (names[seat], milli, given[seat, one["criterion"]]["note"])
                for seat, milli in one["inputs"].get("scores", {}).items()
            ],
        }
        for one in points
    ]


def _flags(decisions: Mapping[str, Mapping[str, Any]], profile: Profile) -> list[tuple[str, str]]:
    names = {one.code: said(one.name) for one in profile.requirements}
    flagged = {code: one["flag"] for code, one in decisions.items() if one["flag"]}
    return [(names[code], gettext(FLAGS[flag])) for code, flag in flagged.items()]


def _rejected(bid: Mapping[str, Any], decisions: Mapping[str, Mapping[str, Any]], profile: Profile) -> dict[str, Any]:
    names = {one.code: said(one.name) for one in profile.requirements}
    failed = [names[code] for code, one in decisions.items() if one["met"] is False]
    return {
        "tenderer": said(bid["tenderer"]["name"]),
        "failed": [gettext("The bid cannot be read")] if bid["unreadable"] else failed,
        "flags": _flags(decisions, profile),
    }
