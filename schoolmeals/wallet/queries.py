"""Looking into purses. What is not the actor's is not found."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from schoolmeals.database import Work
from schoolmeals.ledger import Account
from schoolmeals.wallet.access import require_reach
from schoolmeals.wallet.models import Purse
from schoolmeals.wallet.rules import DEFAULT_CURRENCY, PurseFacts


def purse_of(work: Work, school_id: UUID, pupil_id: UUID) -> PurseFacts:
    """A pupil's purse, for their guardians, the school's office and the city. An unopened purse is an empty one."""
    require_reach(work, school_id, pupil_id)
    return purses_of(work, school_id, [pupil_id])[pupil_id]


def purses_of(work: Work, school_id: UUID, pupil_ids: Collection[UUID]) -> dict[UUID, PurseFacts]:
    """The purses of pupils of one school, by pupil; one statement. The caller answers for these pupils being the
    actor's.
    """
    money, grace = aliased(Account), aliased(Account)
    rows = work.session.execute(
        select(
            Purse.id,
            Purse.pupil_id,
            money.balance_minor,
            grace.balance_minor,
            Purse.limit_minor_day,
            Purse.currency,
        )
        .join(money, (money.school_id == Purse.school_id) & (money.id == Purse.money_account_id))
        .join(grace, (grace.school_id == Purse.school_id) & (grace.id == Purse.grace_account_id))
        .where(Purse.school_id == school_id, Purse.pupil_id.in_(pupil_ids))
    )
    found = {row.pupil_id: PurseFacts(*row, as_of=work.now) for row in rows}
    return {
        pupil_id: found.get(pupil_id) or PurseFacts(None, pupil_id, 0, 0, None, DEFAULT_CURRENCY, work.now)
        for pupil_id in pupil_ids
    }
