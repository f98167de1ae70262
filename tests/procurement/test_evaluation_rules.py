"""Points, prices and places by rule: what is proven counts, once, for everybody alike."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.procurement import profiles
from schoolmeals.procurement.profiles import Criterion, Profile
from schoolmeals.procurement.rules.low_price import abnormally_low, judged
from schoolmeals.procurement.rules.pricing import Priced, priced
from schoolmeals.procurement.rules.ranking import Entry, ranked
from schoolmeals.procurement.rules.scoring import (
    EXPLANATIONS,
    RULES,
    BidFacts,
    Ground,
    Period,
    Person,
    Proof,
    TaxYear,
    fallen,
    joined,
    judged_point,
    overcommitted,
    point,
)

POINTS: Final = profiles.load("kz-catering-points")
PRICES: Final = profiles.load("kz-goods-price")
DEADLINE: Final = date(2026, 12, 1)
GROUND: Final = Ground(deadline=DEADLINE, posts=({"post": "cook", "count": 2, "fte_percent": 100, "grade": 4},))
A, B, C = "a" * 64, "b" * 64, "c" * 64


def criterion(code: str, profile: Profile = POINTS) -> Criterion:
    return next(one for one in profile.criteria if one.code == code)


def points(code: str, ground: Ground = GROUND, **about: Any) -> int:
    return point(criterion(code), BidFacts(bid_id="1", lot_id="lot", **about), ground).points_milli


def worked(first: date, last: date, *evidence: str, public: bool = True) -> Period:
    return Period(first, last, public, evidence or (A,))


def cook(key: str, grade: int | None, *evidence: str, fte: int = 100) -> Person:
    return Person(key, "cook", grade, "none", fte, evidence or (A,))


def test_every_rule_of_the_shipped_profiles_is_known_and_told() -> None:
    used = {(one.rule, one.rule_version) for one in (*POINTS.criteria, *PRICES.criteria) if one.kind == "rule"}
    assert used <= set(RULES)
    assert {rule for rule, _ in RULES} | {"judged", "nobody-proven"} == set(EXPLANATIONS)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(date(2022, 1, 1), date(2022, 12, 31))], 1000),
        ([(date(2022, 1, 1), date(2022, 12, 30))], 0),
        ([(date(2022, 1, 1), date(2023, 6, 30)), (date(2023, 1, 1), date(2023, 12, 31))], 2000),
        ([(date(2022, 1, 1), date(2022, 12, 31)), (date(2022, 1, 1), date(2022, 12, 31))], 1000),
        ([(date(2005, 1, 1), date(2026, 1, 1))], 10_000),
        ([(date(2026, 1, 1), date(2027, 12, 31))], 0),
        ([(date(2027, 1, 1), date(2029, 12, 31))], 0),
        ([], 0),
    ],
)
def test_full_years_count_each_day_once_and_none_after_the_deadline(
    spans: list[tuple[date, date]], expected: int
) -> None:
    assert points("experience", experience=tuple(worked(*span) for span in spans)) == expected


def test_experience_without_evidence_counts_for_nothing() -> None:
    unproven = Period(date(2015, 1, 1), date(2025, 1, 1), True, ())
    made = point(criterion("experience"), BidFacts(bid_id="1", lot_id="lot", experience=(unproven,)), GROUND)
    assert (made.points_milli, made.inputs["unproven"], made.evidence) == (0, 1, ())


def test_work_for_private_customers_counts_like_any_other() -> None:
    span = (date(2020, 1, 1), date(2024, 12, 31))
    private = worked(*span, A, public=False)
    assert points("experience", experience=(private,)) == 5000 == points("experience", experience=(worked(*span, A),))


@given(
    st.lists(
        st.tuples(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 2000), st.booleans(), st.booleans()),
        max_size=8,
    )
)
def test_who_the_customer_was_never_changes_points(rows: list[tuple[date, int, bool, bool]]) -> None:
    spans = [(first, first + timedelta(days=days)) for first, days, _, _ in rows]
    one = tuple(worked(*span, public=row[2]) for span, row in zip(spans, rows, strict=True))
    other = tuple(worked(*span, public=row[3]) for span, row in zip(spans, rows, strict=True))
    assert points("experience", experience=one) == points("experience", experience=other)


@given(st.lists(st.tuples(st.dates(date(2000, 1, 1), date(2026, 1, 1)), st.integers(0, 900)), max_size=10))
def test_joined_spans_have_each_day_exactly_once(rows: list[tuple[date, int]]) -> None:
    spans = [(first, first + timedelta(days=days)) for first, days in rows]
    every = {first + timedelta(days=day) for first, last in spans for day in range((last - first).days + 1)}
    found = joined(spans)
    assert sum((last - first).days + 1 for first, last in found) == len(every)
    assert all(one[1] + timedelta(days=1) < other[0] for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("staff", "expected"),
    [
        ([cook("x", 4), cook("y", 6)], 3000),
        ([cook("x", 4)], 1000),
        ([cook("x", 3), cook("y", 4), cook("z", 6)], 3000),
        ([cook("x", 2), cook("y", None)], 0),
        ([], 0),
        ([Person("x", "cook", 6, "none", 100, ())], 0),
    ],
)
def test_cooks_count_by_the_best_proven_over_as_many_as_are_asked_for(staff: list[Person], expected: int) -> None:
    assert points("cooks-grade", staff=tuple(staff)) == expected


def test_whoever_is_beyond_a_working_day_counts_in_no_bid() -> None:
    ground = replace(GROUND, overcommitted=frozenset({"x"}))
    assert points("cooks-grade", ground, staff=(cook("x", 6), cook("y", 6))) == 2000
    technologist = Person("x", "technologist", None, "higher", 50, (A,))
    assert points("technologist", staff=(technologist,)) == 2000
    assert points("technologist", ground, staff=(technologist,)) == 0


def test_taxes_count_by_different_years() -> None:
    years = tuple(TaxYear(year, "Astana", (A,)) for year in (2024, 2024, 2025, 2027))
    assert points("regional-tax", taxes=years) == 2000
    assert points("regional-tax", taxes=years[:2]) == 1000


def test_certificates_hold_on_the_last_day_of_bids() -> None:
    over, holds = Proof("food-safety", A, date(2026, 11, 30)), Proof("food-safety", B, DEADLINE)
    assert points("food-safety", proofs=(over,)) == 0
    assert points("food-safety", proofs=(over, holds)) == 1000
    assert points("food-safety", proofs=(Proof("environment", A, None),)) == 0


def test_the_same_file_counts_once() -> None:
    same = (Proof("own-production", A, None), Proof("own-production", A, None))
    assert points("own-production", proofs=same) == 1000
    assert points("own-production", proofs=(*same, Proof("own-production", B, None))) == 2000


@pytest.mark.parametrize(("percent", "expected"), [(60, 0), (69, 0), (70, 1000), (100, 3000), (50, 0), (None, 0)])
def test_local_origin_counts_by_full_tens_above_what_is_asked(percent: int | None, expected: int) -> None:
    ground, proof = replace(GROUND, domestic_percent=60), (Proof("local-origin", A, None),)
    assert points("local-origin", ground, origin_percent=percent, proofs=proof) == expected
    assert points("local-origin", ground, origin_percent=percent) == 0


@pytest.mark.parametrize(("ended", "broken", "expected"), [(0, 0, 0), (1, 0, 1000), (5, 0, 2000), (1, 2, -2000)])
def test_past_contracts_count_both_ways_within_bounds(ended: int, broken: int, expected: int) -> None:
    assert points("past-performance", completed=ended, terminated=broken) == expected


@pytest.mark.parametrize(
    ("contests", "expected"),
    [
        ([("1", A), ("2", A), ("3", A)], {A}),
        ([("1", A), ("2", A)], set()),
        ([("1", A), ("1", A), ("1", A)], set()),
        ([("1", A), ("2", A), ("gone", A)], set()),
    ],
)
def test_evidence_falls_by_most_of_the_commission_and_nobody_counts_twice(
    contests: list[tuple[str, str]], expected: set[str]
) -> None:
    assert fallen(contests, ["1", "2", "3", "4", "5"]) == expected


def test_what_rests_on_evidence_that_fell_counts_no_more() -> None:
    ground = replace(GROUND, contested=frozenset({B}))
    proven = worked(date(2020, 1, 1), date(2022, 12, 31), A)
    doubtful = worked(date(2023, 1, 1), date(2025, 12, 31), A, B)
    assert points("experience", experience=(proven, doubtful)) == 6000
    assert points("experience", ground, experience=(proven, doubtful)) == 3000


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 3000), min_size=1, max_size=9))
def test_judged_points_are_the_mean_with_halves_rounded_up(scores: dict[str, int]) -> None:
    made = judged_point(criterion("menu-quality"), scores).points_milli
    total, count = sum(scores.values()), len(scores)
    assert 2 * total - count < 2 * count * made <= 2 * total + count
    assert min(scores.values()) <= made <= max(scores.values())


def test_nobody_scored_is_nothing() -> None:
    assert judged_point(criterion("menu-quality"), {}).points_milli == 0


# People across bids.


def bid(id: str, *staff: Person) -> BidFacts:
    return BidFacts(bid_id=id, lot_id="lot", staff=staff)


def test_a_cook_has_one_working_day_in_the_whole_city() -> None:
    assert overcommitted([bid("1", cook("x", 4)), bid("2", cook("x", 4))], {}, 100) == {"x"}
    assert overcommitted([bid("1", cook("x", 4, fte=50)), bid("2", cook("x", 4, fte=50))], {}, 100) == set()
    assert overcommitted([bid("1", cook("x", 4))], {"x": 1}, 100) == {"x"}
    assert overcommitted([bid("1", cook("x", 4))], {"y": 500}, 100) == set()


@given(st.permutations(range(4)), st.lists(st.integers(1, 100), min_size=4, max_size=4))
def test_who_is_beyond_a_day_does_not_depend_on_the_order_of_bids(order: list[int], parts: list[int]) -> None:
    bids = [bid(str(place), cook("x", 4, fte=part), cook(f"own{place}", 4)) for place, part in enumerate(parts)]
    found = overcommitted([bids[place] for place in order], {}, 100)
    assert found == overcommitted(bids, {}, 100) == (frozenset({"x"}) if sum(parts) > 100 else frozenset())


# Prices.


ITEMS: Final = [
    {"id": "i1", "quantity": 10, "ceiling_minor": 100},
    {"id": "i2", "quantity": 5, "ceiling_minor": 200},
]


@pytest.mark.parametrize(
    ("prices", "mode", "expected"),
    [
        ({"i1": 90, "i2": 200}, "ceiling", Priced(1900, 1900)),
        ({"i1": 101, "i2": 200}, "ceiling", Priced(2010, 2010, "above-ceiling")),
        ({"i1": 90}, "competitive", Priced(900, None, "prices-incomplete")),
        ({}, "fixed", Priced(2000, None)),
    ],
)
def test_a_bid_costs_its_prices_times_the_quantities(prices: dict[str, int], mode: str, expected: Priced) -> None:
    assert priced([{"lot_item_id": id, "price_minor": one} for id, one in prices.items()], ITEMS, mode) == expected


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([60, 100, 100], ["0"]),  # exactly 40 % under the mean of the others, and 40 % under the next
        ([61, 80, 122], []),  # 39.6 % under the mean 101, 23.75 % under the next
        ([70, 100], ["0"]),  # exactly 30 % under the next
        ([71, 100], []),
        ([50, 50, 100], []),  # the mean of the others is 75: 33 % under; the next is twice as much
        ([10], []),
        ([], []),
    ],
)
def test_a_price_is_abnormally_low_at_the_very_bounds(prices: list[int], expected: list[str]) -> None:
    rule = PRICES.low_price
    assert rule is not None
    found = [one.bid_id for one in abnormally_low({str(n): one for n, one in enumerate(prices)}, rule)]
    if prices == [50, 50, 100]:
        expected = ["0", "1"]  # both are half the next price
    assert found == expected


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ({"1": True, "2": True, "3": True, "4": False}, True),
        ({"1": True, "2": True, "3": False, "4": False}, True),
        ({"1": True, "3": False, "2": False, "4": False}, False),
        ({"1": False, "2": False, "3": False}, None),
        ({"1": False, "2": False, "3": False, "gone": False}, None),
    ],
)
def test_an_explanation_falls_only_by_most_of_the_votes_of_a_quorum(
    votes: dict[str, bool], expected: bool | None
) -> None:
    assert judged(votes, ["1", "2", "3", "4", "5"], 4) is expected


# Places.

CODES: Final = [one.code for one in POINTS.criteria]
NOON: Final = datetime(2026, 12, 1, 7, tzinfo=UTC)


def entries_of(profile: Profile) -> st.SearchStrategy[list[Entry]]:
    codes = [one.code for one in profile.criteria]
    rows = st.tuples(
        st.fixed_dictionaries({code: st.integers(-2, 3) for code in codes}),
        st.integers(1, 4),
        st.integers(0, 3),
    )
    return st.lists(rows, max_size=6).map(lambda found: [entry(n, *row) for n, row in enumerate(found)])


def entry(number: int, given_points: dict[str, int], price: int, seconds: int) -> Entry:
    received = (NOON + timedelta(microseconds=500_000 * seconds)).isoformat().replace("+00:00", "Z")
    return Entry(
        bid_id=f"bid{number}",
        tenderer_id=f"tenderer{number}",
        points=given_points,
        price_minor=price,
        value_minor=price,
        received_at=received,
    )


@pytest.mark.parametrize("profile", [POINTS, PRICES], ids=lambda one: one.code)
def test_places_do_not_depend_on_the_order_of_the_bids(profile: Profile) -> None:
    @given(entries_of(profile).flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
    def same(both: tuple[list[Entry], list[Entry]]) -> None:
        assert ranked(both[0], profile) == ranked(both[1], profile)

    same()


@pytest.mark.parametrize("profile", [POINTS, PRICES], ids=lambda one: one.code)
def test_a_bid_that_is_worse_on_all_criteria_never_wins(profile: Profile) -> None:
    @given(entries_of(profile))
    def better_first(found: list[Entry]) -> None:
        prefers_no_worse(found, profile)

    better_first()


def prefers_no_worse(found: list[Entry], profile: Profile) -> None:
    places = {one.bid_id: one.rank for one in ranked(found, profile)}
    for one in found:
        for other in found:
            if is_worse(one, other, profile):
                assert places[one.bid_id] > places[other.bid_id]


def is_worse(one: Entry, other: Entry, profile: Profile) -> bool:
    """Worse on every criterion, and dearer where the price competes."""
    worse = all(one.points[code] < other.points[code] for code in one.points)
    if profile.price_mode == "competitive":
        return worse and (one.price_minor or 0) > (other.price_minor or 0)
    return worse


def test_places_are_dense_and_each_says_what_decided_it() -> None:
    best = dict.fromkeys(CODES, 1)
    listed = [
        entry(0, best, 1, 1),
        entry(1, best, 1, 0),
        entry(2, {**best, "experience": 2}, 1, 2),
        entry(3, {**best, "experience": 2, "menu-quality": 0}, 1, 3),
    ]
    found = [(one.bid_id, one.rank, one.decided_by) for one in ranked(listed, POINTS)]
    assert found == [
        ("bid2", 1, ""),
        ("bid3", 2, "points"),
        ("bid1", 3, "experience"),
        ("bid0", 4, "received-at"),
    ]


def test_a_whole_second_comes_before_its_half() -> None:
    best = dict.fromkeys(CODES, 1)
    assert [one.bid_id for one in ranked([entry(0, best, 1, 1), entry(1, best, 1, 0)], POINTS)] == ["bid1", "bid0"]


def test_where_price_competes_a_bid_without_one_has_no_place() -> None:
    best = {one.code: 1 for one in PRICES.criteria}
    unpriced = replace(entry(0, best, 1, 0), price_minor=None)
    assert [one.bid_id for one in ranked([unpriced, entry(1, best, 5, 0)], PRICES)] == ["bid1"]


def test_a_ranking_by_the_order_of_the_list_would_be_found() -> None:
    """The planted bug beside the law: a sort that stops at the points leaves equals in the order that they came in."""
    best = dict.fromkeys(CODES, 1)
    listed = [entry(0, best, 1, 1), entry(1, best, 1, 0)]

    def planted(found: list[Entry]) -> list[str]:
        return [one.bid_id for one in sorted(found, key=lambda one: -one.points_milli)]

    assert planted(listed) != planted(listed[::-1])
    assert ranked(listed, POINTS) == ranked(listed[::-1], POINTS)
