"""Opening accounts, locking them, posting to them.

Two rules keep writers from waiting for each other in a circle. Accounts that belong to a pupil are locked first,
sorted by id, and accounts of the whole school last, just before they change; and a deed posts once, with all its
entries together.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals import audit
from schoolmeals.asking import Chosen, Question, array_of, nothing, these
from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import N_, Conflict, NotFound
from schoolmeals.ledger.models import Account, JournalEntry, Posting
from schoolmeals.ledger.rules import (
    AccountKind,
    AccountState,
    Entry,
    Movement,
    NewAccount,
    mirrored,
    plan,
    play,
)
from schoolmeals.money import Money

_LOCK = """
    SELECT id, kind, purpose, owner_id, currency, debits_minor, credits_minor, version, floor_minor, ceiling_minor
      FROM account
     WHERE school_id = %(school_id)s AND id = ANY(ARRAY({chosen}))
     ORDER BY owner_id IS NULL, id
       FOR NO KEY UPDATE
"""

_BOOKS = """
    WITH locked AS (
        SELECT id
          FROM account
         WHERE school_id = %(school_id)s AND id = ANY(CAST(%(ids)s AS uuid[]))
         ORDER BY owner_id IS NULL, id
           FOR NO KEY UPDATE
    ), gained AS (
        UPDATE account
           SET debits_minor = account.debits_minor + gain.debits, credits_minor = account.credits_minor + gain.credits,
               version = account.version + gain.times
          FROM unnest(CAST(%(ids)s AS uuid[]), CAST(%(debits)s AS bigint[]), CAST(%(credits)s AS bigint[]),
                      CAST(%(times)s AS bigint[]))
               AS gain(id, debits, credits, times)
          JOIN locked ON locked.id = gain.id
         WHERE account.school_id = %(school_id)s AND account.id = gain.id
        RETURNING account.id, account.currency, account.balance_minor, account.version,
                  CASE WHEN account.kind IN ('asset', 'expense') THEN 1 ELSE -1 END AS side
    ), entries AS (
        INSERT INTO journal_entry (school_id, id, kind, at, reverses_id, content_hash)
        SELECT CAST(%(school_id)s AS uuid), entry.id, entry.kind, CAST(%(at)s AS timestamptz), entry.reverses_id,
               entry.content_hash
          FROM unnest(CAST(%(entries)s AS uuid[]), CAST(%(kinds)s AS text[]), CAST(%(reversed)s AS uuid[]),
                      CAST(%(hashes)s AS bytea[]))
               AS entry(id, kind, reverses_id, content_hash)
    )
    INSERT INTO posting (school_id, entry_id, line, debit_account_id, credit_account_id, amount_minor,
                         debit_balance_after, credit_balance_after, debit_version, credit_version, at)
    SELECT CAST(%(school_id)s AS uuid), line.entry_id, line.line, line.debit_id, line.credit_id, line.amount,
           debit.balance_minor - debit.side * line.debit_rest, credit.balance_minor - credit.side * line.credit_rest,
           debit.version - line.debit_times, credit.version - line.credit_times, CAST(%(at)s AS timestamptz)
      FROM unnest(CAST(%(of_entries)s AS uuid[]), CAST(%(lines)s AS smallint[]), CAST(%(debit_ids)s AS uuid[]),
                  CAST(%(credit_ids)s AS uuid[]), CAST(%(amounts)s AS bigint[]), CAST(%(currencies)s AS text[]),
                  CAST(%(debit_rests)s AS bigint[]), CAST(%(credit_rests)s AS bigint[]),
                  CAST(%(debit_times)s AS bigint[]), CAST(%(credit_times)s AS bigint[]))
           AS line(entry_id, line, debit_id, credit_id, amount, currency, debit_rest, credit_rest, debit_times,
                   credit_times)
      LEFT JOIN gained AS debit ON debit.id = line.debit_id AND debit.currency = line.currency
      LEFT JOIN gained AS credit ON credit.id = line.credit_id AND credit.currency = line.currency
"""
"""Accounts are locked in everybody's order and gain what is posted to them, whatever they hold by then; what they hold
after each posting follows from that. One that does not exist, or is kept in another currency, leaves a balance without
a value, which PostgreSQL refuses.
"""

_KNOWN: Final = """
    SELECT id, content_hash
      FROM journal_entry
     WHERE school_id = %(school_id)s AND id = ANY(CAST(%(ids)s AS uuid[]))
"""

_KINDS: Final = {kind.value: kind for kind in AccountKind}


def open_accounts(work: Work, school_id: UUID, accounts: Sequence[NewAccount]) -> None:
    """Open accounts of one school. Opening the same purpose for the same owner twice breaks a unique key."""
    insert_rows(
        work.session,
        Account,
        [
            {
                "school_id": school_id,
                "id": new.id,
                "kind": new.kind.value,
                "purpose": new.purpose,
                "owner_id": new.owner_id,
                "currency": new.currency,
                "debits_minor": 0,
                "credits_minor": 0,
                "version": 0,
                "floor_minor": new.floor_minor,
                "ceiling_minor": new.ceiling_minor,
                "opened_at": work.now,
            }
            for new in accounts
        ],
    )
    audit.record(
        work,
        "ledger.open_accounts",
        audit.Subject("school", school_id),
        {"accounts": [{"id": new.id, "kind": new.kind, "purpose": new.purpose} for new in accounts]},
        school_id=school_id,
    )


def lock(work: Work, school_id: UUID, account_ids: Iterable[UUID]) -> dict[UUID, AccountState]:
    """Lock accounts for this deed and give their states; the order of locking is the same for everybody.

    Raises NotFound where one of them does not exist in the school.
    """
    ids = set(account_ids)
    locking = lock_question(school_id, these(ids))
    work.ask(locking)
    if len(locking.answer) != len(ids):
        raise NotFound("no-such-account")
    return locking.answer


def lock_question(school_id: UUID, accounts: Chosen) -> Question[dict[UUID, AccountState]]:
    """What ``lock`` asks, to be sent with other questions, also for who does not know the accounts' ids yet."""
    return Question(_of(_LOCK, accounts.statement), {"school_id": school_id, **accounts.parameters}, _states)


