"""Before the opening, nobody with less than k members' keys reads a single bid."""

from dataclasses import replace
from typing import Any

import pyrage
import pytest

from schoolmeals.procurement.sealing import age_keys, shares
from tests.procurement.sealing.commission import Commission, Sealed
from tests.procurement.sealing.early_reader import read_early

BIDS = 20
CORRUPT = ("m1", "m3")


def bids_read(commission: Commission, corrupt: tuple[str, ...] = CORRUPT) -> int:
    """How many of twenty bids the reader has got at."""
    sealed = [commission.seal(bidder=f"bidder-{at}", bid_id=f"bid-{at}") for at in range(BIDS)]
    return sum(read_early(one, commission, corrupt) for one in sealed)


def test_the_whole_server_and_all_but_one_of_the_needed_members_read_nothing() -> None:
    assert bids_read(Commission.of(3, 5)) == 0


def test_the_reader_reads_all_when_enough_members_help() -> None:
    assert bids_read(Commission.of(3, 5), (*CORRUPT, "m4")) == BIDS


def test_the_reader_finds_a_split_with_a_lower_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    split = shares.split
    monkeypatch.setattr(shares, "split", lambda secret, *, k, n: split(secret, k=k - 1, n=n))
    assert bids_read(Commission.of(3, 5)) == BIDS


def test_the_reader_finds_a_ciphertext_that_a_member_can_open(monkeypatch: pytest.MonkeyPatch) -> None:
    commission = Commission.of(3, 5)
    encrypt_io = pyrage.encrypt_io
    member = age_keys.recipient(commission.keys.members[1].recipient)

    def encrypt_to_a_member_too(inside: Any, outside: Any, recipients: Any) -> None:
        encrypt_io(inside, outside, [*recipients, member])

    monkeypatch.setattr(pyrage, "encrypt_io", encrypt_to_a_member_too)
    assert bids_read(commission) == BIDS


def test_the_reader_finds_a_secret_that_lies_in_the_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    commission = Commission.of(3, 5)
    secret = age_keys.new_secret()
    monkeypatch.setattr(age_keys, "new_secret", lambda: secret)
    monkeypatch.setattr("secrets.token_hex", lambda count: secret.hex())
    assert bids_read(commission) == BIDS


def test_rows_of_all_bids_look_alike() -> None:
    commission = Commission.of(3, 5)
    all_bids = [commission.seal(b"price_minor" * (1 + at * 500)) for at in range(10)]
    assert {len(one.bid.manifest) for one in all_bids} == {12_288}
    assert {len(data) for one in all_bids for data in one.ciphertexts.values()} == {131_072}


def test_two_sealings_of_the_same_have_nothing_in_common() -> None:
    commission = Commission.of(2, 3)
    one, other = commission.seal(), commission.seal()
    facts = [{**_envelope(sealed), "nonce": sealed.manifest.bid.nonce} for sealed in (one, other)]
    assert not set(facts[0].values()) & set(facts[1].values())
    assert replace(one.manifest.bid, nonce="") == replace(other.manifest.bid, nonce="")


def _envelope(sealed: Sealed) -> dict[str, str]:
    envelope = sealed.manifest.envelope("price")
    own = {"commitment": envelope.commitment, "ciphertext": envelope.ciphertext_sha256}
    return {**own, **{share.member_id: share.sha256 for share in envelope.shares}}
