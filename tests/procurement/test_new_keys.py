"""A key that is lost before anybody can bid is replaced: the notice has a new version, and nothing else changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.errors import Conflict, NotNow
from schoolmeals.procurement.acting import seats_of
from schoolmeals.procurement.actions import commission, drafting
from schoolmeals.procurement.queries import tenders as queries
from schoolmeals.procurement.rules import acts as act_rules
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.bids import key_set_of
from schoolmeals.procurement.rules.drafting import seen_by_another
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import new_member_key
from tests.factories.identity import RoleGrantFactory, signed_in
from tests.factories.procurement import TENDER_SECTIONS, Procurement


def document(world: Procurement, tender_id: UUID) -> Mapping[str, Any]:
    found: Mapping[str, Any] = world.look(queries.version, tender_id, actor=SYSTEM).document
    return found


def renew(world: Procurement, tender_id: UUID, part: str = "member") -> tuple[str, str]:
    """A member makes a new key; gives the seat's id and the key."""
    seat = world.seat(tender_id, part)
    world.clock.move(timedelta(minutes=1))
    recipient = new_member_key()[1]
    world.do(commission.publish_key, tender_id, recipient, actor=world.holder(seat))
    return str(seat.id), recipient


def test_a_new_key_is_a_new_version_with_nothing_else_new(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    before = document(world, tender_id)
    until = world.until(tender_id, "bidding")
    seat_id, recipient = renew(world, tender_id)
    after = document(world, tender_id)
    assert {name for name in before if before[name] != after[name]} == {"version", "published_at", "commission"}
    keys = {one["seat_id"]: one["key"] for one in after["commission"]["members"]}
    assert keys == {one["seat_id"]: one["key"] for one in before["commission"]["members"]} | {seat_id: recipient}
    assert after["commission"]["key_set_sha256"] == key_set_of(after).sha256
    assert after["commission"]["key_set_sha256"] != before["commission"]["key_set_sha256"]
    assert (after["version"], world.until(tender_id, "bidding")) == (2, until)
    told = [act.kind for act in world.look(queries.acts, tender_id, actor=SYSTEM)][-2:]
    assert told == [ActKind.KEY_PUBLISHED, ActKind.AMENDED]


def test_no_key_is_replaced_once_somebody_may_have_sealed_to_it(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    world.clock.now = world.until(tender_id, "discussion") + timedelta(microseconds=1)
    before = document(world, tender_id)
    with pytest.raises(NotNow) as caught:
        renew(world, tender_id)
    assert caught.value.code == "tender-is-bidding"
    assert document(world, tender_id) == before


def test_whom_the_notice_does_not_name_needs_no_key(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    leaving = world.seat(tender_id, "member")
    world.do(commission.recuse, tender_id, leaving.id, "Ill", actor=world.holder(leaving))
    called = next(seat for seat in world.look(seats_of, tender_id, actor=SYSTEM) if seat.seated_at is not None)
    before = document(world, tender_id)
    with pytest.raises(Conflict) as caught:
        world.do(commission.publish_key, tender_id, new_member_key()[1], actor=world.holder(called))
    assert caught.value.code == "no-key-in-the-notice"
    assert document(world, tender_id) == before


def writes(world: Procurement) -> UUID:
    """The officer has written an amendment that nobody has published yet, and then a member makes a new key."""
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    world.do(drafting.edit_section, tender_id, "notice", TENDER_SECTIONS["notice"])
    renew(world, tender_id)
    return tender_id


def editors(world: Procurement, tender_id: UUID) -> frozenset[UUID]:
    told = world.look(queries.acts, tender_id, actor=SYSTEM)
    return act_rules.replay(told).editors


def test_a_new_key_lets_nobody_publish_what_they_have_written(world: Procurement) -> None:
    tender_id = writes(world)
    assert seen_by_another(editors(world, tender_id), world.editor.id) is not None


def test_a_key_that_clears_who_wrote_would_be_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a new key counts as an amendment like any other."""
    amended = act_rules._amended

    def plain(facts: act_rules.TenderFacts, act: act_rules.Act) -> act_rules.TenderFacts:
        said = {name: value for name, value in act.payload.items() if name != "keys_only"}
        return amended(facts, replace(act, payload=said))

    monkeypatch.setitem(act_rules._MEANINGS, ActKind.AMENDED, plain)
    tender_id = writes(world)
    assert seen_by_another(editors(world, tender_id), world.editor.id) is None


def test_pages_say_when_a_key_can_be_replaced_and_what_helps_after_that(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    seat = world.seat(tender_id, "member")
    role = Role.COMMISSION_MEMBER.value
    RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=world.city_id)
    member = signed_in(app, seat.person_id)
    at = f"/commission/{tender_id}/key"
    assert "Nobody can bid yet." in member.get(at).text
    world.clock.now = world.until(tender_id, "discussion") + timedelta(seconds=1)
    shown = signed_in(app, seat.person_id).get(at).text
    assert "that key alone opens nothing: it takes 3." in shown
    assert "Nobody can bid yet." not in shown
