"""Hundreds of deeds in a row: every answer and every purse of the product against a plain Python model.

``SCHOOLMEALS_MACHINE_RUNS`` and ``SCHOOLMEALS_MACHINE_DEEDS`` ask for more, ``SCHOOLMEALS_MACHINE_SEED`` repeats a run.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from schoolmeals import ledger, wallet
from schoolmeals.actors import SYSTEM, Actor, Role
from schoolmeals.canteen.actions import undoing
from schoolmeals.canteen.actions.taps import ring_up
from schoolmeals.canteen.actions.undoing import undo_sale
from schoolmeals.canteen.orders import Answer, Order
from schoolmeals.database import Work, transaction
from schoolmeals.errors import Refusal
from schoolmeals.ids import new_id
from schoolmeals.ledger.proofs import prove
from schoolmeals.money import Money
from tests.canteen.model import Purse, SchoolModel, Told, Wish
from tests.factories import saved
from tests.factories.canteen import (
    BUN_MINOR,
    GRACE_MINOR,
    JUICE_MINOR,
    LUNCH_MINOR,
    Canteen,
    SittingFactory,
    new_canteen,
    new_card,
    new_eater,
)
from tests.factories.identity import actor_of

RUNS = int(os.environ.get("SCHOOLMEALS_MACHINE_RUNS", "20"))
DEEDS = int(os.environ.get("SCHOOLMEALS_MACHINE_DEEDS", "500"))
SEED = int(os.environ.get("SCHOOLMEALS_MACHINE_SEED") or secrets.randbelow(2**32))
SHRINK = bool(os.environ.get("SCHOOLMEALS_MACHINE_SHRINK"))
"""Whether to look for the shortest run that fails as well: minutes, for whoever mends it."""
PUPILS = 4

wishes = st.builds(
    Wish,
    meals=st.integers(0, 1),
    juices=st.integers(0, 2),
    buns=st.integers(0, 1),
    second_is_meant=st.booleans(),
).filter(lambda wish: wish.meals + wish.juices + wish.buns > 0)
taps = st.tuples(st.integers(0, PUPILS - 1), wishes)
which = st.integers(0, 10_000)


class Till(RuleBasedStateMachine):
    """One school, four pupils, a till and the school's office."""

    now: ClassVar[datetime]
    deeds: ClassVar[int] = 0

    @initialize()
    def open(self) -> None:
        self.canteen: Canteen = new_canteen(Till.now)
        saved(SittingFactory.create(school_id=self.canteen.school_id))
        sitting = SittingFactory.create(school_id=self.canteen.school_id, opens_at=time(0), closes_at=time(23, 59, 59))
        with transaction(SYSTEM, self.canteen.now) as work:
            work.session.execute(
                text("UPDATE menu SET sitting_id = :sitting WHERE school_id = :school"),
                {"sitting": sitting.id, "school": self.canteen.school_id},
            )
        self.canteen.sitting_id = sitting.id
        self.pupils = [new_eater(self.canteen, self._do) for _ in range(PUPILS)]
        self.cards = [new_card(self.canteen, pupil_id) for pupil_id in self.pupils]
        purses = [Purse() for _ in range(PUPILS)]
        self.model = SchoolModel(LUNCH_MINOR, JUICE_MINOR, BUN_MINOR, GRACE_MINOR, purses)
        self.sent: list[tuple[Order, Answer]] = []
        self.office = actor_of(new_id(), (Role.SCHOOL_OFFICE, self.canteen.school_id))

    @rule(tap=taps, by_card=st.booleans())
    def tap(self, tap: tuple[int, Wish], by_card: bool) -> None:
        self._ring([tap], by_card)

    @rule(several=st.lists(taps, min_size=2, max_size=5))
    def taps_at_once(self, several: list[tuple[int, Wish]]) -> None:
        self._ring(several, by_card=True)

    @precondition(lambda self: self.sent)
    @rule(number=which)
    def the_same_again(self, number: int) -> None:
        order, before = self.sent[number % len(self.sent)]
        (answer,) = self._do(ring_up, [order], actor=self.canteen.till)
        assert answer == before.again()

    @precondition(lambda self: self.sent)
    @rule(number=which)
    def other_content_under_the_same_id(self, number: int) -> None:
        order, _ = self.sent[number % len(self.sent)]
        (answer,) = self._do(ring_up, [replace(order, seq=order.seq + 1_000_000)], actor=self.canteen.till)
        assert (answer.verdict, answer.code) == ("refused", "E04")

    @rule(pupil=st.integers(0, PUPILS - 1), amount=st.integers(1, 2_500_00))
    def top_up(self, pupil: int, amount: int) -> None:
        self._do(pay_in, self.canteen.school_id, self.pupils[pupil], amount)
        self.model.top_up(pupil, amount)

    @rule(pupil=st.integers(0, PUPILS - 1), limit=st.none() | st.integers(0, 1_500_00))
    def set_limit(self, pupil: int, limit: int | None) -> None:
        self._do(
            lambda work: work.session.execute(
                text("UPDATE purse SET limit_minor_day = :limit WHERE pupil_id = :pupil"),
                {"limit": limit, "pupil": self.pupils[pupil]},
            )
        )
        self.model.purses[pupil].limit = limit

    @precondition(lambda self: self.sent)
    @rule(number=which, by_till=st.booleans(), again=st.booleans())
    def undo(self, number: int, by_till: bool, again: bool) -> None:
        # The newest ones, mostly: the till may take back only those.
        order, _ = self.sent[-1 - number % min(len(self.sent), 8)]
        known = self.model.told[order.id].undo_id
        undo_id = known if again and known is not None else new_id(self.canteen.now)
        expected = self.model.undo(order.id, undo_id, self.canteen.now, by_till=by_till)
        who = self.canteen.till if by_till else self.office
        code = None
        try:
            self._do(undo_sale, self.canteen.school_id, order.id, undo_id=undo_id, reason="mistaken", actor=who)
        except Refusal as refusal:
            code = refusal.code
        assert code == expected

    @rule(seconds=st.integers(1, 90))
    def wait(self, seconds: int) -> None:
        self.canteen.now += timedelta(seconds=seconds)

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        self._do(lambda work: self._compare(work))
        rows = {row.purpose: row.balance_minor for row in self._do(ledger.trial_balance, [self.canteen.school_id])}
        assert rows["meals-sold"] == self.model.sold
        assert rows["courtesy-meals"] == self.model.courtesy

    def _ring(self, several: list[tuple[int, Wish]], by_card: bool) -> None:
        orders = [self._order(pupil, wish, by_card) for pupil, wish in several]
        answers = self._do(ring_up, orders, actor=self.canteen.till, look=self._compare_after(several, orders))
        self.sent += zip(orders, answers, strict=True)

    def _order(self, pupil: int, wish: Wish, by_card: bool) -> Order:
        items = [(self.canteen.juice, wish.juices), (self.canteen.bun, wish.buns)]
        return self.canteen.order(
            self.cards[pupil] if by_card else self.pupils[pupil],
            *[(item, quantity) for item, quantity in items if quantity],
            meal=bool(wish.meals),
            decisions=["V53"] if wish.second_is_meant else [],
        )

    def _compare_after(self, several: list[tuple[int, Wish]], orders: list[Order]) -> Any:
        def compare(work: Work, answers: list[Answer]) -> None:
            for (pupil, wish), order, answer in zip(several, orders, answers, strict=True):
                told = self.model.tap(order.id, pupil, wish, work.now)
                assert seen(answer, self.canteen) == expected_of(told, wish)
            self._compare(work)

        return compare

    def _compare(self, work: Work) -> None:
        held = wallet.purses_of(work, self.canteen.school_id, self.pupils)
        found = [(held[id].money_minor, held[id].grace_minor) for id in self.pupils]
        assert found == [(purse.money, purse.grace) for purse in self.model.purses]

    def _do(self, deed: Any, *args: Any, actor: Actor = SYSTEM, look: Any = None, **kwargs: Any) -> Any:
        Till.deeds += 1
        with transaction(actor, self.canteen.now) as work:
            result = deed(work, *args, **kwargs)
            if look is not None:
                look(work, result)
            return result


