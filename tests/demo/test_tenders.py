"""The demo city's tenders: one at every stage, brought there by deeds, and all there after the worker was stopped."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select

from schoolmeals import identity
from schoolmeals.actors import PUBLIC, SYSTEM
from schoolmeals.canteen import menu_of
from schoolmeals.database import reading
from schoolmeals.demo import tenders
from schoolmeals.demo.city import seed_city, tell_tenders
from schoolmeals.demo.dishes import LUNCH_PRICES
from schoolmeals.demo.tenders import PLANS, tender_id_of
from schoolmeals.procurement.models import TenderAct
from schoolmeals.procurement.queries import complaints as complaint_queries
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.queries import evaluation as evaluation_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.complaints import ComplaintStage
from schoolmeals.procurement.rules.need import AGE_GROUPS
from schoolmeals.procurement.rules.sheet import first_difference
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.web.frame import frame
from tests.shelf import empty

NOON = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""Monday noon in Almaty."""


@pytest.fixture(scope="module")
def city(_session_app: Flask, owner_engine: Engine) -> Iterator[None]:
    """Four small schools and all tenders; made once for the tests that look at them."""
    with _session_app.app_context():
        seed_city(NOON, zone=frame().zone, schools=4, pupils=40, days=1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tenders, "_approved", _cut_off)
            with pytest.raises(RuntimeError):
                tell_tenders(NOON)
        tell_tenders(NOON)
        yield
    empty(owner_engine)


def _cut_off(_story: Any) -> None:
    raise RuntimeError("the worker was stopped")


def stage_of(name: str) -> TenderStage:
    with reading(PUBLIC if name not in ("draft", "under-review", "approved") else SYSTEM, NOON) as look:
        return tender_queries.tender(look, tender_id_of(name)).line.stage


def acts() -> int:
    with reading(SYSTEM, NOON) as look:
        return look.session.scalar(select(func.count()).select_from(TenderAct)) or 0


def test_there_is_a_tender_at_every_stage(city: None) -> None:
    stages = {plan.name: stage_of(plan.name) for plan in PLANS}
    assert set(stages.values()) == set(TenderStage)
    assert [name for name, stage in stages.items() if stage is TenderStage.COMPLETE] == ["lunch-held-1", "lunch-held-2"]


def test_told_again_nothing_is_told_twice(city: None) -> None:
    before = acts()
    tell_tenders(NOON)
    assert acts() == before


def test_two_schools_eat_by_a_contract_today(city: None) -> None:
    with reading(SYSTEM, NOON) as look:
        schools = identity.schools(look)
        held = [contract_queries.contract_items_of(look, school.id, NOON.date()) for school in schools]
    groups = [[item.age_group for item in items if item.age_group] for items in held]
    assert groups == [list(AGE_GROUPS), list(AGE_GROUPS), [], []]
    prices = [{item.age_group: item.price_minor for item in items if item.age_group} for items in held[:2]]
    assert prices == [LUNCH_PRICES, LUNCH_PRICES], "a lunch costs at the till what the contract says"


def test_today_is_sold_at_the_contracts_prices(city: None) -> None:
    with reading(SYSTEM, NOON) as look:
        schools = identity.schools(look)
        sold = [[line for menu in menu_of(look, one.id, NOON.date()) for line in menu.items] for one in schools]
        agreed = {
            one.contract_item_id: one for one in contract_queries.contract_items_of(look, schools[0].id, NOON.date())
        }
    lunches = [line for line in sold[0] if line.contract_item_id in agreed and line.kind == "set"]
    assert {line.age_group: line.price_minor for line in lunches} == LUNCH_PRICES
    buffet = [line for line in sold[0] if line.kind == "buffet"]
    assert buffet
    assert all(
        line.price_minor <= agreed[line.contract_item_id].price_minor for line in buffet if line.contract_item_id
    )
    assert all(line.contract_item_id for line in buffet), "all that the buffet sells is on the contract's list"
    assert {line.contract_item_id for line in sold[2]} == {None}, "nobody feeds the third school by a contract yet"


def test_a_complaint_holds_a_tender(city: None) -> None:
    with reading(SYSTEM, NOON) as look:
        waiting = complaint_queries.complaints_of(look, tender_id_of("complaint"))
    assert [one.stage for one in waiting] == [ComplaintStage.ACCEPTED]


def test_the_score_sheet_computes_to_itself(city: None) -> None:
    with reading(PUBLIC, NOON) as look:
        sheet = evaluation_queries.score_sheet(look, tender_id_of("standstill"))
    assert first_difference(json.loads(sheet.text)) is None
