"""Putting an opening off by rule: what the worker does where the time is over and nobody else has done it."""

from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.database import Work
from schoolmeals.procurement.acting import LegalClock
from schoolmeals.procurement.actions.opening import adjourn_opening
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.unsealing import adjournments


def put_off_overdue(work: Work, tender_id: UUID, *, keys: ServerKeys, zone: ZoneInfo, clock: LegalClock) -> None:
    """Put an opening off whose term is over, and ask the bidders for their keys the second time. Raises NotNow where
    nothing waits. A term that runs, and bidders who were asked, are left alone.
    """
    terms = visible(work, tender_id).facts.terms
    if "reveal" in terms or "opening" not in terms or clock(work) <= terms["opening"].until:
        return
    again = adjournments(work, tender_id) > 0
    adjourn_opening(work, tender_id, keys=keys, zone=zone, ask_bidders=again, clock=clock)
