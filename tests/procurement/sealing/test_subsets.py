"""Any k members open a bid, and k - 1 cannot, whatever they try."""

from itertools import combinations

import pytest
from pyrage import DecryptError, decrypt

from schoolmeals.procurement.sealing import FaultCode, SealingFault, age_keys, shares
from tests.procurement.sealing.commission import PRICE_LIST, Commission, Sealed
from tests.procurement.sealing.independent import combine

SIZES = [(2, 3), (3, 5), (4, 7)]


def that_open(commission: Commission, sealed: Sealed, size: int) -> list[tuple[str, ...]]:
    """The groups of ``size`` members that can open the price envelope as our opener does it."""
    able = []
    for members in combinations(commission.identities, size):
        try:
            opened = commission.open(sealed, members)
        except SealingFault:
            continue
        assert opened.files == {"price.json": PRICE_LIST}
        able.append(members)
    return able


def that_can_read(commission: Commission, sealed: Sealed, size: int) -> list[tuple[str, ...]]:
    """The groups of ``size`` members who get at the content when they keep to no rule of ours."""
    able = []
    for members in combinations(commission.identities, size):
        secret = combine([one.share for one in commission.shares(sealed, members)])
        try:
            decrypt(sealed.ciphertexts["price"], [age_keys.identity(age_keys.identity_text(secret))])
        except DecryptError:
            continue
        able.append(members)
    return able


@pytest.mark.parametrize(("k", "n"), SIZES)
def test_every_k_open_and_no_fewer_do(k: int, n: int) -> None:
    commission = Commission.of(k, n)
    sealed = commission.seal()
    everybody = list(combinations(commission.identities, k))
    assert that_open(commission, sealed, k) == everybody
    assert that_can_read(commission, sealed, k) == everybody
    assert that_open(commission, sealed, k - 1) == []
    assert that_can_read(commission, sealed, k - 1) == []


def test_it_says_that_too_few_have_come() -> None:
    commission = Commission.of(3, 5)
    with pytest.raises(SealingFault) as caught:
        commission.open(commission.seal(), ["m0", "m4"])
    assert caught.value.fault.code == FaultCode.TOO_FEW_SHARES
    assert caught.value.fault.envelope == "price"


def test_the_same_member_twice_is_one_member() -> None:
    commission = Commission.of(3, 5)
    with pytest.raises(SealingFault) as caught:
        commission.open(commission.seal(), ["m0", "m4", "m4", "m4"])
    assert caught.value.fault.code == FaultCode.TOO_FEW_SHARES


@pytest.mark.parametrize(("k", "n"), SIZES)
def test_the_search_finds_a_split_that_fewer_can_undo(k: int, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "split", _split_for_one_less)
    commission = Commission.of(k, n)
    sealed = commission.seal()
    assert that_can_read(commission, sealed, k - 1) == list(combinations(commission.identities, k - 1))


@pytest.mark.parametrize(("k", "n"), [(2, 3), (3, 5)])
def test_the_search_finds_a_split_that_wants_more(k: int, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    split = shares.split
    monkeypatch.setattr(shares, "split", lambda secret, *, k, n: split(secret, k=k + 1, n=n))
    commission = Commission.of(k, n)
    sealed = commission.seal()
    assert that_open(commission, sealed, k) == []
    assert that_can_read(commission, sealed, k) == []


def _split_for_one_less(secret: bytes, *, k: int, n: int) -> list[bytes]:
    """The planted bug; pyshamir wants two at least, and one share of one is the secret itself."""
    if k == 2:
        return [secret + bytes([place]) for place in range(1, n + 1)]
    return _split(secret, k=k - 1, n=n)


_split = shares.split
