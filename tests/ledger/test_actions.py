"""Posting on a real PostgreSQL."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from schoolmeals import ledger
from schoolmeals.actors import SYSTEM
from schoolmeals.asking import ask_together
from schoolmeals.database import Work, reading
from schoolmeals.errors import Conflict
from schoolmeals.ledger import AccountKind, Entry, Movement, NewAccount, Posting
from schoolmeals.money import Money

SCHOOL = UUID(int=1)


def open_two(work: Work) -> tuple[UUID, UUID]:
    cash, purse = uuid4(), uuid4()
    ledger.open_accounts(
        work,
        SCHOOL,
        [
            NewAccount(cash, AccountKind.ASSET, "cash-desk"),
            NewAccount(purse, AccountKind.LIABILITY, "purse", owner_id=uuid4(), floor_minor=0),
        ],
    )
    return cash, purse


def balance(work: Work, account_id: UUID) -> int:
    return ledger.lock(work, SCHOOL, [account_id])[account_id].balance_minor


def test_a_posting_moves_money_between_two_accounts(do: Any) -> None:
    cash, purse = do(open_two)
    do(ledger.post, SCHOOL, [Entry(uuid4(), "top-up", (Movement(cash, purse, Money(500_00)),))])
    assert do(balance, cash) == 500_00
    assert do(balance, purse) == 500_00


def test_the_same_entry_sent_twice_is_posted_once(do: Any) -> None:
    cash, purse = do(open_two)
    entry = Entry(uuid4(), "top-up", (Movement(cash, purse, Money(500_00)),))
    do(ledger.post, SCHOOL, [entry])
    assert do(balance, purse) == 500_00
    do(ledger.post, SCHOOL, [entry])
    assert do(balance, purse) == 500_00


@pytest.mark.parametrize("currency", ["KZT", "EUR"])
def test_what_is_posted_unseen_needs_accounts_that_there_are(do: Any, currency: str) -> None:
    """``posting`` asks nothing first: an account that is missing, or kept in another money, is refused by the books."""
    cash, purse = do(open_two)
    other = uuid4() if currency == "KZT" else purse
    entries = [Entry(uuid4(), "top-up", (Movement(cash, other, Money(500_00, currency)),))]
    with pytest.raises(IntegrityError, match="_balance_after"):
        do(lambda work: ask_together(work.session, *ledger.posting(work, SCHOOL, entries)))
    assert do(balance, cash) == 0


def test_postings_of_one_deed_tell_each_balance_on_the_way(do: Any) -> None:
    cash, purse = do(open_two)
    do(ledger.post, SCHOOL, [Entry(uuid4(), "top-up", (Movement(cash, purse, Money(100)),))])
    moves = [(cash, purse, 50), (purse, cash, 120), (cash, purse, 7)]
    entries = [Entry(uuid4(), "any", (Movement(a, b, Money(minor)),)) for a, b, minor in moves]
    do(ledger.post, SCHOOL, entries)
    rows = do(lambda work: [work.session.get(Posting, (SCHOOL, entry.id, 0)) for entry in entries])
    assert [(row.debit_balance_after, row.credit_balance_after) for row in rows] == [(150, 150), (30, 30), (37, 37)]
    assert [(row.debit_version, row.credit_version) for row in rows] == [(2, 2), (3, 3), (4, 4)]


def test_the_same_id_with_other_content_is_a_conflict(do: Any) -> None:
    cash, purse = do(open_two)
    entry_id = uuid4()
    do(ledger.post, SCHOOL, [Entry(entry_id, "top-up", (Movement(cash, purse, Money(500_00)),))])
    with pytest.raises(Conflict) as refused:
        do(ledger.post, SCHOOL, [Entry(entry_id, "top-up", (Movement(cash, purse, Money(600_00)),))])
    assert refused.value.code == "entry-differs"
    assert do(balance, purse) == 500_00


def test_a_purse_cannot_go_below_its_floor(do: Any) -> None:
    cash, purse = do(open_two)
    with pytest.raises(Conflict) as refused:
        do(ledger.post, SCHOOL, [Entry(uuid4(), "sale", (Movement(purse, cash, Money(1)),))])
    assert refused.value.code == "out-of-bounds"
    assert do(balance, purse) == 0


def test_a_reversal_mirrors_its_entry_once(do: Any) -> None:
    cash, purse = do(open_two)
    entry_id, reversal_id = uuid4(), uuid4()
    do(ledger.post, SCHOOL, [Entry(entry_id, "top-up", (Movement(cash, purse, Money(500_00)),))])
    do(ledger.reverse, SCHOOL, entry_id, reversal_id=reversal_id)
    do(ledger.reverse, SCHOOL, entry_id, reversal_id=reversal_id)
    with pytest.raises(Conflict) as refused:
        do(ledger.reverse, SCHOOL, entry_id, reversal_id=uuid4())
    assert refused.value.code == "already-reversed"
    assert do(balance, purse) == 0


def test_the_statement_tells_each_change_and_what_it_led_to(do: Any) -> None:
    cash, purse = do(open_two)
    do(ledger.post, SCHOOL, [Entry(uuid4(), "top-up", (Movement(cash, purse, Money(500_00)),))])
    do(ledger.post, SCHOOL, [Entry(uuid4(), "refund", (Movement(purse, cash, Money(200_00)),))])
    lines = do(ledger.statement_lines, SCHOOL, purse)
    assert [(line.kind, line.change_minor, line.balance_after_minor) for line in lines] == [
        ("top-up", 500_00, 500_00),
        ("refund", -200_00, 300_00),
    ]
    assert {line.counter_purpose for line in lines} == {"cash-desk"}


@pytest.mark.parametrize("table", ["posting", "journal_entry", "audit_event"])
@pytest.mark.parametrize("deed", ["DELETE FROM {}", "UPDATE {} SET at = now()", "TRUNCATE {} CASCADE"])
def test_the_app_cannot_change_what_was_written(do: Any, table: str, deed: str) -> None:
    do(open_two)
    with pytest.raises(ProgrammingError, match="permission denied"):
        do(lambda work: work.session.execute(text(deed.format(table))))


def test_a_look_cannot_write(app: Any, clock: Any) -> None:
    with pytest.raises(Exception, match="read-only transaction"), reading(SYSTEM, clock()) as look:
        open_two(look)
