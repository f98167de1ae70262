"""The very edges of an evaluation: the last instant of a mending, the bounds of a low price, ties to the end."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from schoolmeals.errors import NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement import admitting, profiles
from schoolmeals.procurement.actions import admission, evaluation
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules import ranking
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.low_price import abnormally_low
from schoolmeals.procurement.rules.ranking import RECEIVED, Entry, ranked
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.evaluation import Planted, Table, plant
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_evaluation_rules import prefers_no_worse

PRICES = profiles.load("kz-goods-price")
POINTS = profiles.load("kz-catering-points")


@pytest.mark.parametrize(("late", "code"), [(timedelta(0), None), (timedelta(microseconds=1), "fix-late")])
def test_the_last_instant_of_a_day_still_counts(world: Procurement, late: timedelta, code: str | None) -> None:
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    bid = plant(world, table.tender_id, staff=[])
    about: dict[str, Any] = {"zone": ALMATY, "actor": world.secretary}
    world.do(admission.ask_fix, table.tender_id, bid.id, ["resources"], "Send the diplomas", **about)
    asked_at = world.clock()
    assert world.until(table.tender_id, f"fix:{bid.id}") == asked_at + timedelta(hours=24)
    world.clock.now = asked_at + timedelta(hours=24) + late
    said: dict[str, Any] = {"answer_id": new_id(), "actor": bid.supplier}
    deed: tuple[Any, ...] = (admission.give_fix, table.tender_id, bid.id, "Here they are", [])
    if code is None:
        world.do(*deed, **said)
        world.do(*deed, **said)
        with pytest.raises(NotNow, match="fix-given"):
            world.do(*deed, **said | {"answer_id": new_id()})
    else:
        with pytest.raises(NotNow, match=code):
            world.do(*deed, **said)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([6_000, 8_000, 12_000], (True, False)),  # exactly 40 % under the mean 10 000; 25 % under the next
        ([6_001, 8_000, 12_000], None),
        ([7_000, 10_000, 10_000], (False, True)),  # exactly 30 % under both: only the next bites at 30
        ([7_001, 10_000, 10_000], None),
        ([7_000, 10_000], (False, True)),  # two bidders: the mean of the others is the other
        ([6_000, 10_000], (True, True)),
        ([7_001, 10_000], None),
        ([1, 1], None),  # two equal ones: there is no next, and nobody is under the mean
        ([1], None),  # one bidder: nothing to be compared with
        ([2, 3, 4], (True, True)),  # 42.8 % under the mean 3.5, 33 % under the next
    ],
)
def test_both_bounds_of_a_low_price_bite_exactly_there(prices: list[int], expected: tuple[bool, bool] | None) -> None:
    rule = PRICES.low_price
    assert rule is not None
    found = abnormally_low({str(place): price for place, price in enumerate(prices)}, rule)
    assert [(one.under_mean, one.under_next) for one in found] == ([] if expected is None else [expected])


def entry(name: str, *, price_minor: int = 100, received_at: str = "2026-12-01T07:00:00Z", **points: int) -> Entry:
    return Entry(
        bid_id=name,
        tenderer_id=name,
        points={code.replace("_", "-"): value for code, value in points.items()},
        price_minor=price_minor,
        value_minor=price_minor,
        received_at=received_at,
    )


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        # Equal in all: more points for experience; then the cooks' grade; then who came first; then the bid's number.
        ([entry("a", experience=1, menu_quality=2), entry("b", experience=2, menu_quality=1)], ["b", "a"]),
        (
            [entry("a", experience=1, cooks_grade=1, menu_quality=1), entry("b", experience=1, cooks_grade=2)],
            ["b", "a"],
        ),
        ([entry("a", received_at="2026-12-01T07:00:00.000001Z"), entry("b")], ["b", "a"]),
        ([entry("b"), entry("a")], ["a", "b"]),
    ],
)
def test_ties_end_by_the_procedures_own_rule_whatever_the_order(entries: list[Entry], expected: list[str]) -> None:
    for order in permutations(entries):
        assert [one.bid_id for one in ranked(order, POINTS)] == expected


def test_the_tie_break_is_in_the_profile_and_leaves_nothing_open() -> None:
    assert POINTS.tie_break == ("experience", "cooks-grade", "received-at")
    assert PRICES.tie_break == ("experience", "received-at")


@pytest.mark.parametrize("profile", [POINTS, PRICES], ids=lambda one: one.code)
@pytest.mark.parametrize("planted", ["by number", "upside down", "ties first"])
def test_a_ranking_that_prefers_a_worse_bid_would_be_found(
    profile: Profile, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: bids in the order of their numbers, the most points or the highest price last, or whoever came first."""
    marks = ranking._marks

    def wrong(one: Entry, profile: Profile, *, by_price: bool) -> list[tuple[str, Any]]:
        right = marks(one, profile, by_price=by_price)
        first = right[0][0], -right[0][1]
        ties = [(RECEIVED, one.received_at), *right]
        return {"by number": right[-1:], "upside down": [first, *right[1:]], "ties first": ties}[planted]

    codes = [one.code for one in profile.criteria]
    worse = replace(entry("a", price_minor=200), points=dict.fromkeys(codes, 0))
    better = replace(entry("b", received_at="2026-12-01T07:00:01Z"), points=dict.fromkeys(codes, 1))
    prefers_no_worse([worse, better], profile)
    monkeypatch.setattr(ranking, "_marks", wrong)
    with pytest.raises(AssertionError):
        prefers_no_worse([worse, better], profile)


# A lot that is cancelled while another goes on.


def give_up_lot(table: Table, bid: Planted) -> None:
    table.world.act(
        table.tender_id, ActKind.LOT_CANCELLED, {"reason_code": "no-need", "reason": "Closed"}, lot_id=bid.lot_id
    )


def test_nobody_votes_on_bids_for_a_cancelled_lot(world: Procurement) -> None:
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    bid = plant(world, table.tender_id)
    table.declare(bid)
    with pytest.raises(NotNow, match="requirements-undecided"):
        table.finish_admission()
    give_up_lot(table, bid)
    with pytest.raises(NotFound):
        table.vote(bid, "no-tax-debt", by=1)
    assert table.board().rows == ()
    assert table.finish_admission() == {str(bid.lot_id): {"admitted": [], "rejected": []}}


def test_a_cancelled_lot_that_keeps_the_others_waiting_would_be_found(
    world: Procurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: admission knows of no cancelled lots."""
    monkeypatch.setattr(admitting, "cancelled_lots", lambda _hand: frozenset())
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    bid = plant(world, table.tender_id)
    table.declare(bid)
    give_up_lot(table, bid)
    with pytest.raises(NotNow, match="requirements-undecided"):
        table.finish_admission()


def test_nobody_scores_bids_for_a_cancelled_lot(world: Procurement) -> None:
    """Neither points nor a reason for the single bid are waited for; what was admitted stays in the history."""
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    bid = plant(world, table.tender_id)
    table.declare(bid)
    table.admit(bid)
    give_up_lot(table, bid)
    world.do(evaluation.finish_evaluation, table.tender_id, zone=ALMATY, actor=world.secretary)
    assert world.stage(table.tender_id) is TenderStage.AWARDING
    assert [row.candidate.id for row in table.board().rows] == [bid.id]