def post(work: Work, school_id: UUID, entries: Sequence[Entry], *, known_new: bool = False) -> None:
    """Post ``entries`` in their order, all or none.

    An entry whose id is already in the books with the same content is passed over; with other content it raises
    Conflict ``entry-differs``. Raises Conflict ``out-of-bounds`` where an account would leave its bounds. A caller who
    has looked the ids up under its own locks says so with ``known_new``.
    """
    ids = {id for entry in entries for m in entry.movements for id in m.ends}
    locking = lock_question(school_id, these(ids))
    # Looked up under the locks: the same entry, sent twice at once, finds its twin already committed here.
    known = Question(_KNOWN, {"school_id": school_id, "ids": array_of(entry.id for entry in entries)}, list)
    work.ask(locking, *([] if known_new else [known]))
    if len(locking.answer) != len(ids):
        raise NotFound("no-such-account")
    fresh = list(entries) if known_new else _not_yet_posted(dict(known.answer), entries)
    play(fresh, locking.answer)
    work.ask_last(posting(work, school_id, fresh))


def posting(work: Work, school_id: UUID, entries: Sequence[Entry]) -> tuple[Question[None], ...]:
    """What posts entries that are new, to be asked last in a deed: all accounts that change are locked here, where the
    deed has not locked them before.

    The caller has seen to it that no account leaves its bounds; where it was wrong, PostgreSQL refuses everything.
    """
    if not entries:
        return ()
    postings, gains = plan(entries)
    columns = list(zip(*postings, strict=True))
    names = ("of_entries", "lines", "debit_ids", "credit_ids", "amounts", "currencies")
    rests = ("debit_rests", "credit_rests", "debit_times", "credit_times")
    parameters = {
        "school_id": school_id,
        "at": work.now,
        "ids": array_of(gains),
        "debits": array_of(gain.debits_minor for gain in gains.values()),
        "credits": array_of(gain.credits_minor for gain in gains.values()),
        "times": array_of(gain.times for gain in gains.values()),
        "entries": array_of(entry.id for entry in entries),
        "kinds": array_of(entry.kind for entry in entries),
        "reversed": array_of(entry.reverses_id for entry in entries),
        "hashes": array_of(entry.content_hash for entry in entries),
        **{name: array_of(column) for name, column in zip((*names, *rests), columns, strict=True)},
    }
    return (Question(_BOOKS, parameters, nothing),)


def reverse(work: Work, school_id: UUID, entry_id: UUID, *, reversal_id: UUID, kind: str = "reversal") -> None:
    """Post the mirror of an entry under ``reversal_id``, once.

    Raises NotFound where there is no such entry, Conflict ``already-reversed`` where another reversal stands,
    Conflict ``out-of-bounds`` where the money has gone on since.
    """
    original = work.session.get(JournalEntry, (school_id, entry_id))
    if original is None:
        raise NotFound("no-such-entry")
    rows = work.session.execute(
        select(Posting.debit_account_id, Posting.credit_account_id, Posting.amount_minor, Account.currency)
        .join(Account, (Account.school_id == Posting.school_id) & (Account.id == Posting.debit_account_id))
        .where(Posting.school_id == school_id, Posting.entry_id == entry_id)
        .order_by(Posting.line)
    ).all()
    movements = [Movement(debit, credit, Money(amount, currency)) for debit, credit, amount, currency in rows]
    lock(work, school_id, {id for m in movements for id in (m.debit_id, m.credit_id)})
    standing = work.session.scalar(
        select(JournalEntry.id).where(JournalEntry.school_id == school_id, JournalEntry.reverses_id == entry_id)
    )
    if standing not in (None, reversal_id):
        raise Conflict("already-reversed", N_("This has already been undone."), reversal_id=standing)
    post(work, school_id, [Entry(reversal_id, kind, mirrored(movements), reverses_id=entry_id)])


def _states(rows: list[Any]) -> dict[UUID, AccountState]:
    return {row.id: AccountState(row.id, _KINDS[row.kind], *row[2:]) for row in rows}


def _not_yet_posted(posted: Mapping[UUID, bytes], entries: Sequence[Entry]) -> list[Entry]:
    for entry in entries:
        if entry.id in posted and posted[entry.id] != entry.content_hash:
            raise Conflict("entry-differs", N_("This was already recorded with other content."), entry_id=entry.id)
    return [entry for entry in entries if entry.id not in posted]


@lru_cache(maxsize=32)
def _of(statement: str, accounts: str) -> str:
    return statement.format(chosen=accounts)
