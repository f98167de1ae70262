"""A commission with keys, and bids that were sealed to it."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from schoolmeals.procurement.sealing import (
    PRICE,
    QUALIFICATION,
    Fault,
    KeySet,
    Manifest,
    Member,
    OpenedEnvelope,
    OpenedShare,
    SealedBid,
    SourceFile,
    new_member_key,
    open_envelope,
    open_share,
    published_keys,
    recorded_manifest,
    seal_bid,
)

PRICE_LIST: Final = '{"price_minor":98765,"note":"Түскі ас / обед / lunch"}'.encode()
LETTER: Final = b"%PDF-1.7 not really\n" * 500
VECTORS: Final = Path(__file__).parent / "vectors"
MARKER: Final = b"price_minor"


@dataclass(frozen=True)
class Sealed:
    """A sealed bid with its ciphertexts, as a server has it."""

    bid: SealedBid
    ciphertexts: dict[str, bytes]
    keys: KeySet

    @property
    def manifest(self) -> Manifest:
        return recorded_manifest(self.bid.manifest, self.keys, sha256=self.bid.manifest_sha256)


@dataclass(frozen=True)
class Content:
    """What was in an envelope."""

    files: dict[str, bytes]
    plaintext_sha256: str
    set_aside: tuple[Fault, ...]


def content_of(opened: OpenedEnvelope) -> Content:
    """All of an opened envelope."""
    files = {file.name: opened.read(file.name) for file in opened.header.files}
    return Content(files, opened.plaintext_sha256, opened.set_aside)


@dataclass(frozen=True)
class Commission:
    """Members m0, m1, ... with their private keys."""

    keys: KeySet
    identities: dict[str, str]

    @classmethod
    def of(cls, k: int, n: int, tender_id: str = "tender-1") -> "Commission":
        made = {f"m{at}": new_member_key() for at in range(n)}
        members = tuple(Member(id, recipient) for id, (_, recipient) in made.items())
        return cls(KeySet(tender_id, k, members), {id: identity for id, (identity, _) in made.items()})

    def seal(self, price_list: bytes = PRICE_LIST, *, bidder: str = "090840003422", bid_id: str = "bid-1") -> Sealed:
        """A bid of two envelopes."""
        ciphertexts: dict[str, io.BytesIO] = {}

        def put(name: str) -> IO[bytes]:
            ciphertexts[name] = io.BytesIO()
            return ciphertexts[name]

        contents = {
            QUALIFICATION: [SourceFile.of_bytes("letter.pdf", "application/pdf", LETTER)],
            PRICE: [SourceFile.of_bytes("price.json", "application/json", price_list)],
        }
        published = published_keys(self.keys)
        bid = seal_bid(self.keys, published, contents, put, bid_id=bid_id, bidder=bidder, lot_ids=["lot-2", "lot-1"])
        return Sealed(bid, {name: kept.getvalue() for name, kept in ciphertexts.items()}, self.keys)

    def shares(self, sealed: Sealed, members: Iterable[str], envelope: str = PRICE) -> list[OpenedShare]:
        """What these members hand in."""
        return [open_share(sealed.manifest, envelope, one, self.identities[one]) for one in members]

    def open(self, sealed: Sealed, members: Sequence[str], envelope: str = PRICE) -> Content:
        """Open an envelope by these members."""
        handed_in = self.shares(sealed, members, envelope)
        with open_envelope(sealed.manifest, envelope, handed_in, io.BytesIO(sealed.ciphertexts[envelope])) as opened:
            return content_of(opened)
