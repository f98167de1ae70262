"""What opened bids say, read once more for those who decide on them. Not scoped: whoever calls has a tender at hand."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.procurement.models import OpenedBid
from schoolmeals.procurement.rules import bid_form
from schoolmeals.procurement.rules.bid_form import BidContent, PriceLine, StaffLine


def contents_of(work: Work, bid_id: UUID) -> list[BidContent]:
    """What the envelopes of a bid say; those that cannot be read are left out."""
    found = select(OpenedBid.plaintext).where(OpenedBid.bid_id == bid_id, OpenedBid.plaintext.is_not(None))
    return [bid_form.read(plaintext) for plaintext in work.session.scalars(found) if plaintext is not None]


def staff_of(contents: Iterable[BidContent]) -> tuple[StaffLine, ...]:
    """The people whom a bid offers."""
    return tuple(line for content in contents for line in content.staff)


def prices_of(contents: Iterable[BidContent]) -> tuple[PriceLine, ...]:
    """The prices that a bid asks."""
    return tuple(line for content in contents for line in content.prices)
