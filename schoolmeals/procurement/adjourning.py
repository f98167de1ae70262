"""Putting an opening off by rule: what the worker does where the time is over and nobody else has done it."""

from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.database import Work
from schoolmeals.procurement.acting import LegalClock, legal_time
from schoolmeals.procurement.actions.opening import adjourn_opening
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.opening import is_asked, windows
from schoolmeals.procurement.unsealing import adjournments


def put_off_overdue(work: Work, tender_id: UUID, *, keys: ServerKeys, zone: ZoneInfo, clock: LegalClock) -> None:
    """Put an opening off, of bids or of prices, whose term is over, and ask the bidders for their keys the second time.
    Raises NotNow where nothing waits. A term that runs, and bidders who were asked, are left alone.
    """
    hand = visible(work, tender_id)
    terms, names = hand.facts.terms, windows(hand.stage)
    window = terms.get(names.window)
    if window is None or is_asked(terms, names):
        return
    if legal_time(work, clock) <= window.until:
        return
    again = adjournments(work, hand) > 0
    adjourn_opening(work, tender_id, keys=keys, zone=zone, ask_bidders=again, clock=clock)
