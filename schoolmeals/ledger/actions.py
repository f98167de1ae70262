"""Opening accounts, locking them, posting to them.

Two rules keep writers from waiting for each other in a circle. Accounts that belong to a pupil are locked first,
sorted by
id, and accounts of the whole school last, just before they change; and a deed posts once, with all its entries
together.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from schoolmeals import audit
from schoolmeals.asking import Question, array_of, ask_in_turn, ask_together, nothing
from schoolmeals.database import Work, insert_rows, insertion
from schoolmeals.errors import N_, Conflict, NotFound
from schoolmeals.ledger.models import Account, JournalEntry, Posting
from schoolmeals.ledger.rules import (
    AccountKind,
    AccountState,
    Entry,
    Movement,
    NewAccount,
    PlannedPosting,
    mirrored,
    play,
)
from schoolmeals.money import Money

_LOCK = """
    SELECT id, kind, purpose, owner_id, currency, debits_minor, credits_minor, version, floor_minor, ceiling_minor
      FROM account
     WHERE school_id = %(school_id)s AND id = ANY(CAST(%(ids)s AS uuid[]))
     ORDER BY owner_id IS NULL, id
       FOR NO KEY UPDATE
"""

_LOCK_OF_OWNERS = """
    SELECT id, kind, purpose, owner_id, currency, debits_minor, credits_minor, version, floor_minor, ceiling_minor
      FROM account
     WHERE school_id = %(school_id)s AND purpose = ANY(CAST(%(purposes)s AS text[]))
       AND owner_id = ANY(CAST(%(owners)s AS uuid[]))
       AND (SELECT count(DISTINCT (twin.owner_id, twin.purpose)) FROM account AS twin
             WHERE twin.school_id = %(school_id)s AND twin.purpose = ANY(CAST(%(purposes)s AS text[]))
               AND twin.owner_id = ANY(CAST(%(owners)s AS uuid[]))) = CAST(%(expected)s AS bigint)
     ORDER BY owner_id IS NULL, id
       FOR NO KEY UPDATE
"""

_GAIN = """
    UPDATE account
       SET debits_minor = n.debits_minor, credits_minor = n.credits_minor, version = n.version
      FROM unnest(CAST(%(ids)s AS uuid[]), CAST(%(debits)s AS bigint[]), CAST(%(credits)s AS bigint[]),
                  CAST(%(versions)s AS bigint[]))
           AS n(id, debits_minor, credits_minor, version)
     WHERE account.school_id = %(school_id)s AND account.id = n.id
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
    locking = lock_question(school_id, account_ids)
    ask_together(work.session, locking)
    return locking.answer


def lock_question(school_id: UUID, account_ids: Iterable[UUID]) -> Question[dict[UUID, AccountState]]:
    """What ``lock`` asks, to be sent with other questions. Reading it raises NotFound as ``lock`` does."""
    ids = set(account_ids)

    def read(rows: list[Any]) -> dict[UUID, AccountState]:
        if len(rows) != len(ids):
            raise NotFound("no-such-account")
        return _states(rows)

    return Question(_LOCK, {"school_id": school_id, "ids": array_of(ids)}, read)


def lock_of_owners(
    school_id: UUID, owner_ids: Collection[UUID], purposes: Collection[str]
) -> Question[dict[UUID, AccountState]]:
    """The same for the accounts of these owners, for whoever does not know their ids yet.

    Locks nothing and gives nothing where an owner lacks an account of one of the purposes.
    """
    parameters = {
        "school_id": school_id,
        "owners": array_of(owner_ids),
        "purposes": array_of(purposes),
        "expected": len(owner_ids) * len(purposes),
    }
    return Question(_LOCK_OF_OWNERS, parameters, _states)


def post(
    work: Work,
    school_id: UUID,
    entries: Sequence[Entry],
    *,
    known_new: bool = False,
    held: Mapping[UUID, AccountState] | None = None,
    before: Iterable[Question[Any]] = (),
) -> list[PlannedPosting]:
    """Post ``entries`` in their order, all or none, and give the postings that were written now.

    An entry whose id is already in the books with the same content is passed over; with other content it raises
    Conflict
    ``entry-differs``. Raises Conflict ``out-of-bounds`` where an account would leave its bounds. A caller who has
    looked the ids up under its own locks says so with ``known_new``; ``held`` are accounts that it has locked in this
    deed and not changed since; what it wants to send just before the other locks are taken goes into ``before``.
    """
    held = held or {}
    touched = {id for entry in entries for m in entry.movements for id in (m.debit_id, m.credit_id)}
    locking = lock_question(school_id, touched - held.keys())
    ask_in_turn(work.session, chain(before, [locking]))
    accounts = {**held, **locking.answer}
    # Looked up under the locks: the same entry, sent twice at once, finds its twin already committed here.
    fresh = list(entries) if known_new else _not_yet_posted(work.session, school_id, entries)
    if not fresh:
        return []
    planned, after = play(fresh, accounts)
    _write(work, school_id, fresh, planned, [state for id, state in after.items() if state is not accounts[id]])
    return planned


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


def _not_yet_posted(session: Session, school_id: UUID, entries: Sequence[Entry]) -> list[Entry]:
    posted = dict(
        session.execute(
            select(JournalEntry.id, JournalEntry.content_hash).where(
                JournalEntry.school_id == school_id, JournalEntry.id.in_([entry.id for entry in entries])
            )
        ).all()
    )
    for entry in entries:
        if entry.id in posted and posted[entry.id] != entry.content_hash:
            raise Conflict("entry-differs", N_("This was already recorded with other content."), entry_id=entry.id)
    return [entry for entry in entries if entry.id not in posted]


def _write(
    work: Work,
    school_id: UUID,
    entries: Sequence[Entry],
    planned: Sequence[PlannedPosting],
    changed: Sequence[AccountState],
) -> None:
    gaining = Question(
        _GAIN,
        {
            "school_id": school_id,
            "ids": array_of(state.id for state in changed),
            "debits": array_of(state.debits_minor for state in changed),
            "credits": array_of(state.credits_minor for state in changed),
            "versions": array_of(state.version for state in changed),
        },
        nothing,
    )

    def in_turn() -> Iterator[Question[None]]:
        yield gaining
        yield from insertion(
            [
                (JournalEntry, [_entry_row(work, school_id, entry) for entry in entries]),
                (Posting, [_posting_row(work, school_id, posting) for posting in planned]),
            ]
        )

    ask_in_turn(work.session, in_turn())


def _entry_row(work: Work, school_id: UUID, entry: Entry) -> dict[str, object]:
    return {
        "school_id": school_id,
        "id": entry.id,
        "kind": entry.kind,
        "at": work.now,
        "reverses_id": entry.reverses_id,
        "content_hash": entry.content_hash,
    }


def _posting_row(work: Work, school_id: UUID, posting: PlannedPosting) -> dict[str, object]:
    return {
        "school_id": school_id,
        "entry_id": posting.entry_id,
        "line": posting.line,
        "debit_account_id": posting.movement.debit_id,
        "credit_account_id": posting.movement.credit_id,
        "amount_minor": posting.movement.amount.minor,
        "debit_balance_after": posting.debit_after.balance_minor,
        "credit_balance_after": posting.credit_after.balance_minor,
        "debit_version": posting.debit_after.version,
        "credit_version": posting.credit_after.version,
        "at": work.now,
    }
