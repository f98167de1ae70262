"""The rules of the till, without a database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.canteen.rules import (
    SENTENCES,
    TILL_RULES,
    TILL_WARNINGS,
    ItemFacts,
    TapFacts,
    age_group_of,
    decide,
    nearest_age_group,
)

LUNCH = ItemFacts(UUID(int=1), True, "6-10", 1, 850_00, frozenset({"milk"}))
JUICE = ItemFacts(UUID(int=2), False, None, 1, 300_00)
BUN = ItemFacts(UUID(int=3), False, None, 1, 200_00, frozenset({"gluten", "milk"}))
A_LUNCH = TapFacts(items=(LUNCH,), age_group="6-10")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"asks_for_something": False}, "E01"),
        ({"is_till_known": False}, "E02"),
        ({"is_sequence_free": False}, "E03"),
        ({"age_of_tap": timedelta(hours=72, seconds=1)}, "E03"),
        ({"is_card_known": False}, "C10"),
        ({"is_card_blocked": True}, "C11"),
        ({"has_card_ended": True}, "C12"),
        ({"is_enrolled": False}, "P20"),
        ({"is_sitting_open": False}, "M30"),
        ({"is_on_menu": False}, "M31"),
        ({"allergens": (("milk", "certified"),)}, "A40"),
        ({"allergens": (("milk", "certified"),), "decisions": frozenset({"A40"})}, "A40"),
        ({"allergens": (("milk", "intolerance"),)}, "A41"),
        ({"allergens": (("milk", "wish"),)}, "A42"),
        ({"allergens": (("other:red dye", "certified"),)}, "A42"),
        ({"has_diet_note": True}, "A42"),
        ({"set_meals_before": 1, "money_minor": 850_00}, "V53"),
        ({"set_meals_before": 1, "money_minor": 849_99, "decisions": frozenset({"V53"})}, "F70"),
        ({"items": (JUICE,), "money_minor": 299_99}, "F70"),
        ({"items": (JUICE,), "money_minor": 300_00, "limit_left_minor": 299_99}, "L60"),
    ],
)
def test_each_rule_stops_what_it_guards_against(changes: dict[str, Any], code: str) -> None:
    decision = decide(replace(A_LUNCH, **changes))
    assert decision.refused is not None
    assert decision.refused.code == code
    assert decision.refused.sentence == SENTENCES[code]
    assert (decision.served, decision.declined) == ((), ())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"money_minor": 0, "limit_left_minor": 0},
        {"age_of_tap": timedelta(hours=72)},
        {"is_sitting_open": False, "decisions": frozenset({"M30"})},
        {"allergens": (("milk", "certified"),), "decisions": frozenset({"A40"}), "may_decide_medically": True},
        {"allergens": (("milk", "intolerance"),), "decisions": frozenset({"A41"})},
        {"allergens": (("milk", "wish"),), "decisions": frozenset({"A42"})},
        {"allergens": (("fish", "certified"), ("eggs", "intolerance"))},
        {"has_diet_note": True, "decisions": frozenset({"A42"})},
        {"set_meals_before": 1, "money_minor": 850_00, "decisions": frozenset({"V53"})},
        {"set_meals_before": 1, "money_minor": 850_00, "limit_left_minor": 0, "decisions": frozenset({"V53"})},
        {"items": (JUICE,), "money_minor": 300_00, "limit_left_minor": 300_00},
        {"items": (LUNCH, JUICE), "money_minor": 1_150_00},
    ],
)
def test_what_no_rule_stops_is_served_whole(changes: dict[str, Any]) -> None:
    facts = replace(A_LUNCH, **changes)
    decision = decide(facts)
    assert decision.refused is None
    assert decision.served == facts.items
    assert decision.declined == ()


def test_the_first_rule_in_order_names_the_reason() -> None:
    everything_wrong = TapFacts(
        items=(LUNCH, JUICE),
        is_till_known=False,
        is_card_known=False,
        is_card_blocked=True,
        is_enrolled=False,
        is_sitting_open=False,
        allergens=(("milk", "certified"),),
    )
    decision = decide(everything_wrong)
    assert decision.refused is not None
    assert decision.refused.code == "E02"
    found = [refused.code for rule in TILL_RULES if (refused := rule(everything_wrong)) is not None]
    assert found == ["E02", "C10", "C11", "P20", "M30", "A40", "F70"]


@pytest.mark.parametrize(
    ("money_minor", "limit_left_minor", "code"), [(1_149_99, None, "F70"), (9_000_00, 299_99, "L60"), (0, None, "F70")]
)
def test_the_set_meal_is_served_where_only_the_juice_cannot_be_paid(
    money_minor: int, limit_left_minor: int | None, code: str
) -> None:
    facts = replace(A_LUNCH, items=(LUNCH, JUICE), money_minor=money_minor, limit_left_minor=limit_left_minor)
    decision = decide(facts)
    assert decision.refused is None
    assert decision.served == (LUNCH,)
    assert decision.declined == (JUICE,)
    assert [one.code for one in decision.warnings] == [code]


def test_of_two_portions_at_once_the_first_is_served_without_money() -> None:
    facts = replace(A_LUNCH, items=(LUNCH.times(2),), decisions=frozenset({"V53"}), money_minor=900_00)
    decision = decide(facts)
    assert decision.served == (LUNCH,)
    assert decision.declined == (LUNCH,)


def test_an_intolerance_is_never_overridden_for_the_buffet() -> None:
    facts = replace(
        A_LUNCH,
        items=(LUNCH, BUN),
        money_minor=9_000_00,
        allergens=(("gluten", "intolerance"),),
        decisions=frozenset({"A41"}),
    )
    decision = decide(facts)
    assert decision.refused is not None
    assert decision.refused.code == "A41"
    assert decision.refused.facts == {"allergens": ["gluten"]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"age_of_tap": timedelta(seconds=121)}, "E05"),
        ({"age_of_tap": timedelta(seconds=-121)}, "E05"),
        ({"was_card_just_elsewhere": True}, "C14"),
        ({"age_group": "11-14"}, "M33"),
    ],
)
def test_warnings_do_not_stop_a_sale(changes: dict[str, Any], code: str) -> None:
    decision = decide(replace(A_LUNCH, **changes))
    assert decision.refused is None
    assert [one.code for one in decision.warnings] == [code]


@pytest.mark.parametrize("seconds", [120, -120, 0])
def test_two_minutes_of_the_clock_are_nothing(seconds: int) -> None:
    assert decide(replace(A_LUNCH, age_of_tap=timedelta(seconds=seconds))).warnings == ()


@pytest.mark.parametrize(
    ("grade", "group"),
    [(0, "6-10"), (4, "6-10"), (5, "11-14"), (9, "11-14"), (10, "15-18"), (12, "15-18"), (None, None)],
)
def test_the_age_group_follows_the_grade(grade: int | None, group: str | None) -> None:
    assert age_group_of(grade) == group


@pytest.mark.parametrize(
    ("wanted", "offered", "group"),
    [
        ("6-10", {"6-10", "11-14"}, "6-10"),
        ("15-18", {"6-10", "11-14"}, "11-14"),
        ("11-14", {"6-10", "15-18"}, "15-18"),
        (None, {"6-10", "11-14", "15-18"}, "11-14"),
        ("6-10", set(), None),
    ],
)
def test_without_a_meal_of_their_own_age_the_nearest_is_given(
    wanted: str | None, offered: set[str], group: str | None
) -> None:
    assert nearest_age_group(wanted, offered) == group


items = st.builds(
    ItemFacts,
    menu_item_id=st.builds(uuid4),
    is_set_meal=st.booleans(),
    age_group=st.just("6-10"),
    quantity=st.integers(1, 3),
    price_minor=st.integers(0, 1_000_00),
)
orders = st.builds(
    TapFacts,
    items=st.lists(items, min_size=1, max_size=4).map(tuple),
    age_group=st.just("6-10"),
    decisions=st.frozensets(st.sampled_from(["V53"])),
    set_meals_before=st.integers(0, 1),
    money_minor=st.integers(0, 3_000_00),
    limit_left_minor=st.none() | st.integers(0, 2_000_00),
)


@given(orders)
def test_a_first_set_meal_is_never_refused_for_money(facts: TapFacts) -> None:
    decision = decide(facts)
    if facts.first_portion is not None and facts.set_meals == 1:
        assert decision.refused is None
        assert facts.first_portion in decision.served


@given(orders)
def test_what_is_served_and_declined_is_what_was_asked(facts: TapFacts) -> None:
    decision = decide(facts)
    if decision.refused is None:
        both = sum(item.total_minor for item in (*decision.served, *decision.declined))
        assert both == facts.total_minor
        assert all(item.quantity > 0 for item in (*decision.served, *decision.declined))


@given(orders)
def test_beside_the_first_set_meal_only_the_purse_pays_and_only_within_the_limit(facts: TapFacts) -> None:
    decision = decide(facts)
    first = facts.first_portion
    first_minor = first.price_minor if first else 0
    extras = sum(item.total_minor for item in decision.served) - first_minor
    if decision.refused is None and extras:
        assert extras <= facts.money_minor - first_minor
        buffet = sum(item.total_minor for item in decision.served if not item.is_set_meal)
        assert facts.limit_left_minor is None or buffet <= facts.limit_left_minor


@given(orders, st.integers(0, 3_000_00))
def test_for_a_set_meal_alone_money_changes_nothing(facts: TapFacts, other_money: int) -> None:
    facts = replace(facts, items=(LUNCH,), set_meals_before=0)
    assert decide(facts) == decide(replace(facts, money_minor=other_money))


def test_every_code_has_a_sentence_and_every_rule_a_reason() -> None:
    assert len(set(TILL_RULES)) == len(TILL_RULES)
    assert all(rule.__doc__ for rule in (*TILL_RULES, *TILL_WARNINGS))
