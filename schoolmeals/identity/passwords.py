"""Passwords and PINs as argon2id hashes, and what makes one too easy to guess."""

from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schoolmeals.errors import N_, FieldProblem

SHORTEST: Final = 12
LONGEST: Final = 128
SHORTEST_PIN: Final = 4
LONGEST_PIN: Final = 8
FEWEST_DIFFERENT: Final = 5
_ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "йцукенгшщзхъ",
    "фывапролджэ",
)
_COMMON: Final = (
    "password",
    "пароль",
    "құпиясөз",
    "qwerty",
    "iloveyou",
    "administrator",
    "welcome",
    "schoolmeals",
    "астана",
)

# 19 MiB, two passes, one lane: the least that OWASP's password storage cheat sheet accepts for argon2id. A sign-in then
# takes some 40 ms of one core, and forty at once do not exhaust a small machine.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def hash_secret(secret: str) -> str:
    """An argon2id hash of a password or PIN, with its salt and parameters."""
    return _HASHER.hash(secret)


def is_secret(stored: str | None, given: str) -> bool:
    """Whether ``given`` is what was hashed. Without a hash it takes as long, and is False."""
    try:
        _HASHER.verify(stored or _nobodys_hash(), given)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def password_problem(password: str, *about: str) -> FieldProblem | None:
    """Why ``password`` is not good enough; ``about`` are words that a guesser would try first: name, e-mail, phone."""
    if len(password) < SHORTEST:
        return FieldProblem.of("password-short", N_("Use at least %(least)s characters."), least=SHORTEST)
    if len(password) > LONGEST:
        return FieldProblem.of("password-long", N_("Use at most %(most)s characters."), most=LONGEST)
    if is_easy_to_guess(password, *about):
        return FieldProblem.of(
            "password-easy", N_("This password is easy to guess. Three or four unrelated words make a good one.")
        )
    return None


def is_easy_to_guess(password: str, *about: str) -> bool:
    """Whether little is left of the password once names, common words and runs of keys are taken out of it."""
    rest = password.casefold()
    words = [part for text in about for part in text.casefold().replace("@", " ").split() if len(part) >= 4]
    for word in sorted((*words, *_COMMON), key=len, reverse=True):
        rest = rest.replace(word, "")
    for row in _ROWS:
        rest = _without_runs(rest, row)
    return len(set(rest)) < FEWEST_DIFFERENT


def pin_problem(pin: str) -> FieldProblem | None:
    """Why ``pin`` is not good enough."""
    if not (SHORTEST_PIN <= len(pin) <= LONGEST_PIN and pin.isascii() and pin.isdigit()):
        return FieldProblem.of(
            "pin-form", N_("A PIN has %(least)s to %(most)s digits."), least=SHORTEST_PIN, most=LONGEST_PIN
        )
    if len(set(pin)) == 1 or pin in _ROWS[1] or pin[::-1] in _ROWS[1]:
        return FieldProblem.of("pin-easy", N_("This PIN is easy to guess. Do not repeat or count digits."))
    return None


def _without_runs(text: str, row: str) -> str:
    """``text`` without pieces of four or more neighbouring keys of ``row``, in either direction."""
    for length in range(len(row), 3, -1):
        for start in range(len(row) - length + 1):
            run = row[start : start + length]
            text = text.replace(run, "").replace(run[::-1], "")
    return text


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    """What an unknown person's password is compared with, so that the answer comes no sooner."""
    return hash_secret("nobody has this password")
