"""Bids for tests: sealed to a tender's commission as a bidder's browser would, submitted, and opened again."""

import io
import json
import secrets
from dataclasses import dataclass, replace
from typing import IO, Any, Final
from uuid import UUID

from schoolmeals.actors import SYSTEM, Actor
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import bidding
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rows import Receipt
from schoolmeals.procurement.rules.bids import PART_BYTES, key_set_of
from schoolmeals.procurement.sealing import (
    KeySet,
    Manifest,
    SourceFile,
    manifest_digest,
    published_keys,
    seal_bid,
)
from tests.factories.procurement import KEYS, SERVER_SECRET, Procurement

__all__ = ["KEYS", "SERVER_SECRET", "hand_in", "keys_of", "like", "lot_of", "make_bid", "submit", "upload"]

CONTENT: Final = {"price_minor": 79_900, "note": "Түскі ас"}


@dataclass(frozen=True)
class MadeBid:
    """A bid as its bidder has it."""

    id: UUID
    lot_id: UUID
    tenderer_id: UUID
    manifest: bytes
    sha256: str
    files: dict[str, bytes]
    recovery: bytes


def keys_of(world: Procurement, tender_id: UUID) -> KeySet:
    """The keys that the notice publishes."""
    document = world.look(tender_queries.version, tender_id, actor=SYSTEM).document
    return key_set_of(document)


def lot_of(world: Procurement, tender_id: UUID) -> UUID:
    """The tender's first lot."""
    found: UUID = next(iter(world.look(tender_queries.tender, tender_id, actor=SYSTEM).lots))
    return found


def make_bid(
    world: Procurement,
    tender_id: UUID,
    *,
    tenderer_id: UUID | None = None,
    content: dict[str, Any] | None = None,
    replaces: str = "",
    envelopes: tuple[str, ...] = ("qualification",),
    bid_id: UUID | None = None,
) -> MadeBid:
    """Seal a bid; the world's supplier's by default."""
    keys, lot_id, id = keys_of(world, tender_id), lot_of(world, tender_id), bid_id or new_id(world.clock())
    sealed_files: dict[str, io.BytesIO] = {}

    def put(name: str) -> IO[bytes]:
        sealed_files[name] = io.BytesIO()
        return sealed_files[name]

    text = json.dumps(content or CONTENT).encode()
    tenderer = tenderer_id or world.supplier_id
    made = seal_bid(
        keys,
        published_keys(keys),
        {name: [SourceFile.of_bytes("bid.json", "application/json", text)] for name in envelopes},
        put,
        bid_id=str(id),
        bidder=str(tenderer),
        lot_ids=[str(lot_id)],
        replaces=replaces,
    )
    files = {name: file.getvalue() for name, file in sealed_files.items()}
    return MadeBid(id, lot_id, tenderer, made.manifest, made.manifest_sha256, files, made.recovery)


def like(bid: MadeBid, tenderer_id: UUID, *, replaces: str = "") -> MadeBid:
    """Another bid that the server cannot tell from one that was sealed; made fast, and impossible to open."""
    manifest, id = Manifest.from_bytes(bid.manifest), new_id()
    nonce = secrets.token_hex(32)
    bid_facts = replace(manifest.bid, bid_id=str(id), bidder=str(tenderer_id), nonce=nonce, replaces=replaces)
    data = Manifest(bid_facts, manifest.envelopes).to_bytes()
    return MadeBid(id, bid.lot_id, tenderer_id, data, manifest_digest(data), {}, b"")


def submit(world: Procurement, tender_id: UUID, bid: MadeBid, *, actor: Actor | None = None) -> Receipt:
    """Submit a manifest at the world's clock."""
    deed = bidding.submit_bid
    how = {"keys": KEYS, "clock": deed_clock}
    receipt: Receipt = world.do(deed, tender_id, bid.tenderer_id, bid.manifest, actor=actor or world.supplier, **how)
    return receipt


def upload(world: Procurement, tender_id: UUID, bid: MadeBid, *, actor: Actor | None = None) -> None:
    """Send all sealed files of a bid, a piece at a time."""
    for name, file in bid.files.items():
        for number in range(len(file) // PART_BYTES):
            piece = file[number * PART_BYTES : (number + 1) * PART_BYTES]
            about = (tender_id, bid.tenderer_id, bid.id, name, number, piece)
            world.do(bidding.receive_part, *about, keys=KEYS, clock=deed_clock, actor=actor or world.supplier)


def hand_in(world: Procurement, tender_id: UUID, **about: Any) -> MadeBid:
    """Make a bid, submit it and send its files."""
    bid = make_bid(world, tender_id, **about)
    submit(world, tender_id, bid)
    upload(world, tender_id, bid)
    return bid
