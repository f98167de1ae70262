"""How a tender is held and let go; parts of several deeds, each with its tender at hand under the closing lock."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.database import Work
from schoolmeals.procurement.acting import AtHand, record_act
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind, TenderFacts
from schoolmeals.procurement.rules.bids import FILES, files_from, files_until
from schoolmeals.procurement.rules.complaints import DECISION
from schoolmeals.procurement.rules.terms import Term, as_payload

COMPLAINT: Final = "complaint"
"""The cause of an accepted complaint; its ``cause_id`` is ``complaint:<id>``."""


def hold(work: Work, hand: AtHand, cause: str, cause_id: str, reason: str) -> None:
    """Let every running term stand still for a cause."""
    record_act(work, hand, ActKind.SUSPENDED, {"cause": cause, "cause_id": cause_id, "reason": reason})


def let_go(
    work: Work, hand: AtHand, cause_id: str, reason: str, zone: ZoneInfo, *, subject_id: UUID | None = None
) -> None:
    """End a cause. With the last one every term runs on with what was left of it."""
    payload: dict[str, Any] = {"cause_id": cause_id, "reason": reason}
    suspended_at = hand.facts.times.suspended_at
    if set(hand.facts.suspensions) == {cause_id} and suspended_at is not None:
        terms = {name: term for name, term in hand.facts.terms.items() if not _runs_on(name)}
        # Two servers' clocks may differ by a little; nothing resumes before it was suspended.
        resumed_at = max(hand.at, suspended_at)
        moved = reckoning_of(work, hand.tender, zone).all_resumed(terms, suspended_at, resumed_at)
        payload["terms"] = as_payload(moved | _files_resumed(work, hand, suspended_at, resumed_at))
    record_act(work, hand, ActKind.RESUMED, payload, subject_id=subject_id)


def _runs_on(name: str) -> bool:
    """Whether a term is no matter of a suspension, or is given back in its own way."""
    return name.startswith(DECISION) or name == FILES


def _files_resumed(work: Work, hand: AtHand, suspended_at: datetime, resumed_at: datetime) -> dict[str, Term]:
    """The time for sealed files that ran when the tender was held: it has no days, and comes back to the second."""
    terms, bidding = hand.facts.terms, hand.facts.terms.get("bidding")
    if bidding is None:
        return {}
    last = files_until(files_from(terms), profile_of(work, hand.tender))
    if not bidding.until < suspended_at <= last:
        return {}
    until = files_from(terms) + (resumed_at - suspended_at)
    return {FILES: Term(bidding.start, until, bidding.length, bidding.accelerator)}


def cause_of(complaint_id: UUID) -> str:
    """The name by which a complaint holds its tender."""
    return f"{COMPLAINT}:{complaint_id}"


def unsettled_complaints(facts: TenderFacts) -> int:
    """How many complaints wait to be judged, or hold the tender until what was decided is carried out."""
    held = {cause for cause in facts.suspensions if is_complaint(cause)}
    return len(held | {f"{COMPLAINT}:{id}" for id in facts.complaints_waiting})


def is_complaint(cause_id: str) -> bool:
    """Whether it is a complaint that holds."""
    return cause_id.startswith(f"{COMPLAINT}:")
