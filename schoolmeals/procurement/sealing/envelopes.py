"""The inside of an envelope: a header that lists the files, the files one after the other, and zeros.

``length of the header (4 bytes, big-endian) || header || files || zeros``. How many zeros is decided while sealing, so
that the sealed file has exactly the size of its class: from outside, all envelopes of a class are alike.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from schoolmeals.procurement.sealing.bids import Bid
from schoolmeals.procurement.sealing.canonical import (
    COMMIT_DOMAIN,
    canonical,
    digest,
    exactly,
    is_count,
    is_format,
    is_hash,
    is_list,
    is_name,
    parse,
)
from schoolmeals.procurement.sealing.faults import FaultCode, SealingFault

HEADER_FORMAT: Final = "bid-header/v1"
HEADER_MAX_BYTES: Final = 65_536
FILES_MAX: Final = 100
CHUNK_BYTES: Final = 65_536
"""age's own: every chunk of 64 KiB gets a tag of 16 bytes."""
TAG_BYTES: Final = 16
AGE_HEADER_MAX_BYTES: Final = 1_024
_KIB: Final = 1_024
SIZE_CLASSES: Final = tuple(
    kib * _KIB for kib in (128, 256, 512, *(mib * 1_024 for mib in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)))
)
"""The sizes that a sealed file can have, in bytes."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file in an envelope, as the header lists it."""

    name: str
    media_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Header:
    """What an envelope says about itself, inside."""

    bid: Bid
    envelope: str
    salt: str
    """32 random bytes, without which the commitment says nothing about the content."""
    shares: tuple[str, ...]
    """The commitments to all n shares, in the order of the members."""
    files: tuple[SealedFile, ...]

    @property
    def payload_bytes(self) -> int:
        """How long all files are together."""
        return sum(one.bytes for one in self.files)

    def to_bytes(self) -> bytes:
        """The canonical bytes that the commitment is over."""
        return canonical(
            {
                "format": HEADER_FORMAT,
                "bid": self.bid.to_json(),
                "envelope": self.envelope,
                "salt": self.salt,
                "shares": list(self.shares),
                "files": [
                    {"name": one.name, "media_type": one.media_type, "bytes": one.bytes, "sha256": one.sha256}
                    for one in self.files
                ],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "Header":
        """Read those bytes. Raises ``not-canonical`` or ``wrong-shape``."""
        checks = {
            "format": is_format(HEADER_FORMAT),
            "bid": lambda value: isinstance(value, dict),
            "envelope": is_name,
            "salt": is_hash,
            "shares": lambda value: is_list(value) and all(map(is_hash, value)),
            "files": lambda value: is_list(value) and len(value) <= FILES_MAX,
        }
        value = exactly(parse(data), "header", checks)
        files = tuple(_file(one) for one in value["files"])
        require_file_names(files)
        return cls(Bid.from_json(value["bid"]), value["envelope"], value["salt"], tuple(value["shares"]), files)


def _file(value: Any) -> SealedFile:
    checks = {"name": is_file_name, "media_type": _is_media_type, "bytes": is_count, "sha256": is_hash}
    return SealedFile(**exactly(value, "header.files", checks))


def is_file_name(value: Any) -> bool:
    """A plain name that no system takes for a path: no slashes, no control characters, no dot in front."""
    if not isinstance(value, str) or not re.fullmatch(r"[^\x00-\x1f\x7f/\\:.][^\x00-\x1f\x7f/\\:]*", value):
        return False
    try:
        return len(value.encode("utf-8")) <= 200
    except UnicodeEncodeError:
        return False


def _is_media_type(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}", value) is not None


def require_file_names(files: Sequence[SealedFile]) -> None:
    """Refuse names that a disk may take for the same file (``wrong-shape``)."""
    if len({one.name.lower() for one in files}) != len(files):
        raise SealingFault(FaultCode.WRONG_SHAPE, part="header.files.name")


def commitment_of(header: bytes, payload_sha256: bytes) -> str:
    """What the manifest commits to: this header and these files, and no others. ``payload_sha256`` is 32 bytes."""
    return digest(COMMIT_DOMAIN, hashlib.sha256(header).digest(), payload_sha256)


def size_class(content_bytes: int) -> int:
    """The size in bytes of the sealed file that can hold this much. Raises ``too-large``."""
    for size in SIZE_CLASSES:
        if content_bytes <= size - AGE_HEADER_MAX_BYTES - TAG_BYTES * (1 + size // CHUNK_BYTES):
            return size
    raise SealingFault(FaultCode.TOO_LARGE)


def plaintext_bytes(sealed_bytes: int, age_header_bytes: int) -> int:
    """How long the inside must be for a sealed file of ``sealed_bytes``, after age's header and its nonce."""
    return sealed_bytes - age_header_bytes - TAG_BYTES * (1 + sealed_bytes // CHUNK_BYTES)


def copy_hashed(source: IO[bytes], length: int, put: Callable[[bytes], object]) -> bytes:
    """Hand ``length`` bytes of ``source`` to ``put`` in chunks; the 32 bytes of their SHA-256. Raises ``file-changed``
    where the source ends early."""
    hashing = hashlib.sha256()
    while length > 0:
        chunk = source.read(min(length, CHUNK_BYTES))
        if not chunk:
            raise SealingFault(FaultCode.FILE_CHANGED)
        hashing.update(chunk)
        put(chunk)
        length -= len(chunk)
    return hashing.digest()
