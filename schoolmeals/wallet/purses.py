"""Opening and locking: purses when a pupil first needs one, a school's own accounts when the school does.

Whoever opens something locks the school's policy row first, so that two deeds never open the same thing. The order is
the same for everybody: the policy row, then accounts of pupils, then accounts of the school. So whoever locks purses
makes sure first that the own accounts of the school are there: opened later, the policy row would come after purses.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from schoolmeals import audit, ledger
from schoolmeals.asking import Chosen, Question, array_of, ask, these
from schoolmeals.database import Work, insert_rows
from schoolmeals.ids import new_id
from schoolmeals.ledger import AccountKind, NewAccount
from schoolmeals.wallet.models import Purse, SchoolPolicy
from schoolmeals.wallet.rules import (
    DEFAULT_CURRENCY,
    DEFAULT_GRACE_LIMIT_MINOR,
    SCHOOL_ACCOUNT_KINDS,
    PurseState,
    SchoolAccounts,
)

_PURSES: Final = """
    SELECT pupil_id, id, currency, money_account_id, grace_account_id, limit_minor_day
      FROM purse
     WHERE school_id = %(school_id)s AND pupil_id = ANY(ARRAY({chosen}))
"""

_ACCOUNTS: Final = """
    SELECT unnest(ARRAY[money_account_id, grace_account_id])
      FROM (SELECT money_account_id, grace_account_id, count(*) OVER () AS found
              FROM purse
             WHERE school_id = %(school_id)s AND pupil_id = ANY(ARRAY({chosen}))) AS purses
     WHERE found = cardinality(ARRAY({chosen}))
"""
"""Of pupils who all have a purse; of none, where one has none."""

_SCHOOL_ACCOUNTS: Final = """
    SELECT purpose, id
      FROM account
     WHERE school_id = %(school_id)s AND owner_id IS NULL AND purpose = ANY(CAST(%(purposes)s AS text[]))
"""


class PurseRow(NamedTuple):
    """A purse as it is stored."""

    pupil_id: UUID
    id: UUID
    currency: str
    money_account_id: UUID
    grace_account_id: UUID
    limit_minor_day: int | None


def lock_purses(work: Work, school_id: UUID, pupil_ids: Collection[UUID]) -> dict[UUID, PurseState]:
    """Lock the purses of pupils of one school for this deed and give their states, by pupil.

    Purses that are missing are opened, and the school's own accounts. Two statements where none is missing, whatever
    their number, and a third once in each process. Call it before anything else is locked. A pupil who is not on the
    school's roll breaks a foreign key: the caller has looked them up.
    """
    return lock_purses_and(work, school_id, pupil_ids)


def lock_purses_and(
    work: Work, school_id: UUID, pupil_ids: Collection[UUID], *questions: Question[Any]
) -> dict[UUID, PurseState]:
    """``lock_purses``, and what else is to be asked under these locks, in the same round trip."""
    wanted = set(pupil_ids)
    if wanted:
        school_accounts(work, school_id)
    locking = PurseLocking(school_id, these(wanted))
    work.ask(*locking.questions, *questions)
    found = locking.answer
    if found.keys() < wanted:
        # Nothing is locked yet, so the policy row still comes first.
        ensured_purses(work, school_id, wanted)
        work.ask(*locking.questions, *questions)
        found = locking.answer
    return found


class PurseLocking:
    """The questions that lock the purses of some pupils, and what they found; nothing, and nothing locked, where one of
    them has no purse yet.
    """

    def __init__(self, school_id: UUID, pupils: Chosen) -> None:
        self._rows = _purses_question(school_id, pupils)
        accounts = Chosen(_of(_ACCOUNTS, pupils.statement), pupils.parameters)
        self._locking = ledger.lock_question(school_id, accounts)

    @property
    def questions(self) -> tuple[Question[Any], ...]:
        """What to ask before anything else is locked."""
        return self._rows, self._locking

    @property
    def answer(self) -> dict[UUID, PurseState]:
        """The states by pupil, once it was asked."""
        accounts = self._locking.answer
        if not accounts:
            return {}
        return {
            pupil_id: PurseState(id, pupil_id, accounts[money_id], accounts[grace_id], limit)
            for pupil_id, id, _currency, money_id, grace_id, limit in self._rows.answer.values()
        }


def school_accounts(work: Work, school_id: UUID, *before: Question[Any]) -> SchoolAccounts:
    """The accounts of the school itself, opened on first need, before any purse is locked.

    They are for ever, so this process remembers them once it has seen them committed, and asks nothing then. Where it
    does ask, ``before`` is asked before it: a lock that comes before the policy row.
    """
    if (known := _remembered.get(school_id)) is not None:
        return known
    found = _school_accounts_question(school_id)
    work.ask(*before, found)
    accounts = found.answer or _opened_school_accounts(work, school_id)
    work.after_commit(partial(_remember, school_id, accounts))
    return accounts


_remembered: Final[dict[UUID, SchoolAccounts]] = {}
MOST_REMEMBERED: Final = 4096


def _remember(school_id: UUID, accounts: SchoolAccounts) -> None:
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    _remembered[school_id] = accounts


def forget_school_accounts() -> None:
    """Forget what this process remembers: for whoever empties a database and goes on, as tests do."""
    _remembered.clear()


def _school_accounts_question(school_id: UUID) -> Question[SchoolAccounts | None]:
    def read(rows: list[Any]) -> SchoolAccounts | None:
        return _school_accounts(dict(rows)) if len(rows) == len(SCHOOL_ACCOUNT_KINDS) else None

    return Question(_SCHOOL_ACCOUNTS, {"school_id": school_id, "purposes": array_of(SCHOOL_ACCOUNT_KINDS)}, read)


def _opened_school_accounts(work: Work, school_id: UUID) -> SchoolAccounts:
    """The school's accounts, after those that are missing have been opened."""
    policy = locked_policy(work, school_id)
    parameters = {"school_id": school_id, "purposes": array_of(SCHOOL_ACCOUNT_KINDS)}
    found: dict[str, UUID] = dict(ask(work.session, _SCHOOL_ACCOUNTS, parameters))
    missing = [
        NewAccount(new_id(work.now), kind, purpose, currency=policy.currency)
        for purpose, kind in SCHOOL_ACCOUNT_KINDS.items()
        if purpose not in found
    ]
    if missing:
        ledger.open_accounts(work, school_id, missing)
    return _school_accounts({**found, **{account.purpose: account.id for account in missing}})


