"""Laws of the shares, and that ours are the auditor's too."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as some

from schoolmeals.procurement.sealing import shares
from schoolmeals.procurement.sealing.age_keys import identity, identity_text, new_passphrase
from tests.procurement.sealing import independent

secrets = some.binary(min_size=32, max_size=32)
sizes = some.sampled_from([(2, 3), (3, 5), (4, 7)])


@settings(max_examples=20, deadline=None)
@given(secrets, sizes, some.randoms())
def test_shares_in_any_order_give_the_secret_back(secret: bytes, size: tuple[int, int], chance: Random) -> None:
    k, n = size
    parts = shares.split(secret, k=k, n=n)
    chosen = chance.sample(parts, k)
    assert shares.combine(chosen) == secret
    assert independent.combine(chosen) == secret


@settings(max_examples=20, deadline=None)
@given(secrets, sizes)
def test_k_shares_tell_what_each_other_share_is(secret: bytes, size: tuple[int, int]) -> None:
    k, n = size
    parts = shares.split(secret, k=k, n=n)
    assert [shares.share_at(part[-1], parts[:k]) for part in parts] == parts


@settings(max_examples=50, deadline=None)
@given(secrets)
def test_a_private_key_is_written_as_age_and_the_auditor_write_it(secret: bytes) -> None:
    text = identity_text(secret)
    assert str(identity(text)) == text
    assert independent.private_key(secret) == text


def test_a_commitment_is_to_a_share_in_its_place() -> None:
    place = {"tender_id": "t", "bid_id": "b", "envelope": "price", "member_id": "m"}
    share = bytes(range(33))
    commitment = shares.share_commitment(share, **place)
    others = [shares.share_commitment(share, **{**place, name: "other"}) for name in place]
    assert len({commitment, shares.share_commitment(bytes(33), **place), *others}) == 6


def test_passphrases_are_six_groups_of_digits() -> None:
    groups = new_passphrase().split("-")
    assert [len(one) for one in groups] == [4] * 6
    assert "".join(groups).isdigit()
