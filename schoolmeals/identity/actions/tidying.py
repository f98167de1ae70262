"""Forgetting what is of no more use to anybody. What happened stays in the audit log, which nothing here touches."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Delete, and_, delete, or_
from sqlalchemy.orm import InstrumentedAttribute

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.identity.models import Attempts, Challenge, PasswordReset, SignInSession
from schoolmeals.mail import Letter

ATTEMPTS_STAY: Final = timedelta(days=7)
"""Longer than any window in which attempts are counted."""
CODES_STAY: Final = timedelta(days=1)
"""Challenges and codes for new passwords, after they have expired."""
SESSIONS_STAY: Final = timedelta(days=7)
"""Sessions, after they have ended."""
SHOWN_LETTERS_STAY: Final = timedelta(days=1)
"""Letters of a demo, after they would have been sent."""
LETTERS_STAY: Final = timedelta(days=7)
"""All other traces of letters: by then the worker has tried eight times and given up."""


def tidy_up(work: Work) -> dict[str, int]:
    """Delete old attempts, challenges, sessions, codes and letters: how many rows of each table."""
    gone = {name: _count(work, statement) for name, statement in _old(work).items()}
    audit.record(work, "identity.tidy-up", audit.Subject("installation"), gone)
    return gone


def _old(work: Work) -> dict[str, Delete]:
    def before(column: InstrumentedAttribute[Any], span: timedelta) -> ColumnElement[bool]:
        return column <= work.now - span

    still_blocked = and_(Attempts.blocked_until.is_not(None), Attempts.blocked_until > work.now)
    ended = or_(before(SignInSession.ended_at, SESSIONS_STAY), before(SignInSession.expires_at, SESSIONS_STAY))
    shown = and_(Letter.sealed.is_not(None), before(Letter.sent_at, SHOWN_LETTERS_STAY))
    return {
        "attempts": delete(Attempts).where(before(Attempts.window_started_at, ATTEMPTS_STAY), ~still_blocked),
        "challenges": delete(Challenge).where(before(Challenge.expires_at, CODES_STAY)),
        "sessions": delete(SignInSession).where(ended),
        "codes": delete(PasswordReset).where(before(PasswordReset.expires_at, CODES_STAY)),
        "letters": delete(Letter).where(or_(shown, before(Letter.promised_at, LETTERS_STAY))),
    }


def _count(work: Work, statement: Delete) -> int:
    result: Any = work.session.execute(statement)
    return int(result.rowcount)
