"""Changing how far accounts may go. Balances are never touched, and no bound is ever set behind the balance."""

from uuid import UUID

from sqlalchemy import select, update

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict
from schoolmeals.ledger.models import Account


def set_bounds(work: Work, school_id: UUID, purpose: str, *, floor_minor: int | None, ceiling_minor: int | None) -> int:
    """Give all accounts of ``purpose`` that have an owner these bounds; gives how many changed. None: no bound.

    Three statements, whatever their number. Locks the accounts in the order of everybody, so nobody posts in between.
    Raises Conflict ``beyond-bounds`` with ``accounts`` (how many have gone further already) and ``furthest_minor`` (how
    far the furthest of them has); nothing is changed then.
    """
    mine = Account.school_id == school_id, Account.purpose == purpose, Account.owner_id.is_not(None)
    rows = work.session.execute(
        select(Account.balance_minor, Account.floor_minor, Account.ceiling_minor)
        .where(*mine)
        .order_by(Account.id)
        .with_for_update(key_share=True)
    ).all()
    below = [row.balance_minor for row in rows if floor_minor is not None and row.balance_minor < floor_minor]
    above = [row.balance_minor for row in rows if ceiling_minor is not None and row.balance_minor > ceiling_minor]
    if below or above:
        sentence = N_("Some accounts have gone further than that already.")
        furthest = max(above) if above else min(below)
        raise Conflict("beyond-bounds", sentence, accounts=len(below) + len(above), furthest_minor=furthest)
    changed = sum((row.floor_minor, row.ceiling_minor) != (floor_minor, ceiling_minor) for row in rows)
    if changed:
        work.session.execute(update(Account).where(*mine).values(floor_minor=floor_minor, ceiling_minor=ceiling_minor))
    payload = {"purpose": purpose, "accounts": changed, "floor_minor": floor_minor, "ceiling_minor": ceiling_minor}
    audit.record(work, "ledger.set_bounds", audit.Subject("school", school_id), payload, school_id=school_id)
    return changed
