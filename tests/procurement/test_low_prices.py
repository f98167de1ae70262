"""Abnormally low prices: who must explain, until when, and what becomes of a bid whose explanation is not accepted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotFound, Refusal
from schoolmeals.procurement.actions import evaluation, low_prices
from schoolmeals.procurement.models import LowPriceVote, ScoreSheet, TenderAct
from schoolmeals.procurement.rules.sheet import first_difference
from tests.factories.evaluation import Planted, Table, goods_table, open_price, plant
from tests.factories.procurement import ALMATY, Procurement

ENVELOPES = ("qualification", "price")


@pytest.fixture
def table(world: Procurement) -> Table:
    return goods_table(world)


def priced(table: Table, *prices: int) -> list[Planted]:
    """Bids at these prices of one litre, admitted and opened."""
    bids = [plant(table.world, table.tender_id, envelopes=ENVELOPES) for _ in prices]
    for bid in bids:
        table.declare(bid)
    for bid in bids:
        table.vote(bid, "resources", by=4)
    table.admit(*bids)
    for bid, price in zip(bids, prices, strict=True):
        open_price(table.world, table.tender_id, bid, price)
    return bids


def refused(table: Table, deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    def written(work: Work) -> int:
        return sum(len(work.session.scalars(select(table.id)).all()) for table in (TenderAct, LowPriceVote))

    before = table.world.look(written)
    with pytest.raises(Refusal) as caught:
        table.world.do(deed, table.tender_id, *args, **kwargs)
    assert table.world.look(written) == before
    return caught.value


def ask(table: Table, bid: Planted) -> None:
    table.world.do(low_prices.ask_low_price, table.tender_id, bid.id, zone=ALMATY, actor=table.world.secretary)


def explain(table: Table, bid: Planted) -> None:
    deed = low_prices.explain_low_price
    table.world.do(deed, table.tender_id, bid.id, "We have our own cows", actor=bid.supplier)


def judge(table: Table, bid: Planted, *, accepted: bool, by: int = 4) -> None:
    for member in table.members[:by]:
        about = {"accepted": accepted, "reason": "It adds up" if accepted else "Below the cost of fodder"}
        table.world.do(low_prices.judge_low_price, table.tender_id, bid.id, **about, actor=member)


def finish(table: Table) -> dict[str, Any]:
    table.world.do(evaluation.finish_evaluation, table.tender_id, zone=ALMATY, actor=table.world.secretary)
    found = select(ScoreSheet.text).where(ScoreSheet.tender_id == table.tender_id)
    text: str = table.world.look(lambda work: work.session.scalar(found))
    sheet: dict[str, Any] = json.loads(text)
    assert first_difference(sheet) is None
    return next(iter(sheet["results"]["lots"].values()))


def test_the_lowest_price_wins_where_none_is_abnormal(table: Table) -> None:
    bids = priced(table, 400_00, 380_00, 450_00)
    lot = finish(table)
    assert [(one["bid_id"], one["price_minor"]) for one in lot["ranking"]] == [
        (str(bids[1].id), 380_000_00),
        (str(bids[0].id), 400_000_00),
        (str(bids[2].id), 450_000_00),
    ]
    assert lot["ranking"][1]["decided_by"] == "price"


def test_an_explained_price_may_win(table: Table) -> None:
    low, *_others = priced(table, 200_00, 400_00, 450_00)
    waiting = refused(table, evaluation.finish_evaluation, zone=ALMATY, actor=table.world.secretary)
    assert waiting.code == "low-price-open"
    ask(table, low)
    explain(table, low)
    judge(table, low, accepted=True)
    assert finish(table)["ranking"][0]["bid_id"] == str(low.id)


def test_a_price_that_is_not_explained_well_is_out(table: Table) -> None:
    low, second, third = priced(table, 200_00, 400_00, 450_00)
    ask(table, low)
    explain(table, low)
    judge(table, low, accepted=False)
    lot = finish(table)
    assert lot["unranked"] == {str(low.id): "low-price-rejected"}
    assert [one["bid_id"] for one in lot["ranking"]] == [str(second.id), str(third.id)]


def test_a_price_above_the_ceiling_is_not_ranked(table: Table) -> None:
    high, other, _ = priced(table, 500_01, 400_00, 410_00)
    lot = finish(table)
    assert lot["unranked"] == {str(high.id): "above-ceiling"}
    assert lot["ranking"][0]["bid_id"] == str(other.id)


def test_only_an_abnormal_price_is_asked_about_and_only_once(table: Table) -> None:
    low, second, _ = priced(table, 200_00, 400_00, 450_00)
    about = {"zone": ALMATY, "actor": table.world.secretary}
    assert refused(table, low_prices.ask_low_price, second.id, **about).code == "not-low"
    ask(table, low)
    assert isinstance(refused(table, low_prices.ask_low_price, low.id, **about), Conflict)


def test_an_explanation_is_given_once_by_its_own_supplier_in_time(table: Table) -> None:
    low, second, _ = priced(table, 200_00, 400_00, 450_00)
    said = {"actor": low.supplier}
    assert refused(table, low_prices.explain_low_price, low.id, "x", **said).code == "low-price-not-asked"
    ask(table, low)
    assert isinstance(refused(table, low_prices.explain_low_price, low.id, "x", actor=second.supplier), NotFound)
    assert isinstance(refused(table, low_prices.explain_low_price, low.id, " ", **said), Invalid)
    explain(table, low)
    assert refused(table, low_prices.explain_low_price, low.id, "more", **said).code == "explained-already"


def test_it_is_judged_once_explained_or_once_the_term_is_over(table: Table) -> None:
    low, *_others = priced(table, 200_00, 400_00, 450_00)
    said = {"accepted": True, "reason": "x", "actor": table.members[0]}
    assert refused(table, low_prices.judge_low_price, low.id, **said).code == "low-price-not-asked"
    ask(table, low)
    assert refused(table, low_prices.judge_low_price, low.id, **said).code == "explanation-runs"
    until = table.world.until(table.tender_id, f"low-price:{low.id}")
    table.world.clock.now = until + timedelta(microseconds=1)
    assert refused(table, low_prices.explain_low_price, low.id, "x", actor=low.supplier).code == "explained-late"
    assert isinstance(refused(table, low_prices.judge_low_price, low.id, **said | {"reason": ""}), Invalid)
    judge(table, low, accepted=False)
    assert finish(table)["unranked"] == {str(low.id): "low-price-rejected"}
