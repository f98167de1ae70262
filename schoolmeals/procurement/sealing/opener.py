"""Opening: a member opens the own share, anybody combines k of them, and everything committed to is checked."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

import pyrage

from schoolmeals.procurement.sealing import age_keys, shares
from schoolmeals.procurement.sealing.canonical import (
    SHARE_DOMAIN,
    canonical,
    exactly,
    is_format,
    is_hash,
    is_name,
    is_share,
    parse,
)
from schoolmeals.procurement.sealing.envelopes import (
    CHUNK_BYTES,
    HEADER_MAX_BYTES,
    Header,
    SealedFile,
    commitment_of,
    copy_hashed,
)
from schoolmeals.procurement.sealing.faults import Fault, FaultCode, SealingFault
from schoolmeals.procurement.sealing.manifests import Manifest, SealedEnvelope
from schoolmeals.procurement.sealing.sealer import RECOVERY_FORMAT

OPENED_SHARE_FORMAT: Final = "bid-opened-share/v1"


@dataclass(frozen=True, slots=True)
class OpenedShare:
    """A share that its member has opened and made public."""

    tender_id: str
    bid_id: str
    envelope: str
    member_id: str
    share: bytes

    def to_bytes(self) -> bytes:
        """``{"bid_id", "envelope", "format", "member_id", "share": 66 hex digits, "tender_id"}``, canonical."""
        about = {"tender_id": self.tender_id, "bid_id": self.bid_id, "envelope": self.envelope}
        own = {"member_id": self.member_id, "share": self.share.hex()}
        return canonical({"format": OPENED_SHARE_FORMAT, **about, **own})

    @classmethod
    def from_bytes(cls, data: bytes) -> "OpenedShare":
        """Read that. Raises ``not-canonical`` or ``wrong-shape``."""
        names = dict.fromkeys(("tender_id", "bid_id", "envelope", "member_id"), is_name)
        checks = {"format": is_format(OPENED_SHARE_FORMAT), "share": is_share, **names}
        value = exactly(parse(data), "share", checks)
        return cls(**{name: value[name] for name in names}, share=bytes.fromhex(value["share"]))


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """An opened envelope; every hash in it has been checked. Close it when done: it holds a temporary file."""

    header: Header
    plaintext_sha256: str
    """Over all files together; it is what an auditor's own opening must give too."""
    set_aside: tuple[Fault, ...]
    """Shares that were handed in and are not what the bidder committed to; the others were enough."""
    _plain: IO[bytes]
    _starts: tuple[int, ...]

    def read(self, name: str) -> bytes:
        """A whole file's bytes."""
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """A file's bytes in pieces of at most 64 KiB. Raises ``wrong-shape`` for a file that is not there."""
        for file, start in zip(self.header.files, self._starts, strict=True):
            if file.name == name:
                self._plain.seek(start)
                for at in range(0, file.bytes, CHUNK_BYTES):
                    yield self._plain.read(min(CHUNK_BYTES, file.bytes - at))
                return
        raise SealingFault(FaultCode.WRONG_SHAPE, part="name")

    def close(self) -> None:
        """Forget the content."""
        self._plain.close()

    def __enter__(self) -> "OpenedEnvelope":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_share(manifest: Manifest, envelope: str, member_id: str, identity: str) -> OpenedShare:
    """A member's part: open the own box and check that it holds the share that was committed to.

    ``identity`` is the member's ``AGE-SECRET-KEY-1...``. Raises ``share-unreadable`` (another key, or the bidder put
    something else into the box) or ``share-changed`` (the bidder put another share into it); both name the member.
    """
    sealed = manifest.envelope(envelope).share_of(member_id)
    unreadable = SealingFault(FaultCode.SHARE_UNREADABLE, envelope=envelope, member_id=member_id)
    try:
        inside = parse(pyrage.decrypt(sealed.box, [age_keys.identity(identity)]))
        names = dict.fromkeys(("tender_id", "bid_id", "envelope", "to"), is_name)
        checks = {"format": is_format(SHARE_DOMAIN), "commitment": is_hash, "share": is_share, **names}
        fields = exactly(inside, "box", checks)
    except (pyrage.DecryptError, SealingFault) as error:
        raise unreadable from error
    about = (manifest.bid.tender_id, manifest.bid.bid_id, envelope)
    if (fields["tender_id"], fields["bid_id"], fields["envelope"], fields["to"]) != (*about, member_id):
        raise unreadable
    opened = OpenedShare(*about, member_id, bytes.fromhex(fields["share"]))
    require_committed(manifest, opened)
    if fields["commitment"] != manifest.envelope(envelope).commitment:
        raise SealingFault(FaultCode.SHARE_CHANGED, envelope=envelope, member_id=member_id)
    return opened


