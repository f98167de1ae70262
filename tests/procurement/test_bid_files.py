"""The files of an opened bid: byte for byte what was sealed, for those who decide or watch, and not before."""

import hashlib
import json
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete

from schoolmeals.actors import PUBLIC, SYSTEM, Actor, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import commission, opening
from schoolmeals.procurement.models import CiphertextPart
from schoolmeals.procurement.queries import bid_files
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.quorum import voters
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import Manifest, open_share
from tests.factories.bids import CONTENT, KEYS, MadeBid, hand_in
from tests.factories.identity import RoleGrantFactory, signed_in
from tests.factories.procurement import Procurement
from tests.procurement.test_bidding_opening import start

SEALED = json.dumps(CONTENT).encode()
SHA256 = hashlib.sha256(SEALED).hexdigest()
MAY = ("chair", "deputy", "member", "secretary", "auditor", "review-body", "system")
MAY_NOT = ("editor", "officer", "city-admin", "supplier", "buyer", "person", "public", "alternate")


def read(world: Procurement, tender_id: UUID, bid: MadeBid, actor: Actor) -> bytes:
    found: tuple[Any, bytes] = world.look(bid_files.bid_file, tender_id, bid.id, SHA256, keys=KEYS, actor=actor)
    return found[1]


def revealed(world: Procurement) -> tuple[UUID, MadeBid]:
    """A bid that k members have opened; the opening is not finished."""
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = hand_in(world, tender_id)
    start(world, tender_id)
    for seat in voters(world.seats(tender_id))[:3]:
        share = open_share(Manifest.from_bytes(bid.manifest), "qualification", str(seat.id), world.identities[seat.id])
        world.do(opening.give_shares, tender_id, [share.to_bytes()], actor=world.holder(seat))
    how: dict[str, Any] = {"keys": KEYS, "clock": deed_clock, "actor": SYSTEM}
    world.do(opening.reveal_bid, tender_id, bid.id, "qualification", **how)
    return tender_id, bid


def finished(world: Procurement) -> tuple[UUID, MadeBid]:
    tender_id, bid = revealed(world)
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)
    return tender_id, bid


def refused(world: Procurement, tender_id: UUID, bid: MadeBid, actor: Actor) -> bool:
    try:
        read(world, tender_id, bid, actor)
    except NotFound:
        return True
    return False


def test_who_may_read_a_bids_files_once_it_is_open(world: Procurement) -> None:
    tender_id, bid = finished(world)
    actors = world.actors(tender_id)
    assert {name: read(world, tender_id, bid, actors[name]) for name in MAY} == dict.fromkeys(MAY, SEALED)
    assert {name: refused(world, tender_id, bid, actors[name]) for name in MAY_NOT} == dict.fromkeys(MAY_NOT, True)


def test_everybody_who_comes_to_a_tender_is_in_one_of_the_two_lists(world: Procurement) -> None:
    assert set(world.actors(world.draft())) == {*MAY, *MAY_NOT}


def test_nobody_reads_a_file_before_the_opening_is_finished(world: Procurement) -> None:
    tender_id, bid = revealed(world)
    actors = world.actors(tender_id)
    assert [name for name, actor in actors.items() if not refused(world, tender_id, bid, actor)] == []


def test_whoever_left_the_commission_reads_nothing_more(world: Procurement) -> None:
    tender_id, bid = finished(world)
    seat = world.seat(tender_id, "member")
    assert read(world, tender_id, bid, world.holder(seat)) == SEALED
    world.do(commission.recuse, tender_id, seat.id, "ill", actor=world.holder(seat))
    assert refused(world, tender_id, bid, world.holder(seat))


def test_a_door_for_everybody_would_be_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    tender_id, bid = finished(world)
    monkeypatch.setattr(bid_files, "_PERSONAL", frozenset(Party))
    monkeypatch.setattr("schoolmeals.procurement.queries.admission.READERS", frozenset(Party))
    assert read(world, tender_id, bid, PUBLIC) == SEALED


def test_a_file_that_is_damaged_here_is_not_given_out(world: Procurement) -> None:
    tender_id, bid = finished(world)

    def lose(work: Work) -> None:
        work.session.execute(delete(CiphertextPart))

    world.do(lose)
    assert refused(world, tender_id, bid, world.auditor)


def test_a_file_comes_as_a_download_through_the_page(app: Flask, world: Procurement) -> None:
    tender_id, bid = finished(world)
    seat = world.seat(tender_id, "chair")
    role = Role.COMMISSION_MEMBER.value
    RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=world.city_id)
    at = f"/commission/{tender_id}/bids/{bid.id}"
    chair = signed_in(app, seat.person_id)
    answer = chair.get(f"{at}/{SHA256}")
    assert (answer.status_code, answer.data) == (200, SEALED)
    assert answer.headers["Content-Disposition"] == "attachment; filename=bid.json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert chair.get(f"{at}/{'0' * 64}").status_code == 404
    assert world.editor.id is not None
    assert signed_in(app, world.editor.id).get(f"{at}/{SHA256}").status_code == 404
    assert app.test_client().get(f"{at}/{SHA256}").status_code in (302, 303, 401)
