"""Sealing: a one-off key for each envelope, split among the members, and forgotten."""

import hashlib
import io
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import pyrage

from schoolmeals.procurement.sealing import age_keys, shares
from schoolmeals.procurement.sealing.bids import Bid
from schoolmeals.procurement.sealing.canonical import SHARE_DOMAIN, canonical
from schoolmeals.procurement.sealing.envelopes import (
    FILES_MAX,
    Header,
    SealedFile,
    commitment_of,
    is_file_name,
    plaintext_bytes,
    require_file_names,
    size_class,
)
from schoolmeals.procurement.sealing.faults import FaultCode, SealingFault
from schoolmeals.procurement.sealing.key_sets import KeySet, PublishedKeys, require_published
from schoolmeals.procurement.sealing.manifests import Manifest, SealedEnvelope, SealedShare, manifest_digest

RECOVERY_FORMAT: Final = "bid-recovery/v1"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be sealed. ``open`` is called twice: to hash it, and to encrypt it."""

    name: str
    media_type: str
    open: Callable[[], IO[bytes]]

    @classmethod
    def of_bytes(cls, name: str, media_type: str, content: bytes) -> "SourceFile":
        """A file that is in memory."""
        return cls(name, media_type, lambda: io.BytesIO(content))

    @classmethod
    def of_path(cls, path: Path, media_type: str) -> "SourceFile":
        """A file on disk, under its own name."""
        return cls(path.name, media_type, lambda: path.open("rb"))


@dataclass(frozen=True, slots=True)
class SealedBid:
    """What sealing gives besides the ciphertexts: the manifest to submit, and what only the bidder may keep."""

    manifest: bytes
    manifest_sha256: str
    recovery: bytes
    """``{"bid_id", "envelopes": {name: AGE-SECRET-KEY-1...}, "format", "manifest_sha256"}``: opens the bid alone."""


def seal_bid(
    keys: KeySet,
    published: PublishedKeys,
    contents: Mapping[str, Sequence[SourceFile]],
    put: Callable[[str], IO[bytes]],
    *,
    bid_id: str,
    bidder: str,
    lot_ids: Sequence[str],
    replaces: str = "",
) -> SealedBid:
    """Seal ``contents`` (files by envelope) to ``keys``, which must be the ``published`` ones.

    ``put(envelope)`` gives the writer of that envelope's ciphertext. ``replaces`` is the digest of the manifest that
    the new one takes the place of. Raises what :func:`require_published` does, ``wrong-shape`` and ``too-large``;
    nothing has been written to ``put`` where the keys are refused.
    """
    require_published(keys, published)
    facts = {"bid_id": bid_id, "bidder": bidder, "lot_ids": sorted(lot_ids), "replaces": replaces}
    commission = {"tender_id": keys.tender_id, "key_set_sha256": keys.sha256, "k": keys.k, "n": keys.n}
    names = {"envelopes": list(contents), "nonce": secrets.token_hex(32)}
    bid = Bid.from_json({**facts, **commission, **names})
    envelopes = []
    identities = {}
    for name, files in contents.items():
        secret = age_keys.new_secret()
        identities[name] = age_keys.identity_text(secret)
        envelopes.append(_seal_envelope(bid, keys, name, files, secret, put(name)))
    manifest = Manifest(bid, tuple(envelopes)).to_bytes()
    sha256 = manifest_digest(manifest)
    recovery = {"format": RECOVERY_FORMAT, "bid_id": bid_id, "manifest_sha256": sha256, "envelopes": identities}
    return SealedBid(manifest, sha256, canonical(recovery))


def _seal_envelope(
    bid: Bid, keys: KeySet, name: str, files: Sequence[SourceFile], secret: bytes, writer: IO[bytes]
) -> SealedEnvelope:
    parts = shares.split(secret, k=keys.k, n=keys.n)
    about = {"tender_id": bid.tender_id, "bid_id": bid.bid_id, "envelope": name}
    commitments = [
        shares.share_commitment(part, **about, member_id=member.id)
        for part, member in zip(parts, keys.members, strict=True)
    ]
    listed, payload_sha256 = _list_files(name, files)
    header = Header(bid, name, secrets.token_hex(32), tuple(commitments), listed)
    head = header.to_bytes()
    commitment = commitment_of(head, payload_sha256)
    sealing = _Sealing(head, files, header.payload_bytes, writer)
    to = age_keys.identity(age_keys.identity_text(secret)).to_public()
    pyrage.encrypt_io(sealing.inside, sealing.outside, [to])
    if sealing.inside.payload_sha256 != payload_sha256 or sealing.outside.written_bytes != sealing.size:
        # Somebody wrote to a file after it was hashed.
        raise SealingFault(FaultCode.FILE_CHANGED, envelope=name)
    sealed = [
        SealedShare(
            member.id, part[-1], sha256, _box(part, member.recipient, **about, commitment=commitment, to=member.id)
        )
        for part, member, sha256 in zip(parts, keys.members, commitments, strict=True)
    ]
    return SealedEnvelope(name, commitment, sealing.outside.sha256, sealing.size, tuple(sealed))


def _box(share: bytes, recipient: str, **about: str) -> bytes:
    """A share and what it is for, encrypted to one member."""
    return pyrage.encrypt(
        canonical({"format": SHARE_DOMAIN, **about, "share": share.hex()}), [age_keys.recipient(recipient)]
    )


def _list_files(envelope: str, files: Sequence[SourceFile]) -> tuple[tuple[SealedFile, ...], bytes]:
    """The files as the header lists them, and the SHA-256 of all of them together."""
    whole = hashlib.sha256()
    listed = []
    for file in files:
        with file.open() as source:
            own = hashlib.sha256()
            length = 0
            while chunk := source.read(1 << 20):
                own.update(chunk)
                whole.update(chunk)
                length += len(chunk)
        listed.append(SealedFile(file.name, file.media_type, length, own.hexdigest()))
    if not 1 <= len(listed) <= FILES_MAX or not all(is_file_name(one.name) for one in listed):
        raise SealingFault(FaultCode.WRONG_SHAPE, part=f"{envelope}.files")
    require_file_names(listed)
    return tuple(listed), whole.digest()


class _Outside(io.BufferedIOBase):
    """Where age writes: passes on, counts and hashes."""

    def __init__(self, writer: IO[bytes]) -> None:
        super().__init__()
        self._writer = writer
        self._hashing = hashlib.sha256()
        self.first_write_bytes = 0
        self.written_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.first_write_bytes = self.first_write_bytes or len(data)
        self.written_bytes += len(data)
        self._hashing.update(data)
        self._writer.write(data)
        return len(data)

    @property
    def sha256(self) -> str:
        return self._hashing.hexdigest()


class _Inside(io.BufferedIOBase):
    """What age reads: header, files, and then as many zeros as bring the sealed file to the size of its class."""

    def __init__(self, head: bytes, files: Sequence[SourceFile], size: int, outside: _Outside) -> None:
        super().__init__()
        self._head = len(head).to_bytes(4, "big") + head
        self._files = list(files)
        self._size = size
        self._outside = outside
        self._source: IO[bytes] = io.BytesIO(self._head)
        self._given_bytes = 0
        self._payload = hashlib.sha256()

    @property
    def payload_sha256(self) -> bytes:
        return self._payload.digest()

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size > 0, "age asks for so many bytes"
        chunk = self._content(size) or self._zeros(size)
        self._given_bytes += len(chunk)
        return chunk

    def _content(self, size: int) -> bytes:
        while True:
            if chunk := self._source.read(size):
                if self._given_bytes >= len(self._head):
                    self._payload.update(chunk)
                return chunk
            self._source.close()
            if not self._files:
                self._source = io.BytesIO()
                return b""
            self._source = self._files.pop(0).open()

    def _zeros(self, size: int) -> bytes:
        # Age's header differs in length from one file to the next. It has been written, in one go with the nonce,
        # once the first chunk is full; before that there is room in any case, for the smallest class has two.
        if not self._outside.first_write_bytes:
            return bytes(min(size, 4_096))
        age_header_bytes = self._outside.first_write_bytes - 16
        return bytes(max(0, min(size, plaintext_bytes(self._size, age_header_bytes) - self._given_bytes)))


class _Sealing:
    """The two ends of an encryption, and the size that it has to end at."""

    def __init__(self, head: bytes, files: Sequence[SourceFile], payload_bytes: int, writer: IO[bytes]) -> None:
        self.size = size_class(4 + len(head) + payload_bytes)
        self.outside = _Outside(writer)
        self.inside = _Inside(head, files, self.size, self.outside)
