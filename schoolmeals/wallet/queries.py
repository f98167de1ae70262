"""Looking into purses. What is not the actor's is not found."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, CTE, ScalarSelect, Uuid, any_, func, literal, or_, select, text
from sqlalchemy.orm import aliased

from schoolmeals import identity, ledger
from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.ids import number_in_sql
from schoolmeals.ledger import Account
from schoolmeals.wallet.access import OFFICE, require_reach
from schoolmeals.wallet.models import PaymentEventSeen, Purse, SchoolPolicy, TopUp
from schoolmeals.wallet.rules import (
    DEFAULT_CURRENCY,
    DEFAULT_GRACE_LIMIT_MINOR,
    LOST_AFTER,
    GraceUse,
    PolicyFacts,
    PurseFacts,
    TopUpFacts,
)
from schoolmeals.wallet.statements import Statement, merged
from schoolmeals.wallet.top_ups import as_facts, finding, top_ups

NEWEST: Final = 50
_INSTANT: Final = timedelta(microseconds=1)


def purse_of(work: Work, school_id: UUID, pupil_id: UUID) -> PurseFacts:
    """A pupil's purse, for their guardians, the school's office and the city. An unopened purse is an empty one."""
    require_reach(work, school_id, pupil_id)
    return purses_of(work, school_id, [pupil_id])[pupil_id]


def purses_of(work: Work, school_id: UUID, pupil_ids: Collection[UUID]) -> dict[UUID, PurseFacts]:
    """The purses of pupils of one school, by pupil; one statement, and a second one where some have none yet. The
    caller answers for these pupils being the actor's.
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
        .where(Purse.school_id == school_id, Purse.pupil_id == any_(literal(list(pupil_ids), ARRAY(Uuid()))))
    )
    found = {row.pupil_id: PurseFacts(*row, as_of=work.now) for row in rows}
    missing = [pupil_id for pupil_id in pupil_ids if pupil_id not in found]
    if missing:
        currency = policy_of(work, school_id).currency
        found |= {pupil_id: PurseFacts(None, pupil_id, 0, 0, None, currency, work.now) for pupil_id in missing}
    return found


def policy_of(work: Work, school_id: UUID) -> PolicyFacts:
    """What a school decides about money; the defaults where it has not. The caller answers for the school."""
    return policies_of(work, [school_id])[school_id]


def policies_of(work: Work, school_ids: Collection[UUID]) -> dict[UUID, PolicyFacts]:
    """What schools decide about money, by school; one statement. The caller answers for these schools."""
    rows = work.session.execute(
        select(
            SchoolPolicy.school_id, SchoolPolicy.grace_limit_minor, SchoolPolicy.currency, SchoolPolicy.changed_at
        ).where(SchoolPolicy.school_id.in_(school_ids))
    )
    found = {row.school_id: PolicyFacts(*row) for row in rows}
    defaults = DEFAULT_GRACE_LIMIT_MINOR, DEFAULT_CURRENCY, None
    return {school_id: found.get(school_id) or PolicyFacts(school_id, *defaults) for school_id in school_ids}


def grace_of_school(work: Work, school_id: UUID) -> GraceUse:
    """How much of their grace the pupils of a school have used, for the school's office and the city."""
    identity.require_role_in(work, school_id, *OFFICE)
    used = select(
        func.count().filter(Account.balance_minor > 0),
        func.coalesce(func.sum(Account.balance_minor), 0),
        func.coalesce(func.max(Account.balance_minor), 0),
    ).where(Account.school_id == school_id, Account.purpose == "grace", Account.owner_id.is_not(None))
    pupils, total, most = work.session.execute(used).one()
    return GraceUse(pupils, int(total), int(most))


def top_up_of(work: Work, school_id: UUID, top_up_id: UUID) -> TopUpFacts:
    """One top-up, for whoever may see the purse that it fills."""
    stored = finding(school_id, top_up_id)
    work.ask(stored)
    if stored.answer is None:
        raise NotFound
    require_reach(work, school_id, stored.answer.pupil_id)
    return stored.answer


def top_ups_of(work: Work, school_id: UUID, pupil_id: UUID, *, limit: int = NEWEST) -> list[TopUpFacts]:
    """A pupil's top-ups, the newest first, whatever became of them."""
    require_reach(work, school_id, pupil_id)
    wanted = top_ups().where(TopUp.school_id == school_id, Purse.pupil_id == pupil_id)
    newest = wanted.order_by(TopUp.intended_at.desc(), TopUp.id.desc()).limit(limit)
    return as_facts(work.session.execute(newest).all())


