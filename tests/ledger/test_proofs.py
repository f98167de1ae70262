"""The proofs hold on honest books, and each of them finds the break that it is there for."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from schoolmeals import ledger
from schoolmeals.ledger.proofs import LAWS, prove
from tests.ledger.books import Books, open_books, sale, top_up

FORGERIES = {
    "totals": "UPDATE account SET debits_minor = debits_minor + 1, credits_minor = credits_minor + 1 WHERE id = :purse",
    "chain": "UPDATE posting SET credit_balance_after = credit_balance_after + 1 WHERE credit_account_id = :purse",
    "bounds": "ALTER TABLE account DROP CONSTRAINT ck_account_not_below_floor; "
    "UPDATE account SET floor_minor = 1000000 WHERE id = :purse",
    "balance": "UPDATE account SET credits_minor = credits_minor + 1 WHERE id = :purse",
    "one-currency": "UPDATE account SET currency = 'EUR' WHERE id = :purse",
    "entries-move": "INSERT INTO journal_entry (school_id, id, kind, at, content_hash) "
    "SELECT school_id, gen_random_uuid(), 'sale', now(), '' FROM account WHERE id = :purse",
    "reversals-mirror": "UPDATE posting SET amount_minor = amount_minor + 1 WHERE entry_id IN "
    "(SELECT id FROM journal_entry WHERE reverses_id IS NOT NULL)",
}


def some_books(do: Any) -> Books:
    books: Books = do(open_books)
    sold = uuid4()
    do(ledger.post, books.school_id, [top_up(books, 0, 900_00), top_up(books, 1, 500_00), sale(books, 0, 850_00, sold)])
    do(ledger.reverse, books.school_id, sold, reversal_id=uuid4())
    return books


def broken(do: Any) -> set[str]:
    return {finding.law.name for finding in do(lambda work: list(prove(work))) if not finding.holds}


def test_honest_books_hold_every_law(do: Any) -> None:
    some_books(do)
    assert broken(do) == set()


def test_every_law_has_its_forgery() -> None:
    assert set(FORGERIES) == {law.name for law in LAWS}


@pytest.mark.parametrize("law", FORGERIES)
def test_a_law_finds_its_forgery(do: Any, owner_engine: Engine, law: str) -> None:
    books = some_books(do)
    with owner_engine.connect() as connection:
        forger = connection.begin()
        for table in ("posting", "journal_entry"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER append_only"))
        for statement in FORGERIES[law].split("; "):
            connection.execute(text(statement), {"purse": books.purses[0]} if ":purse" in statement else {})
        query = next(one for one in LAWS if one.name == law).breaks
        assert connection.execute(text(query)).all()
        forger.rollback()
    assert broken(do) == set()


def test_the_command_says_that_the_books_hold(app: Flask, do: Any) -> None:
    some_books(do)
    result = app.test_cli_runner().invoke(args=["ledger", "check"])
    assert result.exit_code == 0
    assert result.stdout.count("holds") == len(LAWS)


def test_the_command_fails_where_the_books_are_forged(app: Flask, do: Any, owner_engine: Engine) -> None:
    books = some_books(do)
    with owner_engine.begin() as connection:
        connection.execute(text(FORGERIES["totals"]), {"purse": books.purses[0]})
    result = app.test_cli_runner().invoke(args=["ledger", "check"])
    assert result.exit_code == 1
    assert f"{books.purses[0]}" in result.stdout
