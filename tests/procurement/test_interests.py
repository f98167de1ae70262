"""Interests: nobody decides before they have declared of every bidder, and what registers know is found and asked."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from schoolmeals import identity
from schoolmeals.actors import SYSTEM, Role
from schoolmeals.database import Work, transaction
from schoolmeals.errors import NotNow, Refusal
from schoolmeals.procurement import suppliers
from schoolmeals.procurement import table as table_room
from schoolmeals.procurement.acting import seats_of
from schoolmeals.procurement.actions import admission, awarding, commission, scoring
from schoolmeals.procurement.actions import suppliers as supplier_deeds
from schoolmeals.procurement.models import PoolMember, Protocol, Supplier, TenderAct
from schoolmeals.procurement.queries import interests
from schoolmeals.procurement.queries.admission import admission_board
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.conflicts import HitKind
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.suppliers import PersonLine, SupplierDetails
from schoolmeals.procurement.views import declarations as declaration_views
from tests.factories.evaluation import JUDGED, Planted, Table, plant
from tests.factories.identity import RoleGrantFactory, signed_in
from tests.factories.procurement import ALMATY, Procurement

NONE: dict[str, Any] = {"has_interest": False, "nature": "none"}


@pytest.fixture
def table(world: Procurement) -> Table:
    return Table(world, world.tender_in(TenderStage.ADMISSION))


def acts(work: Work) -> int:
    return work.session.scalar(select(func.count()).select_from(TenderAct)) or 0


def refused(table: Table, deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    before = table.world.look(acts)
    with pytest.raises(Refusal) as caught:
        table.world.do(deed, table.tender_id, *args, **kwargs)
    assert table.world.look(acts) == before
    return caught.value


def declare(table: Table, place: int, bid: Planted) -> None:
    table.world.do(commission.declare_interest, table.tender_id, bid.tenderer_id, **NONE, actor=table.members[place])


def decide_first(table: Table) -> dict[str, Any]:
    return {"met": True, "zone": ALMATY, "actor": table.members[0]}


def test_a_vote_waits_until_its_member_has_declared_of_every_bidder(table: Table) -> None:
    one, other = plant(table.world, table.tender_id), plant(table.world, table.tender_id)
    deed = (table, admission.decide_requirement, one.id, "resources")
    refusal = refused(*deed, **decide_first(table))
    assert (type(refusal), refusal.code, refusal.params) == (NotNow, "declare-first", {"count": 2})
    declare(table, 0, one)
    # Having spoken of the bid that is decided on is not enough: the others are measured against it.
    assert refused(*deed, **decide_first(table)).params == {"count": 1}
    declare(table, 0, other)
    table.vote(one, "resources", by=1)


def test_a_score_waits_for_the_same(table: Table) -> None:
    one, other = plant(table.world, table.tender_id), plant(table.world, table.tender_id)
    for place in range(1, 5):
        for bid in (one, other):
            declare(table, place, bid)
    declare(table, 0, one)
    members = table.members
    for bid in (one, other):
        for code in ("no-tax-debt", "not-bad-faith", "not-in-liquidation"):
            for member in members[1:]:
                about = (table.tender_id, bid.id, code)
                table.world.do(admission.decide_requirement, *about, met=True, zone=ALMATY, actor=member)
    table.finish_admission()
    refusal = refused(table, scoring.give_score, one.id, JUDGED, 1500, actor=members[0])
    assert (refusal.code, refusal.params) == ("declare-first", {"count": 1})
    contest = {"reason_code": "not-genuine", "reason": "The stamp", "actor": members[0]}
    assert refused(table, scoring.contest_evidence, one.id, one.files[0]["sha256"], **contest).code == "declare-first"
    declare(table, 0, other)
    table.world.do(scoring.give_score, table.tender_id, one.id, JUDGED, 1500, actor=members[0])


def test_a_member_who_decides_undeclared_would_be_found(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    bid = plant(table.world, table.tender_id)
    monkeypatch.setattr(table_room, "undeclared", lambda *_about: [])
    table.vote(bid, "resources", by=1)
    assert table.cell(bid, "resources").decision.votes_for == 1


def test_an_alternate_who_is_called_declares_first_too(table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    table.declare(bid)
    first = table.seats[0]
    table.world.do(commission.recuse, table.tender_id, first.id, "ill", actor=table.world.holder(first))
    called = next(seat for seat in table.seats if seat.seated_at is not None)
    about = {"met": True, "zone": ALMATY, "actor": table.world.holder(called)}
    assert refused(table, admission.decide_requirement, bid.id, "resources", **about).code == "declare-first"


def test_the_list_is_closed_once_a_quorum_has_declared(app: Flask, table: Table) -> None:
    """Nobody has to vote on a bid that cannot be read; whoever lets that stand has declared all the same."""
    bid = plant(table.world, table.tender_id, unreadable="incomplete")
    about: dict[str, Any] = {"zone": ALMATY, "actor": table.world.secretary}
    for place in range(4):
        refusal = refused(table, admission.finish_admission, **about)
        said = (type(refusal), refusal.code, refusal.params)
        assert said == (NotNow, "declarations-missing", {"present": place, "needed": 4})
        secretary = table.world.secretary.id
        assert secretary is not None
        shown = signed_in(app, secretary).get(f"/commission/{table.tender_id}/admission").text
        assert f"Members who have declared of every bidder: {place}" in shown
        declare(table, place, bid)
    table.finish_admission()
    assert table.world.stage(table.tender_id) is TenderStage.EVALUATION


def called_late(world: Procurement) -> tuple[UUID, SeatFacts]:
    """A member leaves while the protocol waits to be signed, and an alternate is called."""
    tender_id = world.tender_in(TenderStage.AWARDING)
    leaving = world.seat(tender_id, "member")
    world.do(commission.recuse, tender_id, leaving.id, "ill", actor=world.holder(leaving))
    seats = world.look(seats_of, tender_id, actor=SYSTEM)
    return tender_id, next(seat for seat in seats if seat.seated_at is not None)


def sign_with(world: Procurement, tender_id: UUID, present: list[UUID]) -> Any:
    return world.do(awarding.sign_award, tender_id, present=present, zone=ALMATY, actor=world.chair(tender_id))


def quorum_with(world: Procurement, tender_id: UUID, seat: SeatFacts) -> list[UUID]:
    """The least that can sign: the called alternate among them."""
    chair = world.seat(tender_id, "chair").id
    others = [one for one in world.voters(tender_id) if one not in (chair, seat.id)]
    return [chair, *others[:2], seat.id]


def test_whoever_has_not_declared_is_not_present_at_the_signing(world: Procurement) -> None:
    tender_id, called = called_late(world)
    present = quorum_with(world, tender_id, called)
    with pytest.raises(NotNow) as caught:
        sign_with(world, tender_id, present)
    assert (caught.value.code, caught.value.params) == ("no-quorum", {"present": 3, "needed": 4})
    assert world.stage(tender_id) is TenderStage.AWARDING
    hand = world.look(tenderers_at, tender_id, actor=SYSTEM)
    for tenderer_id in hand:
        world.do(commission.declare_interest, tender_id, tenderer_id, **NONE, actor=world.holder(called))
    signed = sign_with(world, tender_id, present)
    minutes = world.look(minutes_of, signed.protocol_id, actor=SYSTEM)
    assert called.name in [one["name"] for one in minutes["content"]["present"]]


def tenderers_at(work: Work, tender_id: UUID) -> list[UUID]:
    return interests.tenderers_of(work, visible(work, tender_id))


def minutes_of(work: Work, protocol_id: UUID) -> dict[str, Any]:
    minutes: dict[str, Any] = json.loads(work.session.get_one(Protocol, protocol_id).text)
    return minutes


def test_a_presence_that_nobody_looks_at_would_be_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: everybody with a vote counts as present, declared or not."""
    tender_id, called = called_late(world)
    monkeypatch.setattr(awarding, "declared_seats", lambda _work, hand: voters(hand.seats))
    sign_with(world, tender_id, quorum_with(world, tender_id, called))
    assert world.stage(tender_id) is TenderStage.STANDSTILL


