"""A lot for which bids came and none was admitted does not end before those who made them could complain."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from schoolmeals.actors import SYSTEM
from schoolmeals.errors import NotNow
from schoolmeals.procurement.actions import awarding, complaints, evaluation
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.acts import LotStage
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.evaluation import Planted, Table, plant
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_awards import lot_of
from tests.procurement.test_complaints import accept, complain, decide
from tests.procurement.test_opening_views import public


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


def test_everybody_reads_until_when(app: Flask, world: Procurement) -> None:
    table, _bid = turned_away(world)
    shown = public(app).get(f"/tenders/{table.tender_id}/award").text
    assert "Whoever is affected can complain until" in shown
