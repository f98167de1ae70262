"""Laws of the books, on random runs of entries and on threads that race each other."""

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from schoolmeals import ledger
from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work, transaction
from schoolmeals.errors import Conflict
from schoolmeals.ledger import AccountKind, AccountState, Entry, Movement
from schoolmeals.ledger.proofs import prove
from schoolmeals.ledger.rules import mirrored, plan, play
from schoolmeals.money import Money
from tests.ledger.books import Books, balance, open_books, sale, top_up

ACCOUNTS = tuple(UUID(int=n) for n in range(1, 6))
KINDS = (AccountKind.ASSET, AccountKind.LIABILITY, AccountKind.LIABILITY, AccountKind.INCOME, AccountKind.EXPENSE)


def fresh() -> dict[UUID, AccountState]:
    """Five accounts; the two liabilities may not go below nothing."""
    return {
        one: AccountState(one, kind, "any", None, "KZT", 0, 0, 0, 0 if kind is AccountKind.LIABILITY else None, None)
        for one, kind in zip(ACCOUNTS, KINDS, strict=True)
    }


movements = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS), st.integers(1, 1000)).filter(
    lambda m: m[0] != m[1]
)
entries = st.lists(movements, min_size=1, max_size=4).map(
    lambda moves: Entry(uuid4(), "any", tuple(Movement(a, b, Money(n)) for a, b, n in moves))
)


@given(st.lists(entries, max_size=30))
def test_the_books_balance_after_any_run(run: list[Entry]) -> None:
    states, posted = fresh(), list[Entry]()
    for entry in run:
        try:
            states = play([entry], states)
        except Conflict:
            continue
        posted.append(entry)
    assert sum(state.debits_minor for state in states.values()) == sum(s.credits_minor for s in states.values())
    moved = [movement for entry in posted for movement in entry.movements]
    for one, state in states.items():
        debits = sum(m.amount.minor for m in moved if m.debit_id == one)
        credits = sum(m.amount.minor for m in moved if m.credit_id == one)
        assert (state.debits_minor, state.credits_minor) == (debits, credits)
        assert state.version == sum(one in m.ends for m in moved)
        assert state.is_within_bounds


@given(st.lists(entries, max_size=10))
def test_what_is_planned_from_the_end_comes_to_what_is_played_from_the_beginning(run: list[Entry]) -> None:
    unbound = {one: replace(state, floor_minor=None) for one, state in fresh().items()}
    planned, gains = plan(run)
    states = play(run, unbound)
    assert {one: (g.debits_minor, g.credits_minor, g.times) for one, g in gains.items()} == {
        one: (state.debits_minor, state.credits_minor, state.version) for one, state in states.items() if state.version
    }
    steps = iter(reversed(planned))
    for entry in run:
        for line, movement in enumerate(entry.movements):
            unbound = play([replace(entry, movements=(movement,))], unbound)
            step = next(steps)
            debit, credit = unbound[step.debit_id], unbound[step.credit_id]
            assert (step.entry_id, step.line, (step.debit_id, step.credit_id)) == (entry.id, line, movement.ends)
            for now, rest, left in (
                (debit, step.debit_rest_minor, step.debit_times_left),
                (credit, step.credit_rest_minor, step.credit_times_left),
            ):
                end = states[now.id]
                assert end.debits_minor - end.credits_minor - rest == now.debits_minor - now.credits_minor
                assert end.version - left == now.version


@given(entries)
def test_an_entry_and_its_mirror_leave_every_balance_as_it_was(entry: Entry) -> None:
    rich = {
        one: state.credited(10**6) if state.kind is AccountKind.LIABILITY else state for one, state in fresh().items()
    }
    undo = Entry(uuid4(), "reversal", mirrored(entry.movements), reverses_id=entry.id)
    after = play([entry, undo], rich)
    assert {one: s.balance_minor for one, s in after.items()} == {one: s.balance_minor for one, s in rich.items()}


@given(entries, entries)
def test_content_is_equal_exactly_where_its_hash_is(one: Entry, other: Entry) -> None:
    assert (one.movements == other.movements) == (one.content_hash == other.content_hash)


