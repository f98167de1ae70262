"""Bids when a tender is amended around them: what must be confirmed, whose keys are gone, and which deadline counts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from schoolmeals.actors import SYSTEM
from schoolmeals.errors import Conflict, Invalid, NotNow, Refusal
from schoolmeals.procurement import arriving, profiles
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import bidding, closing, opening
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries.bids import OwnBid, own_bids
from schoolmeals.procurement.queries.openings import opening as opening_facts
from schoolmeals.procurement.rules.bids import Outcome, asked_by
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import new_member_key
from tests.factories.bids import KEYS, MadeBid, hand_in, keys_of, make_bid, submit, upload
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_amending import more_days, publish, written
from tests.procurement.test_bidding_opening import outcomes

HOW: Final[dict[str, Any]] = {"keys": KEYS, "clock": deed_clock}


@pytest.fixture
def tender_id(world: Procurement) -> UUID:
    return world.tender_in(TenderStage.BIDDING)


def mine(world: Procurement, tender_id: UUID) -> OwnBid:
    (found,) = world.look(own_bids, tender_id, world.supplier_id, keys=KEYS, actor=world.supplier)
    bid: OwnBid = found
    return bid


def confirm(world: Procurement, tender_id: UUID, bid: MadeBid, request_id: UUID | None = None) -> Any:
    about = (tender_id, world.supplier_id, bid.id)
    return world.do(bidding.confirm_bid, *about, request_id=request_id or uuid4(), actor=world.supplier, **HOW)


def replaced(world: Procurement, tender_id: UUID, old: MadeBid) -> MadeBid:
    new = make_bid(world, tender_id, replaces=old.sha256)
    world.do(bidding.replace_bid, tender_id, world.supplier_id, new.manifest, actor=world.supplier, **HOW)
    upload(world, tender_id, new)
    return new


def refused(kind: type[Refusal], code: str, *deed: Any, **how: Any) -> None:
    with pytest.raises(kind) as told:
        deed[0](*deed[1:], **how)
    assert told.value.code == code


def amend(world: Procurement, tender_id: UUID) -> None:
    written(world, tender_id)
    publish(world, tender_id)


def started(world: Procurement, tender_id: UUID) -> list[UUID]:
    """Go half an hour past the deadline that counts now, and begin."""
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=30, microseconds=1)
    world.do(closing.close_bidding, tender_id, actor=SYSTEM, **HOW)
    found: list[UUID] = world.do(opening.start_opening, tender_id, zone=ALMATY, actor=SYSTEM, **HOW)
    return found


def test_a_bid_that_nobody_confirms_is_listed_and_not_opened(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    assert not mine(world, tender_id).needs_confirmation
    amend(world, tender_id)
    assert mine(world, tender_id).needs_confirmation
    assert started(world, tender_id) == []
    assert outcomes(world, tender_id) == {bid.id: Outcome.UNCONFIRMED}
    assert list(world.look(opening_facts, tender_id, actor=SYSTEM).lines) == []


def test_a_confirmed_bid_stands_until_the_next_amendment(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    amend(world, tender_id)
    request_id = uuid4()
    receipt = confirm(world, tender_id, bid, request_id)
    assert confirm(world, tender_id, bid, request_id) == receipt, "the same request once more"
    assert (receipt.kind.value, receipt.digest) == ("confirmation", bid.sha256)
    assert not mine(world, tender_id).needs_confirmation
    more_days(world, tender_id, 3)
    publish(world, tender_id)
    assert mine(world, tender_id).needs_confirmation
    confirm(world, tender_id, bid)
    assert started(world, tender_id) == [bid.id]
    assert outcomes(world, tender_id) == {bid.id: Outcome.STANDS}


def test_replacing_confirms_and_the_old_bid_cannot_be_confirmed(world: Procurement, tender_id: UUID) -> None:
    old = hand_in(world, tender_id)
    amend(world, tender_id)
    new = replaced(world, tender_id, old)
    assert not mine(world, tender_id).needs_confirmation
    refused(Conflict, "not-the-last", confirm, world, tender_id, old)
    assert started(world, tender_id) == [new.id]
    assert outcomes(world, tender_id) == {old.id: Outcome.REPLACED, new.id: Outcome.STANDS}


def test_an_old_version_is_not_opened_in_place_of_a_replacement_without_files(
    world: Procurement, tender_id: UUID
) -> None:
    """The bid before the amendment was never confirmed: it does not come back because the new one is incomplete."""
    old = hand_in(world, tender_id)
    amend(world, tender_id)
    new = make_bid(world, tender_id, replaces=old.sha256)
    world.do(bidding.replace_bid, tender_id, world.supplier_id, new.manifest, actor=world.supplier, **HOW)
    assert started(world, tender_id) == []
    assert outcomes(world, tender_id) == {old.id: Outcome.REPLACED, new.id: Outcome.STANDS}


@pytest.fixture
def other_keys(world: Procurement, tender_id: UUID, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the notice name another key of a member. Amendments keep the commission, so that no page does it today."""

    def swap() -> None:
        keys = keys_of(world, tender_id)
        members = (replace(keys.members[0], recipient=new_member_key()[1]), *keys.members[1:])
        for place in (bidding, arriving):
            monkeypatch.setattr(
                place, "asked_by", lambda text: replace(asked_by(text), keys=replace(keys, members=members))
            )
        monkeypatch.setattr(arriving, "_asked", {})

    return swap


