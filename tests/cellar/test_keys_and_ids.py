"""Keys, ids, the clock."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag

from schoolmeals.clock import MovableClock, in_utc, system_clock
from schoolmeals.ids import new_id, number_heard, spoken_number
from schoolmeals.keys import derive_key, keyed_hash, seal, token_hash, unseal


def test_keys_of_different_purposes_and_secrets_differ() -> None:
    keys = {derive_key(secret, purpose) for secret in ("a", "b") for purpose in ("cards", "codes")}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
    assert derive_key("a", "cards") == derive_key("a", "cards")


def test_a_keyed_hash_needs_its_key() -> None:
    one, other = derive_key("a", "cards"), derive_key("b", "cards")
    assert keyed_hash(one, "04A1") == keyed_hash(one, "04A1")
    assert keyed_hash(one, "04A1") != keyed_hash(other, "04A1")
    assert token_hash("x") != token_hash("y")


def test_what_is_sealed_opens_only_with_its_key_and_in_its_place() -> None:
    key = derive_key("a", "totp")
    sealed = seal(key, b"secret", b"row-1")
    assert unseal(key, sealed, b"row-1") == b"secret"
    assert seal(key, b"secret", b"row-1") != sealed
    for wrong in (
        (derive_key("b", "totp"), sealed, b"row-1"),
        (key, sealed, b"row-2"),
        (key, sealed[:-1] + b"x", b"row-1"),
    ):
        with pytest.raises(InvalidTag):
            unseal(*wrong)


def test_ids_sort_by_their_time() -> None:
    start = datetime(2026, 11, 23, 7, 0, 0, 123_456, tzinfo=UTC)
    ids = [new_id(start + timedelta(milliseconds=n)) for n in range(50)]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
    assert ids[0].int >> 80 == (start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert new_id() != new_id()


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        in_utc(datetime(2026, 11, 23))  # noqa: DTZ001
    assert in_utc(datetime.fromisoformat("2026-11-23T12:00:00+05:00")).isoformat() == "2026-11-23T07:00:00+00:00"


def test_clocks_are_in_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)
    clock = MovableClock(datetime.fromisoformat("2026-11-23T12:00:00+05:00"))
    assert clock.move(timedelta(hours=1)) == clock() == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_an_id_is_read_out_as_ten_digits() -> None:
    assert spoken_number(UUID(int=1)) == "00000\u00a000001"
    assert spoken_number(UUID(int=4_829_037_114)) == "48290\u00a037114"
    assert spoken_number(UUID(int=2**40 + 10**10 + 7)) == "00000\u00a000007"


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("48290 37114", 4_829_037_114),
        ("48290\u00a037114", 4_829_037_114),
        (" 48290-37114 ", 4_829_037_114),
        ("№ 7", 7),
        ("", None),
        ("12a", None),
        ("٧", None),
        ("1" * 11, None),
    ],
)
def test_a_number_is_heard_however_it_is_written(typed: str, heard: int | None) -> None:
    assert number_heard(typed) == heard
