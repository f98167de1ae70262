"""One byte changed anywhere, and the bid is not accepted as what was submitted: two hundred times for each part."""

import io
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import pyrage
import pytest

from schoolmeals.procurement.sealing import (
    Fault,
    FaultCode,
    Header,
    OpenedShare,
    SealingFault,
    age_keys,
    canonical,
    manifests,
    open_envelope,
    open_share,
    opener,
    recorded_manifest,
)
from tests.procurement.sealing.commission import Commission, Sealed

FLIPS = 200
PRESENT = ("m0", "m1", "m2")


@dataclass(frozen=True)
class Opening:
    """A bid with everything that is handed in at its opening, so that one part can be put in another's place."""

    commission: Commission
    sealed: Sealed
    manifest: bytes
    ciphertext: bytes
    shares: tuple[bytes, ...]

    def open(self) -> tuple[Fault, ...]:
        """Open it; the shares that were set aside."""
        manifest = recorded_manifest(self.manifest, self.sealed.keys, sha256=self.sealed.bid.manifest_sha256)
        shares = [OpenedShare.from_bytes(one) for one in self.shares]
        with open_envelope(manifest, "price", shares, io.BytesIO(self.ciphertext)) as opened:
            return opened.set_aside


@pytest.fixture(scope="module")
def opening() -> Opening:
    commission = Commission.of(3, 5)
    sealed = commission.seal()
    shares = tuple(one.to_bytes() for one in commission.shares(sealed, PRESENT))
    return Opening(commission, sealed, sealed.bid.manifest, sealed.ciphertexts["price"], shares)


def flipped(data: bytes, chance: Random) -> bytes:
    """``data`` with one byte changed."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]


def accepted(attempt: Callable[[Random], object]) -> int:
    """How many of the flips went through without a fault."""
    count = 0
    for seed in range(FLIPS):
        try:
            attempt(Random(seed))
        except SealingFault:
            continue
        count += 1
    return count


def test_unchanged_it_opens(opening: Opening) -> None:
    assert opening.open() == ()


def test_no_flip_in_the_ciphertext_is_accepted(opening: Opening) -> None:
    assert accepted(lambda chance: replace(opening, ciphertext=flipped(opening.ciphertext, chance)).open()) == 0


def test_no_flip_in_the_manifest_is_accepted(opening: Opening) -> None:
    assert accepted(lambda chance: replace(opening, manifest=flipped(opening.manifest, chance)).open()) == 0


def test_no_flip_in_an_opened_share_is_accepted(opening: Opening) -> None:
    def attempt(chance: Random) -> object:
        shares = list(opening.shares)
        at = chance.randrange(3)
        shares[at] = flipped(shares[at], chance)
        return replace(opening, shares=tuple(shares)).open()

    assert accepted(attempt) == 0


def test_no_flip_in_a_sealed_share_is_accepted(opening: Opening) -> None:
    assert accepted(lambda chance: _open_flipped_box(opening, chance)) == 0


def test_no_flip_in_the_header_is_accepted(opening: Opening) -> None:
    assert accepted(lambda chance: _check_flipped_header(opening, chance)) == 0


@pytest.mark.parametrize(
    ("place", "name"), [(manifests, "manifest_digest"), (opener, "require_ciphertext"), (opener, "require_committed")]
)
def test_the_flips_find_a_check_that_was_left_out(
    opening: Opening, place: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check has others behind it; with the first one gone a flip is found elsewhere, late and without a name."""
    if name == "manifest_digest":
        monkeypatch.setattr(place, name, lambda data: opening.sealed.bid.manifest_sha256)
        # Where there is no digest, the shares of members who do not come could be anything.
        assert accepted(lambda chance: replace(opening, manifest=flipped(opening.manifest, chance)).open()) > 0
        return
    monkeypatch.setattr(place, name, lambda *args: None)
    codes = set()
    for seed in range(20):
        shares = (flipped_share(opening.shares[0], Random(seed)), *opening.shares[1:])
        broken = {"require_ciphertext": {"ciphertext": flipped(opening.ciphertext, Random(seed))}}
        with pytest.raises(SealingFault) as caught:
            replace(opening, **broken.get(name, {"shares": shares})).open()
        codes.add(caught.value.fault.code)
    assert codes <= {FaultCode.KEY_UNFIT, FaultCode.SHARES_CRAFTED}
    assert codes


def test_the_flips_find_a_header_that_nobody_compares(opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opener, "_header", lambda manifest, sealed, head: Header.from_bytes(head))
    monkeypatch.setattr(opener, "commitment_of", lambda *args: opening.sealed.manifest.envelope("price").commitment)
    assert accepted(lambda chance: _check_flipped_header(opening, chance)) > 0


def test_a_share_that_was_changed_is_named_and_set_aside_while_enough_remain(opening: Opening) -> None:
    fourth = opening.commission.shares(opening.sealed, ["m4"])[0].to_bytes()
    shares = (flipped_share(opening.shares[0], Random(1)), *opening.shares[1:], fourth)
    assert replace(opening, shares=shares).open() == (Fault(FaultCode.SHARE_CHANGED, "price", "m0"),)


def flipped_share(opened: bytes, chance: Random) -> bytes:
    """The same opened share with one byte of the share itself changed; the place stays."""
    share = OpenedShare.from_bytes(opened)
    changed = flipped(share.share[:-1], chance) + share.share[-1:]
    return replace(share, share=changed).to_bytes()


def _open_flipped_box(opening: Opening, chance: Random) -> object:
    """The manifest's digest aside, a box that was changed opens for nobody."""
    manifest = opening.sealed.manifest
    envelope = manifest.envelope("price")
    shares = list(envelope.shares)
    at = chance.randrange(5)
    shares[at] = replace(shares[at], box=flipped(shares[at].box, chance))
    changed = replace(manifest, envelopes=(manifest.envelopes[0], replace(envelope, shares=tuple(shares))))
    assert b64decode(b64encode(shares[at].box)) != envelope.shares[at].box
    return open_share(changed, "price", f"m{at}", opening.commission.identities[f"m{at}"])


def _check_flipped_header(opening: Opening, chance: Random) -> object:
    """What only somebody with the one-off key could do: another header, sealed anew, with its hash in the manifest."""
    recovery = canonical.parse(opening.sealed.bid.recovery)
    key = age_keys.identity(recovery["envelopes"]["price"])
    plain = pyrage.decrypt(opening.ciphertext, [key])
    head_end = 4 + int.from_bytes(plain[:4], "big")
    changed = flipped(plain[:head_end], chance) + plain[head_end:]
    manifest = opening.sealed.manifest
    return opener._checked(manifest, manifest.envelope("price"), io.BytesIO(changed))
