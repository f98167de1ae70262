"""Posting on a real PostgreSQL."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from schoolmeals import ledger
from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work, reading
from schoolmeals.errors import Conflict
from schoolmeals.ledger import AccountKind, Entry, Movement, NewAccount
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
    assert len(do(ledger.post, SCHOOL, [entry])) == 1
    assert do(ledger.post, SCHOOL, [entry]) == []
    assert do(balance, purse) == 500_00


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