def seen(answer: Answer, canteen: Canteen) -> tuple[str | None, int, int, list[str]]:
    """Code, set meals, money's worth of buffet items, and the warnings."""
    prices = {canteen.juice: JUICE_MINOR, canteen.bun: BUN_MINOR}
    meals = sum(item.quantity for item in answer.items if item.is_set_meal)
    buffet = sum(item.quantity * prices[item.menu_item_id] for item in answer.items if not item.is_set_meal)
    return answer.code, meals, buffet, [one.code for one in answer.warnings]


def expected_of(told: Told, wish: Wish) -> tuple[str | None, int, int, list[str]]:
    warnings = []
    if told.is_cut_short:
        buffet = wish.juices * JUICE_MINOR + wish.buns * BUN_MINOR
        warnings = ["L60" if told.is_over_limit else "F70"] if buffet else ["F70"]
    return told.code, told.meals, told.buffet, warnings


def pay_in(work: Work, school_id: UUID, pupil_id: UUID, amount: int) -> None:
    """A top-up over the cash desk."""
    purse = wallet.lock_purses(work, school_id, [pupil_id])[pupil_id]
    accounts = wallet.school_accounts(work, school_id)
    movements = wallet.fill_movements(purse, accounts.cash_desk, Money(amount))
    ledger.post(work, school_id, [ledger.Entry(new_id(work.now), "top-up", movements)], known_new=True)


