"""A lot for which bids came does not end in vain before those who made them could complain about it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.actors import SYSTEM
from schoolmeals.errors import NotNow
from schoolmeals.procurement import promoting
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import awarding, cancelling, complaints, contracts, evaluation
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.acts import LotStage
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.awards import evaluate, plant_bid
from tests.factories.evaluation import Planted, Table, plant
from tests.factories.identity import signed_in
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_awards import lot_of, sign
from tests.procurement.test_complaints import accept, complain, decide
from tests.procurement.test_failures_of_contracts import BAD_FAITH, known_as
from tests.procurement.test_opening_views import public
from tests.procurement.test_registers import bring


def turned_away(world: Procurement) -> tuple[Table, Planted]:
    """The only bid was not admitted, and the evaluation ends with nobody in it."""
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    bid = plant(world, table.tender_id, unreadable="incomplete")
    table.declare(bid)
    table.finish_admission()
    world.do(evaluation.finish_evaluation, table.tender_id, zone=ALMATY, actor=world.secretary)
    return table, bid


def give_up(world: Procurement, tender_id: UUID) -> None:
    world.do(awarding.declare_unsuccessful, tender_id, lot_of(world, tender_id), "Nobody was admitted")


def test_a_lot_waits_for_those_who_were_turned_away(world: Procurement) -> None:
    table, bid = turned_away(world)
    until = world.until(table.tender_id, f"objections:{bid.lot_id}")
    with pytest.raises(NotNow) as caught:
        give_up(world, table.tender_id)
    assert (caught.value.code, caught.value.params) == ("objections-run", {"until": until})
    assert world.stage(table.tender_id) is TenderStage.AWARDING
    world.clock.now = until
    with pytest.raises(NotNow):
        give_up(world, table.tender_id)
    world.clock.now = until + timedelta(microseconds=1)
    give_up(world, table.tender_id)
    assert world.stage(table.tender_id) is TenderStage.UNSUCCESSFUL


def test_where_nobody_has_bid_nobody_is_waited_for(world: Procurement) -> None:
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    table.finish_admission()
    give_up(world, table.tender_id)
    assert world.stage(table.tender_id) is TenderStage.UNSUCCESSFUL


def test_whoever_was_turned_away_complains_and_is_decided_on_anew(world: Procurement) -> None:
    table, bid = turned_away(world)
    complaint_id = complain(world, table.tender_id, about="admission", actor=bid.supplier)
    accept(world, table.tender_id, complaint_id)
    decide(world, table.tender_id, complaint_id, outcome="satisfied", remedies=[{"kind": "repeat-admission"}])
    about: dict[str, Any] = {"report": "We look again", "zone": ALMATY}
    world.do(complaints.execute_decision, table.tender_id, complaint_id, **about)
    view = world.look(tender_queries.tender, table.tender_id, actor=SYSTEM)
    assert view.line.stage is TenderStage.ADMISSION
    assert view.lots[bid.lot_id].stage is LotStage.ACTIVE
    assert f"objections:{bid.lot_id}" not in view.terms


def test_a_lot_that_ends_at_once_would_be_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    table, bid = turned_away(world)
    monkeypatch.setattr(awarding, "may_give_up", lambda *_about: None)
    give_up(world, table.tender_id)
    with pytest.raises(NotNow) as caught:
        complain(world, table.tender_id, about="admission", actor=bid.supplier)
    assert caught.value.code == "tender-is-unsuccessful"


def passed_over(world: Procurement) -> tuple[UUID, UUID]:
    """The only bidder came into the bad-faith register before the protocol was signed: nobody gets the lot."""
    tender_id = world.tender_in(TenderStage.EVALUATION)
    evaluate(world, tender_id, [(plant_bid(world, tender_id, world.supplier_id), world.supplier_id)])
    known_as(world, world.supplier_id)
    bring(world, BAD_FAITH)
    signed = sign(world, tender_id, reason="The only one")
    assert signed.awards == {}
    return tender_id, lot_of(world, tender_id)


def lot_stage(world: Procurement, tender_id: UUID, lot_id: UUID) -> LotStage:
    stage: LotStage = world.look(tender_queries.tender, tender_id, actor=SYSTEM).lots[lot_id].stage
    return stage


def test_whoever_fell_at_the_last_check_can_complain_until_the_standstill_is_over(world: Procurement) -> None:
    tender_id, lot_id = passed_over(world)
    assert world.stage(tender_id) is TenderStage.STANDSTILL
    assert lot_stage(world, tender_id, lot_id) is LotStage.UNSUCCESSFUL
    world.clock.now = world.until(tender_id, "standstill")
    complaint_id = complain(world, tender_id, about="award", lot_id=lot_id)
    world.clock.now += timedelta(microseconds=1)
    with pytest.raises(NotNow) as caught:
        world.do(contracts.complete_tender, tender_id)
    assert (caught.value.code, caught.value.params) == ("complaints-wait", {"count": 1})
    accept(world, tender_id, complaint_id)
    decide(world, tender_id, complaint_id, outcome="satisfied", remedies=[{"kind": "repeat-admission"}])
    world.do(complaints.execute_decision, tender_id, complaint_id, report="We look again", zone=ALMATY)
    assert world.stage(tender_id) is TenderStage.ADMISSION
    assert lot_stage(world, tender_id, lot_id) is LotStage.ACTIVE


def test_where_nobody_complains_the_tender_ends_in_vain_and_is_held_again(world: Procurement) -> None:
    tender_id, lot_id = passed_over(world)
    until = world.until(tender_id, "standstill")
    world.clock.now = until + timedelta(microseconds=1)
    with pytest.raises(NotNow) as caught:
        complain(world, tender_id, about="award", lot_id=lot_id)
    assert caught.value.code == "standstill-over"
    world.do(contracts.complete_tender, tender_id)
    assert world.stage(tender_id) is TenderStage.UNSUCCESSFUL


def test_a_complaint_that_is_declined_ends_the_tender_once_its_time_is_over(world: Procurement) -> None:
    tender_id, lot_id = passed_over(world)
    complaint_id = complain(world, tender_id, about="award", lot_id=lot_id)
    world.clock.now = world.until(tender_id, "standstill") + timedelta(hours=1)
    refusal: dict[str, Any] = {"code": "no-reasons", "reason": "No reasons are given", "actor": world.review_body}
    world.do(complaints.refuse_complaint, tender_id, complaint_id, **refusal)
    assert world.stage(tender_id) is TenderStage.UNSUCCESSFUL


def test_a_tender_that_ends_under_the_eyes_of_who_complains_would_be_found(
    world: Procurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the conclusion waits for nobody."""
    tender_id, lot_id = passed_over(world)
    monkeypatch.setattr(promoting, "may_conclude", lambda *_about: None)
    complaint_id = complain(world, tender_id, about="award", lot_id=lot_id)
    world.clock.now = world.until(tender_id, "standstill") + timedelta(hours=1)
    world.do(contracts.complete_tender, tender_id)
    with pytest.raises(NotNow) as caught:
        accept(world, tender_id, complaint_id)
    assert caught.value.code == "tender-is-unsuccessful"