def test_the_chair_declares_before_signing(world: Procurement) -> None:
    """Where the chair leaves, the deputy chairs; where the called alternate comes to chair, they declare first."""
    tender_id, called = called_late(world)
    for seat_id in [one for one in world.voters(tender_id) if one != called.id]:
        world.do(commission.recuse, tender_id, seat_id, "ill", actor=world.city_admin)
    assert world.chair(tender_id).id in {called.person_id, *alternates(world, tender_id)}
    with pytest.raises(NotNow) as caught:
        sign_with(world, tender_id, world.voters(tender_id))
    assert caught.value.code == "declare-first"


def alternates(world: Procurement, tender_id: UUID) -> set[UUID]:
    return {seat.person_id for seat in world.look(seats_of, tender_id, actor=SYSTEM) if seat.part == "alternate"}


def test_pages_lead_an_alternate_who_is_called_late_to_the_declarations(app: Flask, world: Procurement) -> None:
    tender_id, called = called_late(world)
    role = Role.COMMISSION_MEMBER
    RoleGrantFactory.create(person_id=called.person_id, role=role, organisation_id=world.city_id)
    client = signed_in(app, called.person_id)
    shown = client.get(f"/commission/{tender_id}/award").text
    assert f'href="/commission/{tender_id}/declarations"' in shown
    page = client.get(f"/commission/{tender_id}/declarations").text
    assert page.count('name="tenderer_id"') == 2


