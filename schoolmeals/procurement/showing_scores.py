"""Admission, points and places in words, in the reader's language."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext

from schoolmeals.errors import N_
from schoolmeals.procurement.admitting import Cell
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.admission import FLAGS, Decision, Finding
from schoolmeals.procurement.rules.findings import FINDING_NAMES
from schoolmeals.procurement.rules.judging import decided_by
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
