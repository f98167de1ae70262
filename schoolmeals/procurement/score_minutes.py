"""What the protocols of admission and of the evaluation say, in plain JSON, without the names of anybody's staff."""

from collections.abc import Mapping, Sequence
from typing import Any

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.admitting import Row
from schoolmeals.procurement.rules.admission import counted
from schoolmeals.procurement.rules.quorum import voters


def admission_minutes(work: Work, hand: AtHand, document: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """The content of an admission's protocol, as it stands when the list is closed."""
    names = {str(seat.id): seat.name for seat in voters(hand.seats)}
    lots = {lot["id"]: {"position": lot["position"], "school": lot["school"]["name"]} for lot in document["lots"]}
    return {
        "members": [{"name": seat.name, "part": seat.part} for seat in voters(hand.seats)],
        "secretary": next((seat.name for seat in hand.seats if seat.part == "secretary" and seat.stands), None),
        "bids": [_bid(work, row, lots[str(row.candidate.row.lot_id)], names) for row in rows],
    }


def evaluation_minutes(sheet: Mapping[str, Any], sheet_sha256: str) -> dict[str, Any]:
    """The content of an evaluation's protocol: the ranking with each point, and the digest of the sheet behind it."""
    inputs, results = sheet["inputs"], sheet["results"]
    tenderers = {bid["bid_id"]: bid["tenderer"] for bid in inputs["bids"]}
    return {
        "sheet_sha256": sheet_sha256,
        "members": [{"name": one["name"], "part": one["part"]} for one in inputs["voters"]],
        "criteria": [
            {"code": one["code"], "name": one["name"], "most_milli": one["max_points_milli"]["value"]}
            for one in inputs["profile"]["criteria"]
        ],
        "fallen_evidence": list(results["fallen"]),
        "contests": [_contest(one, sheet, tenderers) for one in inputs["contests"]],
        "lots": [
            {
                "position": lot["position"],
                "school": lot["school"],
                "single_reason": lot["single_reason"],
                "ranking": [
                    {
                        **one,
                        "tenderer": tenderers[one["bid_id"]],
                        "points": {p["criterion"]: p["points_milli"] for p in results["points"][one["bid_id"]]},
                    }
                    for one in results["lots"][lot["lot_id"]]["ranking"]
                ],
                "unranked": [
                    {"tenderer": tenderers[bid], "code": code}
                    for bid, code in results["lots"][lot["lot_id"]]["unranked"].items()
                ],
                "low_prices": [
                    {**one, "tenderer": tenderers[one["bid_id"]]}
                    for one in results["lots"][lot["lot_id"]]["low_prices"]
                ],
            }
            for lot in inputs["lots"]
        ],
    }


def _contest(
    one: Mapping[str, Any], sheet: Mapping[str, Any], tenderers: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Who contests which document, and whether it fell; who has left the commission is named no more."""
    names = {each["seat_id"]: each["name"] for each in sheet["inputs"]["voters"]}
    return {
        "tenderer": tenderers[one["bid_id"]],
        "sha256": one["sha256"],
        "member": names.get(one["seat_id"], ""),
        "code": one["reason_code"],
        "text": one["reason"],
        "fallen": one["sha256"] in sheet["results"]["fallen"],
    }


def _bid(work: Work, row: Row, lot: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    tenderer = identity.organisation(work, row.candidate.row.tenderer_id)
    return {
        "bid_id": str(row.candidate.id),
        "lot": dict(lot),
        "tenderer": {
            "name": {"kk": tenderer.name_kk, "ru": tenderer.name_ru, "en": tenderer.name_en},
            "identifier": tenderer.identifier,
        },
        "admitted": bool(row.admitted),
        "unreadable": row.candidate.unreadable,
        "requirements": [
            {
                "name": cell.requirement.name,
                "met": cell.decision.met,
                "finding": {"code": cell.finding.code, "facts": dict(cell.finding.facts)},
                "evidence": list(cell.finding.evidence),
                "votes_for": cell.decision.votes_for,
                "votes_against": cell.decision.votes_against,
                "flag": cell.decision.flag,
                "reasons": [
                    {
                        "member": names[vote.seat_id],
                        "code": vote.reason_code,
                        "text": vote.reason,
                        "evidence": list(vote.evidence),
                    }
                    for vote in counted(cell.votes, names).values()
                    if vote.reason_code
                ],
            }
            for cell in row.cells
        ],
        "mended": [{"text": fix.text, "answer": fix.answer} for fix in row.fixes],
    }
