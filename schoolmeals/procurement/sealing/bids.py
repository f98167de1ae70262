"""What a bid is, as the manifest says it in the open and every envelope repeats it inside."""

from dataclasses import dataclass
from typing import Any, Final

from schoolmeals.procurement.sealing.canonical import (
    exactly,
    is_count,
    is_hash,
    is_hash_or_empty,
    is_name,
    is_names,
)

QUALIFICATION: Final = "qualification"
PRICE: Final = "price"
WHOLE: Final = "bid"
"""The only envelope where the profile does not ask for two."""


@dataclass(frozen=True, slots=True)
class Bid:
    """Whose bid it is, for what, sealed to which keys. Inside the envelope it stops the same sealed file from being
    handed in under another name, and in the manifest it says what is submitted."""

    tender_id: str
    lot_ids: tuple[str, ...]
    bid_id: str
    bidder: str
    envelopes: tuple[str, ...]
    key_set_sha256: str
    k: int
    n: int
    nonce: str
    """32 random bytes, so that two manifests are never alike."""
    replaces: str = ""
    """The digest of the manifest that this one takes the place of."""

    def to_json(self) -> dict[str, Any]:
        """The object that manifest and headers hold as ``bid``."""
        return {
            "tender_id": self.tender_id,
            "lot_ids": list(self.lot_ids),
            "bid_id": self.bid_id,
            "bidder": self.bidder,
            "envelopes": list(self.envelopes),
            "key_set_sha256": self.key_set_sha256,
            "k": self.k,
            "n": self.n,
            "nonce": self.nonce,
            "replaces": self.replaces,
        }

    @classmethod
    def from_json(cls, value: Any) -> "Bid":
        """Read that object. Raises ``wrong-shape``."""
        checks = {
            "tender_id": is_name,
            "lot_ids": is_names,
            "bid_id": is_name,
            "bidder": is_name,
            "envelopes": is_names,
            "key_set_sha256": is_hash,
            "k": is_count,
            "n": is_count,
            "nonce": is_hash,
            "replaces": is_hash_or_empty,
        }
        fields = exactly(value, "bid", checks)
        return cls(**{**fields, "lot_ids": tuple(fields["lot_ids"]), "envelopes": tuple(fields["envelopes"])})
