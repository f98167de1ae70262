"""The second envelopes: prices are opened like bids were, put off by rule, disclosed by bidders at last; and what
becomes of the share of a member who has left.
"""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotNow, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import jobs, profiles
from schoolmeals.procurement.acting import acts_of, deed_clock
from schoolmeals.procurement.actions import commission, evaluation, low_prices, opening, publishing
from schoolmeals.procurement.models import OpenedBid, Protocol
from schoolmeals.procurement.profiles import Length, Profile
from schoolmeals.procurement.queries import members as member_queries
from schoolmeals.procurement.queries import openings as opening_queries
from schoolmeals.procurement.rules import opening as opening_rules
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import Term
from schoolmeals.procurement.sealing import Manifest, open_share
from schoolmeals.verdicts import Refused
from tests.factories.bids import KEYS, MadeBid, hand_in
from tests.factories.evaluation import goods_table
from tests.factories.identity import RoleGrantFactory, signed_in
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_bidding_opening import start
from tests.procurement.test_opening_views import public

HOW: dict[str, Any] = {"keys": KEYS, "clock": deed_clock}
BOTH = ("qualification", "price")


@pytest.fixture
def bid(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> MadeBid:
    """A bid in two envelopes, at the opening."""
    procedure = profiles.load("kz-catering-points")
    twofold = Profile.from_json({**procedure.json, "envelopes": list(BOTH)})
    monkeypatch.setattr(profiles, "load", lambda _code: twofold)
    tender_id = world.tender_in(TenderStage.BIDDING)
    made = hand_in(world, tender_id, envelopes=BOTH)
    start(world, tender_id)
    return made


def tender_of(bid: MadeBid) -> UUID:
    return UUID(Manifest.from_bytes(bid.manifest).bid.tender_id)


def give(world: Procurement, bid: MadeBid, seat: SeatFacts, envelope: str) -> None:
    share = open_share(Manifest.from_bytes(bid.manifest), envelope, str(seat.id), world.identities[seat.id])
    world.do(opening.give_shares, tender_of(bid), [share.to_bytes()], actor=world.holder(seat))


def sitting(world: Procurement, bid: MadeBid) -> list[SeatFacts]:
    return voters(world.seats(tender_of(bid)))


def admitted(world: Procurement, bid: MadeBid) -> UUID:
    """The bid is open but for its price, and admitted."""
    tender_id = tender_of(bid)
    for seat in sitting(world, bid)[:3]:
        give(world, bid, seat, "qualification")
    world.do(opening.reveal_bid, tender_id, bid.id, "qualification", actor=SYSTEM, **HOW)
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    world.clock.move(timedelta(minutes=1))
    term = Term(world.clock(), world.clock() + timedelta(days=1), Length(1, "working-days"))
    lots = {str(bid.lot_id): {"admitted": [str(bid.id)], "rejected": []}}
    world.act(tender_id, ActKind.ADMITTED, {"lots": lots, "terms": {"prices": term.as_json()}})
    assert world.stage(tender_id) is TenderStage.EVALUATION
    return tender_id


def put_off(world: Procurement, tender_id: UUID, name: str = "prices", **how: Any) -> list[UUID]:
    """Wait until the time for members to come is over, and put the opening off."""
    world.clock.now = world.until(tender_id, name) + timedelta(seconds=1)
    found: list[UUID] = world.do(opening.adjourn_opening, tender_id, **{"zone": ALMATY, "actor": SYSTEM, **HOW, **how})
    return found


def refused(world: Procurement, deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        world.do(deed, *args, **kwargs)
    return caught.value


def reveal(world: Procurement, bid: MadeBid, **about: Any) -> opening.Revealed:
    how = {"actor": SYSTEM, **HOW, **about}
    found: opening.Revealed = world.do(opening.reveal_bid, tender_of(bid), bid.id, "price", **how)
    return found


def kinds(world: Procurement, tender_id: UUID) -> list[ActKind]:
    return [act.kind for act in world.look(acts_of, tender_id, actor=SYSTEM)]


def protocols(world: Procurement, tender_id: UUID) -> list[dict[str, Any]]:
    def look(work: Work) -> list[dict[str, Any]]:
        found = select(Protocol.text).where(Protocol.tender_id == tender_id).order_by(Protocol.at, Protocol.id)
        return [json.loads(text) for text in work.session.scalars(found)]

    found: list[dict[str, Any]] = world.look(look, actor=SYSTEM)
    return found


def test_admission_begins_the_term_in_which_prices_are_opened(world: Procurement) -> None:
    table = goods_table(world)
    table.finish_admission()
    assert world.until(table.tender_id, "prices") > world.clock()


def test_the_last_price_brings_a_protocol_of_its_own(world: Procurement, bid: MadeBid) -> None:
    tender_id = admitted(world, bid)
    for seat in sitting(world, bid)[2:]:
        give(world, bid, seat, "price")
    assert reveal(world, bid).unreadable is None
    assert kinds(world, tender_id)[-1] is ActKind.PRICES_OPENED
    first, second = protocols(world, tender_id)
    assert [[one["envelope"] for one in made["content"]["bids"][0]["envelopes"]] for made in (first, second)] == [
        ["qualification"],
        ["price", "qualification"],
    ]
    reveal(world, bid)
    assert kinds(world, tender_id).count(ActKind.PRICES_OPENED) == 1
    over = refused(world, opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    assert (type(over), over.code) == (NotNow, "prices-open")


def test_prices_are_put_off_by_rule_and_disclosed_at_last(world: Procurement, bid: MadeBid) -> None:
    tender_id = admitted(world, bid)
    give(world, bid, sitting(world, bid)[0], "price")
    about = (world, opening.adjourn_opening, tender_id)
    how: dict[str, Any] = {"zone": ALMATY, "actor": world.secretary, **HOW}
    assert refused(*about, ask_bidders=True, **how).code == "adjourn-first"
    disclosing: dict[str, Any] = {"recovery": bid.recovery, "actor": world.supplier}
    with pytest.raises(NotNow) as caught:
        reveal(world, bid, **disclosing)
    assert caught.value.code == "not-asked"
    assert put_off(world, tender_id, actor=world.secretary) == [bid.id]
    put_off(world, tender_id, ask_bidders=True, actor=world.secretary)
    assert reveal(world, bid, **disclosing).unreadable is None
    assert kinds(world, tender_id)[-1] is ActKind.PRICES_OPENED


def test_the_worker_puts_prices_off_and_then_asks_the_bidders(world: Procurement, bid: MadeBid) -> None:
    tender_id = admitted(world, bid)
    jobs.put_off_due()
    for asked in ([False], [False, True], [False, True]):
        world.clock.now = world.until(tender_id, "prices") + timedelta(seconds=1)
        jobs.put_off_due()
        acts = world.look(acts_of, tender_id, actor=SYSTEM)
        told = [one.payload["asks_bidders"] for one in acts if one.kind is ActKind.OPENING_ADJOURNED]
        assert told == asked


def test_what_was_put_off_at_the_first_opening_does_not_count_at_the_second(world: Procurement, bid: MadeBid) -> None:
    how: dict[str, Any] = {"zone": ALMATY, "actor": SYSTEM, **HOW}
    put_off(world, tender_of(bid), "opening")
    tender_id = admitted(world, bid)
    assert refused(world, opening.adjourn_opening, tender_id, ask_bidders=True, **how).code == "adjourn-first"
    found = world.look(opening_queries.opening, tender_id, actor=SYSTEM)
    assert (found.put_off, found.reveal) == (0, None)


def test_a_price_that_nobody_discloses_is_unreadable_and_the_evaluation_can_end(
    world: Procurement, bid: MadeBid
) -> None:
    tender_id = admitted(world, bid)
    finish: dict[str, Any] = {"clock": deed_clock, "actor": world.secretary}
    assert refused(world, opening.finish_opening, tender_id, **finish).code == "bids-not-opened"
    for asks in (False, True):
        put_off(world, tender_id, ask_bidders=asks)
    sealed = refused(world, evaluation.finish_evaluation, tender_id, zone=ALMATY, actor=world.secretary)
    assert (type(sealed), sealed.code, sealed.params) == (NotNow, "prices-sealed", {"count": 1})
    asked = refused(world, low_prices.ask_low_price, tender_id, bid.id, zone=ALMATY, actor=world.secretary)
    assert (asked.code, asked.params) == ("prices-sealed", {"count": 1})
    world.clock.now = world.until(tender_id, "prices-reveal") + timedelta(seconds=1)
    world.do(opening.finish_opening, tender_id, **finish)
    row: OpenedBid = world.look(lambda work: work.session.get_one(OpenedBid, (bid.id, "price")), actor=SYSTEM)
    assert row.unreadable == "not-disclosed"
    assert kinds(world, tender_id)[-1] is ActKind.PRICES_OPENED
    with pytest.raises(Refusal) as caught:
        world.do(evaluation.finish_evaluation, tender_id, zone=ALMATY, actor=world.secretary)
    assert caught.value.code != "prices-sealed"


# The share of somebody who has left.


def leave(world: Procurement, bid: MadeBid, seat: SeatFacts) -> None:
    said: dict[str, Any] = {"has_interest": True, "nature": "relative"}
    world.do(commission.declare_interest, tender_of(bid), world.supplier_id, **said, actor=world.holder(seat))


def test_whoever_left_gives_no_share_while_the_others_can_open(world: Procurement, bid: MadeBid) -> None:
    one, other, *_ = sitting(world, bid)
    leave(world, bid, one)
    leave(world, bid, other)
    with pytest.raises(NotNow) as caught:
        give(world, bid, one, "qualification")
    assert caught.value.code == "share-not-needed"
    assert not world.look(member_queries.may_open_now, tender_of(bid), actor=world.holder(one))


def test_where_too_few_keys_stay_those_who_left_hand_in_their_shares_and_decide_nothing(
    app: Flask, world: Procurement, bid: MadeBid
) -> None:
    tender_id, seats = tender_of(bid), sitting(world, bid)
    for seat in seats[:3]:
        leave(world, bid, seat)
    called = [seat for seat in sitting(world, bid) if seat.seated_at is not None]
    assert len(called) == 3, "the commission is whole again, and none of those who came has a share"
    for seat in called:
        assert not world.look(member_queries.may_open_now, tender_id, actor=world.holder(seat))
    for seat in seats[3:]:
        give(world, bid, seat, "qualification")
    shown = public(app).get(f"/tenders/{tender_id}/opening").text
    assert "Bids are sealed to 5 keys" in shown
    assert "those who have left are asked for their shares" in shown
    for seat in (seats[0], called[0]):
        role = Role.COMMISSION_MEMBER.value
        RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=world.city_id)
    page = f"/commission/{tender_id}/opening"
    asked = signed_in(app, seats[0].person_id).get(page).text
    assert "your shares are asked for" in asked
    assert "1 share waits for your key" in asked
    assert "You were called later" in signed_in(app, called[0].person_id).get(page).text
    give(world, bid, seats[0], "qualification")
    how: dict[str, Any] = {"actor": SYSTEM, **HOW}
    assert world.do(opening.reveal_bid, tender_id, bid.id, "qualification", **how).unreadable is None
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    (made,) = protocols(world, tender_id)
    left = [one for one in made["content"]["members"] if one["left"]]
    assert [(one["seat_id"], one["shares_good"]) for one in left] == [(str(seats[0].id), 1)]
    sha256 = next(act for act in world.look(acts_of, tender_id, actor=SYSTEM) if act.kind is ActKind.OPENED)
    read = public(app).get(f"/protocols/{sha256.payload['protocol_sha256']}").text
    assert "has left the commission" in read


def test_an_opening_that_refuses_those_who_left_would_be_stuck(
    world: Procurement, bid: MadeBid, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = sitting(world, bid)
    for seat in seats[:3]:
        leave(world, bid, seat)
    for seat in seats[3:]:
        give(world, bid, seat, "qualification")
    never = opening_rules.may_help([], None, profiles.load("kz-catering-points"))
    assert never is None, "with nobody left any share helps"
    monkeypatch.setattr(opening, "may_help", lambda *_about: Refused("share-not-needed", ""))
    with pytest.raises(NotNow):
        give(world, bid, seats[0], "qualification")
    with pytest.raises(NotNow) as caught:
        world.do(opening.reveal_bid, tender_of(bid), bid.id, "qualification", actor=SYSTEM, **HOW)
    assert caught.value.code == "too-few-shares"


def test_whoever_left_before_publication_holds_no_share_and_who_was_called_then_does(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.APPROVED)
    seat = world.seat(tender_id, "member")
    world.do(commission.recuse, tender_id, seat.id, "ill", actor=world.holder(seat))
    called = next(one for one in world.seats(tender_id) if one.seated_at is not None)
    world.clock.move(timedelta(minutes=1))
    world.do(publishing.publish_tender, tender_id, act_id=new_id(world.clock()), zone=ALMATY)
    holds = {
        one.id: world.look(member_queries.seat_view, tender_id, actor=world.holder(one)).holds_key
        for one in (seat, called)
    }
    assert holds == {seat.id: False, called.id: True}
