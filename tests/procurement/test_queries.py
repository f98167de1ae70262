"""Who sees what: drafts are invisible, published tenders are everybody's, and personal things are nobody's."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from schoolmeals.actors import PUBLIC, SYSTEM, Actor
from schoolmeals.errors import NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import commission as commission_deeds
from schoolmeals.procurement.actions import plans
from schoolmeals.procurement.queries import commission as commission_queries
from schoolmeals.procurement.queries import members as member_queries
from schoolmeals.procurement.queries import plans as plan_queries
from schoolmeals.procurement.queries import tenders as queries
from schoolmeals.procurement.queries import tenures as tenure_queries
from schoolmeals.procurement.queries.tenders import TenderSearch
from schoolmeals.procurement.rules.acts import ActKind, is_public
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.planning import NewPlanLine
from schoolmeals.procurement.rules.stages import UNPUBLISHED, TenderStage
from tests.factories.procurement import TITLE, Procurement

OUTSIDE = ("supplier", "buyer", "person", "public", "review-body")


def sees(world: Procurement, actor: Actor, look_up: Any, *args: Any) -> bool:
    try:
        world.look(look_up, *args, actor=actor)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("stage", sorted(UNPUBLISHED))
def test_a_draft_is_invisible_to_strangers(world: Procurement, stage: TenderStage) -> None:
    tender_id = world.tender_in(stage)
    actors = world.actors(tender_id)
    for look_up in (queries.tender, queries.acts, commission_queries.commission):
        seen = {name for name, actor in actors.items() if sees(world, actor, look_up, tender_id)}
        assert seen == set(actors) - set(OUTSIDE), look_up
    listed = {name for name, actor in actors.items() if world.look(queries.tenders, TenderSearch(), actor=actor).total}
    assert listed == set(actors) - set(OUTSIDE)
    for actor in actors.values():
        assert not sees(world, actor, queries.version, tender_id)
        assert not sees(world, actor, queries.versions, tender_id)


def test_a_published_tender_is_everybodys_and_its_working_copy_is_not(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    actors = world.actors(tender_id)
    for look_up in (queries.tender, queries.acts, queries.version, queries.versions, commission_queries.commission):
        assert all(sees(world, actor, look_up, tender_id) for actor in actors.values()), look_up
    writing = {name for name, actor in actors.items() if sees(world, actor, queries.task_list, tender_id)}
    assert writing == {"editor", "officer", "secretary", "city-admin", "auditor", "system"}


def test_what_is_nowhere_is_not_found(world: Procurement) -> None:
    nowhere = new_id()
    for look_up in (
        queries.tender,
        queries.acts,
        queries.version,
        queries.task_list,
        commission_queries.commission,
        commission_queries.draw_record,
        commission_queries.pool_member,
        plan_queries.plan_line,
    ):
        assert not sees(world, world.city_admin, look_up, nowhere), look_up


def test_the_public_timeline_hides_what_is_not_for_it(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.ADMISSION)
    world.act(tender_id, ActKind.DECLARED, {"tenderer": "x", "interest": False})
    told = [act.kind for act in world.look(queries.acts, tender_id, actor=PUBLIC)]
    assert all(is_public(kind) for kind in told)
    assert ActKind.PUBLISHED in told
    assert not {ActKind.EDITED, ActKind.DECLARED, ActKind.OPENED_DRAFT} & set(told)
    assert ActKind.DECLARED in [act.kind for act in world.look(queries.acts, tender_id, actor=world.auditor)]


def test_a_search_narrows_by_stage_school_and_words(world: Procurement) -> None:
    bidding, discussion = world.tender_in(TenderStage.BIDDING), world.tender_in(TenderStage.DISCUSSION)

    def found(**wanted: Any) -> list[UUID]:
        page = world.look(queries.tenders, TenderSearch(**wanted), actor=PUBLIC)
        assert (page.total, page.pages) == (len(page.lines), 1)
        return [one.id for one in page.lines]

    assert found() == [discussion, bidding]
    assert found(stage=TenderStage.BIDDING) == [bidding]
    assert found(stage=TenderStage.COMPLETE) == []
    assert found(school_id=world.school_id, text="мектеп") == [discussion, bidding]
    assert found(school_id=world.other_school_id) == []
    assert found(text="2026-0001") == [bidding]
    assert found(text="100%_") == []
    assert found(organiser_id=world.supplier_id) == []


def test_pages_follow_each_other(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    ids = [world.bare_draft() for _ in range(3)]
    pages = [world.look(queries.tenders, TenderSearch(page=page)) for page in (1, 2, 3)]
    assert [(one.total, one.pages) for one in pages] == [(3, 2)] * 3
    assert [line.id for page in pages for line in page.lines] == sorted(ids, reverse=True)


def test_one_is_told_what_one_may_do(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.UNDER_REVIEW)
    assert "approve_tender" in world.look(queries.tender, tender_id, actor=world.officer).deeds
    assert "approve_tender" not in world.look(queries.tender, tender_id, actor=world.auditor).deeds
    view = world.look(queries.tender, tender_id, actor=world.holder(world.seat(tender_id, "chair")))
    assert {Party.CHAIR, Party.MEMBER} <= view.parties
    assert "publish_key" in view.deeds


def test_a_draft_lists_its_tasks(world: Procurement) -> None:
    tender_id = world.bare_draft()
    tasks = world.look(queries.task_list, tender_id)
    assert [(one.section, one.state) for one in tasks] == [
        ("notice", "in-progress"),
        ("period", "not-started"),
        ("terms", "not-started"),
        ("lots", "not-started"),
    ]
    whole = world.look(queries.task_list, world.draft())
    assert {one.state for one in whole} == {"done"}
    assert [one.section for one in whole if one.lot_id is not None] == [
        "meals",
        "kitchen",
        "serving",
        "lease",
        "staff",
        "menu",
        "diets",
        "origin",
        "items",
    ]


def test_my_seats_are_mine(world: Procurement) -> None:
    tender_id = world.draft()
    seat = world.seat(tender_id, "chair")
    mine = world.look(member_queries.my_seats, actor=world.holder(seat))
    assert [(one.tender_id, one.seat.id, one.stage) for one in mine] == [(tender_id, seat.id, TenderStage.DRAFT)]
    assert world.look(member_queries.my_seats, actor=world.stranger) == []
    world.do(commission_deeds.decline_appointment, tender_id, "No time", actor=world.holder(seat))
    assert world.look(member_queries.my_seats, actor=world.holder(seat)) == [], "a draft is nobody else's business"


def test_of_a_pool_the_public_sees_names_and_constituencies(world: Procurement) -> None:
    lines = world.look(commission_queries.pool, world.city_id, actor=PUBLIC)
    assert len(lines) == 13
    assert {one.constituency for one in lines} == {"parents", "trustees", "education", "health", "ngo"}
    member_id = lines[0].id
    readers = {
        name
        for name, actor in world.actors(world.draft()).items()
        if sees(world, actor, commission_queries.pool_member, member_id)
    }
    assert readers == {"editor", "officer", "secretary", "city-admin", "auditor", "system"}


def test_the_plan_shows_strangers_what_is_published(world: Procurement) -> None:
    line = NewPlanLine(
        school_id=world.school_id,
        year=2027,
        title=TITLE,
        profile_code="kz-catering-points",
        starts_on=date(2027, 1, 11),
        ends_on=date(2027, 5, 25),
        pupils={"6-10": 300},
        meals=["lunch"],
        amount_minor=1,
        announce_on=date(2026, 12, 1),
    )
    hidden = world.do(plans.add_plan_line, world.city_id, line)
    shown = world.do(plans.add_plan_line, world.city_id, line)
    world.do(plans.publish_plan_line, shown)

    def ids(actor: Actor, **wanted: Any) -> set[UUID]:
        return {row.id for row in world.look(plan_queries.plan_lines, actor=actor, **wanted)}

    assert ids(PUBLIC, year=2027) == {shown}
    assert ids(world.supplier) == {shown}
    assert ids(world.editor, school_id=world.school_id) == {hidden, shown}
    assert ids(world.auditor) == ids(SYSTEM) == {hidden, shown}
    assert ids(PUBLIC, year=2026) == set()
    assert not sees(world, PUBLIC, plan_queries.plan_line, hidden)
    assert sees(world, PUBLIC, plan_queries.plan_line, shown)


def test_the_register_of_tenure_is_public(world: Procurement) -> None:
    world.tender_in(TenderStage.DISCUSSION)
    rows = world.look(tenure_queries.tenures, world.city_id, actor=PUBLIC)
    assert len(rows) == 5
    assert all(row.person_name and row.source == "2026-0001" for row in rows)
    assert world.look(tenure_queries.tenure_exceptions, world.city_id, actor=PUBLIC) == []
