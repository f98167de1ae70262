"""Taking sales back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from schoolmeals import ledger
from schoolmeals.actors import Role
from schoolmeals.canteen.actions.undoing import undo_sale
from schoolmeals.canteen.models import SaleUndo
from schoolmeals.errors import Refusal
from schoolmeals.ids import new_id
from tests.canteen.test_machine import pay_in
from tests.factories.canteen import JUICE_MINOR, LUNCH_MINOR, Canteen, new_eater
from tests.factories.identity import OrganisationFactory, actor_of
from tests.factories.wallet import balances


def undoes(do: Any) -> int:
    """How many undoings stand."""
    return int(do(lambda work: work.session.scalar(select(func.count()).select_from(SaleUndo))))


def refused(do: Any, canteen: Canteen, sale_id: UUID, **kwargs: Any) -> str:
    """The code with which an undo is refused; nothing must have changed."""
    before = undoes(do), do(ledger.trial_balance, [canteen.school_id])
    with pytest.raises(Refusal) as refusal:
        do(undo_sale, canteen.school_id, sale_id, **{"undo_id": new_id(), "actor": canteen.till, **kwargs})
    assert (undoes(do), do(ledger.trial_balance, [canteen.school_id])) == before
    return refusal.value.code


def test_a_till_takes_its_sale_back_within_five_minutes_once(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=1_000_00)
    order, undo_id = canteen.order(pupil_id, canteen.juice), new_id()
    ring(order)
    at = canteen.now + timedelta(minutes=5)
    for _ in range(2):
        undo = do(undo_sale, canteen.school_id, order.id, undo_id=undo_id, actor=canteen.till, at=at)
        assert (undo.id, undo.sale_id, undo.undone_at) == (undo_id, order.id, at)
    assert do(balances, pupil_id, school_id=canteen.school_id) == (1_000_00, 0)
    assert undoes(do) == 1
    assert refused(do, canteen, order.id) == "already-undone"


def test_later_only_the_school_office_does_with_a_reason(do: Any, canteen: Canteen, ring: Any) -> None:
    order = canteen.order(new_eater(canteen, do, money_minor=1_000_00), canteen.juice)
    ring(order)
    at = canteen.now + timedelta(minutes=5, seconds=1)
    office = actor_of(new_id(), (Role.SCHOOL_OFFICE, canteen.school_id))
    assert refused(do, canteen, order.id, at=at) == "too-late-to-undo"
    assert refused(do, canteen, order.id, at=at, actor=office, reason=" ") == "reason-needed"
    assert do(undo_sale, canteen.school_id, order.id, undo_id=new_id(), reason="wrong child", actor=office, at=at)


def test_nobody_else_does(do: Any, canteen: Canteen, ring: Any) -> None:
    order = canteen.order(new_eater(canteen, do, money_minor=1_000_00), canteen.juice)
    ring(order)
    elsewhere = actor_of(new_id(), (Role.SCHOOL_OFFICE, OrganisationFactory.create().id))
    cashier = actor_of(new_id(), (Role.CASHIER, canteen.school_id))
    for actor in (canteen.another_till(), elsewhere, cashier):
        assert refused(do, canteen, order.id, actor=actor, reason="mine") == "not-found"
    assert refused(do, canteen, new_id()) == "not-found"


def test_what_was_refused_cannot_be_taken_back(do: Any, canteen: Canteen, ring: Any) -> None:
    order = canteen.order(new_eater(canteen, do), canteen.juice)
    ring(order)
    assert refused(do, canteen, order.id) == "not-sold"


def test_an_undo_id_serves_one_sale(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id, undo_id = new_eater(canteen, do, money_minor=1_000_00), new_id()
    first, second = (canteen.order(pupil_id, canteen.juice) for _ in range(2))
    ring(first, second)
    do(undo_sale, canteen.school_id, first.id, undo_id=undo_id, actor=canteen.till)
    assert refused(do, canteen, second.id, undo_id=undo_id) == "undo-differs"
    assert do(balances, pupil_id, school_id=canteen.school_id) == (1_000_00 - JUICE_MINOR, 0)


def test_grace_that_was_repaid_meanwhile_goes_back_to_the_purse(do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do)
    order = canteen.order(pupil_id, meal=True)
    ring(order)
    do(pay_in, canteen.school_id, pupil_id, 1_000_00)
    assert do(balances, pupil_id, school_id=canteen.school_id) == (1_000_00 - LUNCH_MINOR, 0)
    do(undo_sale, canteen.school_id, order.id, undo_id=new_id(), actor=canteen.till)
    assert do(balances, pupil_id, school_id=canteen.school_id) == (1_000_00, 0)