def test_changed_keys_want_a_new_sealing(world: Procurement, tender_id: UUID, other_keys: Callable[[], None]) -> None:
    bid = hand_in(world, tender_id)
    amend(world, tender_id)
    before = mine(world, tender_id)
    other_keys()
    refused(Conflict, "keys-changed", confirm, world, tender_id, bid)
    assert mine(world, tender_id) == before


def test_a_bid_for_other_keys_than_the_notice_is_not_taken(
    world: Procurement, tender_id: UUID, other_keys: Callable[[], None]
) -> None:
    """Sealed before and submitted after: members who have left could open it, and one who came could not."""
    sealed = make_bid(world, tender_id)
    other_keys()
    refused(Invalid, "bid-key-set-swapped", submit, world, tender_id, sealed)
    assert world.look(own_bids, tender_id, world.supplier_id, keys=KEYS, actor=world.supplier) == []


def test_the_amended_deadline_counts(world: Procurement, tender_id: UUID) -> None:
    first = world.until(tender_id, "bidding")
    more_days(world, tender_id, 7)
    publish(world, tender_id)
    last = world.until(tender_id, "bidding")
    assert last == first + timedelta(days=7)
    world.clock.now = first + timedelta(seconds=1)
    bid = make_bid(world, tender_id)
    receipt = submit(world, tender_id, bid)
    assert receipt.received_at > first
    world.clock.now = last + timedelta(minutes=29)
    upload(world, tender_id, bid)
    refused(NotNow, "tender-is-closed", submit, world, tender_id, make_bid(world, tender_id, bid_id=uuid4()))
    refused(NotNow, "tender-is-closed", confirm, world, tender_id, bid)
    assert submit(world, tender_id, bid) == receipt, "what was acknowledged stays so"
    assert started(world, tender_id) == [bid.id]


def test_withdrawing_needs_no_confirmation(world: Procurement, tender_id: UUID) -> None:
    bid = hand_in(world, tender_id)
    amend(world, tender_id)
    about = (tender_id, world.supplier_id, bid.id)
    world.do(bidding.withdraw_bid, *about, request_id=uuid4(), actor=world.supplier, **HOW)
    assert not mine(world, tender_id).needs_confirmation
    assert started(world, tender_id) == []
    assert outcomes(world, tender_id) == {bid.id: Outcome.WITHDRAWN}


def test_both_envelopes_have_to_come(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    """A price whose file never came leaves nothing to open, also in the first envelope."""
    twofold = Profile.from_json({**profiles.load("kz-catering-points").json, "envelopes": ["qualification", "price"]})
    monkeypatch.setattr(profiles, "load", lambda _code: twofold)
    tender_id = world.tender_in(TenderStage.BIDDING)
    refused(Invalid, "other-envelopes", submit, world, tender_id, make_bid(world, tender_id))
    bid = make_bid(world, tender_id, envelopes=("qualification", "price"))
    submit(world, tender_id, bid)
    assert {name: len(missing) for name, missing in mine(world, tender_id).missing.items()} == {
        "qualification": 1,
        "price": 1,
    }
    world.do(
        bidding.receive_part,
        *(tender_id, world.supplier_id, bid.id, "qualification", 0, bid.files["qualification"]),
        actor=world.supplier,
        **HOW,
    )
    assert {name: len(missing) for name, missing in mine(world, tender_id).missing.items()} == {
        "qualification": 0,
        "price": 1,
    }
    assert started(world, tender_id) == []
    assert outcomes(world, tender_id) == {bid.id: Outcome.STANDS}


def test_a_confirmed_bid_comes_back_where_its_replacement_has_no_files(world: Procurement, tender_id: UUID) -> None:
    """It was made before the amendment and confirmed after it: a replacement that is incomplete replaces nothing."""
    old = hand_in(world, tender_id)
    amend(world, tender_id)
    confirm(world, tender_id, old)
    new = make_bid(world, tender_id, replaces=old.sha256)
    world.do(bidding.replace_bid, tender_id, world.supplier_id, new.manifest, actor=world.supplier, **HOW)
    assert started(world, tender_id) == [old.id]
    assert outcomes(world, tender_id) == {old.id: Outcome.REPLACED, new.id: Outcome.STANDS}
