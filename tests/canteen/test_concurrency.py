"""Threads against a real PostgreSQL. Beside each promise the same run without its lock, which must break it."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import IntegrityError

from schoolmeals import ledger, wallet
from schoolmeals.actors import Actor
from schoolmeals.asking import these
from schoolmeals.canteen import gathering
from schoolmeals.canteen.actions import taps
from schoolmeals.canteen.actions.undoing import undo_sale
from schoolmeals.canteen.models import Sale
from schoolmeals.canteen.orders import Order
from schoolmeals.database import Work, transaction
from schoolmeals.ids import new_id
from schoolmeals.ledger import Account
from schoolmeals.wallet.purses import ensured_purses
from tests.factories.canteen import JUICE_MINOR, LUNCH_MINOR, Canteen, new_eater
from tests.factories.pupils import PupilFactory
from tests.factories.wallet import balances, put_in

ROUNDS = 200
PATIENCE_S: Final = 20
pytestmark = pytest.mark.slow


def at_once(app: Flask, deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all deeds at the same moment, each in a thread with a context of its own; results or exceptions in order."""
    barrier = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        with app.app_context():
            barrier.wait(timeout=20)
            try:
                return deed()
            except Exception as error:  # noqa: BLE001 (the test judges it)
                return error

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def ringing(canteen: Canteen, orders: Sequence[Order], till: Actor | None = None) -> Callable[[], Any]:
    """A deed: ring up ``orders`` in a transaction of its own."""

    def deed() -> Any:
        with transaction(till or canteen.till, canteen.now) as work:
            return taps.ring_up(work, orders)

    return deed


GATE: Final = 20261124
"""The number of the lock at which planted bugs meet."""


def gated(statement: str) -> str:
    """The statement without its lock; and whoever asks it waits at the gate, having begun to look: what is written
    after the gate has opened comes too late for them.
    """
    gate = f"WHERE (SELECT pg_advisory_xact_lock_shared({GATE})) IS NOT NULL AND school_id ="
    waiting = statement.replace("FOR NO KEY UPDATE", "").replace("WHERE school_id =", gate)
    assert waiting.count(str(GATE)) == 1
    return waiting