def race(app: Flask, deeds: list[Callable[[Work], Any]]) -> list[Exception]:
    """Run the deeds at once, each in its own thread and transaction; give what went wrong."""
    gate, wrong = threading.Barrier(len(deeds)), list[Exception]()

    def run(deed: Callable[[Work], Any]) -> None:
        with app.app_context():
            gate.wait()
            try:
                with transaction(SYSTEM, app.extensions["schoolmeals"].clock()) as work:
                    deed(work)
            except Exception as error:  # noqa: BLE001 (what went wrong is the answer)
                wrong.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def all_hold(work: Work) -> bool:
    return all(finding.holds for finding in prove(work))


def test_opposite_transfers_do_not_wait_for_each_other_in_a_circle(app: Flask, do: Any) -> None:
    books: Books = do(open_books, 2)
    do(ledger.post, books.school_id, [top_up(books, 0, 1000_00), top_up(books, 1, 1000_00)])
    first, second = books.purses

    def transfer(debit: UUID, credit: UUID) -> Callable[[Work], Any]:
        return lambda work: ledger.post(
            work, books.school_id, [Entry(uuid4(), "transfer", (Movement(debit, credit, Money(1)),))]
        )

    for _ in range(20):
        assert race(app, [transfer(first, second), transfer(second, first)] * 4) == []
    assert do(balance, books, first) == do(balance, books, second) == 1000_00
    assert do(all_hold)


def test_a_planted_lock_in_the_callers_order_is_caught(app: Flask, do: Any) -> None:
    """Locks taken in the order in which the caller names the accounts do deadlock: the test above can fail."""
    books: Books = do(open_books, 2)
    do(ledger.post, books.school_id, [top_up(books, 0, 1000_00), top_up(books, 1, 1000_00)])
    one_by_one = text("SELECT 1 FROM account WHERE school_id = :school_id AND id = :id FOR NO KEY UPDATE")

    each_holds_one = threading.Barrier(2)

    def careless(work: Work, entry: Entry) -> None:
        work.session.execute(one_by_one, {"school_id": books.school_id, "id": entry.movements[0].debit_id})
        each_holds_one.wait(timeout=20)
        work.session.execute(one_by_one, {"school_id": books.school_id, "id": entry.movements[0].credit_id})
        ledger.post(work, books.school_id, [entry])

    first, second = books.purses
    there = Entry(uuid4(), "transfer", (Movement(first, second, Money(1)),))
    back = Entry(uuid4(), "transfer", (Movement(second, first, Money(1)),))
    wrong = race(app, [lambda work: careless(work, there), lambda work: careless(work, back)])
    assert "deadlock detected" in str(wrong)


def test_a_purse_for_ten_is_spent_ten_times_by_sixteen(app: Flask, do: Any) -> None:
    books: Books = do(open_books, 1)
    do(ledger.post, books.school_id, [top_up(books, 0, 10_00)])
    wrong = race(app, [lambda work: ledger.post(work, books.school_id, [sale(books, 0, 1_00)])] * 16)
    assert [error.code for error in wrong if isinstance(error, Conflict)] == ["out-of-bounds"] * 6
    assert len(wrong) == 6
    assert do(balance, books, books.purses[0]) == 0
    assert do(all_hold)


def test_the_same_entry_from_many_threads_is_posted_once(app: Flask, do: Any) -> None:
    books: Books = do(open_books, 1)
    entry = top_up(books, 0, 7_00)
    wrong = race(app, [lambda work: ledger.post(work, books.school_id, [entry])] * 8)
    assert wrong == []
    assert do(balance, books, books.purses[0]) == 7_00


def test_batches_in_the_database(app: Flask, do: Any) -> None:
    rng = random.Random(20261123)
    books: Books = do(open_books, 5)
    refused = 0
    for _ in range(60):
        batch = [
            (top_up if rng.random() < 0.5 else sale)(books, rng.randrange(5), rng.randint(1, 500_00))
            for _ in range(rng.randint(1, 8))
        ]
        before = {one: do(balance, books, one) for one in (books.cash, *books.purses)}
        try:
            do(ledger.post, books.school_id, batch)
        except Conflict:
            refused += 1
            assert {one: do(balance, books, one) for one in before} == before
    assert refused > 0
    assert do(all_hold)
