"""Contracts: made of awards, signed by both sides, changed within limits, and what canteens read of them."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from schoolmeals.actors import PUBLIC, SYSTEM
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow
from schoolmeals.identity import PasskeyProof, proves
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import awarding, changes, complaints, contracts, signing
from schoolmeals.procurement.actions.changes import NewChange
from schoolmeals.procurement.actions.complaints import NewComplaint
from schoolmeals.procurement.documents import digest_of
from schoolmeals.procurement.models import ContractStaff
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.queries.contracts import ContractItemFacts, ContractView
from schoolmeals.procurement.rules.contracts import BuffetItem, ContractStage, LeaseState, index_refused
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.awards import PRICE_MINOR, cook, evaluate, two_ranked
from tests.factories.contracts import (
    ALMATY,
    SITE,
    TEA,
    Authenticator,
    direct_prices,
    direct_terms,
    in_force,
    make,
    sign,
)
from tests.factories.procurement import Procurement
from tests.procurement.test_awards import lot_of
from tests.procurement.test_awards import sign as sign_award

DAY = date(2027, 2, 1)
BUN = BuffetItem({"kk": "Тоқаш", "ru": "Булочка", "en": "Bun"}, "piece", 150_00)


def view(world: Procurement, contract_id: UUID) -> ContractView:
    found: ContractView = world.look(contract_queries.contract, contract_id)
    return found


def items(world: Procurement, on: date = DAY) -> list[ContractItemFacts]:
    found: list[ContractItemFacts] = world.look(contract_queries.contract_items_of, world.school_id, on, actor=PUBLIC)
    return found


def propose(world: Procurement, tender_id: UUID, contract_id: UUID, **about: Any) -> UUID:
    new = NewChange(**{"reason": "We both agree", **about})
    made: UUID = world.do(changes.propose_change, tender_id, contract_id, new_id(), new, actor=world.supplier)
    return made


def sign_change(world: Procurement, tender_id: UUID, contract_id: UUID, change_id: UUID, device: Authenticator) -> bool:
    digest = world.look(contract_queries.digest_to_sign, contract_id, change_id, actor=device.actor)
    about: dict[str, Any] = {"site": SITE, "credential": device.sign(digest)}
    applied: bool = world.do(changes.sign_change, tender_id, contract_id, change_id, actor=device.actor, **about)
    return applied


def apply(world: Procurement, tender_id: UUID, contract_id: UUID, devices: Any, **about: Any) -> None:
    change_id = propose(world, tender_id, contract_id, **about)
    assert [sign_change(world, tender_id, contract_id, change_id, one) for one in devices] == [False, True]


def test_a_contract_says_what_the_bid_asked_and_the_notice_promised(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id = make(world, tender_id)
    found = view(world, contract_id)
    text, sha256 = world.look(contract_queries.text_of, contract_id, actor=PUBLIC)
    assert digest_of(text).hex() == sha256 == found.sha256
    said = json.loads(text)
    meals = [item for item in said["items"] if item["kind"] == "meal"]
    assert {item["price_minor"] for item in meals} == {PRICE_MINOR}
    assert said["value_minor"] == sum(item["quantity"] for item in meals) * PRICE_MINOR
    assert said["security_minor"] == said["value_minor"] * 30 // 1000
    assert said["sections"]["menu"]["season"] == "winter-spring"
    assert (found.line.stage, found.line.lease) == (ContractStage.MADE, LeaseState.NOT_NEEDED)
    assert items(world) == []


def test_a_contract_is_in_force_once_both_have_signed_the_supplier_first(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id = make(world, tender_id)
    supplier, buyer = Authenticator(world.supplier), Authenticator(world.buyer)
    with pytest.raises(NotNow) as caught:
        sign(world, tender_id, contract_id, buyer)
    assert caught.value.code == "supplier-first"
    assert sign(world, tender_id, contract_id, supplier).in_force is False
    with pytest.raises(Conflict) as twice:
        sign(world, tender_id, contract_id, supplier)
    assert twice.value.code == "signed-already"
    assert sign(world, tender_id, contract_id, buyer).in_force is True
    found = view(world, contract_id)
    assert found.line.stage is ContractStage.ACTIVE
    assert {(one.side, one.state, one.holds) for one in found.signatures} == {
        ("supplier", "verified", True),
        ("buyer", "verified", True),
    }


def test_a_signature_is_about_one_text_and_by_ones_own_passkey(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id = make(world, tender_id)
    stranger = Authenticator(world.stranger)
    digest = world.look(contract_queries.digest_to_sign, contract_id, actor=world.supplier)
    own = Authenticator(world.supplier)
    for credential in (own.sign(b"\0" * 32), stranger.sign(digest), {}, {"rawId": 7}):
        with pytest.raises(Invalid) as caught:
            world.do(
                signing.sign_contract,
                tender_id,
                contract_id,
                site=SITE,
                credential=credential,
                zone=ALMATY,
                actor=world.supplier,
            )
        assert caught.value.code == "not-signed"
    assert view(world, contract_id).signatures == ()
    with pytest.raises(NotFound):
        world.look(contract_queries.digest_to_sign, contract_id, actor=world.stranger)


def test_a_kept_signature_is_checked_again_from_what_was_kept(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, _supplier, _buyer = in_force(world, tender_id)

    def kept(work: Work) -> list[tuple[dict[str, Any], bytes]]:
        return [(one.proof, one.sha256) for one in contract_queries.signatures_of(work, contract_id)]

    for proof, digest in world.look(kept, actor=SYSTEM):
        assert proves(PasskeyProof(proof), digest)
        assert not proves(PasskeyProof(proof), bytes(32))
        assert not proves(PasskeyProof({**proof, "origin": "https://evil.example"}), digest)


def test_a_waiting_complaint_keeps_contracts_from_being_signed(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    new = NewComplaint(about="award", text="Unfair", remedy="End it", language="kk")
    world.do(complaints.make_complaint, tender_id, new_id(), new, actor=world.stranger)
    world.clock.now = world.until(tender_id, "standstill") + timedelta(hours=1)
    contract_id = make(world, tender_id)
    with pytest.raises(NotNow) as caught:
        sign(world, tender_id, contract_id, Authenticator(world.supplier))
    assert caught.value.code == "complaint-waits"
    assert view(world, contract_id).line.stage is ContractStage.MADE


def test_canteens_read_items_with_the_price_of_the_day(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *devices = in_force(world, tender_id)
    before = items(world)
    assert [(one.kind, one.age_group, one.price_minor) for one in before] == [
        ("meal", "6-10", PRICE_MINOR),
        ("meal", "11-14", PRICE_MINOR),
        ("meal", "15-18", PRICE_MINOR),
        ("buffet", None, TEA.ceiling_minor),
    ]
    assert items(world, date(2027, 1, 10)) == items(world, date(2027, 5, 26)) == []
    about: dict[str, Any] = {"kind": "price-index", "index_permille": 85, "source": "Inflation 2026, stat.gov.kz"}
    apply(world, tender_id, contract_id, devices, **about, from_on=date(2027, 4, 1))
    assert items(world, date(2027, 3, 31)) == before
    after = items(world, date(2027, 4, 1))
    assert [one.contract_item_id for one in after] == [one.contract_item_id for one in before]
    assert [one.price_minor for one in after] == [868_00, 868_00, 868_00, TEA.ceiling_minor]


def test_prices_rise_by_an_index_once_a_year_and_by_nothing_else(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *devices = in_force(world, tender_id)
    about: dict[str, Any] = {
        "kind": "price-index",
        "index_permille": 85,
        "source": "Inflation 2026",
        "from_on": date(2027, 4, 1),
    }
    for wrong, code in (
        ({"index_permille": 0}, "no-index"),
        ({"index_permille": 900}, "no-index"),
        ({"from_on": date(2027, 1, 11)}, "index-too-soon"),
        ({"source": " "}, "invalid"),
        ({"from_on": date(2028, 4, 1)}, "invalid"),
    ):
        with pytest.raises((NotNow, Invalid)) as caught:
            propose(world, tender_id, contract_id, **{**about, **wrong})
        assert caught.value.code == code
    assert view(world, contract_id).changes == ()
    apply(world, tender_id, contract_id, devices, **about)
    with pytest.raises(NotNow) as again:
        propose(world, tender_id, contract_id, **{**about, "from_on": date(2027, 5, 1)})
    assert again.value.code == "index-too-soon"


@pytest.mark.parametrize(
    ("earlier", "from_on", "refused"),
    [
        (date(2027, 9, 1), date(2028, 8, 31), True),  # 365 days on, in a leap year: the day before the anniversary
        (date(2027, 9, 1), date(2028, 9, 1), False),
        (date(2028, 9, 1), date(2029, 8, 31), True),
        (date(2028, 9, 1), date(2029, 9, 1), False),
        (date(2028, 2, 29), date(2029, 2, 27), True),
        (date(2028, 2, 29), date(2029, 2, 28), False),
        (date(2027, 9, 1), date(2027, 8, 1), True),  # before a rise that is agreed already
    ],
)
def test_a_year_between_two_rises_ends_on_its_anniversary(earlier: date, from_on: date, refused: bool) -> None:
    told = index_refused(85, from_on, [earlier], date(2027, 1, 11), 1)
    assert (told.code if told is not None else None) == ("index-too-soon" if refused else None)


def test_one_side_alone_changes_nothing(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, supplier, _buyer = in_force(world, tender_id)
    before = view(world, contract_id)
    change_id = propose(world, tender_id, contract_id, kind="details", text="A new account at the bank")
    assert sign_change(world, tender_id, contract_id, change_id, supplier) is False
    with pytest.raises(Conflict) as waits:
        propose(world, tender_id, contract_id, kind="details", text="Another")
    assert waits.value.code == "change-waits"
    world.do(changes.refuse_change, tender_id, contract_id, change_id, reason="We stay", actor=world.buyer)
    after = view(world, contract_id)
    assert (after.text, after.sha256, after.version) == (before.text, before.sha256, before.version)
    assert after.changes[0].refusal == "We stay"
    with pytest.raises(NotNow):
        sign_change(world, tender_id, contract_id, change_id, supplier)


def test_less_may_be_agreed_on_and_more_may_not(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *devices = in_force(world, tender_id)
    item = view(world, contract_id).text["items"][0]
    id, quantity = UUID(item["contract_item_id"]), item["quantity"]
    with pytest.raises(NotNow) as caught:
        propose(world, tender_id, contract_id, kind="quantity", quantities={id: quantity + 1})
    assert caught.value.code == "more-than-tendered"
    value_minor = view(world, contract_id).line.value_minor
    apply(world, tender_id, contract_id, devices, kind="quantity", quantities={id: quantity - 10})
    assert view(world, contract_id).line.value_minor == value_minor - 10 * PRICE_MINOR


def test_a_contract_is_extended_once(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *devices = in_force(world, tender_id)

    def extend(ends_on: date) -> UUID:
        about: dict[str, Any] = {"ends_on": ends_on, "reason": "The next financial year"}
        made: UUID = world.do(changes.extend_contract, tender_id, contract_id, new_id(), **about)
        return made

    with pytest.raises(NotNow) as too_long:
        extend(date(2028, 5, 26))
    assert too_long.value.code == "contract-too-long"
    change_id = extend(date(2028, 5, 25))
    assert view(world, contract_id).line.ends_on == date(2027, 5, 25)
    for device in devices:
        sign_change(world, tender_id, contract_id, change_id, device)
    assert view(world, contract_id).line.ends_on == date(2028, 5, 25)
    assert items(world, date(2028, 3, 1)) != []
    with pytest.raises(NotNow) as twice:
        extend(date(2028, 12, 25))
    assert twice.value.code == "extended-already"


def test_a_terminated_contract_promises_nothing_and_frees_its_people(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.EVALUATION)
    two_ranked(world, tender_id, staff=[cook()])
    sign_award(world, tender_id)
    world.clock.now = world.until(tender_id, "standstill") + timedelta(hours=1)
    contract_id, _supplier, _buyer = in_force(world, tender_id)
    with pytest.raises(Invalid) as caught:
        world.do(contracts.terminate_contract, tender_id, contract_id, fault="weather", reason="")
    assert sorted(caught.value.fields) == ["fault", "reason"]
    about: dict[str, Any] = {"fault": "supplier", "reason": "A third party cooked"}
    world.do(contracts.terminate_contract, tender_id, contract_id, **about)
    found = view(world, contract_id)
    assert (found.line.stage, found.fault) == (ContractStage.TERMINATED, "supplier")
    assert items(world) == []
    other = world.tender_in(TenderStage.EVALUATION)
    two_ranked(world, other, staff=[cook()])
    assert sign_award(world, other).passed_over == {lot_of(world, other): ()}

    def until(work: Work) -> list[date]:
        return list(work.session.scalars(select(ContractStaff.until_on)))

    assert [day <= date(2027, 1, 11) for day in world.look(until, actor=SYSTEM)] == [True]


def test_a_fulfilled_contract_is_one_whose_last_day_is_over(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.COMPLETE)
    contract_id = world.look(contract_queries.contracts_of_tender, tender_id, actor=PUBLIC)[0].id
    with pytest.raises(NotNow) as caught:
        world.do(contracts.complete_contract, tender_id, contract_id, zone=ALMATY)
    assert caught.value.code == "still-running"
    world.clock.now = world.clock.now.replace(year=2027, month=6)
    world.do(contracts.complete_contract, tender_id, contract_id, zone=ALMATY)
    assert view(world, contract_id).line.stage is ContractStage.COMPLETE


def test_a_tender_is_complete_once_every_lot_is_settled(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    with pytest.raises(NotNow) as caught:
        world.do(contracts.complete_tender, tender_id)
    assert caught.value.code == "lots-left"
    in_force(world, tender_id)
    world.do(contracts.complete_tender, tender_id)
    assert world.stage(tender_id) is TenderStage.COMPLETE


def test_a_lot_without_a_supplier_gets_a_direct_contract_of_two_months_at_most(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.EVALUATION)
    evaluate(world, tender_id, [])
    lot_id = lot_of(world, tender_id)
    world.do(awarding.declare_unsuccessful, tender_id, lot_id, "Nobody came")
    prices = direct_prices(world, tender_id)

    def make_direct(**about: Any) -> UUID:
        terms = direct_terms(world, prices=prices, **about)
        made: UUID = world.do(contracts.make_direct_contract, tender_id, lot_id, new_id(), terms)
        return made

    for wrong, code in (
        ({"ends_on": date(2027, 3, 11)}, "contract-too-long"),
        ({"reason": " "}, "invalid"),
    ):
        with pytest.raises((NotNow, Invalid)) as caught:
            make_direct(**wrong)
        assert caught.value.code == code
    contract_id = make_direct()
    for device in (Authenticator(world.supplier), Authenticator(world.buyer)):
        sign(world, tender_id, contract_id, device)
    assert view(world, contract_id).line.is_direct
    assert len(items(world)) == 3
    with pytest.raises(Conflict) as again:
        make_direct()
    assert again.value.code == "no-direct-contract"


def test_an_unsigned_contract_falls_with_its_award(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id = make(world, tender_id)
    about: dict[str, Any] = {"code": "refused-to-sign", "reason": "A letter", "zone": ALMATY}
    world.do(awarding.end_award, tender_id, lot_of(world, tender_id), **about)
    assert view(world, contract_id).line.stage is ContractStage.VOID
    with pytest.raises(NotNow):
        sign(world, tender_id, contract_id, Authenticator(world.supplier))


def test_the_public_sees_who_feeds_a_school_and_no_names(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.COMPLETE)
    (line,) = world.look(contract_queries.contracts, school_id=world.school_id, actor=PUBLIC).lines
    assert (line.supplier_id, line.buyer_id, line.tender_id) == (world.supplier_id, world.school_id, tender_id)
    found = world.look(contract_queries.contract, line.id, actor=PUBLIC)
    assert (found.side, found.deeds, {one.name for one in found.signatures}) == (None, frozenset(), {""})
    assert world.look(contract_queries.contracts_of_school, world.school_id, DAY, actor=PUBLIC) == [line]
