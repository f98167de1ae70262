"""Bidders, members and servers who cheat: each is found, and it is said whose part is wrong."""

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import pyrage
import pytest

from schoolmeals.procurement.sealing import (
    Bid,
    FaultCode,
    OpenedShare,
    SealingFault,
    age_keys,
    canonical,
    manifests,
    open_envelope,
    open_share,
    open_with_recovery,
    opener,
    recorded_manifest,
    recovery_identities,
    require_ciphertext,
    sealer,
    shares,
)
from tests.procurement.sealing.commission import PRICE_LIST, Commission, Sealed


def code_of(deed: Any, *args: Any) -> tuple[str, str, str]:
    """The fault that a deed ends with: code, envelope and member."""
    with pytest.raises(SealingFault) as caught:
        deed(*args)
    fault = caught.value.fault
    return fault.code, fault.envelope, fault.member_id


_split = shares.split


def two_secrets(secret: bytes, *, k: int, n: int) -> list[bytes]:
    """Crafted shares for three of five: the first three give one secret, the last three another."""
    first = _split(secret, k=k, n=n)
    return [*first[:3], *(age_keys.new_secret() + share[-1:] for share in first[3:])]


@pytest.mark.parametrize("members", list(combinations([f"m{at}" for at in range(5)], 3)))
def test_crafted_shares_make_a_bid_invalid_whoever_comes(
    members: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "split", two_secrets)
    commission = Commission.of(3, 5)
    code, envelope, misfits = code_of(commission.open, commission.seal(), members)
    assert (code, envelope) == (FaultCode.SHARES_CRAFTED, "price")
    assert set(misfits.split(", ")) <= set(commission.identities) - set(members)


def test_the_test_finds_an_opener_that_does_not_look_for_crafted_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "split", two_secrets)
    monkeypatch.setattr(opener, "_require_one_secret", lambda *args: None)
    commission = Commission.of(3, 5)
    sealed = commission.seal()
    assert commission.open(sealed, ["m0", "m1", "m2"]).files == {"price.json": PRICE_LIST}
    assert code_of(commission.open, sealed, ["m2", "m3", "m4"]) == (FaultCode.KEY_UNFIT, "price", "")


def test_a_swapped_ciphertext_is_found_when_it_arrives_and_when_it_is_opened() -> None:
    commission = Commission.of(2, 3)
    sealed, other = commission.seal(), commission.seal()
    swapped = replace(sealed, ciphertexts={**sealed.ciphertexts, "price": other.ciphertexts["price"]})
    wanted = (FaultCode.CIPHERTEXT_SWAPPED, "price", "")
    assert code_of(commission.open, swapped, ["m0", "m1"]) == wanted
    envelope = sealed.manifest.envelope("price")
    assert code_of(require_ciphertext, envelope, io.BytesIO(other.ciphertexts["price"])) == wanted
    assert code_of(require_ciphertext, envelope, io.BytesIO(sealed.ciphertexts["price"][:-1])) == wanted
    require_ciphertext(envelope, io.BytesIO(sealed.ciphertexts["price"]))


def test_another_bids_manifest_in_its_place_is_found() -> None:
    commission = Commission.of(2, 3)
    sealed, other = commission.seal(), commission.seal()
    swapped = replace(sealed, bid=replace(sealed.bid, manifest=other.bid.manifest))
    assert code_of(commission.open, swapped, ["m0", "m1"]) == (FaultCode.MANIFEST_CHANGED, "", "")


@pytest.mark.parametrize("change", ["bidder", "bid_id", "lot_ids", "replaces"])
def test_a_sealed_file_cannot_be_handed_in_as_another_bid(change: str) -> None:
    """A server that helps a friend: the rival's envelopes under the friend's name, shares opened all the same."""
    commission = Commission.of(2, 3)
    sealed = commission.seal()
    changes: dict[str, Any] = {"bidder": "friend", "bid_id": "bid-9", "lot_ids": ("lot-9",), "replaces": "0" * 64}
    stolen = replace(sealed.manifest, bid=replace(sealed.manifest.bid, **{change: changes[change]}))
    handed_in = [_forged(share, stolen.bid) for share in commission.shares(sealed, ["m0", "m1"])]
    stolen = _committed_anew(stolen, handed_in, commission, sealed)
    with pytest.raises(SealingFault) as caught:
        open_envelope(stolen, "price", handed_in, io.BytesIO(sealed.ciphertexts["price"]))
    assert caught.value.fault.code == FaultCode.HEADER_CHANGED


def _forged(share: OpenedShare, bid: Bid) -> OpenedShare:
    return replace(share, tender_id=bid.tender_id, bid_id=bid.bid_id)


