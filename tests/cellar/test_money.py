"""Money is whole, and nothing of it gets lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.money import Money

sums = st.integers(-(10**12), 10**12)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any)


@given(sums, weights)
def test_shares_add_up_to_the_whole(minor: int, given_weights: list[int]) -> None:
    shares = Money(minor).split(given_weights)
    assert sum(share.minor for share in shares) == minor
    assert len(shares) == len(given_weights)


@given(sums, weights)
def test_no_share_is_more_than_one_unit_from_its_proportion(minor: int, given_weights: list[int]) -> None:
    total = sum(given_weights)
    for share, weight in zip(Money(minor).split(given_weights), given_weights, strict=True):
        assert abs(share.minor * total - minor * weight) <= total


@given(sums, weights)
def test_who_has_no_weight_has_no_share(minor: int, given_weights: list[int]) -> None:
    for share, weight in zip(Money(minor).split(given_weights), given_weights, strict=True):
        assert weight or share.minor in (0, 1, -1)


def test_a_remainder_goes_to_the_largest_remainders_and_then_to_the_first() -> None:
    assert [share.minor for share in Money(100).split([1, 1, 1])] == [34, 33, 33]
    assert [share.minor for share in Money(-100).split([1, 1, 1])] == [-34, -33, -33]
    assert [share.minor for share in Money(10).split([1, 2])] == [3, 7]


@pytest.mark.parametrize("bad", [[], [0, 0], [2, -1]])
def test_impossible_weights_are_refused(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(100).split(bad)


@pytest.mark.parametrize("bad", [1.5, "1", True, None])
def test_only_whole_minor_units_are_money(bad: object) -> None:
    with pytest.raises(TypeError):
        Money(bad)  # type: ignore[arg-type]


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "KZT") + Money(1, "EUR")
    with pytest.raises(ValueError, match="do not mix"):
        _ = Money(1, "KZT") < Money(1, "EUR")
    with pytest.raises(ValueError, match="unknown currency"):
        Money(1, "XXX")


def test_sums_are_counted_and_compared() -> None:
    assert Money(100) + Money(50) == Money(150)
    assert Money(100) - Money(150) == -Money(50)
    assert 3 * Money(100) == Money(100) * 3 == Money(300)
    assert Money(1) < Money(2) <= Money(2)
    assert Money.major(850) == Money(85_000)
    assert Money.major(7, "JPY") == Money(7, "JPY")
    assert not Money(0)
    with pytest.raises(TypeError):
        Money(100) * 1.5  # type: ignore[operator]