def test_pages_say_who_has_not_declared(app: Flask, table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    declare(table, 0, bid)
    for seat in table.seats[:2]:
        role = Role.COMMISSION_MEMBER.value
        RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=table.world.city_id)
    at = f"/commission/{table.tender_id}"
    done, undone = (signed_in(app, seat.person_id) for seat in table.seats[:2])
    shown = undone.get(f"{at}/admission").text
    assert shown.count("0 of 1 bidders") == 4
    assert shown.count("Has declared") == 1
    assert "you cannot decide on a bid before you have" in shown
    assert "you cannot decide on a bid before you have" not in done.get(f"{at}/admission").text
    table.world.act(table.tender_id, ActKind.ADMITTED, {"lots": {str(bid.lot_id): {"admitted": [], "rejected": []}}})
    assert undone.get(f"{at}/scores").text.count("0 of 1 bidders") == 4


# What the registers know of both sides, from the rows where it is kept to the member's page.

MEMBER: dict[HitKind, dict[str, Any]] = {
    HitKind.ADDRESS: {"address": "г. Астана, ул. Абая 12, кв. 5"},
    HitKind.PHONE: {"phone": "8 (701) 555-12-34"},
    HitKind.NAME: {"surname": "Ахметова", "patronymic": "Серікқызы"},
    HitKind.EMPLOYER: {"employer_identifier": "THE BIDDER"},
    HitKind.FOUNDER: {"founder_of": ["111140009999"]},
}
BIDDER: dict[HitKind, dict[str, Any]] = {
    HitKind.ADDRESS: {"addresses": ["Астана қ., Абая, 12-5"]},
    HitKind.PHONE: {"phones": ["+7 701 555 12 34"]},
    HitKind.NAME: {"people": [{"surname": "Ахметов", "patronymic": "Серикович", "address": "", "phone": ""}]},
    HitKind.EMPLOYER: {},
    HitKind.FOUNDER: {"founders": ["111140009999"]},
}


def tie(world: Procurement, pool_member_id: UUID | None, tenderer_id: UUID, kind: HitKind) -> None:
    """Let the rows of a member and of a bidder have one thing in common."""

    def write(work: Work) -> None:
        bidder = identity.organisation(work, tenderer_id).identifier or str(tenderer_id)
        member = work.session.get_one(PoolMember, pool_member_id)
        for name, value in MEMBER[kind].items():
            setattr(member, name, bidder if value == "THE BIDDER" else value)
        said = {"addresses": [], "phones": [], "people": [], "founders": [], **BIDDER[kind]}
        about: dict[str, Any] = {"email": "", "person_keys": [], "registered_by": None}
        times = {"registered_at": work.now, "changed_at": work.now}
        work.session.merge(Supplier(organisation_id=tenderer_id, **said, **about, **times))

    world.do(write, actor=SYSTEM)


