"""From a receipt back to the tender, for everybody. ``tests/demo/test_traces.py`` has what was changed on the way."""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from schoolmeals.actors import PUBLIC, device
from schoolmeals.canteen import NewMenuItem, hold_sitting, publish_menu, put_item, ring_up, undo_sale
from schoolmeals.canteen.orders import Order, OrderItem
from schoolmeals.errors import NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement import ServerKeys
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.transparency.tracing import Trace, trace
from schoolmeals.web.frame import frame
from tests.factories.contracts import in_force
from tests.factories.identity import DeviceFactory
from tests.factories.procurement import Procurement
from tests.factories.pupils import PupilFactory, SchoolClassFactory
from tests.factories.wallet import put_in

DAY = datetime(2027, 2, 2, 6, 30, tzinfo=UTC)
"""A Tuesday of the contract's term, half past eleven in Almaty."""
EVE = datetime(2027, 2, 1, 6, 0, tzinfo=UTC)
LUNCH = NewMenuItem(kind="set", age_group="6-10", name_kk="Түскі ас", name_ru="Обед", name_en="Lunch")
TEA = NewMenuItem(kind="buffet", name_kk="Шай", name_ru="Чай", name_en="Tea", price_minor=90_00)
CHAIN = ["menu", "price", "contract", "award", "bid", "tender"]


class Fed(NamedTuple):
    """A school that eats by a contract, one of its pupils, and what they bought."""

    world: Procurement
    pupil_id: UUID
    till: Any
    sitting_id: UUID
    tea: UUID
    receipt: UUID


@pytest.fixture
def fed(world: Procurement) -> Fed:
    """Lunch and tea, sold by a menu at the contract's prices."""
    world.kept("fed-by-contract", lambda: in_force(world, world.tender_in(TenderStage.CONTRACTING))[0])
    world.clock.now = EVE
    own = {"school_id": world.school_id}
    hours = {"meal": "lunch", "opens_at": time(11), "closes_at": time(14)}
    sitting_id = world.do(hold_sitting, world.school_id, actor=world.buyer, **hours)
    about = (world.school_id, DAY.date(), sitting_id)
    world.do(put_item, *about, LUNCH, actor=world.buyer)
    tea = world.do(put_item, *about, TEA, actor=world.buyer)
    world.do(publish_menu, *about, actor=world.buyer)
    class_id = SchoolClassFactory.create(**own, grade=3).id
    pupil_id = PupilFactory.create(**own, class_id=class_id).id
    world.clock.now = DAY
    world.do(put_in, pupil_id, 5_000_00, school_id=world.school_id)
    till = device(DeviceFactory.create(**own).id, world.school_id)
    receipt = buy(world, till, pupil_id, sitting_id, seq=1, items=(OrderItem(tea, 2),))
    return Fed(world, pupil_id, till, sitting_id, tea, receipt)


def buy(world: Procurement, till: Any, pupil_id: UUID, sitting_id: UUID, *, seq: int, **about: Any) -> UUID:
    order = Order(
        id=new_id(DAY), seq=seq, tapped_at=DAY, sitting_id=sitting_id, number_hash=None, pupil_id=pupil_id,
        **{"wants_set_meal": True, "items": (), "decisions": (), **about},
    )  # fmt: skip
    (answer,) = world.do(ring_up, [order], actor=till)
    assert answer.is_served, answer.code
    return order.id


def traced(fed: Fed, receipt: UUID | None = None) -> Trace:
    keys = ServerKeys.of(frame().settings.secret_key)
    found: Trace = fed.world.look(trace, receipt or fed.receipt, actor=PUBLIC, keys=keys)
    return found


def test_who_ate_and_who_paid_is_told_nowhere(client: FlaskClient, fed: Fed) -> None:
    world = fed.world
    undone = buy(
        world, fed.till, fed.pupil_id, fed.sitting_id, seq=2, wants_set_meal=False, items=(OrderItem(fed.tea, 1),)
    )
    world.do(undo_sale, world.school_id, undone, undo_id=new_id(DAY), actor=fed.till)
    world.clock.now = DAY + timedelta(hours=20)
    for receipt in (fed.receipt, undone):
        page = client.get(f"/trace/{receipt}", headers={"Accept-Language": "en"})
        file = client.get(f"/trace/{receipt}.json")
        assert (page.status_code, file.status_code) == (200, 200)
        told = page.get_data(as_text=True) + file.get_data(as_text=True)
        for secret in (fed.pupil_id, fed.till.id, "money_minor", "grace", "06:30", "11:30"):
            assert str(secret) not in told, secret
        assert ("was taken back later" in told) == (receipt == undone)
    document = json.loads(client.get(f"/trace/{fed.receipt}.json").data)
    assert [step["code"] for step in document["lines"][0]["steps"]] == CHAIN
    digests = {step["code"]: step.get("sha256") for step in document["lines"][0]["steps"]}
    assert len(digests["contract"]) == len(digests["tender"]) == 64


def test_what_is_no_receipt_is_not_found(fed: Fed) -> None:
    with pytest.raises(NotFound):
        traced(fed, new_id())
