"""The page's pulse: one cheap statement that tells an open page whether anything it shows has changed.

Each room gives its part of the statement at its door, because asking each in turn would cost a statement each, several
times a second. It gives away counts only, and only of the actor's own children.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from schoolmeals import canteen, pupils, wallet
from schoolmeals.database import Work
from schoolmeals.parents.models import Notice
from schoolmeals.workdays import local_day

DURING_SITTINGS_MS: Final = 500
OTHERWISE_MS: Final = 5_000
AROUND_SITTINGS: Final = timedelta(minutes=15)
"""Queues begin early, and cashiers may undo for a while after the last meal."""
OFFLINE_DAYS: Final = 3
"""Tills may send what they sold up to 72 hours ago."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """``token`` changes when the page does; ``wait_ms`` is how long to wait before asking again."""

    token: str
    wait_ms: int


def pulse_of(work: Work, zone: ZoneInfo) -> Pulse:
    """The pulse of the actor's own pages, in one statement."""
    local = work.now.astimezone(zone)
    today = local_day(work.now, zone)
    ties = pupils.ties_of(work.actor.id)
    unread = select(func.count()).where(Notice.person_id == work.actor.id, Notice.read_at.is_(None))
    row = work.session.execute(
        select(
            wallet.pulse_of_purses(ties).label("moves"),
            canteen.pulse_of_taps(ties, first=today - timedelta(days=OFFLINE_DAYS), last=today).label("taps"),
            select(func.count()).select_from(ties).scalar_subquery().label("children"),
            unread.scalar_subquery().label("unread"),
            canteen.sittings_over(ties, local_time=local.time()).label("over"),
            canteen.sittings_now(
                ties, today=today, lately=(local - AROUND_SITTINGS).time(), soon=(local + AROUND_SITTINGS).time()
            ).label("now"),
        )
    ).one()
    seen = f"{today} {row.moves} {row.taps} {row.children} {row.unread} {row.over}"
    token = hashlib.sha256(seen.encode()).hexdigest()[:16]
    return Pulse(token, DURING_SITTINGS_MS if row.now else OTHERWISE_MS)
