"""Sealed rows: all of one size and look, so that the table tells neither whose they are nor how many are bids.

A row's id is a keyed hash of supplier, lot and place, its claim one of the caller's id; whoever has the tables without
the server's secret can compute neither. The server's secret shows who submitted when, but no bid: what bidders sealed
to the commission's keys stays sealed (``docs/sealing.md``).
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schoolmeals.errors import N_, Conflict
from schoolmeals.keys import NONCE_BYTES, derive_key, keyed_hash, seal, unseal
from schoolmeals.procurement.rules.bids import PART_BYTES, RowFacts, RowKind
from schoolmeals.procurement.sealing.canonical import canonical

BODY_BYTES: Final = 34_816
"""A manifest of the largest size, what is said about it, and the seal."""
SEAL_BYTES: Final = NONCE_BYTES + 16
PART_BODY_BYTES: Final = PART_BYTES + SEAL_BYTES
RECEIPT_FORMAT: Final = "bid-receipt/v1"
NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """What the server needs to write and find rows, each key from its one secret."""

    body: bytes
    place: bytes
    receipt: bytes

    @classmethod
    def of(cls, secret: str) -> "ServerKeys":
        """The keys of an installation's ``secret_key``."""
        return cls(*(derive_key(secret, f"bids {purpose}") for purpose in ("body", "place", "receipt")))

    @property
    def receipt_public(self) -> bytes:
        """The Ed25519 key, 32 bytes, by which anybody can check a receipt."""
        return _public_of(self.receipt)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a supplier gets for a submitted, replaced, withdrawn or confirmed bid. ``text`` is what is signed."""

    row_id: UUID
    kind: RowKind
    bid_id: UUID
    digest: str
    received_at: datetime
    text: bytes
    signature: bytes


@lru_cache(maxsize=8)
def _signer(receipt_key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(receipt_key)


@lru_cache(maxsize=8)
def _public_of(receipt_key: bytes) -> bytes:
    return _signer(receipt_key).public_key().public_bytes_raw()


def slot_id(keys: ServerKeys, tender_id: UUID, lot_id: UUID, tenderer_id: UUID, place: int) -> UUID:
    """The id of a supplier's row for a lot; two requests at once fight for the same one."""
    return _hidden(keys, f"slot {tender_id} {lot_id} {tenderer_id} {place}")


def claim_of(keys: ServerKeys, request_id: UUID) -> UUID:
    """What a row keeps of the caller's id, so that the same request is known again."""
    return _hidden(keys, f"claim {request_id}")


def queues_of(keys: ServerKeys, tender_id: UUID, lot_id: UUID, tenderer_id: UUID, request_id: UUID) -> tuple[int, int]:
    """The numbers under which whoever writes a supplier's next row for a lot, or a row for a request, waits for others
    who do. They tell as little as the ids do.
    """
    names = (f"queue {tender_id} {lot_id} {tenderer_id}", f"queue {request_id}")
    chain, claim = (int.from_bytes(keyed_hash(keys.place, name)[:8], "big", signed=True) for name in names)
    return chain, claim


def part_id(keys: ServerKeys, tender_id: UUID, ciphertext_sha256: str, number: int) -> UUID:
    """The id of a piece of a sealed file. Nothing shows which pieces belong together."""
    return _hidden(keys, f"part {tender_id} {ciphertext_sha256} {number}")


def _hidden(keys: ServerKeys, text: str) -> UUID:
    # The form of a random UUID, which is what the rows that are nothing have.
    return UUID(bytes=keyed_hash(keys.place, text)[:16], version=4)


def sealed(keys: ServerKeys, row_id: UUID, facts: RowFacts) -> bytes:
    """A row's body: always :data:`BODY_BYTES` long."""
    head = canonical(_as_json(facts))
    plain = len(head).to_bytes(4, "big") + len(facts.manifest).to_bytes(4, "big") + head + facts.manifest
    assert len(plain) <= BODY_BYTES - SEAL_BYTES, "no manifest is so large"
    return seal(keys.body, plain.ljust(BODY_BYTES - SEAL_BYTES, b"\0"), _context(facts.tender_id, row_id))


def unsealed(keys: ServerKeys, tender_id: UUID, row_id: UUID, body: bytes) -> RowFacts:
    """The inside of a row. Raises Conflict ``sealed-row-damaged``: such a row must never pass for an empty one."""
    try:
        plain = unseal(keys.body, body, _context(tender_id, row_id))
    except InvalidTag as error:
        raise Conflict("sealed-row-damaged", DAMAGED, row=str(row_id)) from error
    head_bytes, manifest_bytes = int.from_bytes(plain[:4], "big"), int.from_bytes(plain[4:8], "big")
    starts = 8 + head_bytes
    return _from_json(plain[8:starts], plain[starts : starts + manifest_bytes])


def sealed_part(keys: ServerKeys, id: UUID, content: bytes) -> bytes:
    """A piece of a sealed file as it is kept: age's own words at its beginning do not show."""
    return seal(keys.body, content, id.bytes)


def unsealed_part(keys: ServerKeys, id: UUID, body: bytes) -> bytes | None:
    """The piece; None where somebody has changed it."""
    try:
        return unseal(keys.body, body, id.bytes)
    except InvalidTag:
        return None


def cover_part() -> bytes:
    """Random bytes, of which nobody can say that they are not a piece of a sealed file."""
    return secrets.token_bytes(PART_BODY_BYTES)


def receipt_of(keys: ServerKeys, row_id: UUID, facts: RowFacts) -> Receipt:
    """The receipt for a row; always the same bytes for the same row."""
    said = {"format": RECEIPT_FORMAT, "row_id": str(row_id), **_as_json(facts)}
    text = canonical({name: value for name, value in said.items() if name not in ("person_id", "place")})
    signature = _signer(keys.receipt).sign(text)
    return Receipt(row_id, facts.kind, facts.bid_id, facts.manifest_sha256, facts.received_at, text, signature)


def _context(tender_id: UUID, row_id: UUID) -> bytes:
    return tender_id.bytes + row_id.bytes


def _as_json(facts: RowFacts) -> dict[str, Any]:
    return {
        "kind": facts.kind.value,
        "tender_id": str(facts.tender_id),
        "lot_id": str(facts.lot_id),
        "tenderer_id": str(facts.tenderer_id),
        "person_id": str(facts.person_id or NOBODY),
        "request_id": str(facts.request_id),
        "bid_id": str(facts.bid_id),
        "place": facts.place,
        "received_at": facts.received_at.isoformat().replace("+00:00", "Z"),
        "tender_version": facts.tender_version,
        "manifest_sha256": facts.manifest_sha256,
    }


def _from_json(head: bytes, manifest: bytes) -> RowFacts:
    said = json.loads(head)
    ids = ("tender_id", "lot_id", "tenderer_id", "person_id", "request_id", "bid_id")
    found = {name: UUID(said[name]) for name in ids}
    return RowFacts(
        kind=RowKind(said["kind"]),
        received_at=datetime.fromisoformat(said["received_at"]),
        place=said["place"],
        tender_version=said["tender_version"],
        manifest_sha256=said["manifest_sha256"],
        manifest=manifest,
        **found,
    )


DAMAGED: Final = N_("The sealed row %(row)s was changed after it was written. Nothing was done; it must be restored.")