def run_machine(now: datetime, *, runs: int, deeds: int) -> None:
    Till.now, Till.deeds = now, 0
    unhurried = settings(
        max_examples=runs,
        stateful_step_count=deeds,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        phases=(Phase.generate, Phase.shrink) if SHRINK else (Phase.generate,),
        report_multiple_bugs=False,
    )
    print(f"SCHOOLMEALS_MACHINE_SEED={SEED}")  # noqa: T201 (how to repeat this very run)
    run_state_machine_as_test(seed(SEED)(Till), settings=unhurried)


@pytest.mark.slow
def test_every_answer_and_every_purse_is_that_of_the_model(app: Flask, canteen: Canteen, do: Any) -> None:
    run_machine(canteen.now, runs=RUNS, deeds=DEEDS)
    broken = [finding for finding in do(lambda work: list(prove(work))) if not finding.holds]
    assert broken == []
    assert Till.deeds >= RUNS


Deeds = Callable[[Till], None]
MEAL: Final = Wish(meals=1, juices=0, buns=0, second_is_meant=False)


def a_paid_meal(till: Till) -> None:
    till.top_up(pupil=0, amount=5_000_00)
    till.tap(tap=(0, MEAL), by_card=True)


def an_undone_meal_whose_grace_was_repaid(till: Till) -> None:
    till.tap(tap=(0, MEAL), by_card=True)
    till.top_up(pupil=0, amount=LUNCH_MINOR)
    till.undo(number=0, by_till=True, again=False)


def go_through(now: datetime, deeds: Deeds) -> None:
    """Certain deeds instead of any: whether a planted bug is met must not be left to luck."""
    Till.now = now
    till = Till()
    till.open()
    deeds(till)
    till.teardown()


@pytest.mark.parametrize("deeds", [a_paid_meal, an_undone_meal_whose_grace_was_repaid])
def test_certain_deeds_are_those_of_the_model(app: Flask, canteen: Canteen, deeds: Deeds) -> None:
    go_through(canteen.now, deeds)


def test_the_model_notices_a_meal_that_is_charged_twice(
    app: Flask, canteen: Canteen, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = wallet.charge_movements

    def twice(*args: Any) -> Any:
        return once(*args) * 2

    monkeypatch.setattr(wallet, "charge_movements", twice)
    with pytest.raises((AssertionError, Refusal)):
        go_through(canteen.now, a_paid_meal)


def test_the_model_notices_grace_that_an_undo_forgets(
    app: Flask, canteen: Canteen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "_settle_grace", lambda *args: None)
    with pytest.raises((AssertionError, Refusal)):
        go_through(canteen.now, an_undone_meal_whose_grace_was_repaid)
