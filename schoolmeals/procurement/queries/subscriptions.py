"""Finding a subscription by the token of its letters."""

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.keys import token_hash
from schoolmeals.procurement.models import Subscription
from schoolmeals.procurement.rules.news import CONFIRM_WITHIN


def subscription_of(work: Work, token: str) -> Subscription:
    """The subscription of a letter's link. Raises NotFound; a week's silence is an answer too."""
    found = select(Subscription).where(Subscription.token_hash == token_hash(token))
    row: Subscription | None = work.session.scalar(found)
    if row is None or (row.confirmed_at is None and work.now > row.made_at + CONFIRM_WITHIN):
        raise NotFound
    return row
