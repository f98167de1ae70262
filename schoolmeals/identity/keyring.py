"""The room's keys, one for each purpose, from the installation's secret. Views hand them to the deeds."""

from dataclasses import dataclass

from schoolmeals.keys import derive_key, keyed_hash


@dataclass(frozen=True, slots=True)
class Keyring:
    """``attempts`` hides who tried what, ``codes`` one-time codes, ``totp`` seals the secrets of authenticator apps."""

    attempts: bytes
    codes: bytes
    totp: bytes

    @classmethod
    def of(cls, secret: str) -> "Keyring":
        """The keys of an installation."""
        return cls(*(derive_key(secret, f"identity {purpose}") for purpose in ("attempts", "codes", "totp")))

    def attempt_key(self, purpose: str, *what: object) -> bytes:
        """The key under which attempts at ``what`` are counted."""
        return keyed_hash(self.attempts, "\n".join((purpose, *map(str, what))))

    def code_hash(self, purpose: str, code: str) -> bytes:
        """What is stored of a one-time code."""
        return keyed_hash(self.codes, f"{purpose}\n{code}")