def require_committed(manifest: Manifest, opened: OpenedShare) -> None:
    """Refuse a share that is not the one the bidder committed to: ``share-changed``, names the member."""
    sealed = manifest.envelope(opened.envelope).share_of(opened.member_id)
    about = {"tender_id": opened.tender_id, "bid_id": opened.bid_id, "envelope": opened.envelope}
    committed = shares.share_commitment(opened.share, **about, member_id=opened.member_id)
    belongs = (opened.tender_id, opened.bid_id) == (manifest.bid.tender_id, manifest.bid.bid_id)
    if not belongs or committed != sealed.sha256 or opened.share[-1] != sealed.place:
        raise SealingFault(FaultCode.SHARE_CHANGED, envelope=opened.envelope, member_id=opened.member_id)


def open_envelope(
    manifest: Manifest, envelope: str, opened: Sequence[OpenedShare], ciphertext: IO[bytes]
) -> OpenedEnvelope:
    """Open an envelope with the shares that members have made public.

    A share that is not what the bidder committed to is set aside and named in the answer, as long as k good ones
    remain. Raises ``ciphertext-swapped``, ``too-few-shares``, ``shares-crafted`` (the bidder's shares are not of one
    secret; it is found with any k of them, and makes the bid invalid whoever comes), ``key-unfit``,
    ``header-changed``, ``commitment-broken`` or ``file-changed``.
    """
    sealed = manifest.envelope(envelope)
    with _verified_copy(sealed, ciphertext) as copy:
        good, set_aside = _sorted_out(manifest, envelope, opened)
        if len(good) < manifest.bid.k:
            raise SealingFault(FaultCode.TOO_FEW_SHARES, envelope=envelope)
        _require_one_secret(manifest, sealed, good)
        secret = shares.combine([one.share for one in good[: manifest.bid.k]])
        return _open_with(manifest, sealed, age_keys.identity_text(secret), copy, tuple(set_aside))


def open_with_recovery(manifest: Manifest, envelope: str, identity: str, ciphertext: IO[bytes]) -> OpenedEnvelope:
    """Open an envelope with the key that its bidder has disclosed, where fewer than k members still have theirs.
    The commitment holds the bidder to the same content. Raises what :func:`open_envelope` does about content."""
    sealed = manifest.envelope(envelope)
    with _verified_copy(sealed, ciphertext) as copy:
        return _open_with(manifest, sealed, identity, copy, ())


def recovery_identities(data: bytes, *, manifest_sha256: str) -> dict[str, str]:
    """The keys in a bidder's recovery file, by envelope. Raises ``manifest-changed`` for another bid's file."""
    checks = {
        "format": is_format(RECOVERY_FORMAT),
        "bid_id": is_name,
        "manifest_sha256": is_hash,
        "envelopes": lambda value: isinstance(value, dict) and all(isinstance(one, str) for one in value.values()),
    }
    value = exactly(parse(data), "recovery", checks)
    if value["manifest_sha256"] != manifest_sha256:
        raise SealingFault(FaultCode.MANIFEST_CHANGED)
    return dict(value["envelopes"])


def require_ciphertext(sealed: SealedEnvelope, ciphertext: IO[bytes]) -> None:
    """Refuse a ciphertext that is not the one the manifest names: ``ciphertext-swapped``. Reads it to its end."""
    hashing = hashlib.sha256()
    length = 0
    while chunk := ciphertext.read(1 << 20):
        hashing.update(chunk)
        length += len(chunk)
    if (length, hashing.hexdigest()) != (sealed.ciphertext_bytes, sealed.ciphertext_sha256):
        raise SealingFault(FaultCode.CIPHERTEXT_SWAPPED, envelope=sealed.name)


def _sorted_out(
    manifest: Manifest, envelope: str, opened: Sequence[OpenedShare]
) -> tuple[list[OpenedShare], list[Fault]]:
    """The shares that are good, one for each member, and what is wrong with the others."""
    good: dict[str, OpenedShare] = {}
    set_aside = []
    for one in opened:
        try:
            if one.envelope != envelope:
                raise SealingFault(FaultCode.SHARE_CHANGED, envelope=envelope, member_id=one.member_id)
            require_committed(manifest, one)
        except SealingFault as fault:
            set_aside.append(fault.fault)
        else:
            good[one.member_id] = one
    return list(good.values()), set_aside


