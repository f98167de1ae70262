"""Failures that cities have documented: each is impossible here, or is seen at once."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from schoolmeals.errors import Invalid
from schoolmeals.procurement.actions import drafting, evaluation, plans, reviewing
from schoolmeals.procurement.models import PlanLine, Protocol
from schoolmeals.procurement.queries import drafts as draft_queries
from schoolmeals.procurement.queries.evaluation import score_sheet
from schoolmeals.procurement.rules.admission import REASONS
from schoolmeals.procurement.rules.judging import CONTEST_REASONS
from schoolmeals.procurement.rules.planning import NewPlanLine
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.evaluation import Planted, Table, person, plant, work_done
from tests.factories.procurement import ALMATY, LOT_SECTIONS, TITLE, Procurement


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


def test_f1_points_are_only_given_for_what_is_proven(world: Procurement) -> None:
    """A court annulled a tender whose winner had points for staff and experience that nobody had proven."""
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    years = (date(2016, 1, 1), date(2025, 12, 31))
    boaster = plant(
        world,
        table.tender_id,
        staff=[person("Айша", grade=6), person("Болат", grade=6), person("Ерлан", "technologist", None, proven=False)],
        experience=[work_done(*years, proven=False)],
    )
    honest = plant(
        world,
        table.tender_id,
        staff=[person("Айша", grade=6), person("Дана", grade=4), person("Гүлім", grade=4)],
        experience=[work_done(date(2023, 1, 1), date(2025, 12, 31))],
    )
    table.declare(boaster, honest)
    for bid in (boaster, honest):
        table.vote(bid, "resources", by=4)
        kept: dict[str, Any] = {"reason_code": "proven-otherwise", "reason": "Each says that she will leave the other"}
        table.vote(bid, "staff-unique", by=4, evidence=[staff_paper(bid)], **kept)
    table.admit(boaster, honest)
    table.score(boaster, honest)
    results = evaluated_by(table)
    points = {bid: {one["criterion"]: one["points_milli"] for one in made} for bid, made in results["points"].items()}
    # The cook whom both have offered counts in neither; what has no document counts for nothing.
    assert points[str(boaster.id)]["experience"] == 0
    assert points[str(boaster.id)]["technologist"] == 0
    assert points[str(boaster.id)]["cooks-grade"] == 2000
    assert points[str(honest.id)]["experience"] == 3000
    assert points[str(honest.id)]["cooks-grade"] == 2000
    assert len(results["overcommitted"]) == 1
    assert results["lots"][str(honest.lot_id)]["ranking"][0]["bid_id"] == str(honest.id)


def test_f2_a_rejection_for_staff_that_was_proven_is_seen_by_everybody(world: Procurement) -> None:
    """A bid was rejected for staff although four cooks and four workers were proven."""
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    bid = plant(world, table.tender_id, staff=[person(name) for name in ("Айша", "Болат", "Дана", "Гүлім")])
    table.declare(bid)
    why: dict[str, Any] = {"reason_code": "staff-short", "reason": "Not enough cooks", "evidence": [staff_paper(bid)]}
    table.vote(bid, "resources", met=False, by=2, **why)
    assert table.cell(bid, "resources").decision.met is True
    # Two cannot; three of five can, and then it is flagged in the protocol, for ever.
    table.vote(bid, "resources", met=False, by=3, **why)
    table.admit(bid)
    found = world.look(
        lambda work: list(work.session.scalars(select(Protocol.text).where(Protocol.kind == "admission")))
    )
    row = next(one for one in json.loads(found[0])["content"]["bids"][0]["requirements"] if one["flag"])
    assert (row["flag"], row["met"], row["finding"]["code"]) == ("rejected-against-evidence", False, "staff-proven")
    assert [one["code"] for one in row["reasons"]] == ["staff-short"] * 3


def test_f3_nobody_is_offered_who_works_elsewhere(world: Procurement) -> None:
    """A supplier listed staff that did not work there; somebody else cooked."""
    elsewhere = Table(world, world.tender_in(TenderStage.ADMISSION))
    first = plant(world, elsewhere.tender_id, staff=[person("Айша"), person("Болат")])
    elsewhere.declare(first)
    elsewhere.admit(first)
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    bid = plant(world, table.tender_id, staff=[person("Айша"), person("Дана")])
    unique = table.cell(bid, "staff-unique").finding
    assert (unique.met, unique.facts) == (False, {"count": 1})
    assert table.cell(bid, "resources").finding.code == "staff-short"


def test_f4_work_for_private_customers_counts(world: Procurement) -> None:
    """Experience with private firms was refused; a court found that unlawful."""
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    years = (date(2021, 1, 1), date(2025, 12, 31))
    private = plant(world, table.tender_id, experience=[work_done(*years, public=False)])
    public = plant(world, table.tender_id, experience=[work_done(*years)])
    table.declare(private, public)
    table.admit(private, public)
    table.score(private, public)
    results = evaluated_by(table)
    points = {bid: {one["criterion"]: one["points_milli"] for one in made} for bid, made in results["points"].items()}
    assert points[str(private.id)] == points[str(public.id)]
    assert points[str(private.id)]["experience"] == 5000
    assert not [code for code in (*REASONS, *CONTEST_REASONS) if "private" in code or "customer" in code]


def evaluated_by(table: Table) -> dict[str, Any]:
    """What an evaluation comes to, once finished."""
    table.world.do(evaluation.finish_evaluation, table.tender_id, zone=ALMATY, actor=table.world.secretary)
    results: dict[str, Any] = table.world.look(score_sheet, table.tender_id).document["results"]
    return results


def staff_paper(bid: Planted) -> str:
    """The first diploma of a bid's staff."""
    found: str = bid.content["staff"][0]["evidence"][0]
    return found
