"""One-time codes that people read to each other and type: Crockford's base 32, without I, L, O and U."""

import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 10
"""50 random bits: with the rate limit on guessing, more than enough for a code that expires."""
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None, "\u2011": None})


def new_code() -> str:
    """Ten random characters."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def plain_code(typed: str) -> str:
    """A code as it was made, from the way somebody typed it: any case, with hyphens, O for 0."""
    return typed.strip().upper().translate(_READ_AS)


def shown_code(code: str) -> str:
    """A code in two halves, easier to read out."""
    return f"{code[:5]}-{code[5:]}"