def _school_accounts(found: Mapping[str, UUID]) -> SchoolAccounts:
    return SchoolAccounts(**{purpose.replace("-", "_"): found[purpose] for purpose in SCHOOL_ACCOUNT_KINDS})


def ensured_purses(work: Work, school_id: UUID, pupil_ids: Collection[UUID]) -> dict[UUID, PurseRow]:
    """The purses' rows by pupil, not locked; missing ones are opened. One statement where none is missing."""
    wanted = sorted(set(pupil_ids))
    if not wanted:
        return {}
    found = _purse_rows(work, school_id, wanted)
    if len(found) < len(wanted):
        policy = locked_policy(work, school_id)
        # Somebody else may have opened them while this deed waited for the lock.
        found = _purse_rows(work, school_id, wanted)
        _open_purses(work, school_id, [id for id in wanted if id not in found], policy)
        found = _purse_rows(work, school_id, wanted)
    return found


def locked_policy(work: Work, school_id: UUID) -> SchoolPolicy:
    """The school's policy row, locked until the end of the deed; made with the defaults on first need."""
    wanted = (
        select(SchoolPolicy)
        .where(SchoolPolicy.school_id == school_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    policy = work.session.scalar(wanted)
    if policy is None:
        work.session.execute(
            insert(SchoolPolicy)
            .values(
                school_id=school_id,
                grace_limit_minor=DEFAULT_GRACE_LIMIT_MINOR,
                currency=DEFAULT_CURRENCY,
                next_receipt_no=1,
                changed_at=work.now,
            )
            .on_conflict_do_nothing()
        )
        policy = work.session.scalars(wanted).one()
    return policy


def _open_purses(work: Work, school_id: UUID, pupil_ids: Sequence[UUID], policy: SchoolPolicy) -> None:
    if not pupil_ids:
        return
    purses = [
        PurseRow(pupil_id, new_id(work.now), policy.currency, new_id(work.now), new_id(work.now), None)
        for pupil_id in pupil_ids
    ]
    ledger.open_accounts(
        work, school_id, [account for purse in purses for account in _accounts_for(purse, policy.grace_limit_minor)]
    )
    insert_rows(
        work.session, Purse, [{"school_id": school_id, "opened_at": work.now, **purse._asdict()} for purse in purses]
    )
    audit.record_many(
        work,
        [
            audit.NewEvent(
                "wallet.open_purse",
                audit.Subject("purse", purse.id),
                {"currency": purse.currency, "grace_limit_minor": policy.grace_limit_minor},
                school_id,
                {"pupil_id": purse.pupil_id},
            )
            for purse in purses
        ],
    )


def _accounts_for(purse: PurseRow, grace_limit_minor: int) -> tuple[NewAccount, NewAccount]:
    """A purse cannot be overdrawn, and its grace ends where the school says."""
    owner, currency = purse.pupil_id, purse.currency
    return (
        NewAccount(purse.money_account_id, AccountKind.LIABILITY, "purse", owner, currency, floor_minor=0),
        NewAccount(
            purse.grace_account_id, AccountKind.ASSET, "grace", owner, currency, ceiling_minor=grace_limit_minor
        ),
    )


def _purse_rows(work: Work, school_id: UUID, pupil_ids: Collection[UUID]) -> dict[UUID, PurseRow]:
    question = _purses_question(school_id, these(pupil_ids))
    work.ask(question)
    return question.answer


def _purses_question(school_id: UUID, pupils: Chosen) -> Question[dict[UUID, PurseRow]]:
    return Question(
        _of(_PURSES, pupils.statement),
        {"school_id": school_id, **pupils.parameters},
        lambda rows: {row.pupil_id: PurseRow(*row) for row in rows},
    )


@lru_cache(maxsize=64)
def _of(statement: str, pupils: str) -> str:
    return statement.format(chosen=pupils)
