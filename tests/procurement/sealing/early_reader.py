"""What somebody could try who has the whole database, every server secret and the keys of k - 1 members."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import pyrage

from schoolmeals.procurement.sealing import age_keys
from tests.procurement.sealing.commission import MARKER, Commission, Sealed
from tests.procurement.sealing.independent import combine


def read_early(sealed: Sealed, commission: Commission, corrupt: Sequence[str]) -> bool:
    """Whether the price is found, by the private keys of the ``corrupt`` members and all that a server holds."""
    own = [commission.identities[member] for member in corrupt]
    boxes = [box for one in sealed.manifest.envelopes for box in (share.box for share in one.shares)]
    opened = [inside for box in boxes if (inside := _decrypted(box, own))]
    seen = [sealed.bid.manifest, *opened, *sealed.ciphertexts.values()]
    if any(MARKER in data for data in seen):
        return True
    keys = [*own, *map(age_keys.identity_text, _guesses(sealed, commission, corrupt))]
    return any(MARKER in _decrypted(data, keys) for data in sealed.ciphertexts.values())


def _guesses(sealed: Sealed, commission: Commission, corrupt: Sequence[str]) -> Iterator[bytes]:
    """Secrets that may be worth a try: whatever has 32 bytes, and what shares make with each other."""
    manifest = sealed.manifest
    yield bytes.fromhex(manifest.bid.nonce)
    for envelope in manifest.envelopes:
        yield bytes.fromhex(envelope.commitment)
        yield from (bytes.fromhex(share.sha256) for share in envelope.shares)
        shares = [one.share for one in commission.shares(sealed, corrupt, envelope.name)]
        for size in range(1, len(shares) + 1):
            for some in combinations(shares, size):
                yield combine(list(some))
                # A hash in the place of the share that is missing, and no share at all.
                for missing in envelope.shares:
                    if missing.place not in {share[-1] for share in some}:
                        yield combine([*some, bytes.fromhex(missing.sha256) + bytes([missing.place])])
                        yield combine([*some, bytes(32) + bytes([missing.place])])


def _decrypted(data: bytes, keys: Sequence[str]) -> bytes:
    try:
        return pyrage.decrypt(data, [age_keys.identity(key) for key in keys])
    except pyrage.DecryptError:
        return b""
