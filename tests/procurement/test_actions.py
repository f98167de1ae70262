"""Plans, drafts, review, publication, commission and tenure on a real PostgreSQL."""

import hashlib
import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work, transaction
from schoolmeals.errors import Conflict, Invalid, NotAllowed, NotFound, NotNow, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import profiles
from schoolmeals.procurement.acting import deed_clock, legal_time
from schoolmeals.procurement.actions import commission, drafting, draws, plans, publishing, reviewing, tenure
from schoolmeals.procurement.actions.draws import NewPoolMember
from schoolmeals.procurement.actions.tenure import NewTenure
from schoolmeals.procurement.models import LotItem, PlanLine, Tenure
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import tenders as queries
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.drafting import NewItem
from schoolmeals.procurement.rules.draw import Candidate, draw
from schoolmeals.procurement.rules.planning import NewPlanLine
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing import new_member_key
from tests.factories.identity import PersonFactory, actor_of
from tests.factories.procurement import ALMATY, LOT_SECTIONS, SEED, TITLE, Procurement, rates_of, somebody, texts

DISCUSSION_UNTIL = datetime(2026, 11, 30, 18, 59, 59, tzinfo=UTC)
BIDDING_UNTIL = datetime(2026, 12, 8, 18, 59, 59, tzinfo=UTC)


def line(world: Procurement, **changes: Any) -> NewPlanLine:
    return replace(
        NewPlanLine(
            school_id=world.school_id,
            year=2027,
            title=TITLE,
            profile_code="kz-catering-points",
            starts_on=date(2027, 1, 11),
            ends_on=date(2027, 5, 25),
            pupils={"6-10": 300, "11-14": 200},
            meals=["lunch"],
            amount_minor=40_000_000_00,
            announce_on=date(2026, 11, 23),
        ),
        **changes,
    )


