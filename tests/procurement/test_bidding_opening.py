"""Opening with real keys: k members open what was sealed; what was crafted, swapped or lost is found and named."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select

from schoolmeals.actors import SYSTEM, Actor, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotAllowed, NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import awarding, bidding, closing, opening
from schoolmeals.procurement.freezing import frozen_list
from schoolmeals.procurement.models import CiphertextPart, OpenedBid
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.bids import Outcome
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import FaultCode, Manifest, OpenedShare, open_share
from tests.factories.bids import CONTENT, KEYS, MadeBid, hand_in, make_bid, submit, upload
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import ALMATY, Procurement, somebody

HOW: dict[str, Any] = {"keys": KEYS, "clock": deed_clock}


@pytest.fixture
def tender_id(world: Procurement) -> UUID:
    return world.tender_in(TenderStage.BIDDING)


def refused(deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        deed(*args, **kwargs)
    return caught.value


def start(world: Procurement, tender_id: UUID) -> list[UUID]:
    """Go half an hour past the deadline, and begin."""
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=30, microseconds=1)
    found: list[UUID] = world.do(opening.start_opening, tender_id, zone=ALMATY, actor=SYSTEM, **HOW)
    return found


def members(world: Procurement, tender_id: UUID) -> list[SeatFacts]:
    return voters(world.seats(tender_id))


def share(world: Procurement, bid: MadeBid, seat: SeatFacts) -> OpenedShare:
    """What the member's browser does."""
    return open_share(Manifest.from_bytes(bid.manifest), "qualification", str(seat.id), world.identities[seat.id])


def give(world: Procurement, tender_id: UUID, seat: SeatFacts, *shares: OpenedShare, **kwargs: Any) -> list[Any]:
    given = [one.to_bytes() for one in shares]
    found: list[Any] = world.do(opening.give_shares, tender_id, given, actor=world.holder(seat), **kwargs)
    return found


def rival() -> Actor:
    """Somebody who acts for another supplier."""
    return somebody(Role.SUPPLIER, OrganisationFactory.create(kind="supplier").id)


def put_off(world: Procurement, tender_id: UUID, *, ask_bidders: bool = False) -> list[UUID]:
    """Wait until the time for members to come is over, and put the opening off."""
    world.clock.now = world.until(tender_id, "opening") + timedelta(seconds=1)
    how = {"zone": ALMATY, "ask_bidders": ask_bidders, "actor": SYSTEM, **HOW}
    found: list[UUID] = world.do(opening.adjourn_opening, tender_id, **how)
    return found


def reveal(world: Procurement, tender_id: UUID, bid: MadeBid, **kwargs: Any) -> opening.Revealed:
    about = (tender_id, bid.id, "qualification")
    found: opening.Revealed = world.do(opening.reveal_bid, *about, actor=kwargs.pop("actor", SYSTEM), **kwargs, **HOW)
    return found


def opened(world: Procurement, bid: MadeBid) -> OpenedBid:
    row: OpenedBid = world.look(lambda work: work.session.get_one(OpenedBid, (bid.id, "qualification")))
    return row


def outcomes(world: Procurement, tender_id: UUID) -> dict[UUID, Outcome]:
    return {one.id: one.outcome for one in world.look(frozen_list, tender_id, actor=SYSTEM)}


