"""The manifest: the small public-looking part of a sealed bid, and the legal act of submitting it."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Final

from schoolmeals.procurement.sealing.bids import Bid
from schoolmeals.procurement.sealing.canonical import (
    MANIFEST_DOMAIN,
    canonical,
    digest,
    exactly,
    is_base64,
    is_count,
    is_format,
    is_hash,
    is_list,
    is_name,
    parse,
)
from schoolmeals.procurement.sealing.envelopes import SIZE_CLASSES
from schoolmeals.procurement.sealing.faults import FaultCode, SealingFault
from schoolmeals.procurement.sealing.key_sets import KeySet

MANIFEST_STEP_BYTES: Final = 4_096
MANIFEST_MAX_BYTES: Final = 32_768
"""Two envelopes for nine members fit."""


@dataclass(frozen=True, slots=True)
class SealedShare:
    """One member's share of one envelope's secret."""

    member_id: str
    place: int
    """Where on the polynomial it lies, 1 to 255."""
    sha256: str
    """The commitment to it, see :func:`schoolmeals.procurement.sealing.shares.share_commitment`."""
    box: bytes
    """The share, encrypted by age to the member's key."""


@dataclass(frozen=True, slots=True)
class SealedEnvelope:
    """One envelope, as the manifest names it."""

    name: str
    commitment: str
    ciphertext_sha256: str
    ciphertext_bytes: int
    shares: tuple[SealedShare, ...]

    def share_of(self, member_id: str) -> SealedShare:
        """The share of this member. Raises ``wrong-shape`` for somebody who has none."""
        for share in self.shares:
            if share.member_id == member_id:
                return share
        raise SealingFault(FaultCode.WRONG_SHAPE, part="member_id")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A sealed bid without its ciphertexts."""

    bid: Bid
    envelopes: tuple[SealedEnvelope, ...]

    def envelope(self, name: str) -> SealedEnvelope:
        """The envelope of this name. Raises ``wrong-shape``."""
        for envelope in self.envelopes:
            if envelope.name == name:
                return envelope
        raise SealingFault(FaultCode.WRONG_SHAPE, part="envelope")

    def to_bytes(self) -> bytes:
        """The canonical file, filled up to a multiple of 4 KiB so that its size does not tell what is in it."""
        value = {
            "format": MANIFEST_DOMAIN,
            "bid": self.bid.to_json(),
            "envelopes": [_envelope_json(one) for one in self.envelopes],
            "padding": "",
        }
        # The padding is the last field by its name, so that its zeros go before the last two bytes.
        written = canonical(value)
        return written[:-2] + b"0" * (-len(written) % MANIFEST_STEP_BYTES) + written[-2:]

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Read the file. Raises ``not-canonical`` or ``wrong-shape``."""
        if len(data) > MANIFEST_MAX_BYTES:
            raise SealingFault(FaultCode.WRONG_SHAPE, part="manifest")
        checks = {
            "format": is_format(MANIFEST_DOMAIN),
            "bid": lambda value: isinstance(value, dict),
            "envelopes": is_list,
            "padding": lambda value: isinstance(value, str),
        }
        value = exactly(parse(data), "manifest", checks)
        read = cls(Bid.from_json(value["bid"]), tuple(_envelope(one) for one in value["envelopes"]))
        # What we would write ourselves is the only way to write it; that holds for the padding too.
        if read.to_bytes() != data or read.bid.envelopes != tuple(one.name for one in read.envelopes):
            raise SealingFault(FaultCode.WRONG_SHAPE, part="manifest")
        return read


def manifest_digest(data: bytes) -> str:
    """The digest that the receipt and the log hold, and that a bidder signs."""
    return digest(MANIFEST_DOMAIN, data)


def submitted_manifest(data: bytes, keys: KeySet) -> Manifest:
    """A manifest that arrives: well made and sealed to ``keys``. Raises ``not-canonical``, ``wrong-shape``,
    ``wrong-tender`` or ``key-set-swapped``. Whether its boxes hold what they should is known at the opening only."""
    manifest = Manifest.from_bytes(data)
    require_sealed_to(manifest, keys)
    return manifest


def require_sealed_to(manifest: Manifest, keys: KeySet) -> None:
    """Raise ``wrong-tender``, ``key-set-swapped`` or ``wrong-shape`` where a manifest is not sealed to ``keys``."""
    if manifest.bid.tender_id != keys.tender_id:
        raise SealingFault(FaultCode.WRONG_TENDER)
    if manifest.bid.key_set_sha256 != keys.sha256:
        raise SealingFault(FaultCode.KEY_SET_SWAPPED)
    members = tuple(one.id for one in keys.members)
    for envelope in manifest.envelopes:
        if tuple(one.member_id for one in envelope.shares) != members:
            raise SealingFault(FaultCode.WRONG_SHAPE, part="envelopes.shares")
    if (manifest.bid.k, manifest.bid.n) != (keys.k, keys.n):
        raise SealingFault(FaultCode.WRONG_SHAPE, part="bid.k")


def recorded_manifest(data: bytes, keys: KeySet, *, sha256: str) -> Manifest:
    """A manifest at the opening: the very one whose digest was logged. Raises ``manifest-changed`` besides."""
    if manifest_digest(data) != sha256:
        raise SealingFault(FaultCode.MANIFEST_CHANGED)
    return submitted_manifest(data, keys)


def _envelope_json(one: SealedEnvelope) -> dict[str, Any]:
    return {
        "envelope": one.name,
        "commitment": one.commitment,
        "ciphertext_sha256": one.ciphertext_sha256,
        "ciphertext_bytes": one.ciphertext_bytes,
        "shares": [
            {"member_id": of.member_id, "place": of.place, "sha256": of.sha256, "box": b64encode(of.box).decode()}
            for of in one.shares
        ],
    }


def _envelope(value: Any) -> SealedEnvelope:
    checks = {
        "envelope": is_name,
        "commitment": is_hash,
        "ciphertext_sha256": is_hash,
        "ciphertext_bytes": lambda size: is_count(size) and size in SIZE_CLASSES,
        "shares": is_list,
    }
    fields = exactly(value, "envelopes", checks)
    shares = tuple(_share(one) for one in fields["shares"])
    if len({one.place for one in shares}) != len(shares):
        raise SealingFault(FaultCode.WRONG_SHAPE, part="envelopes.shares.place")
    return SealedEnvelope(
        fields["envelope"], fields["commitment"], fields["ciphertext_sha256"], fields["ciphertext_bytes"], shares
    )


def _share(value: Any) -> SealedShare:
    checks = {
        "member_id": is_name,
        "place": lambda place: is_count(place) and 1 <= place <= 255,
        "sha256": is_hash,
        "box": is_base64,
    }
    fields = exactly(value, "envelopes.shares", checks)
    return SealedShare(fields["member_id"], fields["place"], fields["sha256"], b64decode(fields["box"]))