def refused(deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    """The refusal that a deed ends in."""
    with pytest.raises(Refusal) as told:
        deed(*args, **kwargs)
    return told.value


def test_f8_a_plan_has_no_more_days_than_the_school_teaches(world: Procurement) -> None:
    refusal = refused(world.do, plans.add_plan_line, world.city_id, line(world, planned_days=98))
    assert isinstance(refusal, Invalid)
    assert [(one.code, dict(one.params)) for one in refusal.fields["planned_days"]] == [
        ("more-days-than-school-days", {"planned": 98, "real": 97})
    ]
    assert world.look(lambda work: work.session.scalars(select(PlanLine)).all()) == []

    line_id = world.do(plans.add_plan_line, world.city_id, line(world))
    assert world.look(lambda work: work.session.get_one(PlanLine, line_id).planned_days) == 97


def test_a_withdrawn_line_changes_no_more(world: Procurement) -> None:
    line_id = world.do(plans.add_plan_line, world.city_id, line(world))
    world.do(plans.publish_plan_line, line_id)
    world.do(plans.publish_plan_line, line_id)
    assert refused(world.do, plans.withdraw_plan_line, line_id, " ").code == "invalid"
    world.do(plans.withdraw_plan_line, line_id, "the school closes")
    assert refused(world.do, plans.change_plan_line, line_id, line(world)).code == "plan-line-withdrawn"
    actions = world.look(lambda work: work.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all())
    assert sorted(one for one in actions if one.endswith("-plan-line")) == [
        "procurement.add-plan-line",
        "procurement.publish-plan-line",
        "procurement.withdraw-plan-line",
    ]


def test_strangers_do_not_find_an_unpublished_line(world: Procurement) -> None:
    line_id = world.do(plans.add_plan_line, world.city_id, line(world))
    assert isinstance(refused(world.do, plans.publish_plan_line, line_id, actor=world.supplier), NotFound)
    world.do(plans.publish_plan_line, line_id)
    assert isinstance(refused(world.do, plans.withdraw_plan_line, line_id, "x", actor=world.supplier), NotAllowed)


def test_served_meals_are_shown_beside_the_need(world: Procurement) -> None:
    tender_id = world.draft()
    lot_id = next(iter(world.look(queries.tender, tender_id).lots))
    for day, meals in ((date(2026, 1, 12), 50), (date(2026, 1, 13), 60), (date(2026, 1, 13), 61)):
        world.do(plans.note_served_meals, world.school_id, day, {("6-10", "lunch"): meals}, actor=SYSTEM)
    need = world.look(queries.need_of_lot, tender_id, lot_id)
    assert [(one.age_group, one.pupils, one.days, one.quantity, one.served_last_year) for one in need.lines] == [
        ("6-10", 3, 90, 270, 111),
        ("11-14", 2, 90, 180, None),
        ("15-18", 1, 90, 90, None),
    ]


def test_a_draft_is_opened_once_for_one_id(world: Procurement) -> None:
    tender_id = new_id()
    for _ in range(2):
        made = world.do(
            drafting.open_draft, world.city_id, profile_code="kz-catering-points", title=TITLE, id=tender_id
        )
        assert made == tender_id
    assert [act.kind for act in world.look(queries.acts, tender_id)] == [ActKind.OPENED_DRAFT]
    refusal = refused(
        world.do, drafting.open_draft, world.city_id, profile_code="kz-goods-price", title=TITLE, id=tender_id
    )
    assert (type(refusal), refusal.code) == (Conflict, "id-used")


def test_a_bare_draft_cannot_be_submitted_and_says_what_it_lacks(world: Procurement) -> None:
    tender_id = world.bare_draft()
    refusal = refused(world.do, reviewing.submit_for_review, tender_id)
    assert isinstance(refusal, Invalid)
    assert sorted(refusal.fields) == [
        "lots.lots",
        "notice.contact_email",
        "notice.contact_name",
        "notice.contact_phone",
        "notice.description",
        "period.period",
        "terms.terms",
    ]
    assert world.stage(tender_id) is TenderStage.DRAFT


def test_a_wrong_section_is_not_kept(world: Procurement) -> None:
    tender_id = world.draft()
    before = world.look(queries.task_list, tender_id)
    acts = len(world.look(queries.acts, tender_id))
    refusal = refused(world.do, drafting.edit_section, tender_id, "period", {"starts_on": "soon"})
    assert isinstance(refusal, Invalid)
    assert list(refusal.fields) == ["starts_on"]
    assert isinstance(refused(world.do, drafting.edit_section, tender_id, "origin", {}), NotFound)
    assert isinstance(refused(world.do, drafting.edit_section, tender_id, "notice", {}, lot_id=new_id()), NotFound)
    assert world.look(queries.task_list, tender_id) == before
    assert len(world.look(queries.acts, tender_id)) == acts


def test_quantities_follow_the_meals_or_the_draft_is_not_whole(world: Procurement) -> None:
    tender_id = world.draft()
    lot_id = next(iter(world.look(queries.tender, tender_id).lots))
    world.do(drafting.edit_section, tender_id, "meals", {**LOT_SECTIONS["meals"], "planned_days": 80}, lot_id=lot_id)
    refusal = refused(world.do, reviewing.submit_for_review, tender_id)
    assert isinstance(refusal, Invalid)
    assert {path: [one.code for one in found] for path, found in refusal.fields.items()} == {
        f"{lot_id}.items.items": ["need-not-computed"]
    }
    world.do(drafting.compute_need, tender_id, lot_id)
    world.do(reviewing.submit_for_review, tender_id)


def test_f8_a_tender_cannot_plan_days_that_the_school_does_not_teach(world: Procurement) -> None:
    tender_id = world.draft()
    lot_id = next(iter(world.look(queries.tender, tender_id).lots))
    world.do(drafting.edit_section, tender_id, "meals", {**LOT_SECTIONS["meals"], "planned_days": 170}, lot_id=lot_id)
    refusal = refused(world.do, drafting.compute_need, tender_id, lot_id)
    assert isinstance(refusal, Invalid)
    assert [one.code for one in refusal.fields["planned_days"]] == ["more-days-than-school-days"]
    refusal = refused(world.do, reviewing.submit_for_review, tender_id)
    assert isinstance(refusal, Invalid)
    assert list(refusal.fields) == [f"{lot_id}.items.planned_days"]


def test_an_item_keeps_its_id_when_its_price_changes(world: Procurement) -> None:
    tender_id = world.draft()
    lot_id = next(iter(world.look(queries.tender, tender_id).lots))

    def items(work: Work) -> list[tuple[UUID, int, int]]:
        rows = work.session.scalars(select(LotItem).where(LotItem.lot_id == lot_id).order_by(LotItem.position))
        return [(row.id, row.quantity, row.ceiling_minor) for row in rows]

    before = world.look(items)
    wanted = [NewItem(age_group=group, meal="lunch", ceiling_minor=900_00) for group in ("6-10", "11-14", "15-18")]
    world.do(drafting.set_items, tender_id, lot_id, wanted)
    assert world.look(items) == [(id, quantity, 900_00) for id, quantity, _price in before]


def test_one_lot_is_one_school(world: Procurement) -> None:
    tender_id = world.draft()
    assert refused(world.do, drafting.add_lot, tender_id, world.school_id).code == "school-has-a-lot"
    assert isinstance(refused(world.do, drafting.add_lot, tender_id, world.supplier_id), NotFound)
    lot_id = next(iter(world.look(queries.tender, tender_id).lots))
    world.do(drafting.remove_lot, tender_id, lot_id)
    assert world.look(queries.tender, tender_id).lots == {}
    world.do(drafting.add_lot, tender_id, world.school_id)


def test_whoever_has_written_cannot_approve(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.UNDER_REVIEW)
    refusal = refused(world.do, reviewing.approve_tender, tender_id, actor=world.editor)
    assert (type(refusal), refusal.code) == (NotAllowed, "own-work")
    assert world.stage(tender_id) is TenderStage.UNDER_REVIEW
    world.do(reviewing.return_tender, tender_id, "name the hall", actor=world.officer)
    assert world.stage(tender_id) is TenderStage.DRAFT
    world.do(reviewing.submit_for_review, tender_id)
    world.do(reviewing.approve_tender, tender_id, actor=world.officer)
    assert world.stage(tender_id) is TenderStage.APPROVED
    world.do(reviewing.reopen_draft, tender_id, "a wrong date")
    assert world.stage(tender_id) is TenderStage.DRAFT


def publish(world: Procurement, tender_id: UUID, act_id: UUID, **changes: Any) -> publishing.Published:
    published: publishing.Published = world.do(
        publishing.publish_tender, tender_id, act_id=act_id, zone=ALMATY, **changes
    )
    return published


def test_publication_fixes_the_terms_and_keeps_the_text_for_ever(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.APPROVED)
    published = publish(world, tender_id, new_id())
    assert (published.number, published.version) == ("2026-0001", 1)
    assert published.bidding_until == BIDDING_UNTIL

    version = world.look(queries.version, tender_id, actor=world.stranger)
    assert hashlib.sha256(version.text.encode()).hexdigest() == published.sha256 == version.sha256
    document = json.loads(version.text)
    assert document["terms"]["discussion"]["until"] == "2026-11-30T18:59:59Z"
    assert document["terms"]["questions"]["until"] == "2026-12-05T18:59:59Z"
    assert document["profile"] == profiles.load("kz-catering-points").json
    assert [item["quantity"] for item in document["lots"][0]["items"]] == [270, 180, 90]
    assert len(document["commission"]["members"]) == 5
    assert document["commission"]["shares_needed"] == 3
    assert all(
        one["key"].startswith("age1") and len(one["fingerprint"]) == 64 for one in document["commission"]["members"]
    )
    times = world.look(queries.tender, tender_id).line.times
    assert (times.discussion_until, times.bidding_until) == (DISCUSSION_UNTIL, BIDDING_UNTIL)


def test_publishing_twice_is_publishing_once(world: Procurement) -> None:
    tender_id, act_id = world.tender_in(TenderStage.APPROVED), new_id()
    first = publish(world, tender_id, act_id)
    world.clock.move(timedelta(days=3))
    assert publish(world, tender_id, act_id) == first
    assert len(world.look(queries.versions, tender_id)) == 1
    assert refused(publish, world, tender_id, new_id()).code == "tender-is-discussion"
    other = world.tender_in(TenderStage.APPROVED)
    assert refused(publish, world, other, act_id).code == "id-used"
    assert world.stage(other) is TenderStage.APPROVED


def test_publishing_at_once_from_many_windows_is_publishing_once(world: Procurement, app: Flask) -> None:
    tender_id, act_id, gate = world.tender_in(TenderStage.APPROVED), new_id(), threading.Barrier(4)
    answers: list[Any] = []

    def press() -> None:
        gate.wait()
        with app.app_context():
            answers.append(publish(world, tender_id, act_id))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1
    kinds = [act.kind for act in world.look(queries.acts, tender_id)]
    assert kinds.count(ActKind.PUBLISHED) == 1


def test_numbers_are_given_in_their_order(world: Procurement) -> None:
    numbers = [publish(world, world.tender_in(TenderStage.APPROVED), new_id()).number for _ in range(2)]
    assert numbers == ["2026-0001", "2026-0002"]


def test_a_demonstration_runs_faster_and_says_so(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.APPROVED)
    published = publish(world, tender_id, new_id(), accelerator=1440)
    assert published.bidding_until == world.clock() + timedelta(minutes=15)
    assert world.look(queries.version, tender_id).document["profile"]["accelerator"] == 1440


def test_without_a_commission_nothing_is_published(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.APPROVED)
    for seat in world.seats(tender_id)[:4]:
        world.do(commission.recuse, tender_id, seat.id, "ill", actor=world.holder(seat))
    refusal = refused(publish, world, tender_id, new_id())
    assert (type(refusal), refusal.code) == (NotNow, "commission-too-small")
    assert world.stage(tender_id) is TenderStage.APPROVED


def test_without_time_for_bids_nothing_is_published(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    tender_id = world.tender_in(TenderStage.APPROVED)
    document = json.loads(json.dumps(dict(profiles.load("kz-catering-points").json)))
    document["numbers"]["discussion"]["value"] = 60
    slow = profiles.Profile.from_json(document)
    monkeypatch.setattr(publishing, "profile_of", lambda _work, _tender: slow)
    assert refused(publish, world, tender_id, new_id()).code == "no-time-for-bids"
    assert world.stage(tender_id) is TenderStage.APPROVED


def test_the_draw_can_be_repeated_by_anybody(world: Procurement) -> None:
    tender_id = world.bare_draft()
    world.draw_commission(tender_id)
    announced = next(act for act in world.look(queries.acts, tender_id) if act.kind is ActKind.DRAW_ANNOUNCED)
    record = world.look(commission_queries.draw_record, announced.id, actor=world.stranger)
    said = record.announcement
    repeated = draw(
        [Candidate(UUID(one["id"]), one["constituency"]) for one in said["pool"]],
        record.seed or "",
        [profiles.SeatsWanted(**one) for one in said["seats"]],
        [profiles.SeatsWanted(**one) for one in said["alternates"]],
        frozenset(said["parents"]),
    )
    assert record.seed == SEED
    assert [(str(one.candidate_id), one.part) for one in repeated] == [
        (one["candidate_id"], one["part"]) for one in record.seats
    ]
    assert "tender" not in json.dumps(dict(said))


def test_nothing_is_drawn_before_the_seed_can_be_known(world: Procurement) -> None:
    tender_id = world.bare_draft()
    assert refused(world.do, draws.draw_members, tender_id, SEED).code == "no-draw-announced"
    past = refused(world.do, draws.announce_draw, tender_id, rates_of(world.clock()))
    assert isinstance(past, Invalid)
    assert list(past.fields) == ["seed_not_before"]
    soon = world.clock() + timedelta(hours=1)
    world.do(draws.announce_draw, tender_id, rates_of(soon))
    assert refused(world.do, draws.draw_members, tender_id, SEED).code == "seed-too-early"
    again = refused(world.do, draws.announce_draw, tender_id, rates_of(soon))
    assert again.code == "draw-announced"
    world.clock.now = soon
    assert len(world.do(draws.draw_members, tender_id, SEED)) == 8
    late = soon + timedelta(hours=1)
    refusal = refused(world.do, draws.announce_draw, tender_id, rates_of(late))
    assert refusal.code == "drawn-already"


def test_who_is_over_the_limit_is_left_out_of_the_pool(world: Procurement) -> None:
    tired = PersonFactory.create()
    member = NewPoolMember(person_id=tired.id, surname="Тынымбаев", given_name="А", constituency="ngo")
    member_id = world.do(draws.add_pool_member, world.city_id, member)
    for month in (3, 4, 5):
        seat = NewTenure(
            office="commission-member",
            organisation_id=world.city_id,
            person_id=tired.id,
            started_on=date(2026, month, 1),
            ended_on=date(2026, month, 20),
            source="order 12",
        )
        world.do(tenure.note_tenure, seat, profiles.load("kz-catering-points"))
    assert left_out(world) == [(str(member_id), "over-tenure-limit")]

    exception = {"office": "commission-member", "organisation_id": world.city_id, "person_id": tired.id}
    until = date(2026, 12, 31)
    refusal = refused(world.do, tenure.publish_tenure_exception, **exception, reason=texts("nobody else"), until=until)
    assert refusal.code == "not-your-part"
    world.do(
        tenure.publish_tenure_exception,
        **exception,
        reason=texts("nobody else"),
        until=until,
        actor=world.city_admin,
    )
    assert left_out(world) == []


def left_out(world: Procurement) -> list[tuple[str, str]]:
    """Who a new draw leaves out, and why."""
    soon = world.clock() + timedelta(hours=1)
    tender_id = world.bare_draft()
    act_id = world.do(draws.announce_draw, tender_id, rates_of(soon))
    announcement = world.look(commission_queries.draw_record, act_id).announcement
    return [(one["id"], one["code"]) for one in announcement["left_out"]]


def test_a_head_over_the_limit_is_not_entered_without_an_exception(world: Procurement) -> None:
    head = PersonFactory.create()
    profile = profiles.load("kz-catering-points")
    spell = NewTenure(
        office="school-head",
        organisation_id=world.school_id,
        person_id=head.id,
        started_on=date(2017, 1, 1),
        ended_on=date(2026, 8, 31),
        source="order 1",
    )
    officer = somebody(Role.CITY_ADMIN, world.city_id)
    world.do(tenure.note_tenure, spell, profile, actor=officer)
    again = replace(spell, started_on=date(2026, 9, 1), ended_on=None)
    assert refused(world.do, tenure.note_tenure, again, profile, actor=officer).code == "over-tenure-limit"
    assert len(world.look(lambda work: work.session.scalars(select(Tenure)).all())) == 1


def test_publication_enters_the_commission_into_the_register(world: Procurement) -> None:
    world.tender_in(TenderStage.DISCUSSION)
    rows = world.look(lambda work: work.session.scalars(select(Tenure)).all())
    assert sorted(row.office for row in rows) == ["commission-chair", *["commission-member"] * 4]
    assert {row.started_on for row in rows} == {date(2026, 11, 23)}


def test_who_declines_is_followed_by_an_alternate_who_accepted(world: Procurement) -> None:
    tender_id = world.draft()
    leaving = world.seat(tender_id, "chair")
    world.do(commission.decline_appointment, tender_id, "no time", actor=world.holder(leaving))
    facts = world.look(commission_queries.commission, tender_id)
    assert len(facts.voting) == 5
    assert facts.refused is None
    assert facts.chair is not None
    assert facts.chair.part == "deputy"
    assert [seat.part for seat in facts.seats if seat.seated_at is not None] == ["alternate"]
    kinds = [act.kind for act in world.look(queries.acts, tender_id)][-2:]
    assert kinds == [ActKind.APPOINTMENT_DECLINED, ActKind.SEAT_CALLED]


def test_a_key_is_a_key_and_ones_own(world: Procurement) -> None:
    tender_id = world.draft()
    first, second = world.seats(tender_id)[:2]
    refusal = refused(world.do, commission.publish_key, tender_id, "age1odd", actor=world.holder(first))
    assert isinstance(refusal, Invalid)
    assert [one.code for one in refusal.fields["recipient"]] == ["not-a-key"]
    copied = refused(world.do, commission.publish_key, tender_id, second.key_public, actor=world.holder(first))
    assert copied.code == "key-used"
    recipient = new_member_key()[1]
    world.do(commission.publish_key, tender_id, recipient, actor=world.holder(first))
    assert world.seats(tender_id)[0].key_public == recipient


def test_an_interest_ends_the_seat_and_calls_an_alternate(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.ADMISSION)
    seat = world.seat(tender_id, "member")
    declare = {"has_interest": True, "nature": "relative", "statement": "my brother"}
    odd = {**declare, "nature": "none"}
    refusal = refused(
        world.do, commission.declare_interest, tender_id, world.supplier_id, actor=world.holder(seat), **odd
    )
    assert isinstance(refusal, Invalid)
    world.do(commission.declare_interest, tender_id, world.supplier_id, actor=world.holder(seat), **declare)
    facts = world.look(commission_queries.commission, tender_id)
    assert seat.id not in {one.id for one in facts.voting}
    assert len(facts.voting) == 5
    acts = world.look(queries.acts, tender_id)
    assert [act.kind for act in acts][-3:] == [ActKind.DECLARED, ActKind.SEAT_ENDED, ActKind.SEAT_CALLED]
    assert "brother" not in str(acts)


def test_a_declaration_is_made_once(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.ADMISSION)
    seat = world.seat(tender_id, "chair")
    say = {"has_interest": False, "nature": "none"}
    world.do(commission.declare_interest, tender_id, world.supplier_id, actor=world.holder(seat), **say)
    refusal = refused(
        world.do, commission.declare_interest, tender_id, world.supplier_id, actor=world.holder(seat), **say
    )
    assert refusal.code == "declared-already"
    assert isinstance(
        refused(world.do, commission.declare_interest, tender_id, world.city_id, actor=world.holder(seat), **say),
        NotFound,
    )


def test_members_leave_by_themselves_or_are_taken_out_by_the_city(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.EVALUATION)
    chair, member = world.seat(tender_id, "chair"), world.seat(tender_id, "member")
    refusal = refused(world.do, commission.recuse, tender_id, chair.id, "so", actor=world.holder(member))
    assert refusal.code == "not-your-seat"
    world.do(commission.recuse, tender_id, chair.id, "a cousin bids", actor=world.city_admin)
    assert world.look(commission_queries.commission, tender_id).chair.part == "deputy"


def test_the_secretary_is_an_officer_and_one(world: Procurement) -> None:
    tender_id = world.draft()
    assert refused(world.do, commission.appoint_secretary, tender_id, world.officer_id).code == "secretary-there"
    bare = world.bare_draft()
    assert isinstance(refused(world.do, commission.appoint_secretary, bare, world.stranger.id), NotFound)


def test_a_pool_has_everybody_once(world: Procurement) -> None:
    person = PersonFactory.create()
    member = NewPoolMember(person_id=person.id, surname="Оспан", given_name="Б", constituency="ngo", phone="+7 701")
    member_id = world.do(draws.add_pool_member, world.city_id, member)
    assert refused(world.do, draws.add_pool_member, world.city_id, member).code == "in-the-pool"
    payloads = world.look(lambda work: work.session.scalars(select(AuditEvent.payload)).all())
    assert not any("Оспан" in str(one) for one in payloads)
    world.do(draws.remove_pool_member, member_id)
    assert isinstance(refused(world.do, draws.remove_pool_member, member_id), NotFound)
    world.do(draws.add_pool_member, world.city_id, member)


def test_the_clock_of_a_deed_goes_on_from_its_instant(world: Procurement) -> None:
    with transaction(actor_of(PersonFactory.create().id), world.clock()) as work:
        assert timedelta(0) <= legal_time(work, deed_clock) - work.now < timedelta(seconds=5)