@contextmanager
def gate_for(engine: Engine, lookers: int) -> Iterator[None]:
    """A gate that opens once so many wait at it, and then stays open."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as keeper:
        keeper.execute(text("SELECT pg_advisory_lock(:gate)"), {"gate": GATE})
        with ThreadPoolExecutor(1) as pool:
            opened = pool.submit(open_for, keeper, lookers)
            yield
            opened.result()


def open_for(keeper: Connection, lookers: int) -> None:
    """Open the gate once so many wait; also where they do not come, so that the test can fail and end."""
    last = time.monotonic() + PATIENCE_S
    try:
        while waiting_at(keeper, GATE) < lookers:
            assert time.monotonic() < last, "nobody comes to the gate"
            time.sleep(0.002)
    finally:
        keeper.execute(text("SELECT pg_advisory_unlock(:gate)"), {"gate": GATE})


def waiting_at(asked: Connection, gate: int | None = None) -> int:
    """How many of this database's deeds wait for a lock; with ``gate``, for that one."""
    at_gate = "AND objid = :gate" if gate else ""
    statement = f"""
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
         WHERE NOT granted AND datname = current_database() {at_gate}
    """
    found: int = asked.execute(text(statement), {"gate": gate} if gate else {}).scalar_one()
    return found


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: accounts are read, not locked, and tills do not queue. Who reads them meets at the gate."""
    monkeypatch.setattr(ledger.actions, "_LOCK", gated(ledger.actions._LOCK))
    monkeypatch.setattr(gathering, "_QUEUE_AT_TILL", "SELECT CAST(%(till)s AS text)")


def one_juice_for_two_tills(app: Flask, do: Any, canteen: Canteen, rounds: int) -> Counter[Any]:
    """How the two answers of each round came out, sorted: ``("F70", None)`` is as it should be."""
    other = canteen.another_till()
    pupil_id = new_eater(canteen, do)
    outcomes: Counter[Any] = Counter()
    for _ in range(rounds):
        do(put_in, pupil_id, JUICE_MINOR, school_id=canteen.school_id)
        outcomes[one_juice_each(app, canteen, pupil_id, other)] += 1
    return outcomes


def one_juice_each(app: Flask, canteen: Canteen, pupil_id: UUID, other: Actor) -> tuple[str, ...]:
    """What two tills answer that ring up a juice for the same pupil at once, sorted."""
    answers = at_once(
        app,
        [
            ringing(canteen, [canteen.order(pupil_id, canteen.juice)]),
            ringing(canteen, [canteen.order(pupil_id, canteen.juice)], other),
        ],
    )
    return tuple(sorted(repr(one) if isinstance(one, Exception) else str(one[0].code) for one in answers))


def test_two_tills_sell_one_juice_for_the_money_of_one(app: Flask, do: Any, canteen: Canteen) -> None:
    outcomes = one_juice_for_two_tills(app, do, canteen, ROUNDS)
    assert outcomes == {("F70", "None"): ROUNDS}


def test_without_the_lock_two_tills_do_not(
    app: Flask, do: Any, canteen: Canteen, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil_id, other = new_eater(canteen, do), canteen.another_till()
    do(put_in, pupil_id, JUICE_MINOR, school_id=canteen.school_id)
    without_locks(monkeypatch)
    with gate_for(owner_engine, 2):
        codes = one_juice_each(app, canteen, pupil_id, other)
    # Both decide to sell; the second is stopped by the last line of defence, the purse's floor in the books themselves.
    assert "not_below_floor" in codes[0], codes
    assert codes[1] == "None"


def forty_taps(app: Flask, canteen: Canteen, pupil_id: UUID) -> Counter[str]:
    """How many of them came out how."""
    tills = [canteen.till, *(canteen.another_till() for _ in range(7))]
    deeds = [ringing(canteen, [canteen.order(pupil_id, canteen.juice)], tills[n % 8]) for n in range(40)]
    answers = at_once(app, deeds)
    return Counter(repr(one) if isinstance(one, Exception) else str(one[0].code) for one in answers)


def test_of_forty_taps_ten_are_paid(app: Flask, do: Any, canteen: Canteen) -> None:
    pupil_id = new_eater(canteen, do, money_minor=10 * JUICE_MINOR)
    assert forty_taps(app, canteen, pupil_id) == {"None": 10, "F70": 30}
    assert do(balances, pupil_id, school_id=canteen.school_id)[0] == 0


def test_without_the_lock_of_forty_taps_not_ten_are_paid(
    app: Flask, do: Any, canteen: Canteen, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil_id = new_eater(canteen, do, money_minor=10 * JUICE_MINOR)
    without_locks(monkeypatch)
    # Eleven see the money for ten, and decide to sell.
    with gate_for(owner_engine, 11):
        codes = forty_taps(app, canteen, pupil_id)
    assert codes["F70"] < 30
    assert any("not_below_floor" in code for code in codes)


def twelve_orders(do: Any, canteen: Canteen) -> list[Order]:
    pupil_ids = [new_eater(canteen, do, money_minor=5_000_00) for _ in range(12)]
    return [canteen.order(pupil_id, canteen.juice, meal=True) for pupil_id in pupil_ids]


def six_times_thrice(app: Flask, canteen: Canteen, orders: Sequence[Order]) -> list[Any]:
    """The same batch from six threads, from each three times."""

    def thrice() -> Any:
        return [ringing(canteen, orders)() for _ in range(3)]

    return at_once(app, [thrice for _ in range(6)])


def test_the_same_twelve_taps_three_times_from_six_threads_are_sold_once(app: Flask, do: Any, canteen: Canteen) -> None:
    results = six_times_thrice(app, canteen, twelve_orders(do, canteen))
    answers = [answer for result in results for batch in result for answer in batch]
    assert Counter((answer.code, answer.replayed) for answer in answers) == {(None, False): 12, (None, True): 204}
    sold = do(lambda work: work.session.scalars(select(Sale.total_minor)).all())
    assert sold == [LUNCH_MINOR + JUICE_MINOR] * 12


def test_without_the_queue_the_same_twelve_taps_collide(
    app: Flask, do: Any, canteen: Canteen, owner_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = twelve_orders(do, canteen)
    without_locks(monkeypatch)
    monkeypatch.setattr(ledger.actions, "_LOCK", ledger.actions._LOCK.replace(str(GATE), str(GATE + 1)))
    # All six look the taps up before any of them is written.
    monkeypatch.setattr(gathering, "_KNOWN", gated(gathering._KNOWN))
    with gate_for(owner_engine, 6):
        results = six_times_thrice(app, canteen, orders)
    assert any(isinstance(result, IntegrityError) for result in results)


def opposite_deeds(app: Flask, do: Any, canteen: Canteen, rounds: int) -> list[Any]:
    """Batches over the same pupils in opposite orders, undoings and payments in between."""
    other = canteen.another_till()
    pupil_ids = [new_eater(canteen, do, money_minor=90_000_00) for _ in range(12)]
    failures: list[Any] = []
    for _ in range(rounds):
        first = canteen.order(pupil_ids[0], canteen.juice)
        ringing(canteen, [first])()
        there = [canteen.order(pupil_id, canteen.juice) for pupil_id in pupil_ids]
        back = [canteen.order(pupil_id, canteen.juice) for pupil_id in reversed(pupil_ids)]
        results = at_once(
            app,
            [
                ringing(canteen, there),
                ringing(canteen, back, other),
                lambda: undoing(canteen, first.id),  # noqa: B023 (run before the next round)
                lambda: paying_in(canteen, list(reversed(pupil_ids))),
                lambda: paying_in(canteen, pupil_ids),
            ],
        )
        failures += [one for one in results if isinstance(one, Exception)]
    return failures


def undoing(canteen: Canteen, sale_id: UUID) -> None:
    with transaction(canteen.till, canteen.now) as work:
        undo_sale(work, canteen.school_id, sale_id, undo_id=new_id())


def paying_in(place: Canteen, pupil_ids: Sequence[UUID]) -> None:
    with transaction(place.till, place.now) as work:
        wallet.lock_purses(work, place.school_id, pupil_ids)
        put_in(work, pupil_ids[0], 100_00, school_id=place.school_id)


def test_opposite_deeds_never_wait_for_each_other_in_a_circle(app: Flask, do: Any, canteen: Canteen) -> None:
    assert opposite_deeds(app, do, canteen, 25) == []
    totals = do(
        lambda work: work.session.execute(
            select(Account.debits_minor, Account.credits_minor).where(Account.school_id == canteen.school_id)
        ).all()
    )
    assert sum(debits for debits, _ in totals) == sum(credits for _, credits in totals)


def test_without_the_order_of_locks_they_do(
    app: Flask, do: Any, canteen: Canteen, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = canteen.another_till()
    pupil_ids = [new_eater(canteen, do, money_minor=90_000_00) for _ in range(4)]
    meeting = Barrier(2)

    def from_both_ends(work: Work, school_id: UUID, pupil_ids: Any, *questions: Any) -> Any:
        """The planted bug, met each time: each side holds its first purse before it asks for the next."""
        ordered = sorted(pupil_ids, reverse=work.actor != canteen.till)
        found = once(work, school_id, ordered[:1], *questions)
        meeting.wait(timeout=20)
        for pupil_id in ordered[1:]:
            found |= once(work, school_id, [pupil_id])
        return found

    once = wallet.lock_purses_and
    monkeypatch.setattr(wallet, "PurseLocking", lambda *_: SimpleNamespace(questions=(), answer={}))
    monkeypatch.setattr(wallet, "lock_purses", from_both_ends)
    monkeypatch.setattr(wallet, "lock_purses_and", from_both_ends)
    orders = [canteen.order(pupil_id, canteen.juice) for pupil_id in pupil_ids]
    results = at_once(app, [ringing(canteen, orders, other), lambda: paying_in(canteen, pupil_ids)])
    assert any("deadlock" in str(one).lower() for one in results)


def first_taps_at_once(app: Flask, do: Any, canteen: Canteen, meet: Callable[[UUID], None]) -> list[Any]:
    """Two first taps of a school of old data, where one pupil has a purse, another none, and the school itself no
    accounts yet. ``meet`` is handed the pupil with the purse before they ring.
    """
    own = {"school_id": canteen.school_id, "class_id": canteen.class_id}
    old, new = PupilFactory.create(**own).id, PupilFactory.create(**own).id
    do(ensured_purses, canteen.school_id, [old])
    meet(old)
    both = [canteen.order(new, meal=True), canteen.order(old, meal=True)]
    return at_once(
        app, [ringing(canteen, [canteen.order(old, meal=True)]), ringing(canteen, both, canteen.another_till())]
    )


def test_first_taps_of_a_school_without_accounts_do_not_wait_in_a_circle(
    app: Flask, do: Any, canteen: Canteen, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, is_second = wallet.purses._opened_school_accounts, Event()

    def slowly(work: Work, school_id: UUID) -> Any:
        """Whoever opens them holds the policy row until the other one waits for it."""
        accounts = opened(work, school_id)
        if not is_second.is_set():
            is_second.set()
            last = time.monotonic() + PATIENCE_S
            while not waiting_at(work.session.connection()):
                assert time.monotonic() < last, "nobody waits for the policy row"
                time.sleep(0.002)
        return accounts

    monkeypatch.setattr(wallet.purses, "_opened_school_accounts", slowly)
    answers = first_taps_at_once(app, do, canteen, lambda _old: None)
    # Grace pays for one meal of the pupil who has a purse; whichever till comes second refuses another one.
    assert sorted(one.verdict for told in answers for one in told) == ["refused", "served", "served"]


def test_where_purses_are_locked_before_the_accounts_are_opened_they_do(
    app: Flask, do: Any, canteen: Canteen, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = Barrier(2)
    once = wallet.school_accounts

    def plant(old: UUID) -> None:
        def too_late(work: Work, school_id: UUID, *before: Any) -> Any:
            """The planted bug, met each time: one side holds the purse and the other one the policy row."""
            if work.actor == canteen.till:
                work.ask(*before, *wallet.PurseLocking(school_id, these([old])).questions)
                meeting.wait(timeout=20)
                return once(work, school_id)
            accounts = once(work, school_id, *before)
            meeting.wait(timeout=20)
            return accounts

        monkeypatch.setattr(wallet, "school_accounts", too_late)

    results = first_taps_at_once(app, do, canteen, plant)
    assert any("deadlock" in str(one).lower() for one in results)
