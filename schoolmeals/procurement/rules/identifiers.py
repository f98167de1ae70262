"""Who somebody is, by a number and the scheme that it is of: a country's organisations and people, and anybody else's.

A person's number is never kept: :func:`person_key` stands for it, the same for the same person wherever they appear.
"""

import re
from dataclasses import dataclass
from typing import Final

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.keys import derive_key, keyed_hash
from schoolmeals.kz_id import is_bin, is_iin

BIN: Final = "KZ-BIN"
IIN: Final = "KZ-IIN"
PERSON: Final = "person-key"
"""The scheme of what :func:`person_key` gives."""
LONGEST: Final = 40
_SCHEME: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,12})+")
_NUMBER: Final = re.compile(r"[0-9A-Z][0-9A-Z./-]{1,39}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number with its scheme, e.g. ``KZ-BIN`` or, of another country, its code and its register's."""

    scheme: str
    number: str


def plain_number(text: str) -> str:
    """A number as it is compared: no spaces, capital letters."""
    return "".join(text.split()).upper()


def scheme_for(number: str) -> str:
    """The scheme of a number that was written without one; empty where it is none of this country's."""
    return BIN if is_bin(number) else IIN if is_iin(number) else ""


def number_problem(scheme: str, number: str) -> FieldProblem | None:
    """What is wrong with a number of a scheme. Only this country's check digits are known here."""
    if scheme == BIN:
        return None if is_bin(number) else FieldProblem.of("not-a-bin", NOT_A_BIN)
    if scheme == IIN:
        return None if is_iin(number) else FieldProblem.of("not-an-iin", NOT_AN_IIN)
    if not _SCHEME.fullmatch(scheme):
        return FieldProblem.of("no-scheme", NO_SCHEME)
    return None if _NUMBER.fullmatch(number) else FieldProblem.of("not-a-number", NOT_A_NUMBER)


def people_key(secret: str) -> bytes:
    """The key of an installation's ``secret_key`` by which people's numbers are hashed."""
    return derive_key(secret, "procurement people")


def person_key(key: bytes, scheme: str, number: str) -> str:
    """What is kept in place of a person's number: 64 hex digits, from which nobody without the key finds it."""
    return keyed_hash(key, f"{scheme} {number}").hex()


NOT_A_BIN: Final = N_("This is not a BIN: twelve digits, of which the last is a check digit.")
NOT_AN_IIN: Final = N_("This is not an IIN: twelve digits, of which the last is a check digit.")
NO_SCHEME: Final = N_("Name the kind of number as a country and a register, for example RU-INN.")
NOT_A_NUMBER: Final = N_("A number has 2 to 40 digits, capital letters, dots, slashes and hyphens.")
