"""IIN and BIN check digits, on real numbers of two banks and on made-up people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.kz_id import check_digit, is_bin, is_iin, is_kz_number

HALYK, KASPI = "940140000385", "971240001315"


@pytest.mark.parametrize("number", [HALYK, KASPI])
def test_real_organisations_are_recognised(number: str) -> None:
    assert is_bin(number)
    assert not is_iin(number)


# The eleventh digit has the weight 11, which is nothing modulo 11: the rule of the state cannot see it change.
@pytest.mark.parametrize("place", [*range(10), 11])
def test_one_wrong_digit_is_noticed(place: int) -> None:
    wrong = HALYK[:place] + str((int(HALYK[place]) + 1) % 10) + HALYK[place + 1 :]
    assert not is_kz_number(wrong)


@given(st.text(alphabet="0123456789", min_size=11, max_size=11))
def test_exactly_one_check_digit_fits_or_none(first: str) -> None:
    fitting = [digit for digit in range(10) if is_kz_number(f"{first}{digit}")]
    expected = check_digit(first)
    assert fitting == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    "text", ["", "94014000038", "9401400003850", "94014000038a", "９40140000385", "940140000385 ", "١" * 12]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    assert not is_kz_number(text)
    assert not is_bin(text)


def test_a_person_has_a_birth_date_and_a_century() -> None:
    first = "15031560123"
    number = f"{first}{check_digit(first)}"
    assert is_iin(number)
    assert not is_bin(number)
