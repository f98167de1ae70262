"""Kazakh identification numbers: IIN of a person and BIN of an organisation, 12 digits with a check digit.

The check digit is the weighted sum of the first eleven digits modulo 11, with weights 1 to 11; where that gives 10, it
is taken again with weights 3 to 11, 1, 2; where that gives 10 too, the number is never issued.
In a BIN the fifth digit is 4 (resident legal entity), 5 (non-resident legal entity) or 6 (sole trader in partnership).
"""

from typing import Final

_FIRST: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
_SECOND: Final = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_ASCII_DIGITS: Final = frozenset("0123456789")


def check_digit(first_eleven: str) -> int | None:
    """The twelfth digit for eleven ASCII digits, or None where no number with these digits is ever issued."""
    digits = [int(character) for character in first_eleven]
    for weights in (_FIRST, _SECOND):
        check = sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11
        if check != 10:
            return check
    return None


def is_kz_number(text: str) -> bool:
    """Whether ``text`` is twelve ASCII digits with the right check digit."""
    return len(text) == 12 and _ASCII_DIGITS.issuperset(text) and check_digit(text[:11]) == int(text[11])


def is_bin(text: str) -> bool:
    """Whether ``text`` is a BIN, the number of an organisation."""
    return is_kz_number(text) and text[4] in "456"


def is_iin(text: str) -> bool:
    """Whether ``text`` is an IIN, the number of a person: a birth date in digits 1-6, a century in digit 7."""
    if not is_kz_number(text):
        return False
    month, day, century = int(text[2:4]), int(text[4:6]), int(text[6])
    return 1 <= month <= 12 and 1 <= day <= 31 and 0 <= century <= 6
