"""How a tender is held and let go; parts of several deeds, each with its tender at hand under the closing lock."""

from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.database import Work
from schoolmeals.procurement.acting import AtHand, record_act
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.terms import as_payload

COMPLAINT: Final = "complaint"
"""The cause of an accepted complaint; its ``cause_id`` is ``complaint:<id>``."""
DECISION: Final = "decision:"
"""The names of the terms in which complaints are decided begin so; a suspension is no reason to decide later."""


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
        terms = {name: term for name, term in hand.facts.terms.items() if not name.startswith(DECISION)}
        # Two servers' clocks may differ by a little; nothing resumes before it was suspended.
        resumed_at = max(hand.at, suspended_at)
        moved = reckoning_of(work, hand.tender, zone).all_resumed(terms, suspended_at, resumed_at)
        payload["terms"] = as_payload(moved)
    record_act(work, hand, ActKind.RESUMED, payload, subject_id=subject_id)


def cause_of(complaint_id: UUID) -> str:
    """The name by which a complaint holds its tender."""
    return f"{COMPLAINT}:{complaint_id}"


def is_complaint(cause_id: str) -> bool:
    """Whether it is a complaint that holds."""
    return cause_id.startswith(f"{COMPLAINT}:")
