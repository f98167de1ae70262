"""Who sees what of bids, and when: one's own always, anybody's only once they are opened."""

from datetime import timedelta
from typing import Any

import pytest

from schoolmeals.actors import PUBLIC, SYSTEM, Role
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import opening
from schoolmeals.procurement.queries import bids as queries
from schoolmeals.procurement.rules.quorum import voters
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import open_share
from tests.factories.bids import CONTENT, KEYS, hand_in, make_bid, submit, upload
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import ALMATY, Procurement, somebody

HOW: dict[str, Any] = {"keys": KEYS, "clock": deed_clock}


def test_a_supplier_sees_the_own_bid_and_nobody_elses(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = make_bid(world, tender_id)
    receipt = submit(world, tender_id, bid)
    about = (queries.own_bids, tender_id, world.supplier_id)
    (own,) = world.look(*about, keys=KEYS, actor=world.supplier)
    assert (own.bid_id, own.receipts, own.missing) == (bid.id, (receipt,), {"qualification": [0]})
    upload(world, tender_id, bid)
    (own,) = world.look(*about, keys=KEYS, actor=world.supplier)
    assert (own.missing, own.needs_confirmation) == ({"qualification": []}, False)
    other_id = OrganisationFactory.create(kind="supplier").id
    other = somebody(Role.SUPPLIER, other_id)
    assert world.look(queries.own_bids, tender_id, other_id, keys=KEYS, actor=other) == []
    for actor in (other, world.officer, world.auditor, world.city_admin, PUBLIC, SYSTEM):
        with pytest.raises(NotFound):
            world.look(*about, keys=KEYS, actor=actor)


def test_nobody_sees_a_bid_before_the_opening_is_finished(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = hand_in(world, tender_id)
    everybody = {**world.actors(tender_id), "supplier": world.supplier}
    for actor in everybody.values():
        assert world.look(queries.opened_bids, tender_id, actor=actor) == []
        assert world.look(queries.opening_board, tender_id, actor=actor) == []
        with pytest.raises(NotFound):
            world.look(queries.manifests_to_open, tender_id, actor=actor)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=31)
    world.do(opening.start_opening, tender_id, zone=ALMATY, actor=SYSTEM, **HOW)
    for seat in voters(world.seats(tender_id))[:3]:
        (one,) = world.look(queries.manifests_to_open, tender_id, actor=world.holder(seat))
        share = open_share(one.manifest, one.name, str(seat.id), world.identities[seat.id])
        world.do(opening.give_shares, tender_id, [share.to_bytes()], actor=world.holder(seat))
    (line,) = world.look(queries.opening_board, tender_id, actor=PUBLIC)
    assert (line.bid_id, len(line.seats), line.plaintext_sha256) == (bid.id, 3, None)
    revealed = world.do(opening.reveal_bid, tender_id, bid.id, "qualification", actor=SYSTEM, **HOW)
    assert world.look(queries.opened_bids, tender_id, actor=world.auditor) == []
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    (read,) = world.look(queries.opened_bids, tender_id, actor=world.auditor)
    assert read.plaintext == {"qualification": CONTENT}
    (shown,) = world.look(queries.opened_bids, tender_id, actor=PUBLIC)
    assert (shown.plaintext, shown.files) == ({}, {})
    assert shown.digests == {"qualification": revealed.plaintext_sha256}
