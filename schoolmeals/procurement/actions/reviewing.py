"""The review: a second person reads a tender before it can be published."""

from uuid import UUID

from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotAllowed
from schoolmeals.procurement.acting import permitted, record_act
from schoolmeals.procurement.queries.drafts import lacks
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.drafting import NEEDED, seen_by_another


def submit_for_review(work: Work, tender_id: UUID) -> None:
    """Hand a whole draft to a second person. Raises Invalid with everything that it still lacks, by
    ``section.field`` or ``lot id.section.field``.
    """
    hand = permitted(work, "submit_for_review", tender_id)
    problems = lacks(work, hand.tender)
    if problems:
        raise Invalid(fields=problems)
    record_act(work, hand, ActKind.SUBMITTED_FOR_REVIEW)


def approve_tender(work: Work, tender_id: UUID) -> None:
    """Find the draft fit to be published. Raises NotAllowed ``own-work`` for whoever has written in it."""
    hand = permitted(work, "approve_tender", tender_id)
    refused = seen_by_another(hand.facts.editors, work.actor.id)
    if refused is not None:
        raise NotAllowed(refused.code, refused.sentence)
    record_act(work, hand, ActKind.APPROVED)


def return_tender(work: Work, tender_id: UUID, reason: str) -> None:
    """Give the draft back to be mended, with the reason. Raises Invalid."""
    hand = permitted(work, "return_tender", tender_id)
    record_act(work, hand, ActKind.RETURNED, {"reason": _given(reason)})


def reopen_draft(work: Work, tender_id: UUID, reason: str) -> None:
    """Take an approved tender back into writing; it must be reviewed again. Raises Invalid."""
    hand = permitted(work, "reopen_draft", tender_id)
    record_act(work, hand, ActKind.REOPENED, {"reason": _given(reason)})


def _given(reason: str) -> str:
    if not reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})
    return reason.strip()