@pytest.mark.parametrize("kind", list(HitKind))
def test_each_kind_of_match_is_found_and_keeps_the_member_from_the_table(
    app: Flask, table: Table, kind: HitKind
) -> None:
    bid = plant(table.world, table.tender_id)
    seat = table.seats[0]
    member = table.world.holder(seat)
    (clean,) = table.world.look(interests.to_declare, table.tender_id, actor=member)
    assert clean.hits == []
    tie(table.world, seat.pool_member_id, bid.tenderer_id, kind)
    (found,) = table.world.look(interests.to_declare, table.tender_id, actor=member)
    assert [hit.kind for hit in found.hits] == [kind]
    assert declaration_views.HIT_NAMES[kind]
    states = table.world.look(interests.declaration_states, table.tender_id, actor=table.world.auditor)
    assert [one.open_hits for one in states] == [1, 0, 0, 0, 0]
    refusal = refused(table, admission.decide_requirement, bid.id, "resources", **decide_first(table))
    assert refusal.code == "declare-first"
    role = Role.COMMISSION_MEMBER.value
    RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=table.world.city_id)
    shown = signed_in(app, seat.person_id).get(f"/commission/{table.tender_id}/declarations").text
    assert "The registers show something in common" in shown
    board = signed_in(app, seat.person_id).get(f"/commission/{table.tender_id}/admission").text
    assert "Matches in the registers without an answer: 1" in board


CHANGED: dict[HitKind, dict[str, Any]] = {
    HitKind.ADDRESS: {"addresses": ("Астана қ., Абая, 12-5",)},
    HitKind.PHONE: {"phones": ("+7 701 555 12 34",)},
    HitKind.NAME: {"people": (PersonLine(part="head", surname="Ахметов", given_name="Ерлан", patronymic="Серикович"),)},
    HitKind.FOUNDER: {"founders": ("111140009999",)},
}
ELSEWHERE = SupplierDetails(
    addresses=("Алматы, Төле би 1",),
    phones=("+7 777 000 00 01",),
    people=(PersonLine(part="head", surname="Оспанова", given_name="Гүлнар", patronymic="Болатқызы"),),
    founders=(),
    head_keys=("a" * 64,),
)


def describe(table: Table, bid: Planted, details: SupplierDetails, *, days: int = 0) -> None:
    """Let the bidder describe itself, ``days`` after now; before it, where negative."""
    at = table.world.clock() + timedelta(days=days)
    with transaction(bid.supplier, at) as work:
        supplier_deeds.change_supplier(work, bid.tenderer_id, details)


def hits_now(table: Table) -> list[HitKind]:
    (found,) = table.world.look(interests.to_declare, table.tender_id, actor=table.world.holder(table.seats[0]))
    return [hit.kind for hit in found.hits]


@pytest.mark.parametrize("kind", list(CHANGED))
def test_what_a_bidder_said_since_the_publication_is_compared_too(table: Table, kind: HitKind) -> None:
    bid = plant(table.world, table.tender_id)
    tie(table.world, table.seats[0].pool_member_id, bid.tenderer_id, kind)
    describe(table, bid, replace(ELSEWHERE, **CHANGED[kind]))
    describe(table, bid, ELSEWHERE)
    assert hits_now(table) == [kind]
    refusal = refused(table, admission.decide_requirement, bid.id, "resources", **decide_first(table))
    assert refusal.code == "declare-first"


def test_what_was_over_before_the_publication_is_not_compared(table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    tie(table.world, table.seats[0].pool_member_id, bid.tenderer_id, HitKind.PHONE)
    describe(table, bid, ELSEWHERE, days=-400)
    assert hits_now(table) == []


def test_a_look_at_today_alone_would_be_found(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what a bidder does not say any more is forgotten."""
    bid = plant(table.world, table.tender_id)
    tie(table.world, table.seats[0].pool_member_id, bid.tenderer_id, HitKind.PHONE)
    describe(table, bid, ELSEWHERE)
    assert hits_now(table) == [HitKind.PHONE]
    monkeypatch.setattr(suppliers, "_said_since", lambda *_about: [])
    assert hits_now(table) == []


def test_two_bidders_of_one_address_are_affiliated_though_one_has_moved(table: Table) -> None:
    one, other = (plant(table.world, table.tender_id) for _ in range(2))
    there = replace(ELSEWHERE, addresses=("Астана, Абай 12",), phones=("+7 701 000 00 01",))
    describe(table, one, there)
    describe(table, one, replace(there, addresses=("Астана, Абай 90",)))
    nobodys_kin = (PersonLine(part="head", surname="Ким", given_name="Олег", patronymic="Игоревич"),)
    describe(table, other, replace(there, phones=("+7 701 000 00 02",), people=nobodys_kin))

    board = table.world.look(admission_board, table.tender_id, ALMATY, actor=table.members[0])
    findings = [row.cell("not-affiliated").finding for row in board.rows]
    assert [finding.facts for finding in findings] == [{"kinds": ["address"]}, {"kinds": ["address"]}]