def _committed_anew(
    manifest: manifests.Manifest, opened: Sequence[OpenedShare], commission: Commission, sealed: Sealed
) -> manifests.Manifest:
    """The manifest with commitments to the shares as they are under the new name."""
    everybody = [_forged(one, manifest.bid) for one in commission.shares(sealed, commission.identities)]
    about = {"tender_id": manifest.bid.tender_id, "bid_id": manifest.bid.bid_id, "envelope": "price"}
    envelope = manifest.envelope("price")
    renewed = tuple(
        replace(old, sha256=shares.share_commitment(one.share, **about, member_id=one.member_id))
        for old, one in zip(envelope.shares, everybody, strict=True)
    )
    return replace(manifest, envelopes=(manifest.envelopes[0], replace(envelope, shares=renewed)))


def test_a_member_who_hands_in_another_share_is_named() -> None:
    commission = Commission.of(3, 5)
    sealed = commission.seal()
    handed_in = commission.shares(sealed, ["m0", "m1", "m2"])
    handed_in[1] = replace(handed_in[1], share=bytes(32) + handed_in[1].share[-1:])
    ciphertext = sealed.ciphertexts["price"]
    wanted = (FaultCode.TOO_FEW_SHARES, "price", "")
    assert code_of(open_envelope, sealed.manifest, "price", handed_in, io.BytesIO(ciphertext)) == wanted
    handed_in += commission.shares(sealed, ["m3"])
    with open_envelope(sealed.manifest, "price", handed_in, io.BytesIO(ciphertext)) as opened:
        assert [(fault.code, fault.member_id) for fault in opened.set_aside] == [(FaultCode.SHARE_CHANGED, "m1")]


def test_a_bidder_who_puts_another_share_into_a_box_is_found_by_its_member() -> None:
    commission = Commission.of(2, 3)
    sealed = commission.seal()
    inside = {"tender_id": "tender-1", "bid_id": "bid-1", "envelope": "price", "to": "m0", "share": "00" * 32 + "07"}
    commitment = sealed.manifest.envelope("price").commitment
    for changes, code in (
        ({}, FaultCode.SHARE_CHANGED),
        ({"to": "m1"}, FaultCode.SHARE_UNREADABLE),
        ({"bid_id": "bid-2"}, FaultCode.SHARE_UNREADABLE),
        ({"more": "x"}, FaultCode.SHARE_UNREADABLE),
    ):
        box = canonical.canonical({"format": "bid-share/v1", "commitment": commitment, **inside, **changes})
        manifest = _with_box(sealed, commission, box)
        assert code_of(open_share, manifest, "price", "m0", commission.identities["m0"]) == (code, "price", "m0")


def _with_box(sealed: Sealed, commission: Commission, inside: bytes) -> manifests.Manifest:
    envelope = sealed.manifest.envelope("price")
    box = pyrage.encrypt(inside, [age_keys.recipient(commission.keys.members[0].recipient)])
    changed = replace(envelope, shares=(replace(envelope.shares[0], box=box), *envelope.shares[1:]))
    return replace(sealed.manifest, envelopes=(sealed.manifest.envelopes[0], changed))


def test_a_bidder_cannot_change_the_content_after_the_commitment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "commitment_of", lambda head, payload: "0" * 64)
    commission = Commission.of(2, 3)
    assert code_of(commission.open, commission.seal(), ["m0", "m1"]) == (FaultCode.COMMITMENT_BROKEN, "price", "")


def test_nothing_can_be_hidden_in_the_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer._Inside, "_zeros", _noise)
    commission = Commission.of(2, 3)
    assert code_of(commission.open, commission.seal(), ["m0", "m1"]) == (FaultCode.COMMITMENT_BROKEN, "price", "")


def _noise(self: Any, size: int) -> bytes:
    return b"x" * len(_zeros(self, size))


_zeros = sealer._Inside._zeros


def test_where_too_few_keys_are_left_the_bidder_can_disclose_but_not_change() -> None:
    commission = Commission.of(3, 5)
    sealed, other = commission.seal(), commission.seal()
    keys = recovery_identities(sealed.bid.recovery, manifest_sha256=sealed.bid.manifest_sha256)
    sealed_file = io.BytesIO(sealed.ciphertexts["price"])
    with open_with_recovery(sealed.manifest, "price", keys["price"], sealed_file) as opened:
        assert opened.read("price.json") == PRICE_LIST
    stranger = io.BytesIO(sealed.ciphertexts["qualification"])
    wanted = (FaultCode.CIPHERTEXT_SWAPPED, "price", "")
    assert code_of(open_with_recovery, sealed.manifest, "price", keys["price"], stranger) == wanted
    with pytest.raises(SealingFault) as caught:
        recovery_identities(other.bid.recovery, manifest_sha256=sealed.bid.manifest_sha256)
    assert caught.value.fault.code == FaultCode.MANIFEST_CHANGED


def test_a_recorded_manifest_is_the_very_one() -> None:
    sealed = Commission.of(2, 3).seal()
    wrong = sealed.bid.manifest_sha256[::-1]
    with pytest.raises(SealingFault) as caught:
        recorded_manifest(sealed.bid.manifest, sealed.keys, sha256=wrong)
    assert caught.value.code == "bid-manifest-changed"
