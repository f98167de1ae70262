"""The room's keys, one for each purpose, from the installation's secret. Views hand them to the deeds."""

from dataclasses import dataclass

from schoolmeals.keys import derive_key, keyed_hash
from schoolmeals.mail import letters_key


@dataclass(frozen=True, slots=True)
class Keyring:
    """``attempts`` hides who tried what, ``codes`` one-time codes, ``totp`` seals the secrets of authenticator apps,
    ``contacts`` what somebody typed who has forgotten the password, ``letters`` all letters.
    """

    attempts: bytes
    codes: bytes
    totp: bytes
    contacts: bytes
    letters: bytes

    @classmethod
    def of(cls, secret: str) -> "Keyring":
        """The keys of an installation."""
        purposes = ("attempts", "codes", "totp", "contacts")
        own = {purpose: derive_key(secret, f"identity {purpose}") for purpose in purposes}
        return cls(**own, letters=letters_key(secret))

    def attempt_key(self, purpose: str, *what: object) -> bytes:
        """The key under which attempts at ``what`` are counted."""
        return keyed_hash(self.attempts, "\n".join((purpose, *map(str, what))))

    def code_hash(self, purpose: str, code: str) -> bytes:
        """What is stored of a one-time code."""
        return keyed_hash(self.codes, f"{purpose}\n{code}")
