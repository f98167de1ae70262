"""Holding a tender by order of a court or a prosecutor, and letting it run on with what was left of its terms."""

from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotFound
from schoolmeals.procurement.acting import LegalClock, Lock, database_clock, permitted
from schoolmeals.procurement.holding import hold, is_complaint, let_go
from schoolmeals.procurement.rules.awards import SUSPENSION_CAUSES
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN


def suspend_tender(
    work: Work, tender_id: UUID, *, cause: str, cause_id: str, reason: str, clock: LegalClock = database_clock
) -> None:
    """Hold a tender: its terms stand still, nobody bids, nobody signs. ``cause_id`` is the number of the order that
    demands it. Raises Invalid, Conflict ``held-already``.
    """
    hand = permitted(work, "suspend_tender", tender_id, lock=Lock.CLOSE, clock=clock)
    given = {"cause_id": cause_id.strip(), "reason": reason.strip()}
    missing = {name: [NEEDED] for name, text in given.items() if not text}
    if cause not in SUSPENSION_CAUSES:
        missing["cause"] = [UNKNOWN]
    if missing:
        raise Invalid(fields=missing)
    if is_complaint(given["cause_id"]):
        raise Invalid(fields={"cause_id": [UNKNOWN]})
    if given["cause_id"] in hand.facts.suspensions:
        raise Conflict("held-already", N_("The tender is already held by this order."))
    hold(work, hand, cause, given["cause_id"], given["reason"])


def resume_tender(
    work: Work, tender_id: UUID, *, cause_id: str, reason: str, zone: ZoneInfo, clock: LegalClock = database_clock
) -> None:
    """End one cause that holds a tender. With the last one it runs on, and every term with what was left of it. A
    complaint holds until it is decided and carried out. Raises NotFound, Invalid, Conflict ``held-by-complaint``.
    """
    hand = permitted(work, "resume_tender", tender_id, lock=Lock.CLOSE, clock=clock)
    if cause_id not in hand.facts.suspensions:
        raise NotFound
    if not reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})
    if is_complaint(cause_id):
        raise Conflict("held-by-complaint", N_("A complaint holds the tender until it is decided and carried out."))
    let_go(work, hand, cause_id, reason.strip(), zone)
