"""A secret in n shares, of which k give it back. A share is 32 bytes and, last, its place on the polynomial, as
HashiCorp's Vault, ``pyshamir`` and npm's ``shamir-secret-sharing`` write it."""

from collections.abc import Sequence
from typing import Final

import pyshamir

from schoolmeals.procurement.sealing.canonical import SHARE_DOMAIN, canonical, digest

SHARE_BYTES: Final = 33


def split(secret: bytes, *, k: int, n: int) -> list[bytes]:
    """``n`` shares of ``secret``; any ``k`` of them give it back, fewer say nothing about it."""
    return [bytes(one) for one in pyshamir.split(secret, n, k)]


def combine(shares: Sequence[bytes]) -> bytes:
    """The secret of at least k shares. Wrong ones give a wrong secret: compare with what was committed to."""
    return bytes(pyshamir.combine([bytearray(one) for one in shares]))


def share_at(place: int, shares: Sequence[bytes]) -> bytes:
    """The share that lies at ``place`` of the polynomial that ``shares`` (at least k) are on.

    ``combine`` looks at place 0 only. In this field adding is XOR, so that moving all places by ``place`` brings the
    wanted one to 0. A place that is among ``shares`` already is answered by that share.
    """
    for share in shares:
        if share[-1] == place:
            return share
    return combine([share[:-1] + bytes([share[-1] ^ place]) for share in shares]) + bytes([place])


def share_commitment(share: bytes, *, tender_id: str, bid_id: str, envelope: str, member_id: str) -> str:
    """What the manifest says about a share, so that another one in its place is found and named."""
    about = {"tender_id": tender_id, "bid_id": bid_id, "envelope": envelope, "member_id": member_id}
    return digest(SHARE_DOMAIN, canonical({**about, "share": share.hex()}))
