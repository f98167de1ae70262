"""Failures that cities have documented: each is impossible here, or is seen at once."""

from datetime import date

import pytest
from sqlalchemy import select

from schoolmeals.errors import Invalid
from schoolmeals.procurement.actions import drafting, plans, reviewing
from schoolmeals.procurement.models import PlanLine
from schoolmeals.procurement.queries import drafts as draft_queries
from schoolmeals.procurement.rules.planning import NewPlanLine
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.procurement import LOT_SECTIONS, TITLE, Procurement


def test_f8_neither_plan_nor_tender_has_more_days_than_the_school_teaches(world: Procurement) -> None:
    """A city planned 170 days where its schools taught 165: money for meals that nobody could eat."""
    line = NewPlanLine(
        school_id=world.school_id,
        year=2027,
        title=TITLE,
        profile_code="kz-catering-points",
        starts_on=date(2027, 1, 11),
        ends_on=date(2027, 5, 25),
        pupils={"6-10": 3},
        meals=["lunch"],
        amount_minor=1_000_000_00,
        announce_on=date(2026, 12, 1),
        planned_days=102,
    )
    with pytest.raises(Invalid) as refused:
        world.do(plans.add_plan_line, world.city_id, line)
    assert [one.code for one in refused.value.fields["planned_days"]] == ["more-days-than-school-days"]
    assert world.look(lambda work: work.session.scalars(select(PlanLine)).all()) == []

    tender_id = world.draft()
    lot_id = world.look(draft_queries.lots_of, tender_id)[0].id
    too_many = {**LOT_SECTIONS["meals"], "planned_days": 102}
    world.do(drafting.edit_section, tender_id, "meals", too_many, lot_id=lot_id)
    with pytest.raises(Invalid):
        world.do(drafting.compute_need, tender_id, lot_id)
    with pytest.raises(Invalid) as refused:
        world.do(reviewing.submit_for_review, tender_id)
    assert [one.code for one in refused.value.fields[f"{lot_id}.items.planned_days"]] == ["more-days-than-school-days"]
    assert world.stage(tender_id) is TenderStage.DRAFT
    assert [one.quantity for one in world.look(draft_queries.items_of, lot_id)] == [270, 180, 90]
