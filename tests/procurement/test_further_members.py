"""A commission of which too few are left: further members are drawn as the first were, and nobody can choose them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.errors import Invalid, NotNow
from schoolmeals.procurement.acting import seats_of
from schoolmeals.procurement.actions import admission, commission, draws
from schoolmeals.procurement.actions.draws import NewPoolMember
from schoolmeals.procurement.models import Tenure
from schoolmeals.procurement.profiles import SeatsWanted
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.rules import draw as draw_rules
from schoolmeals.procurement.rules import quorum
from schoolmeals.procurement.rules.draw import Candidate
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.evaluation import Table, plant
from tests.factories.identity import PersonFactory, RoleGrantFactory, signed_in
from tests.factories.procurement import ALMATY, Procurement, rates_of

SEED = "511.42 553.10 6.55"
REASON = "Three members have an interest, and nobody else can be called"


def seats(world: Procurement, tender_id: UUID) -> list[SeatFacts]:
    found: list[SeatFacts] = world.look(seats_of, tender_id, actor=SYSTEM)
    return found


def short_commission(world: Procurement) -> UUID:
    """Five members sit, no alternate is left, and two of the five leave."""
    tender_id = world.tender_in(TenderStage.ADMISSION)
    while any(one.part == "alternate" and one.stands and not one.seated_at for one in seats(world, tender_id)):
        spare = next(
            one for one in seats(world, tender_id) if one.part == "alternate" and not one.seated_at and one.stands
        )
        world.do(commission.recuse, tender_id, spare.id, "Moved away", actor=world.city_admin)
    for _ in range(2):
        world.do(
            commission.recuse,
            tender_id,
            voters(seats(world, tender_id))[-1].id,
            "A relative bids",
            actor=world.city_admin,
        )
    assert len(voters(seats(world, tender_id))) == 3
    return tender_id


def widen_pool(world: Procurement, tender_id: UUID) -> None:
    """Enough people of every constituency whose seat is free, two for each seat."""
    for constituency, count in quorum.places_free(seats(world, tender_id)):
        for place in range(2 * count):
            person = PersonFactory.create()
            member = NewPoolMember(
                person_id=person.id, surname=f"Жаңа{place}", given_name="Айгүл", constituency=constituency
            )
            world.do(draws.add_pool_member, world.city_id, member)


def announce(world: Procurement, tender_id: UUID, **about: Any) -> UUID:
    soon = world.clock() + timedelta(minutes=1)
    act_id: UUID = world.do(draws.announce_draw, tender_id, rates_of(soon), **{"reason": REASON, **about})
    return act_id


def drawn(world: Procurement, tender_id: UUID) -> tuple[UUID, list[SeatFacts]]:
    act_id = announce(world, tender_id)
    world.clock.move(timedelta(minutes=2))
    ids = world.do(draws.draw_members, tender_id, SEED)
    return act_id, [one for one in seats(world, tender_id) if one.id in ids]


def test_further_members_vote_once_they_have_accepted_and_declared(world: Procurement) -> None:
    tender_id = short_commission(world)
    widen_pool(world, tender_id)
    bid = plant(world, tender_id)
    free = quorum.places_free(seats(world, tender_id))
    _act_id, new = drawn(world, tender_id)
    assert sorted((one.constituency or "", one.part) for one in new) == sorted(
        (name, "alternate") for name, count in free for _ in range(count)
    )
    assert len(voters(seats(world, tender_id))) == 3, "nobody who has not accepted has a vote"
    for seat in new:
        world.do(commission.accept_appointment, tender_id, actor=world.holder(seat))
    found = {one.id: one for one in seats(world, tender_id)}
    assert all(found[seat.id].votes and found[seat.id].key_public is None for seat in new)
    table = Table(world, tender_id)
    about: dict[str, Any] = {"met": True, "zone": ALMATY, "actor": world.holder(new[0])}
    with pytest.raises(NotNow) as caught:
        world.do(admission.decide_requirement, tender_id, bid.id, "no-tax-debt", **about)
    assert caught.value.code == "declare-first"
    table.declare(bid)
    assert table.admit(bid)[str(bid.lot_id)]["admitted"] == [str(bid.id)]


def test_anybody_can_repeat_the_draw_and_reads_why(app: Flask, world: Procurement) -> None:
    tender_id = short_commission(world)
    widen_pool(world, tender_id)
    act_id, new = drawn(world, tender_id)
    record = world.look(commission_queries.draw_record, act_id)
    said = record.announcement
    pool = [Candidate(UUID(one["id"]), one["constituency"]) for one in said["pool"]]
    alternates = [SeatsWanted(**one) for one in said["alternates"]]
    again = draw_rules.draw(pool, record.seed, [], alternates, frozenset(said["parents"]))
    assert [one.candidate_id for one in again] == [one.pool_member_id for one in new]
    sat = {one.person_id for one in seats(world, tender_id)} - {one.person_id for one in new}
    assert sat.isdisjoint({one.person_id for one in new}), "who sat here before is not drawn again"
    assert REASON in app.test_client().get(f"/draws/{act_id}").text


def test_nobody_is_drawn_while_those_who_are_left_can_decide(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.ADMISSION)
    with pytest.raises(NotNow) as caught:
        announce(world, tender_id)
    assert (caught.value.code, caught.value.params) == ("enough-left", {"present": 5, "needed": 4})


def test_a_draw_of_further_members_needs_its_reason(world: Procurement) -> None:
    tender_id = short_commission(world)
    with pytest.raises(Invalid) as caught:
        announce(world, tender_id, reason=" ")
    assert list(caught.value.fields) == ["reason"]


def test_a_draw_that_fills_a_commission_at_will_would_be_found(
    world: Procurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: further members are drawn whenever the officer likes."""
    tender_id = world.tender_in(TenderStage.ADMISSION)
    monkeypatch.setattr(draws, "too_few_left", lambda *_about: None)
    act_id = announce(world, tender_id)
    assert world.look(commission_queries.draw_record, act_id).announcement["reason"] == REASON