def test_a_lot_is_not_given_up_while_a_complaint_waits(world: Procurement) -> None:
    table, bid = turned_away(world)
    complain(world, table.tender_id, about="admission", actor=bid.supplier)
    world.clock.now = world.until(table.tender_id, f"objections:{bid.lot_id}") + timedelta(hours=1)
    with pytest.raises(NotNow) as caught:
        give_up(world, table.tender_id)
    assert caught.value.code == "complaints-wait"
    assert world.stage(table.tender_id) is TenderStage.AWARDING


def officer_of(app: Flask, world: Procurement) -> FlaskClient:
    assert world.editor.id is not None
    return signed_in(app, world.editor.id)


def cancel(world: Procurement, tender_id: UUID) -> None:
    reason = "We want another tender"
    world.do(cancelling.cancel_tender, tender_id, reason_code="no-need", reason=reason, clock=deed_clock)


def refused_to_cancel(world: Procurement, tender_id: UUID) -> None:
    with pytest.raises(NotNow) as caught:
        cancel(world, tender_id)
    assert (caught.value.code, caught.value.params) == ("complaints-wait", {"count": 1})


def test_nobody_cancels_what_a_complaint_is_about_until_it_is_settled(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complaint_id = complain(world, tender_id)
    refused_to_cancel(world, tender_id)
    accept(world, tender_id, complaint_id)
    refused_to_cancel(world, tender_id)
    decide(world, tender_id, complaint_id, outcome="satisfied", remedies=[{"kind": "repeat-admission"}])
    refused_to_cancel(world, tender_id)
    page = officer_of(app, world).get(f"/procurement/tenders/{tender_id}/decisions").text
    assert "Complaints that are not settled yet: 1." in page
    assert "Cancel for good" not in page
    world.do(complaints.execute_decision, tender_id, complaint_id, report="We look again", zone=ALMATY)
    cancel(world, tender_id)
    assert world.stage(tender_id) is TenderStage.CANCELLED


def test_a_tender_that_is_cancelled_under_a_complaint_would_be_found(
    world: Procurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: whoever cancels asks for no complaints."""
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complain(world, tender_id)
    monkeypatch.setattr(cancelling, "may_cancel", lambda _count: None)
    cancel(world, tender_id)
    assert world.stage(tender_id) is TenderStage.CANCELLED


def test_everybody_reads_who_was_passed_over_and_until_when_to_complain(app: Flask, world: Procurement) -> None:
    tender_id, _lot_id = passed_over(world)
    shown = public(app).get(f"/tenders/{tender_id}/award").text
    assert "Left to complain" in shown
    assert "Everybody in the ranking was passed over at the last check." in shown


def test_everybody_reads_until_when(app: Flask, world: Procurement) -> None:
    table, _bid = turned_away(world)
    shown = public(app).get(f"/tenders/{table.tender_id}/award").text
    assert "Whoever is affected can complain until" in shown