def test_three_of_five_open_a_bid_and_two_do_not(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    assert start(world, tender_id) == [bid.id]
    seats = members(world, tender_id)
    for seat in seats[:2]:
        assert give(world, tender_id, seat, share(world, bid, seat)) == []
    assert refused(reveal, world, tender_id, bid).code == "too-few-shares"
    assert (
        refused(world.do, opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM).code == "bids-not-opened"
    )
    give(world, tender_id, seats[2], share(world, bid, seats[2]))
    revealed = reveal(world, tender_id, bid)
    assert (revealed.unreadable, revealed.faults) == (None, ())
    assert opened(world, bid).plaintext == CONTENT
    assert reveal(world, tender_id, bid) == revealed
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    assert world.stage(tender_id) is TenderStage.ADMISSION


def test_the_list_knows_what_became_of_each_bid(world: Procurement, tender_id: UUID) -> None:
    first = hand_in(world, tender_id)
    second = make_bid(world, tender_id, replaces=first.sha256)
    about = (tender_id, world.supplier_id)
    world.do(bidding.replace_bid, *about, second.manifest, actor=world.supplier, **HOW)
    upload(world, tender_id, second)
    assert start(world, tender_id) == [second.id]
    assert outcomes(world, tender_id) == {first.id: Outcome.REPLACED, second.id: Outcome.STANDS}


def test_a_replacement_without_its_files_replaces_nothing(world: Procurement, tender_id: UUID) -> None:
    first = hand_in(world, tender_id)
    second = make_bid(world, tender_id, replaces=first.sha256)
    world.do(bidding.replace_bid, tender_id, world.supplier_id, second.manifest, actor=world.supplier, **HOW)
    assert start(world, tender_id) == [first.id]
    assert opened(world, second).unreadable == "incomplete"


def test_a_lot_is_not_given_up_while_an_earlier_bid_is_open(world: Procurement, tender_id: UUID) -> None:
    """The replacement never came, and the bid before it is read: it can still win."""
    bid = hand_in(world, tender_id)
    second = make_bid(world, tender_id, replaces=bid.sha256)
    world.do(bidding.replace_bid, tender_id, world.supplier_id, second.manifest, actor=world.supplier, **HOW)
    start(world, tender_id)
    for seat in members(world, tender_id)[:3]:
        give(world, tender_id, seat, share(world, bid, seat))
    reveal(world, tender_id, bid)
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    about = (awarding.declare_unsuccessful, tender_id, bid.lot_id, "Nobody came")
    assert refused(world.do, *about).code == "bids-left"
    assert world.stage(tender_id) is TenderStage.ADMISSION


def test_withdrawn_and_unconfirmed_bids_are_not_opened(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    world.do(
        bidding.withdraw_bid, tender_id, world.supplier_id, bid.id, request_id=uuid4(), actor=world.supplier, **HOW
    )
    assert start(world, tender_id) == []
    assert outcomes(world, tender_id) == {bid.id: Outcome.WITHDRAWN}
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)


@pytest.mark.parametrize("begun", [False, True])
def test_bids_for_a_lot_that_was_cancelled_stay_sealed(world: Procurement, tender_id: UUID, begun: bool) -> None:
    """Another lot goes on; nobody's business is what a bid says that nobody decides on any more."""
    bid = hand_in(world, tender_id)
    if begun:
        assert start(world, tender_id) == [bid.id]
    world.act(tender_id, ActKind.LOT_CANCELLED, {"reason_code": "no-need", "reason": "Closed"}, lot_id=bid.lot_id)
    if not begun:
        assert start(world, tender_id) == []
    seats = members(world, tender_id)
    for seat in seats[:3]:
        assert isinstance(refused(give, world, tender_id, seat, share(world, bid, seat)), NotFound)
    assert isinstance(refused(reveal, world, tender_id, bid), NotFound)
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    assert world.look(lambda work: work.session.scalar(select(OpenedBid)), actor=SYSTEM) is None
    assert outcomes(world, tender_id) == {bid.id: Outcome.STANDS}


def test_closing_twice_is_closing_once(world: Procurement, tender_id: UUID) -> None:
    hand_in(world, tender_id)
    assert refused(world.do, closing.close_bidding, tender_id, actor=SYSTEM, **HOW).code == "tender-is-bidding"
    world.clock.now = world.until(tender_id, "bidding") + timedelta(microseconds=1)
    first = world.do(closing.close_bidding, tender_id, actor=SYSTEM, **HOW)
    assert world.do(closing.close_bidding, tender_id, actor=SYSTEM, **HOW) == first


def test_files_and_enquiries_hold_the_opening(world: Procurement, tender_id: UUID) -> None:
    enquiry = new_id(world.clock())
    world.act(tender_id, ActKind.ENQUIRY_ASKED, subject_id=enquiry)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=29)
    about = (world.do, opening.start_opening, tender_id)
    assert refused(*about, zone=ALMATY, actor=SYSTEM, **HOW).code == "files-may-follow"
    world.clock.move(timedelta(minutes=2))
    assert refused(*about, zone=ALMATY, actor=SYSTEM, **HOW).code == "enquiries-unanswered"
    world.act(tender_id, ActKind.ENQUIRY_ANSWERED, subject_id=enquiry)
    assert world.do(opening.start_opening, tender_id, zone=ALMATY, actor=SYSTEM, **HOW) == []


