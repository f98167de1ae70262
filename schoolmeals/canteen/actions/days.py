"""The end of a school's day: counted, and closed with books that balance."""

from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals import audit, identity, ledger
from schoolmeals.actors import Role
from schoolmeals.canteen.menus import DayCounts
from schoolmeals.canteen.models import DayClosing
from schoolmeals.canteen.queries import counted
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, NotNow
from schoolmeals.workdays import local_day

ALMATY: Final = ZoneInfo("Asia/Almaty")


def close_day(work: Work, school_id: UUID, day: date, *, zone: ZoneInfo = ALMATY) -> DayClosing:
    """Keep the day's counts and the school's trial balance of this moment, once.

    A tap that arrives later is still taken, because the meal was eaten; it belongs to its day and shows beside the
    closing. Raises NotFound, NotNow ``day-is-not-over``, Conflict ``already-closed`` and ``books-do-not-balance``.
    """
    identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    if day > local_day(work.now, zone):
        raise NotNow("day-is-not-over", N_("This day has not come yet."))
    if work.session.get(DayClosing, (school_id, day)) is not None:
        raise Conflict("already-closed", N_("This day is already closed."))
    counts = counted(work, school_id, day)
    rows = ledger.trial_balance(work, [school_id])
    if sum(row.debits_minor for row in rows) != sum(row.credits_minor for row in rows):
        raise Conflict("books-do-not-balance", N_("The books do not balance. Call the city administrator."))
    closing = DayClosing(
        school_id=school_id,
        day=day,
        closed_by=work.actor.id,
        closed_at=work.now,
        counts=as_json(counts),
        trial_balance=[_row(row) for row in rows],
    )
    work.session.add(closing)
    work.session.flush()
    payload = {"day": day, "counts": closing.counts, "trial_balance": closing.trial_balance}
    audit.record(work, "canteen.close_day", audit.Subject("school", school_id), payload, school_id=school_id)
    return closing


def as_json(counts: DayCounts) -> dict[str, Any]:
    """The counts as they are kept."""
    sittings = [
        {
            "sitting_id": str(one.sitting_id),
            "meal": one.meal,
            "shift": one.shift,
            "set_meals": one.set_meals,
            "pupils": one.pupils,
            "buffet_sales": one.buffet_sales,
            "refused": one.refused,
            "undone": one.undone,
            "total_minor": one.total_minor,
            "courtesy_minor": one.courtesy_minor,
        }
        for one in counts.sittings
    ]
    return {"sittings": sittings, "pupils": counts.pupils, "fed": counts.fed, "currency": counts.currency}


def _row(row: ledger.TrialBalanceRow) -> dict[str, Any]:
    return {
        "purpose": row.purpose,
        "kind": row.kind.value,
        "currency": row.currency,
        "accounts": row.accounts,
        "debits_minor": row.debits_minor,
        "credits_minor": row.credits_minor,
        "balance_minor": row.balance_minor,
    }
