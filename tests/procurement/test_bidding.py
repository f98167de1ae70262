"""Bids before the opening: acknowledged once, never late, and not to be told from rows that are nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import bidding
from schoolmeals.procurement.models import CiphertextPart, SealedRow, TenderAct
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.bids import PART_BYTES, RowKind
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.bids import KEYS, MadeBid, like, make_bid, submit, upload
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import Procurement, somebody

HOW: dict[str, Any] = {"keys": KEYS, "clock": deed_clock}


@pytest.fixture
def tender_id(world: Procurement) -> UUID:
    return world.tender_in(TenderStage.BIDDING)


def refused(deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        deed(*args, **kwargs)
    return caught.value


def counts(world: Procurement) -> list[int]:
    def look(work: Work) -> list[int]:
        tables = (SealedRow, CiphertextPart, AuditEvent, TenderAct)
        return [work.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]

    found: list[int] = world.look(look)
    return found


def test_a_submitted_bid_is_one_row_and_a_signed_receipt(world: Procurement, tender_id: UUID) -> None:
    rows, parts, events, acts = counts(world)
    bid = make_bid(world, tender_id)
    receipt = submit(world, tender_id, bid)
    assert (receipt.kind, receipt.bid_id, receipt.digest) == (RowKind.BID, bid.id, bid.sha256)
    assert timedelta() <= receipt.received_at - world.clock() < timedelta(minutes=1)
    Ed25519PublicKey.from_public_bytes(KEYS.receipt_public).verify(receipt.signature, receipt.text)
    assert rfc8785.dumps({"x": bid.sha256})[5:-1] in receipt.text
    assert counts(world) == [rows + 1, parts, events + 1, acts]


def test_submitting_twice_is_submitting_once(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    first, before = submit(world, tender_id, bid), counts(world)
    assert submit(world, tender_id, bid) == first
    assert counts(world) == before


def test_the_receipt_can_be_had_again_after_the_deadline(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    first = submit(world, tender_id, bid)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=5)
    assert submit(world, tender_id, bid) == first


def test_other_content_under_the_same_id_contradicts(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    submit(world, tender_id, bid)
    before = counts(world)
    refusal = refused(submit, world, tender_id, make_bid(world, tender_id, bid_id=bid.id))
    assert (type(refusal), refusal.code) == (Conflict, "id-used")
    assert counts(world) == before


def test_late_is_late_by_a_microsecond_and_writes_nothing(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    until = world.until(tender_id, "bidding")
    before = counts(world)
    for late in (timedelta(microseconds=1), timedelta(days=2)):
        clock = {"keys": KEYS, "clock": lambda _work, _instant, at=until + late: at}
        about = (tender_id, bid.tenderer_id, bid.manifest)
        refusal = refused(world.do, bidding.submit_bid, *about, actor=world.supplier, **clock)
        assert (type(refusal), refusal.code) == (NotNow, "tender-is-closed")
    assert counts(world) == before
    on_time: dict[str, Any] = {"keys": KEYS, "clock": lambda _work, _instant: until}
    receipt = world.do(bidding.submit_bid, tender_id, bid.tenderer_id, bid.manifest, actor=world.supplier, **on_time)
    assert receipt.received_at == until


def test_one_bid_for_each_lot_until_it_is_replaced(world: Procurement, tender_id: UUID) -> None:
    first = make_bid(world, tender_id)
    submit(world, tender_id, first)
    assert refused(submit, world, tender_id, make_bid(world, tender_id)).code == "bid-there"
    strange = make_bid(world, tender_id, replaces="0" * 64)
    about = (bidding.replace_bid, tender_id, world.supplier_id)
    assert refused(world.do, *about, strange.manifest, actor=world.supplier, **HOW).code == "not-the-last"
    second = make_bid(world, tender_id, replaces=first.sha256)
    receipt = world.do(*about, second.manifest, actor=world.supplier, **HOW)
    assert receipt.bid_id == second.id
    again = make_bid(world, tender_id, replaces=first.sha256)
    assert refused(world.do, *about, again.manifest, actor=world.supplier, **HOW).code == "not-the-last"


def test_what_is_withdrawn_can_be_submitted_anew(world: Procurement, tender_id: UUID) -> None:
    first = make_bid(world, tender_id)
    submit(world, tender_id, first)
    about = (bidding.withdraw_bid, tender_id, world.supplier_id, first.id)
    request_id = new_id(world.clock())
    receipt = world.do(*about, request_id=request_id, actor=world.supplier, **HOW)
    assert receipt.kind is RowKind.WITHDRAWAL
    assert world.do(*about, request_id=request_id, actor=world.supplier, **HOW) == receipt
    other = refused(world.do, *about, request_id=new_id(world.clock()), actor=world.supplier, **HOW)
    assert other.code == "not-the-last"
    assert submit(world, tender_id, make_bid(world, tender_id)).kind is RowKind.BID


def test_a_bid_is_of_its_bidder(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    other_id = OrganisationFactory.create(kind="supplier").id
    other = somebody(Role.SUPPLIER, other_id)
    before = counts(world)
    assert isinstance(refused(submit, world, tender_id, bid, actor=other), NotFound)
    stolen = replace(bid, tenderer_id=other_id)
    refusal = refused(submit, world, tender_id, stolen, actor=other)
    assert (type(refusal), refusal.code) == (Invalid, "another-bidder")
    assert counts(world) == before
    submit(world, tender_id, bid)
    about = (bidding.withdraw_bid, tender_id, other_id, bid.id)
    assert isinstance(refused(world.do, *about, request_id=uuid4(), actor=other, **HOW), NotFound)


def test_confirming_an_amended_tender(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    submit(world, tender_id, bid)
    about = (bidding.confirm_bid, tender_id, world.supplier_id, bid.id)
    receipt = world.do(*about, request_id=new_id(world.clock()), actor=world.supplier, **HOW)
    assert (receipt.kind, receipt.digest) == (RowKind.CONFIRMATION, bid.sha256)


def part(world: Procurement, tender_id: UUID, bid: MadeBid, number: int, content: bytes) -> bidding.Progress:
    about = (tender_id, bid.tenderer_id, bid.id, "qualification", number, content)
    found: bidding.Progress = world.do(bidding.receive_part, *about, actor=world.supplier, **HOW)
    return found


def test_files_follow_piece_by_piece_in_any_order(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id, content={"note": "x" * 200_000})
    file = bid.files["qualification"]
    assert len(file) == 2 * PART_BYTES
    submit(world, tender_id, bid)
    assert part(world, tender_id, bid, 1, file[PART_BYTES:]).missing == (0,)
    assert part(world, tender_id, bid, 1, file[PART_BYTES:]).missing == (0,)
    assert part(world, tender_id, bid, 0, file[:PART_BYTES]).is_complete
    for number, content in ((0, b"x"), (2, file[:PART_BYTES]), (0, b""), (1, file)):
        assert refused(part, world, tender_id, bid, number, content).code == "not-a-part"


def test_other_files_than_the_manifest_names_are_not_kept(world: Procurement, tender_id: UUID) -> None:
    bid, other = make_bid(world, tender_id), make_bid(world, tender_id)
    submit(world, tender_id, bid)
    progress = part(world, tender_id, bid, 0, other.files["qualification"])
    assert (progress.missing, progress.fault) == ((0,), "ciphertext-swapped")
    assert part(world, tender_id, bid, 0, bid.files["qualification"]).is_complete


def test_files_may_come_half_an_hour_late_and_no_later(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    submit(world, tender_id, bid)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=31)
    assert refused(upload, world, tender_id, bid).code == "files-late"
    world.clock.move(-timedelta(minutes=2))
    upload(world, tender_id, bid)


def test_rows_tell_nothing(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    submit(world, tender_id, bid)
    upload(world, tender_id, bid)
    world.do(bidding.write_cover, tender_id, rows=3, parts=2, actor=SYSTEM, **HOW)

    def look(work: Work) -> tuple[set[Any], set[Any], set[Any]]:
        rows = work.session.execute(select(SealedRow.at, func.length(SealedRow.body)))
        parts = work.session.execute(select(CiphertextPart.at, func.length(CiphertextPart.body)))
        found = select(AuditEvent.at, AuditEvent.actor_kind, AuditEvent.actor_id, func.length(AuditEvent.payload))
        events = work.session.execute(found.where(AuditEvent.action == "procurement.sealed_row"))
        return set(rows), set(parts), set(events)

    rows, parts, events = world.look(look)
    assert [len(one) for one in (rows, parts, events)] == [1, 1, 1]
    assert {at.minute for at, _ in rows} == {0}


def test_suppliers_do_not_disturb_each_other(world: Procurement, tender_id: UUID) -> None:
    """A second bid of another supplier does not see, or disturb, the first."""
    other_id = OrganisationFactory.create(kind="supplier").id
    bid = make_bid(world, tender_id)
    submit(world, tender_id, bid)
    submit(world, tender_id, like(bid, other_id), actor=somebody(Role.SUPPLIER, other_id))
    assert counts(world)[0] == 2


def test_a_suspended_tender_takes_no_bids(world: Procurement, tender_id: UUID) -> None:
    bid = make_bid(world, tender_id)
    world.act(tender_id, ActKind.SUSPENDED, {"cause": "court", "cause_id": "court-1"})
    assert refused(submit, world, tender_id, bid).code == "tender-is-suspended"