def test_a_crafted_share_is_named_and_set_aside(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    liar, *honest = members(world, tender_id)
    true = share(world, bid, liar)
    faults = give(world, tender_id, liar, replace(true, share=bytes(32) + true.share[-1:]))
    assert [(one.code, one.member_id) for one in faults] == [(FaultCode.SHARE_CHANGED, str(liar.id))]
    for seat in honest[:3]:
        give(world, tender_id, seat, share(world, bid, seat))
    revealed = reveal(world, tender_id, bid)
    assert (revealed.unreadable, [one.member_id for one in revealed.faults]) == (None, [str(liar.id)])
    assert opened(world, bid).plaintext == CONTENT


def test_nobody_gives_the_share_of_another(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    one, other, *_ = members(world, tender_id)
    assert refused(give, world, tender_id, one, share(world, bid, other)).code == "not-your-share"


def test_a_box_that_does_not_open_is_noted(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    seat = members(world, tender_id)[0]
    faults = give(world, tender_id, seat, unreadable=[(bid.id, "qualification")])
    assert [(one.code, one.member_id) for one in faults] == [(FaultCode.SHARE_UNREADABLE, str(seat.id))]
    assert give(world, tender_id, seat, share(world, bid, seat)) == []


def test_shares_that_were_crafted_by_the_bidder_make_the_bid_unreadable(world: Procurement, tender_id: UUID) -> None:
    """One of the bidder's commitments is to a share of no use: it is found by members who hold good ones."""
    bid = make_bid(world, tender_id)
    manifest = Manifest.from_bytes(bid.manifest)
    file = manifest.envelopes[0]
    last = replace(file.shares[-1], sha256="0" * 64)
    crafted = Manifest(manifest.bid, (replace(file, shares=(*file.shares[:-1], last)),)).to_bytes()
    bid = replace(bid, manifest=crafted)
    submit(world, tender_id, bid)
    upload(world, tender_id, bid)
    start(world, tender_id)
    for seat in members(world, tender_id)[:3]:
        give(world, tender_id, seat, share(world, bid, seat))
    revealed = reveal(world, tender_id, bid)
    assert revealed.unreadable == "shares-crafted"
    assert [one.member_id for one in revealed.faults] == [last.member_id]


def spoil(world: Procurement, tender_id: UUID) -> None:
    """Damage the stored file, as whoever has the database could."""

    def damage(work: Work) -> None:
        body = work.session.scalar(select(CiphertextPart.body))
        id = work.session.scalar(select(CiphertextPart.id))
        assert body is not None
        work.session.execute(delete(CiphertextPart).where(CiphertextPart.id == id))
        hurt = body[:100] + bytes([body[100] ^ 1]) + body[101:]
        work.session.add(CiphertextPart(tender_id=tender_id, id=id, at=work.now, body=hurt))

    world.do(damage)


def test_a_file_that_was_damaged_here_is_found_and_sent_again(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    assert refused(upload, world, tender_id, bid).code == "files-late"
    for seat in members(world, tender_id)[:3]:
        give(world, tender_id, seat, share(world, bid, seat))
    spoil(world, tender_id)
    assert refused(reveal, world, tender_id, bid).code == "sealed-file-damaged"
    upload(world, tender_id, bid)
    assert reveal(world, tender_id, bid).unreadable is None


def test_a_damaged_file_that_does_not_come_again_ends_as_unreadable(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    for seat in members(world, tender_id)[:3]:
        give(world, tender_id, seat, share(world, bid, seat))
    spoil(world, tender_id)
    put_off(world, tender_id)
    hurried = refused(reveal, world, tender_id, bid, actor=rival())
    assert (type(hurried), hurried.code) == (NotAllowed, "recovery-needed")
    revealed = reveal(world, tender_id, bid)
    assert (revealed.unreadable, revealed.faults[0].code) == ("ciphertext-swapped", FaultCode.CIPHERTEXT_SWAPPED)


def test_too_few_members_put_it_off_and_bidders_disclose(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    seat = members(world, tender_id)[0]
    give(world, tender_id, seat, share(world, bid, seat))
    disclosing = {"recovery": bid.recovery, "actor": world.supplier}
    assert refused(reveal, world, tender_id, bid, **disclosing).code == "not-asked"
    assert refused(put_off, world, tender_id, ask_bidders=True).code == "adjourn-first"
    assert put_off(world, tender_id) == [bid.id]
    assert put_off(world, tender_id, ask_bidders=True) == [bid.id]
    other = json.loads(bid.recovery)
    other["manifest_sha256"] = "0" * 64
    wrong = json.dumps(other, sort_keys=True, separators=(",", ":")).encode()
    assert refused(reveal, world, tender_id, bid, recovery=wrong, actor=world.supplier).code == "bid-manifest-changed"
    assert reveal(world, tender_id, bid, **disclosing).unreadable is None
    assert opened(world, bid).plaintext == CONTENT


def test_a_bidder_who_does_not_disclose_is_left_unread(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    for asks in (False, True):
        put_off(world, tender_id, ask_bidders=asks)
    world.clock.move(timedelta(hours=25))
    late = refused(reveal, world, tender_id, bid, recovery=bid.recovery, actor=world.supplier)
    assert late.code == "disclosed-late"
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    assert opened(world, bid).unreadable == "not-disclosed"


def test_nothing_is_put_off_while_enough_are_there(world: Procurement, tender_id: UUID) -> None:
    start(world, tender_id)
    assert refused(world.do, opening.adjourn_opening, tender_id, zone=ALMATY, actor=SYSTEM, **HOW).code == (
        "shares-suffice"
    )


@pytest.mark.parametrize("asks", [False, True])
def test_nobody_puts_it_off_while_members_may_still_come(world: Procurement, tender_id: UUID, asks: bool) -> None:
    """Else whoever sits at the table could ask bidders for their keys within a minute, and lose those who sleep."""
    hand_in(world, tender_id)
    start(world, tender_id)
    if asks:
        put_off(world, tender_id)
    until = world.until(tender_id, "opening")
    world.clock.now = until - timedelta(minutes=1)
    about = {"zone": ALMATY, "ask_bidders": asks, "actor": SYSTEM, **HOW}
    early = refused(world.do, opening.adjourn_opening, tender_id, **about)
    assert (early.code, early.params) == ("opening-runs", {"until": until})
    assert world.until(tender_id, "opening") == until
    world.clock.now = until + timedelta(microseconds=1)
    world.do(opening.adjourn_opening, tender_id, **about)


def test_what_can_be_read_is_not_given_up(world: Procurement, tender_id: UUID) -> None:
    """The bidder has not disclosed, but the members have come late: that is enough."""
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    for asks in (False, True):
        put_off(world, tender_id, ask_bidders=asks)
    world.clock.move(timedelta(hours=25))
    for seat in members(world, tender_id)[:3]:
        give(world, tender_id, seat, share(world, bid, seat))
    finish = (world.do, opening.finish_opening, tender_id)
    assert refused(*finish, clock=deed_clock, actor=SYSTEM).code == "bids-not-opened"
    assert reveal(world, tender_id, bid).unreadable is None
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)


def test_whoever_is_no_member_opens_nothing(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    for seat in members(world, tender_id)[:3]:
        give(world, tender_id, seat, share(world, bid, seat))
    for actor in (world.supplier, rival()):
        assert refused(reveal, world, tender_id, bid, actor=actor).code == "recovery-needed"
    assert reveal(world, tender_id, bid, actor=world.secretary).unreadable is None
