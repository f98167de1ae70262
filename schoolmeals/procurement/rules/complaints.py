"""Complaints: when somebody may complain about what, and what has become of a complaint. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.acts import LotFacts, LotStage
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN, Problems
from schoolmeals.procurement.rules.stages import TenderStage, is_over
from schoolmeals.procurement.rules.terms import Term
from schoolmeals.verdicts import Refused

DECISION: Final = "decision:"
"""The names of the terms in which complaints are decided begin so; a suspension is no reason to decide later."""
ABOUT: Final = ("terms", "opening", "admission", "evaluation", "award", "other")
OUTCOMES: Final = ("satisfied", "partly", "declined")
INADMISSIBLE_CODES: Final = ("late", "not-about-this-tender", "no-reasons", "repeated", "other")
REMEDIES: Final = ("amend-terms", "repeat-admission", "repeat-evaluation", "end-award", "cancel-lot", "other")
"""What a decision may order: the organiser carries it out."""
OF_A_LOT: Final = {
    "end-award": frozenset({LotStage.AWARDED}),
    "cancel-lot": frozenset({LotStage.ACTIVE, LotStage.AWARDED}),
}
"""What is ordered for one lot, and at which of its stages that can be carried out."""
_S: Final = TenderStage
BEFORE_OPENING: Final = frozenset({_S.DISCUSSION, _S.BIDDING})
AFTER_AWARD: Final = frozenset({_S.STANDSTILL, _S.CONTRACTING})
MOST_FILES: Final = 10
LARGEST_BYTES: Final = 5_000_000
LONGEST: Final = 20_000


class ComplaintStage(StrEnum):
    """Where a complaint stands; read from what was said about it."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    INADMISSIBLE = "inadmissible"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    TO_BE_EXECUTED = "to-be-executed"
    EXECUTED = "executed"


STAGE_NAMES: Final = {
    ComplaintStage.WAITING: N_("Waits for the review body"),
    ComplaintStage.ACCEPTED: N_("Being considered"),
    ComplaintStage.INADMISSIBLE: N_("Not taken up"),
    ComplaintStage.WITHDRAWN: N_("Withdrawn"),
    ComplaintStage.DECLINED: N_("Declined"),
    ComplaintStage.TO_BE_EXECUTED: N_("Upheld, waits to be carried out"),
    ComplaintStage.EXECUTED: N_("Upheld and carried out"),
}
OPEN: Final = frozenset({ComplaintStage.WAITING, ComplaintStage.ACCEPTED, ComplaintStage.TO_BE_EXECUTED})


@dataclass(frozen=True, slots=True)
class Said:
    """What was said about a complaint: ``kind`` and, of a decision, its ``outcome``."""

    kind: str
    outcome: str | None = None


def complaint_stage(said: Iterable[Said]) -> ComplaintStage:
    """Where a complaint stands after all that was said about it."""
    kinds = {one.kind: one for one in said}
    if "executed" in kinds:
        return ComplaintStage.EXECUTED
    if "withdrawn" in kinds:
        return ComplaintStage.WITHDRAWN
    if "decided" in kinds:
        declined = kinds["decided"].outcome == "declined"
        return ComplaintStage.DECLINED if declined else ComplaintStage.TO_BE_EXECUTED
    if "refused" in kinds:
        return ComplaintStage.INADMISSIBLE
    return ComplaintStage.ACCEPTED if "accepted" in kinds else ComplaintStage.WAITING


def may_complain(
    about: str, stage: TenderStage, standstill: Term | None, suspended_at: datetime | None, at: datetime
) -> Refused | None:
    """Terms are contested before the bids are opened, decisions after; an award until its standstill is over, where
    the time of a suspension does not count.
    """
    if about == "terms" and stage not in BEFORE_OPENING | {_S.SUSPENDED, _S.CLOSED}:
        return Refused("too-late-for-terms", TOO_LATE_FOR_TERMS)
    if about not in {"terms", "other"} and stage in BEFORE_OPENING | {_S.CLOSED}:
        return Refused("nothing-decided", NOTHING_DECIDED)
    if stage in AFTER_AWARD | {_S.SUSPENDED} and standstill is not None:
        judged_at = suspended_at or at
        if is_over(standstill.until, judged_at):
            return Refused("standstill-over", STANDSTILL_OVER)
    return None


def problems_of(
    remedies: Sequence[Mapping[str, Any]], outcome: str, lots: Mapping[UUID, LotFacts], *, evaluated: bool
) -> Problems:
    """What is wrong with what a decision orders: an upheld complaint orders something, a declined one nothing, and
    only what can be carried out. An award can fall where one stands, a lot be cancelled until it has a contract, and
    bids be evaluated anew that were evaluated before.
    """
    if (outcome == "declined") == bool(remedies):
        return {"remedies": [NEEDED if not remedies else UNKNOWN]}
    stages = {str(lot_id): lot.stage for lot_id, lot in lots.items()}
    for one in remedies:
        if one["kind"] not in REMEDIES:
            return {"remedies": [UNKNOWN]}
        if one["kind"] == "repeat-evaluation" and not evaluated:
            return {"remedies": [NOTHING_EVALUATED]}
        if one["kind"] in OF_A_LOT and stages.get(str(one.get("lot_id"))) not in OF_A_LOT[one["kind"]]:
            return {"remedies": [NOT_POSSIBLE]}
    return {}


NOT_POSSIBLE: Final = FieldProblem.of(
    "not-possible", N_("This cannot be carried out for this lot: it has no award that could fall, or is settled.")
)
NOTHING_EVALUATED: Final = FieldProblem.of(
    "nothing-evaluated", N_("The bids have not been evaluated yet, so nothing can be evaluated anew.")
)
TOO_LATE_FOR_TERMS: Final = N_("The terms of a tender are contested before its bids are opened.")
NOTHING_DECIDED: Final = N_("Nothing of this has been decided yet. The terms can be contested now.")
STANDSTILL_OVER: Final = N_("The standstill is over. An award is contested while it runs.")
