"""Replacing a cook whom a contract binds: the supplier names somebody as good who is free, and both sides sign."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals.actors import PUBLIC, SYSTEM
from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotAllowed, NotNow, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import commitments, replacing
from schoolmeals.procurement.actions import changes, ledger
from schoolmeals.procurement.actions.changes import NewChange
from schoolmeals.procurement.models import ContractChange, ContractStaff
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.rules.contracts import Worker, replacement_refused
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.suppliers import NewStaff
from tests.factories.awards import COOK_KEY, cook, two_ranked
from tests.factories.contracts import Authenticator, in_force
from tests.factories.identity import signed_in
from tests.factories.procurement import Procurement
from tests.procurement.test_awards import sign as sign_award
from tests.procurement.test_contracts import sign_change

OTHER_KEY = "b" * 64
FROM = date(2027, 2, 1)


class Kitchen:
    """A contract in force that binds one cook, whole time, grade 4."""

    def __init__(self, world: Procurement) -> None:
        self.world = world
        self.tender_id = world.tender_in(TenderStage.EVALUATION)
        two_ranked(world, self.tender_id, staff=[cook()])
        sign_award(world, self.tender_id)
        world.clock.now = world.until(self.tender_id, "standstill") + timedelta(hours=1)
        self.contract_id, self.supplier, self.buyer = in_force(world, self.tender_id)

    def hire(self, person_key: str = OTHER_KEY, **about: Any) -> UUID:
        said = {"name": "Болат Ермекұлы", "post": "cook", "education": "college", "fte_percent": 100, "grade": 4}
        new = NewStaff(person_key=person_key, started_on=date(2026, 9, 1), **{**said, **about})
        made: UUID = self.world.do(ledger.add_staff, self.world.supplier_id, new, actor=self.world.supplier)
        return made

    def bound(self) -> list[ContractStaff]:
        def found(work: Work) -> list[ContractStaff]:
            rows = select(ContractStaff).where(ContractStaff.contract_id == self.contract_id)
            return list(work.session.scalars(rows.order_by(ContractStaff.from_on, ContractStaff.id)))

        rows: list[ContractStaff] = self.world.look(found, actor=SYSTEM)
        return rows

    def propose(self, joins: UUID, *, actor: Any = None, **about: Any) -> UUID:
        said = {"kind": "staff", "reason": "She moves away", "leaves": self.bound()[0].id, "joins": joins}
        new = NewChange(**{**said, "from_on": FROM, **about})
        who = actor or self.world.supplier
        made: UUID = self.world.do(changes.propose_change, self.tender_id, self.contract_id, new_id(), new, actor=who)
        return made

    def sign(self, change_id: UUID, device: Authenticator) -> bool:
        return sign_change(self.world, self.tender_id, self.contract_id, change_id, device)

    def said(self) -> dict[str, Any]:
        text, _ = self.world.look(contract_queries.text_of, self.contract_id, actor=PUBLIC)
        found: dict[str, Any] = json.loads(text)
        return found


@pytest.fixture
def kitchen(world: Procurement) -> Kitchen:
    return Kitchen(world)


def test_a_cook_gives_their_place_to_another_once_both_have_signed(kitchen: Kitchen) -> None:
    before = kitchen.said()["staff"]
    change_id = kitchen.propose(kitchen.hire())
    assert not kitchen.sign(change_id, kitchen.supplier)
    assert [one.person_key for one in kitchen.bound()] == [COOK_KEY], "one side alone changes nothing"
    assert kitchen.sign(change_id, kitchen.buyer)
    old, new = kitchen.bound()
    assert (old.person_key, old.until_on) == (COOK_KEY, date(2027, 1, 31))
    assert (new.person_key, new.from_on, new.fte_percent) == (OTHER_KEY, FROM, 100)
    assert new.until_on == kitchen.world.look(contract_queries.contract, kitchen.contract_id).line.ends_on
    after = kitchen.said()
    assert len(after["staff"]) == len(before) == 1
    assert after["staff"] != before
    assert (after["version"], after["changes"][-1]["kind"]) == (2, "staff")
    for name in ("Болат", "Айша", OTHER_KEY, COOK_KEY):
        assert name not in json.dumps(after, ensure_ascii=False), "the text is public"


def first_day(kitchen: Kitchen) -> date:
    """The day on which the cook begins; another takes their place on that very day."""
    day = kitchen.bound()[0].from_on
    change_id = kitchen.propose(kitchen.hire(), from_on=day)
    assert kitchen.sign(change_id, kitchen.supplier) is False
    assert kitchen.sign(change_id, kitchen.buyer)
    return day


def held(kitchen: Kitchen, person_key: str) -> int:
    percent: int = kitchen.world.look(commitments.bound_elsewhere, person_key, actor=SYSTEM)
    return percent


def named(kitchen: Kitchen) -> list[str]:
    leaves, _ = kitchen.world.look(
        contract_queries.replaceable_staff, kitchen.contract_id, actor=kitchen.world.supplier
    )
    return [one.name for one in leaves]


def test_who_is_replaced_on_the_first_day_has_worked_none(kitchen: Kitchen) -> None:
    day = first_day(kitchen)
    both = {one.person_key: (one.from_on, one.until_on) for one in kitchen.bound()}
    assert both[COOK_KEY] == (day, day - timedelta(days=1))
    assert both[OTHER_KEY][0] == day
    assert (held(kitchen, COOK_KEY), held(kitchen, OTHER_KEY)) == (0, 100)
    assert named(kitchen) == ["Болат Ермекұлы"]


def test_a_day_of_two_cooks_would_be_seen(kitchen: Kitchen) -> None:
    day = first_day(kitchen)

    def overlap(work: Work) -> None:
        for one in work.session.scalars(select(ContractStaff).where(ContractStaff.person_key == COOK_KEY)):
            one.until_on = day

    kitchen.world.do(overlap, actor=SYSTEM)
    assert held(kitchen, COOK_KEY) == 100, "the planted bug binds them for the day on which they left"
    assert len(named(kitchen)) == 2


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"grade": 3}, "staff-worse"),
        ({"grade": None}, "staff-worse"),
        ({"fte_percent": 50}, "staff-worse"),
        ({"post": "technologist"}, "staff-worse"),
        ({"person_key": COOK_KEY}, "same-person"),
    ],
)
def test_whoever_comes_is_as_good_as_who_leaves(kitchen: Kitchen, about: dict[str, Any], code: str) -> None:
    staff_id = kitchen.hire(**about)
    with pytest.raises(NotNow) as caught:
        kitchen.propose(staff_id)
    assert caught.value.code == code
    assert kitchen.world.look(open_changes, actor=SYSTEM) == 0


def open_changes(work: Work) -> int:
    return len(work.session.scalars(select(ContractChange)).all())


def bind_elsewhere(kitchen: Kitchen, percent: int) -> Callable[[Work], None]:
    """Another contract of the same kind that holds the other cook; as a row alone."""

    def bind(work: Work) -> None:
        row = work.session.scalars(select(ContractStaff)).first()
        assert row is not None
        values = {"name": "Болат Ермекұлы", "post": "cook", "from_on": row.from_on, "until_on": row.until_on}
        own = {"id": new_id(), "contract_id": kitchen.contract_id, "person_key": OTHER_KEY, "fte_percent": percent}
        work.session.add(ContractStaff(**own, **values))

    return bind


@pytest.mark.parametrize("percent", [1, 100])
def test_nobody_works_more_than_a_whole_day_in_the_whole_city(kitchen: Kitchen, percent: int) -> None:
    staff_id, leaves = kitchen.hire(), kitchen.bound()[0].id
    kitchen.world.do(bind_elsewhere(kitchen, percent), actor=SYSTEM)
    with pytest.raises(NotNow) as caught:
        kitchen.propose(staff_id, leaves=leaves)
    assert caught.value.code == "staff-taken"


def take_meanwhile(kitchen: Kitchen) -> tuple[UUID, int]:
    """A proposed change whose cook was bound elsewhere before the second signature."""
    change_id = kitchen.propose(kitchen.hire())
    kitchen.sign(change_id, kitchen.supplier)
    kitchen.world.do(bind_elsewhere(kitchen, 100), actor=SYSTEM)
    return change_id, len(kitchen.bound())


def test_who_was_taken_before_the_second_signature_does_not_come(kitchen: Kitchen) -> None:
    change_id, before = take_meanwhile(kitchen)
    with pytest.raises(NotNow) as caught:
        kitchen.sign(change_id, kitchen.buyer)
    assert caught.value.code == "staff-taken"
    assert len(kitchen.bound()) == before
    assert kitchen.said()["version"] == 1


def test_the_second_look_is_what_keeps_them_out(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    change_id, before = take_meanwhile(kitchen)
    monkeypatch.setattr(replacing, "replacement_refused", lambda *_: None)
    assert kitchen.sign(change_id, kitchen.buyer), "the planted bug lets them in"
    assert len(kitchen.bound()) == before + 1


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"leaves": None}, "leaves"),
        ({"leaves": UUID(int=1)}, "leaves"),
        ({"joins": UUID(int=1)}, "joins"),
        ({"from_on": None}, "from_on"),
        ({"from_on": date(2026, 1, 1)}, "from_on"),
        ({"from_on": date(2028, 1, 1)}, "leaves"),
    ],
)
def test_what_is_missing_or_out_of_time_is_told(kitchen: Kitchen, about: dict[str, Any], field: str) -> None:
    staff_id = kitchen.hire()
    with pytest.raises(Invalid) as caught:
        kitchen.propose(**{"joins": staff_id, **about})
    assert list(caught.value.fields) == [field]


def test_the_buyer_does_not_choose_the_suppliers_people(kitchen: Kitchen) -> None:
    staff_id = kitchen.hire()
    with pytest.raises(NotAllowed) as caught:
        kitchen.propose(staff_id, actor=kitchen.world.buyer)
    assert caught.value.code == "supplier-names-staff"


def test_only_the_supplier_reads_names_in_the_form(app: Flask, kitchen: Kitchen) -> None:
    kitchen.hire()
    address = f"/contracts/{kitchen.contract_id}"
    assert kitchen.world.supplier.id is not None
    own = signed_in(app, kitchen.world.supplier.id).get(address).get_data(as_text=True)
    assert "Болат Ермекұлы" in own
    assert "Айша Серікқызы" in own
    assert kitchen.world.buyer.id is not None
    for client in (app.test_client(), signed_in(app, kitchen.world.buyer.id)):
        shown = client.get(address).get_data(as_text=True)
        assert "Болат" not in shown
        assert "Айша" not in shown


def test_the_edges_of_a_whole_day() -> None:
    leaving = Worker(person_key="a", post="cook", grade=None, fte_percent=50)

    def coming(bound_percent: int) -> Worker:
        return Worker(person_key="b", post="cook", grade=None, fte_percent=50, bound_percent=bound_percent)

    assert replacement_refused(leaving, coming(50), 100) is None
    refused = replacement_refused(leaving, coming(51), 100)
    assert refused is not None
    assert refused.code == "staff-taken"
    assert issubclass(NotNow, Refusal)
