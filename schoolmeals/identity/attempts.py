"""Counting attempts, for rate limits and lock-outs."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from schoolmeals.database import Work
from schoolmeals.errors import TooMany
from schoolmeals.identity.models import Attempts
from schoolmeals.identity.rules import AttemptState, Limit, after_attempt
from schoolmeals.verdicts import Refused

HOUR: Final = timedelta(hours=1)
PAUSE: Final = timedelta(minutes=1)
"""The window and the first pause of the room's own limits."""


def spend_attempt(
    work: Work, purpose: str, key: bytes, *, limit: int, per: timedelta, block: timedelta
) -> Refused | None:
    """Count one attempt at ``key``; Refused ``too-many-attempts`` where it comes too soon.

    ``limit`` attempts are free within ``per``; the last of them starts a pause of ``block``, after each pause one more
    is free, and pauses double (:func:`schoolmeals.identity.rules.after_attempt`). ``key`` is a keyed hash of what is
    limited together with the purpose. The count is only kept if the transaction commits, so a deed whose failures
    are limited must return its refusal and not raise it. ``facts["retry_after_s"]`` of the refusal is in seconds.
    """
    # The update changes nothing; it locks the row, so that attempts at the same time are counted one after the other.
    row = work.session.execute(
        insert(Attempts)
        .values(key=key, purpose=purpose, count=0, window_started_at=work.now, blocked_until=None)
        .on_conflict_do_update(index_elements=[Attempts.key], set_={"purpose": purpose})
        .returning(Attempts.count, Attempts.window_started_at, Attempts.blocked_until)
    ).one()
    after, refused = after_attempt(AttemptState(*row), Limit(limit, per, block), work.now)
    if refused is None:
        work.session.execute(
            update(Attempts)
            .where(Attempts.key == key)
            .values(count=after.count, window_started_at=after.window_started_at, blocked_until=after.blocked_until)
        )
    return refused


def forget_attempts(work: Work, key: bytes) -> None:
    """Begin anew after a success."""
    work.session.execute(delete(Attempts).where(Attempts.key == key))


def too_many(refused: Refused) -> TooMany:
    """The refusal of :func:`spend_attempt` for a request that cannot go on."""
    wait = refused.facts["retry_after_s"]
    assert isinstance(wait, int)
    return TooMany(refused.code, refused.sentence, retry_after_s=wait, minutes=refused.facts["minutes"])