def top_ups_numbered(work: Work, school_id: UUID, number: int) -> list[TopUpFacts]:
    """A school's top-ups whose cash receipt or whose own number is ``number``, the newest first; for its office. Raises
    NotFound.
    """
    identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE)
    bears_it = text(f"{number_in_sql('top_up.id')} = :number").bindparams(number=number)
    wanted = top_ups().where(TopUp.school_id == school_id, or_(TopUp.receipt_no == number, bears_it))
    return as_facts(work.session.execute(wanted.order_by(TopUp.intended_at.desc(), TopUp.id)).all())


def top_ups_of_school_day(
    work: Work, school_id: UUID, day_start: datetime, day_end: datetime, *, method: str | None = None
) -> list[TopUpFacts]:
    """The top-ups that filled purses of a school in a span of time, earliest first, also those taken back since. For
    the school's office and the city. ``method``: ``hosted-page`` or ``cash-desk`` alone.
    """
    identity.require_role_in(work, school_id, *OFFICE)
    wanted = top_ups().where(TopUp.school_id == school_id, TopUp.settled_at >= day_start, TopUp.settled_at < day_end)
    if method is not None:
        wanted = wanted.where(TopUp.method == method)
    return as_facts(work.session.execute(wanted.order_by(TopUp.settled_at, TopUp.receipt_no, TopUp.id)).all())


def statement_of(work: Work, school_id: UUID, pupil_id: UUID, since: datetime, until: datetime) -> Statement:
    """The statement of a pupil's purse from ``since`` up to, without, ``until``, for whoever may see the purse.

    Call it in a ``reading``: opening, lines and closing are three looks that must be at the same books.
    """
    require_reach(work, school_id, pupil_id)
    purse = work.session.scalar(select(Purse).where(Purse.school_id == school_id, Purse.pupil_id == pupil_id))
    if purse is None:
        currency = policy_of(work, school_id).currency
        return Statement(school_id, pupil_id, currency, since, until, work.now, 0, 0, ())
    opening = _balance_before(work, purse, since)
    lines = merged(
        ledger.statement_lines(work, school_id, purse.money_account_id, since, until),
        ledger.statement_lines(work, school_id, purse.grace_account_id, since, until),
        opening_minor=opening,
        receipt_numbers=_receipt_numbers(work, purse),
    )
    closing = _balance_before(work, purse, until)
    return Statement(school_id, pupil_id, purse.currency, since, until, work.now, opening, closing, lines)


def top_ups_settled(work: Work, school_ids: Collection[UUID], *, since: datetime) -> list[TopUpFacts]:
    """The top-ups of schools that filled a purse at ``since`` or later; for the worker."""
    assert work.actor.kind is ActorKind.SYSTEM, "it looks over schools"
    wanted = top_ups().where(TopUp.school_id.in_(school_ids), TopUp.settled_at >= since)
    return as_facts(work.session.execute(wanted.order_by(TopUp.settled_at, TopUp.id)).all())


def pulse_of_purses(ties: CTE) -> ScalarSelect[int]:
    """A number that changes with every movement of the purses of ``ties`` (school_id, pupil_id): a part of a statement
    that another room sends together with its own.
    """
    is_theirs = (Purse.school_id == ties.c.school_id) & (Purse.pupil_id == ties.c.pupil_id)
    is_of_it = (Account.school_id == Purse.school_id) & Account.id.in_([Purse.money_account_id, Purse.grace_account_id])
    moves = select(func.coalesce(func.sum(Account.version), 0)).select_from(ties)
    return moves.join(Purse, is_theirs).join(Account, is_of_it).scalar_subquery()


def lost_top_ups(work: Work) -> list[TopUpFacts]:
    """Pending top-ups that are so old that their webhook may have been lost, oldest first; for the worker."""
    wanted = top_ups().where(
        TopUp.settled_at.is_(None), TopUp.failed_at.is_(None), TopUp.intended_at <= work.now - LOST_AFTER
    )
    return as_facts(work.session.execute(wanted.order_by(TopUp.intended_at, TopUp.id).limit(500)).all())


def is_event_known(work: Work, provider: str, event_id: str) -> bool:
    """Whether an event of a provider has been heard already."""
    return work.session.get(PaymentEventSeen, (provider, event_id)) is not None


def _balance_before(work: Work, purse: Purse, instant: datetime) -> int:
    last = instant - _INSTANT
    money = ledger.balance_at(work, purse.school_id, purse.money_account_id, last)
    return money - ledger.balance_at(work, purse.school_id, purse.grace_account_id, last)


def _receipt_numbers(work: Work, purse: Purse) -> dict[UUID, int]:
    rows = work.session.execute(
        select(TopUp.id, TopUp.receipt_no).where(
            TopUp.school_id == purse.school_id, TopUp.purse_id == purse.id, TopUp.receipt_no.is_not(None)
        )
    )
    return {row.id: row.receipt_no for row in rows if row.receipt_no is not None}