def _require_one_secret(manifest: Manifest, sealed: SealedEnvelope, good: Sequence[OpenedShare]) -> None:
    """All n commitments must be to shares of one polynomial: k good shares say what each of the others has to be."""
    base = [one.share for one in good[: manifest.bid.k]]
    about = {"tender_id": manifest.bid.tender_id, "bid_id": manifest.bid.bid_id, "envelope": sealed.name}
    misfits = []
    for other in sealed.shares:
        expected = shares.share_at(other.place, base)
        if shares.share_commitment(expected, **about, member_id=other.member_id) != other.sha256:
            misfits.append(other.member_id)
    if misfits:
        raise SealingFault(FaultCode.SHARES_CRAFTED, envelope=sealed.name, member_id=", ".join(misfits))


@contextmanager
def _verified_copy(sealed: SealedEnvelope, ciphertext: IO[bytes]) -> Iterator[IO[bytes]]:
    """A copy of the right ciphertext: what was hashed is what is decrypted, whoever else may write to the original."""
    with tempfile.SpooledTemporaryFile(max_size=1 << 20) as copy:
        shutil.copyfileobj(ciphertext, copy, CHUNK_BYTES)
        copy.seek(0)
        require_ciphertext(sealed, copy)
        copy.seek(0)
        yield copy


def _open_with(
    manifest: Manifest, sealed: SealedEnvelope, identity: str, ciphertext: IO[bytes], set_aside: tuple[Fault, ...]
) -> OpenedEnvelope:
    # Whoever opened the envelope closes it.
    plain = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115
    try:
        _decrypt(sealed, identity, ciphertext, plain)
        header, payload_sha256, starts = _checked(manifest, sealed, plain)
    except BaseException:
        plain.close()
        raise
    return OpenedEnvelope(header, payload_sha256.hex(), set_aside, plain, starts)


def _decrypt(sealed: SealedEnvelope, identity: str, source: Any, sink: Any) -> None:
    unfit = SealingFault(FaultCode.KEY_UNFIT, envelope=sealed.name)
    try:
        pyrage.decrypt_io(source, sink, [age_keys.identity(identity)])
    except pyrage.DecryptError as error:
        raise unfit from error
    except OSError as error:
        # age's word for a payload that was changed comes as one without a number; a full disk has a number.
        if error.errno is not None:
            raise
        raise unfit from error


def _checked(manifest: Manifest, sealed: SealedEnvelope, plain: Any) -> tuple[Header, bytes, tuple[int, ...]]:
    """The header, the hash of all files and where each begins; every promise of the manifest has been checked."""
    plain.seek(0)
    length = int.from_bytes(plain.read(4), "big")
    broken = SealingFault(FaultCode.COMMITMENT_BROKEN, envelope=sealed.name)
    if length > HEADER_MAX_BYTES:
        raise broken
    head = plain.read(length)
    header = _header(manifest, sealed, head)
    whole = hashlib.sha256()
    starts = []
    for file in header.files:
        starts.append(plain.tell())
        _require_file(sealed, file, plain, whole.update)
    if commitment_of(head, whole.digest()) != sealed.commitment:
        raise broken
    while chunk := plain.read(CHUNK_BYTES):
        if any(chunk):
            raise broken
    return header, whole.digest(), tuple(starts)


def _header(manifest: Manifest, sealed: SealedEnvelope, head: bytes) -> Header:
    changed = SealingFault(FaultCode.HEADER_CHANGED, envelope=sealed.name)
    try:
        header = Header.from_bytes(head)
    except SealingFault as error:
        raise changed from error
    committed = tuple(one.sha256 for one in sealed.shares)
    if (header.bid, header.envelope, header.shares) != (manifest.bid, sealed.name, committed):
        raise changed
    return header


def _require_file(sealed: SealedEnvelope, file: SealedFile, plain: IO[bytes], put: Callable[[bytes], object]) -> None:
    try:
        found = copy_hashed(plain, file.bytes, put)
    except SealingFault as error:
        raise SealingFault(FaultCode.FILE_CHANGED, envelope=sealed.name) from error
    if found.hex() != file.sha256:
        raise SealingFault(FaultCode.FILE_CHANGED, envelope=sealed.name)
