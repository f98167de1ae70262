"""The commission's public keys, and what the notice says about them, so that nobody can slip in another key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from schoolmeals.procurement.sealing.canonical import (
    KEYS_DOMAIN,
    MEMBER_KEY_DOMAIN,
    canonical,
    digest,
    exactly,
    is_count,
    is_format,
    is_hash,
    is_list,
    is_name,
    is_recipient,
    parse,
)
from schoolmeals.procurement.sealing.faults import FaultCode, SealingFault

MEMBERS_MAX: Final = 9
PUBLISHED_FORMAT: Final = "bid-published-keys/v1"


@dataclass(frozen=True, slots=True)
class Member:
    """A commission member and the public half of the key that was made for this tender (``age1...``)."""

    id: str
    recipient: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex, as the notice publishes it."""
        return digest(MEMBER_KEY_DOMAIN, self.recipient.encode("ascii"))


def shown_fingerprint(fingerprint: str) -> str:
    """The first 128 bits in eight groups, to be compared by people: ``3f2a 90c1 ...``."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, 32, 4))


@dataclass(frozen=True, slots=True)
class KeySet:
    """Whose keys a tender's bids are sealed to: any ``k`` of the members open them, fewer cannot."""

    tender_id: str
    k: int
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        fits = 2 <= self.k <= len(self.members) <= MEMBERS_MAX
        once = len({one.id for one in self.members}) == len({one.recipient for one in self.members})
        if not fits or not once or len({one.id for one in self.members}) != len(self.members):
            raise SealingFault(FaultCode.WRONG_SHAPE, part="members")

    @property
    def n(self) -> int:
        """How many members there are."""
        return len(self.members)

    @property
    def sha256(self) -> str:
        """The digest that the notice publishes and that every bid repeats."""
        return digest(KEYS_DOMAIN, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The canonical file: ``{"format", "k", "members": [{"id", "recipient"}], "tender_id"}``."""
        members = [{"id": one.id, "recipient": one.recipient} for one in self.members]
        return canonical({"format": KEYS_DOMAIN, "tender_id": self.tender_id, "k": self.k, "members": members})

    @classmethod
    def from_bytes(cls, data: bytes) -> "KeySet":
        """Read the canonical file. Raises ``not-canonical`` or ``wrong-shape``."""
        checks = {"format": is_format(KEYS_DOMAIN), "tender_id": is_name, "k": is_count, "members": is_list}
        value = exactly(parse(data), "keys", checks)
        return cls(value["tender_id"], value["k"], tuple(_member(one) for one in value["members"]))


def _member(value: Any) -> Member:
    return Member(**exactly(value, "keys.members", {"id": is_name, "recipient": is_recipient}))


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """What the notice says about the keys. It reaches the bidder by the notice, not by the page that seals."""

    tender_id: str
    key_set_sha256: str
    fingerprints: tuple[tuple[str, str], ...] = ()
    """Member id and fingerprint; may be empty, and then a swapped key is found, but not named."""

    def to_bytes(self) -> bytes:
        """The canonical file: ``{"fingerprints": {member id: hex}, "format", "key_set_sha256", "tender_id"}``."""
        fields = {"tender_id": self.tender_id, "key_set_sha256": self.key_set_sha256}
        return canonical({"format": PUBLISHED_FORMAT, "fingerprints": dict(self.fingerprints), **fields})

    @classmethod
    def from_bytes(cls, data: bytes) -> "PublishedKeys":
        """Read the canonical file. Raises ``not-canonical`` or ``wrong-shape``."""
        checks = {
            "format": is_format(PUBLISHED_FORMAT),
            "tender_id": is_name,
            "key_set_sha256": is_hash,
            "fingerprints": _are_fingerprints,
        }
        value = exactly(parse(data), "published", checks)
        return cls(value["tender_id"], value["key_set_sha256"], tuple(sorted(value["fingerprints"].items())))


def _are_fingerprints(value: Any) -> bool:
    return isinstance(value, dict) and all(map(is_name, value)) and all(map(is_hash, value.values()))


def published_keys(keys: KeySet) -> PublishedKeys:
    """What a notice has to publish about ``keys``."""
    return PublishedKeys(keys.tender_id, keys.sha256, tuple(sorted((one.id, one.fingerprint) for one in keys.members)))


def require_published(keys: KeySet, published: PublishedKeys) -> None:
    """Refuse keys that are not the published ones: ``wrong-tender``, ``key-swapped`` (names the member) or
    ``key-set-swapped`` (a member too many or too few, another threshold, another order)."""
    if keys.tender_id != published.tender_id:
        raise SealingFault(FaultCode.WRONG_TENDER)
    for member in swapped(keys.members, dict(published.fingerprints)):
        raise SealingFault(FaultCode.KEY_SWAPPED, member_id=member.id)
    if keys.sha256 != published.key_set_sha256:
        raise SealingFault(FaultCode.KEY_SET_SWAPPED)


def swapped(members: Sequence[Member], fingerprints: dict[str, str]) -> list[Member]:
    """The members whose key has not the fingerprint that was published for them."""
    return [one for one in members if fingerprints.get(one.id, one.fingerprint) != one.fingerprint]
