"""Admission, points and places in words, in the reader's language."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext

from schoolmeals.errors import N_
from schoolmeals.procurement.admitting import Cell
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.admission import FLAGS, Decision, Finding
from schoolmeals.procurement.rules.findings import FINDING_NAMES
from schoolmeals.procurement.rules.judging import CONTEST_REASONS, decided_by
from schoolmeals.procurement.rules.pricing import OUT_NAMES
from schoolmeals.procurement.rules.scoring import EXPLANATIONS
from schoolmeals.procurement.showing import said
from schoolmeals.web.formats import grouped, page_language


def points_text(milli: int) -> str:
    """Thousandths of points as points: ``14``, ``1,5``."""
    whole, rest = divmod(abs(milli), 1000)
    language = page_language()
    text = grouped(whole, language)
    if rest:
        text += ("." if language == "en" else ",") + f"{rest:03}".rstrip("0")
    return f"\u2212{text}" if milli < 0 else text


def finding_text(finding: Finding) -> str:
    """What was found about a requirement."""
    return str(gettext(FINDING_NAMES[finding.code])) % finding.facts


def decision_tag(decision: Decision) -> tuple[str, str]:
    """What became of a requirement, and the look of its tag."""
    text, kind = DECIDED[decision.met]
    return gettext(text), kind


def flag_text(cell: Cell) -> str:
    """What everybody should see about a decision; empty for most."""
    return str(gettext(FLAGS[cell.decision.flag])) if cell.decision.flag else ""


def explained(point: Mapping[str, Any]) -> str:
    """Why a point is what it is."""
    sentence = EXPLANATIONS[point["code"]]
    told: str = gettext(sentence) % point["inputs"]
    return told


def contested(inputs: Mapping[str, Any], results: Mapping[str, Any], bid_id: str = "") -> list[dict[str, Any]]:
    """Each document that somebody contests, of one bid or of all: by whom and why, and what the commission made of it.

    Names of files are not in a score sheet; ``sha256`` is the document's own.
    """
    seats = {one["seat_id"]: one["name"] for one in inputs["voters"]}
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in inputs["contests"]:
        if bid_id in ("", one["bid_id"]):
            found.setdefault((one["bid_id"], one["sha256"]), []).append(one)
    return [
        {
            "bid_id": bid,
            "sha256": sha256,
            "said": [
                (seats.get(one["seat_id"], gettext("A former member")), _why(one["reason_code"]), one["reason"])
                for one in rows
            ],
            "answer": _answer(len({one["seat_id"] for one in rows} & set(seats)), len(seats)),
            "fallen": sha256 in results["fallen"],
        }
        for (bid, sha256), rows in found.items()
    ]


def _why(code: str) -> str:
    return str(gettext(CONTEST_REASONS[code]))


def _answer(contesting: int, voters: int) -> str:
    """How the commission has answered: a document falls by more than half of those who have a vote."""
    about = {"count": contesting, "all": voters}
    if 2 * contesting > voters:
        return str(gettext("Contested by %(count)s of %(all)s members: more than half, so it counts no more.", **about))
    return str(gettext("Contested by %(count)s of %(all)s members: not more than half, so it counts.", **about))


def behind(code: str, profile: Profile) -> str:
    """What has put a bid behind the one before."""
    found = decided_by(code, profile.criteria)
    if isinstance(found, str):
        return str(gettext(found)) if found else ""
    return str(said(found))


def out_text(code: str) -> str:
    """Why an admitted bid has no place."""
    return str(gettext(OUT_NAMES[code]))


def mark_of(decision: Decision) -> str:
    """One sign for a cell of the matrix; its words are beside it for those who hear the page."""
    return {True: "good", False: "bad", None: "care"}[decision.met]


DECIDED: Final = {
    True: (N_("Met"), "good"),
    False: (N_("Not met"), "bad"),
    None: (N_("To be decided"), "care"),
}
