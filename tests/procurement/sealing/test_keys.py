"""Nobody can slip another key in between the notice and the bidder."""

import io
from dataclasses import replace
from typing import IO

import pytest

from schoolmeals.procurement.sealing import (
    FaultCode,
    KeySet,
    Member,
    PublishedKeys,
    SealingFault,
    SourceFile,
    new_member_key,
    new_passphrase,
    open_share,
    published_keys,
    seal_bid,
    sealer,
    shown_fingerprint,
    submitted_manifest,
    unwrap,
    wrap,
)
from tests.procurement.sealing.commission import Commission


def seal(keys: KeySet, published: PublishedKeys) -> list[str]:
    """The names of the ciphertexts that were written, which a refusal must leave empty."""
    written: list[str] = []

    def put(name: str) -> IO[bytes]:
        written.append(name)
        return io.BytesIO()

    contents = {"price": [SourceFile.of_bytes("p.json", "application/json", b"{}")]}
    try:
        seal_bid(keys, published, contents, put, bid_id="b", bidder="x", lot_ids=["l"])
    except SealingFault:
        assert written == []
        raise
    return written


def with_another_key(keys: KeySet, at: int) -> KeySet:
    """What a server would send that wants to read along."""
    members = list(keys.members)
    members[at] = Member(members[at].id, new_member_key()[1])
    return replace(keys, members=tuple(members))


@pytest.mark.parametrize("at", range(5))
def test_a_swapped_key_is_refused_and_named(at: int) -> None:
    keys = Commission.of(3, 5).keys
    with pytest.raises(SealingFault) as caught:
        seal(with_another_key(keys, at), published_keys(keys))
    assert (caught.value.fault.code, caught.value.fault.member_id) == (FaultCode.KEY_SWAPPED, f"m{at}")


def test_the_digest_alone_is_enough_to_refuse() -> None:
    keys = Commission.of(3, 5).keys
    bare = replace(published_keys(keys), fingerprints=())
    assert seal(keys, bare) == ["price"]
    for other in (
        with_another_key(keys, 0),
        replace(keys, k=2),
        replace(keys, members=keys.members[::-1]),
        replace(keys, members=keys.members[:4]),
        replace(keys, members=(*keys.members, Member("m5", new_member_key()[1]))),
    ):
        with pytest.raises(SealingFault) as caught:
            seal(other, bare)
        assert caught.value.fault.code == FaultCode.KEY_SET_SWAPPED


def test_keys_of_another_tender_are_refused() -> None:
    keys = Commission.of(3, 5).keys
    with pytest.raises(SealingFault) as caught:
        seal(replace(keys, tender_id="tender-2"), published_keys(keys))
    assert caught.value.fault.code == FaultCode.WRONG_TENDER


def test_the_test_finds_a_sealer_that_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "require_published", lambda keys, published: None)
    keys = Commission.of(3, 5).keys
    assert seal(with_another_key(keys, 2), published_keys(keys)) == ["price"]


def test_a_bid_sealed_to_other_keys_is_not_taken() -> None:
    commission = Commission.of(3, 5)
    sealed = commission.seal()
    assert submitted_manifest(sealed.bid.manifest, commission.keys) == sealed.manifest
    for other, code in (
        (with_another_key(commission.keys, 1), FaultCode.KEY_SET_SWAPPED),
        (replace(commission.keys, tender_id="tender-2"), FaultCode.WRONG_TENDER),
    ):
        with pytest.raises(SealingFault) as caught:
            submitted_manifest(sealed.bid.manifest, other)
        assert caught.value.fault.code == code


def test_a_key_set_is_read_as_it_was_written_and_not_otherwise() -> None:
    keys = Commission.of(3, 5).keys
    data = keys.to_bytes()
    assert KeySet.from_bytes(data) == keys
    assert PublishedKeys.from_bytes(published_keys(keys).to_bytes()) == published_keys(keys)
    for broken in (
        data + b" ",
        data.replace(b'"k":3', b'"k":6'),
        data.replace(b'"k":3', b'"k":1'),
        b"[]",
        b"{",
        b"\xff",
    ):
        with pytest.raises(SealingFault):
            KeySet.from_bytes(broken)


@pytest.mark.parametrize("twice", ["id", "recipient"])
def test_nobody_is_in_a_key_set_twice(twice: str) -> None:
    one, other = (Member(f"m{at}", new_member_key()[1]) for at in range(2))
    changed = replace(other, id=one.id) if twice == "id" else replace(other, recipient=one.recipient)
    with pytest.raises(SealingFault):
        KeySet("t", 2, (one, changed))


def test_a_fingerprint_is_shown_in_groups() -> None:
    assert shown_fingerprint("0123456789abcdef" * 4) == "0123 4567 89ab cdef 0123 4567 89ab cdef"


def test_another_members_key_opens_no_share() -> None:
    commission = Commission.of(2, 3)
    manifest = commission.seal().manifest
    with pytest.raises(SealingFault) as caught:
        open_share(manifest, "price", "m0", commission.identities["m1"])
    assert (caught.value.fault.code, caught.value.fault.member_id) == (FaultCode.SHARE_UNREADABLE, "m0")


def test_a_key_file_opens_with_its_passphrase_only() -> None:
    identity, _ = new_member_key()
    passphrase = new_passphrase()
    key_file = wrap(identity, passphrase)
    assert identity.encode() not in key_file
    assert unwrap(key_file, f" {passphrase}\n") == identity
    for data, words in ((key_file, new_passphrase()), (key_file[:-60], passphrase), (b"", passphrase)):
        with pytest.raises(SealingFault) as caught:
            unwrap(data, words)
        assert caught.value.fault.code == FaultCode.WRONG_PASSPHRASE