def test_who_is_drawn_may_decline_and_who_accepted_leaves_as_others_do(world: Procurement) -> None:
    tender_id = short_commission(world)
    widen_pool(world, tender_id)
    _act_id, new = drawn(world, tender_id)
    world.do(commission.decline_appointment, tender_id, "Abroad", actor=world.holder(new[0]))
    world.do(commission.accept_appointment, tender_id, actor=world.holder(new[1]))
    with pytest.raises(NotNow) as caught:
        world.do(commission.decline_appointment, tender_id, "Tired", actor=world.holder(new[1]))
    assert caught.value.code == "accepted-already"


def test_pages_lead_the_officer_and_the_new_member(app: Flask, world: Procurement) -> None:
    tender_id = short_commission(world)
    widen_pool(world, tender_id)
    assert world.editor.id is not None
    officer = signed_in(app, world.editor.id)
    page = officer.get(f"/procurement/tenders/{tender_id}/commission").text
    assert "Too few members are left to decide anything" in page
    assert 'name="reason"' in page
    _act_id, new = drawn(world, tender_id)
    role = Role.COMMISSION_MEMBER.value
    RoleGrantFactory.create(person_id=new[0].person_id, role=role, organisation_id=world.city_id)
    shown = signed_in(app, new[0].person_id).get(f"/commission/{tender_id}").text
    assert "The tender is under way." in shown


def registered(world: Procurement, tender_id: UUID) -> list[UUID]:
    found = select(Tenure.person_id).where(Tenure.tender_id == tender_id)
    ids: list[UUID] = world.look(lambda work: list(work.session.scalars(found)))
    return ids


def test_whoever_takes_a_seat_later_is_in_the_register_of_tenure(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.ADMISSION)
    first = set(registered(world, tender_id))
    leaving = voters(seats(world, tender_id))[-1]
    world.do(commission.recuse, tender_id, leaving.id, "A relative bids", actor=world.city_admin)
    called = next(one for one in seats(world, tender_id) if one.seated_at is not None)
    assert set(registered(world, tender_id)) == first | {called.person_id}
    assert len(registered(world, tender_id)) == 6, "nobody twice"


def test_further_members_are_in_it_once_they_have_accepted(world: Procurement) -> None:
    tender_id = short_commission(world)
    widen_pool(world, tender_id)
    before = set(registered(world, tender_id))
    _act_id, new = drawn(world, tender_id)
    assert set(registered(world, tender_id)) == before
    for seat in new:
        world.do(commission.accept_appointment, tender_id, actor=world.holder(seat))
    assert set(registered(world, tender_id)) == before | {seat.person_id for seat in new}


def test_a_register_that_stops_at_the_publication_would_be_found(
    world: Procurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: who is called later is not written down."""
    tender_id = world.tender_in(TenderStage.ADMISSION)
    first = registered(world, tender_id)
    monkeypatch.setattr(commission, "note_sitting", lambda *_about: None)
    leaving = voters(seats(world, tender_id))[-1]
    world.do(commission.recuse, tender_id, leaving.id, "A relative bids", actor=world.city_admin)
    assert registered(world, tender_id) == first
