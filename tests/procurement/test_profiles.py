"""The shipped procedures, and what is refused of one that is not whole."""

import copy
from typing import Any

import pytest

from schoolmeals.procurement import profiles
from schoolmeals.procurement.profiles import Length, Profile, ProfileError

CATERING = profiles.load("kz-catering-points")
GOODS = profiles.load("kz-goods-price")


def test_two_procedures_are_shipped() -> None:
    assert profiles.codes() == ("kz-catering-points", "kz-goods-price")


@pytest.mark.parametrize("code", profiles.codes())
def test_every_number_says_whether_it_was_found_in_the_law(code: str) -> None:
    numbers = dict(profiles.numbers_in(profiles.load(code).json))
    assert len(numbers) > 35
    assert {type(one["verified"]) for one in numbers.values()} == {bool}
    assert [path for path, one in numbers.items() if not all(one["legal_ref"].values())] == []


def test_the_numbers_of_catering() -> None:
    assert CATERING.term("discussion") == Length(5, "working-days")
    assert CATERING.term("bidding_min") == Length(15, "calendar-days")
    assert CATERING.term("standstill") == Length(5, "working-days")
    assert CATERING.number("direct_contract_max").value == 2
    assert CATERING.number("direct_contract_max").verified is True
    assert CATERING.number("contract_security_permille").verified is False
    assert (CATERING.price_mode, CATERING.low_price, CATERING.envelopes) == ("ceiling", None, ("qualification",))
    assert CATERING.tie_break == ("experience", "cooks-grade", "received-at")
    assert {one.code: one.most.value for one in CATERING.criteria}["regional-tax"] == 2_000
    assert next(one for one in CATERING.criteria if one.code == "experience").params["any_customer"] is True


def test_goods_go_to_the_lowest_price_with_a_look_at_odd_ones() -> None:
    rule = GOODS.low_price
    assert rule is not None
    assert (rule.under_mean_percent.value, rule.under_next_percent.value) == (40, 30)
    assert rule.explanation == profiles.Number(1, "working-days", rule.explanation.legal_ref, False)
    assert GOODS.envelopes == ("qualification", "price")
    assert len(GOODS.goods_groups) == 7


def test_unverified_numbers_are_named() -> None:
    assert "numbers.bidding_min" in CATERING.unverified
    assert "numbers.lease" not in CATERING.unverified
    assert "tenure.school-head.most" in CATERING.unverified


def test_a_copy_is_the_profile() -> None:
    copied = Profile.from_json(copy.deepcopy(dict(CATERING.json)))
    assert copied == CATERING
    assert (CATERING.accelerator, CATERING.accelerated(1440).accelerator) == (1, 1440)


def without(document: dict[str, Any], *path: str) -> None:
    for name in path[:-1]:
        document = document[name]
    del document[path[-1]]


def put(document: dict[str, Any], value: Any, *path: str) -> None:
    for name in path[:-1]:
        document = document[name]
    document[path[-1]] = value


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda one: without(one, "criteria"), "missing: criteria"),
        (lambda one: without(one, "numbers", "standstill"), "numbers: missing standstill"),
        (lambda one: put(one, "5", "numbers", "fix", "value"), "numbers.fix: a whole number, not negative"),
        (lambda one: put(one, -1, "numbers", "fix", "value"), "numbers.fix: a whole number, not negative"),
        (lambda one: put(one, "weeks", "numbers", "fix", "unit"), "numbers.fix: a unit"),
        (lambda one: put(one, "yes", "numbers", "fix", "verified"), "numbers.fix: verified, true or false"),
        (lambda one: put(one, "", "numbers", "fix", "legal_ref", "kk"), "numbers.fix: the law in each of kk, ru, en"),
        (lambda one: put(one, "", "name", "ru"), "name: a text in each of kk, ru, en"),
        (lambda one: put(one, "auction", "price_mode"), "price_mode: one of"),
        (lambda one: put(one, "competitive", "price_mode"), "low_price: there where the price competes"),
        (lambda one: put(one, ["experience"], "tie_break"), "tie_break: "),
        (lambda one: put(one, ["lot", "received-at"], "tie_break"), "tie_break: "),
        (lambda one: put(one, 4, "commission", "members", "value"), "commission.members: odd, and at least 5"),
        (lambda one: put(one, 1, "commission", "shares_needed", "value"), "commission.shares_needed: more than one"),
        (lambda one: put(one, ["ngo"], "commission", "parents"), "commission.seats: too few parents"),
    ],
)
def test_a_profile_that_is_not_whole_is_refused(spoil: Any, told: str) -> None:
    document = copy.deepcopy(dict(CATERING.json))
    spoil(document)
    with pytest.raises(ProfileError) as refused:
        Profile.from_json(document)
    assert told in str(refused.value)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ProfileError, match="there is no profile kz-auction"):
        profiles.load("kz-auction")
