"""The page's pulse: one cheap statement that tells an open page whether anything it shows has changed.

It reads other rooms' rows itself, because asking each room in turn would cost a statement each, several times a second.
It gives away counts only, and only of the actor's own children.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from schoolmeals.database import Work
from schoolmeals.workdays import local_day

DURING_SITTINGS_MS: Final = 500
OTHERWISE_MS: Final = 5_000
AROUND_SITTINGS: Final = timedelta(minutes=15)
"""Queues begin early, and cashiers may undo for a while after the last meal."""
OFFLINE_DAYS: Final = 3
"""Tills may send what they sold up to 72 hours ago."""

_PULSE: Final = text(
    """
    WITH mine AS (
        SELECT school_id, pupil_id FROM guardianship WHERE person_id = :person_id AND ended_at IS NULL
    )
    SELECT
        (SELECT coalesce(sum(account.version), 0)
           FROM mine JOIN purse USING (school_id, pupil_id)
           JOIN account ON account.school_id = purse.school_id
            AND account.id IN (purse.money_account_id, purse.grace_account_id)) AS moves,
        (SELECT count(sale.id) * 1000 + count(sale_undo.id)
           FROM mine JOIN sale USING (school_id, pupil_id)
           LEFT JOIN sale_undo ON sale_undo.school_id = sale.school_id AND sale_undo.sale_id = sale.id
          WHERE sale.service_day BETWEEN :first_day AND :today) AS taps,
        (SELECT count(*) FROM mine) AS children,
        (SELECT count(*) FROM notice WHERE person_id = :person_id AND read_at IS NULL) AS unread,
        (SELECT count(*) FROM sitting WHERE school_id IN (SELECT school_id FROM mine)
            AND closes_at <= :local_time) AS sittings_over,
        (SELECT count(*) FROM sitting WHERE school_id IN (SELECT school_id FROM mine)
            AND (ended_on IS NULL OR ended_on > :today)
            AND :soon >= opens_at AND :lately <= closes_at) AS sittings_now
    """
)


@dataclass(frozen=True, slots=True)
class Pulse:
    """``token`` changes when the page does; ``wait_ms`` is how long to wait before asking again."""

    token: str
    wait_ms: int


def pulse_of(work: Work, zone: ZoneInfo) -> Pulse:
    """The pulse of the actor's own pages, in one statement."""
    local = work.now.astimezone(zone)
    today = local_day(work.now, zone)
    row = work.session.execute(
        _PULSE,
        {
            "person_id": work.actor.id,
            "first_day": today - timedelta(days=OFFLINE_DAYS),
            "today": today,
            "local_time": local.time(),
            "soon": (local + AROUND_SITTINGS).time(),
            "lately": (local - AROUND_SITTINGS).time(),
        },
    ).one()
    seen = f"{today} {row.moves} {row.taps} {row.children} {row.unread} {row.sittings_over}"
    token = hashlib.sha256(seen.encode()).hexdigest()[:16]
    return Pulse(token, DURING_SITTINGS_MS if row.sittings_now else OTHERWISE_MS)
