"""Closing: after the deadline the list of bids is frozen. It waits for bids on their way, and they for it."""

from uuid import UUID

from schoolmeals.database import Work
from schoolmeals.procurement.acting import LegalClock, Lock, database_clock, permitted
from schoolmeals.procurement.freezing import freeze
from schoolmeals.procurement.rows import ServerKeys


def close_bidding(work: Work, tender_id: UUID, *, keys: ServerKeys, clock: LegalClock = database_clock) -> str:
    """Freeze the list of bids; gives its digest, the same however often it is asked.

    Raises NotNow before the deadline, Conflict ``sealed-row-damaged``.
    """
    hand = permitted(work, "close_bidding", tender_id, lock=Lock.CLOSE, clock=clock)
    return freeze(work, hand, keys)
