"""The room's decisions, without a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.identity.codes import new_code, plain_code, shown_code
from schoolmeals.identity.contacts import Contact, contact_of
from schoolmeals.identity.passwords import hash_secret, is_secret, password_problem, pin_problem
from schoolmeals.identity.rules import (
    AttemptState,
    Limit,
    after_attempt,
    needs_second_factor,
    roles_to_give,
    session_stands,
    shift_is_open,
    totp_step,
)
from schoolmeals.identity.signatures import is_device_key, verify_signature
from tests.factories.identity import TILL_KEY, actor_of, till_signature

NOON = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMIT = Limit(5, timedelta(hours=1), MINUTE)
SOMEBODY, SCHOOL, OTHER, CITY = (UUID(int=n) for n in range(1, 5))
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    ("typed", "contact"),
    [
        (" Aigul@Example.KZ ", Contact(email="aigul@example.kz")),
        ("8 701 123 45 67", Contact(phone="+77011234567")),
        ("+7 (701) 123-45-67", Contact(phone="+77011234567")),
        ("7011234567", Contact(phone="+77011234567")),
        ("+44 20 7946 0958", Contact(phone="+442079460958")),
        ("aigul@", None),
        ("123", None),
        ("", None),
        ("a" * 250 + "@example.kz", None),
    ],
)
def test_contacts_are_read_as_people_type_them(typed: str, contact: Contact | None) -> None:
    assert contact_of(typed) == contact


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short pass", "password-short"),
        ("x" * 129, "password-long"),
        ("aaaaaaaaaaaaaa", "password-easy"),
        ("123456789012", "password-easy"),
        ("qwertyuiop123", "password-easy"),
        ("PasswordPassword1", "password-easy"),
        ("Айгүл Серікқызы", "password-easy"),
        ("aigul.serik2026", "password-easy"),
        ("қой тау көмір жел", None),
        ("correct horse battery", None),
        ("y0u-W1ll:n0t_gu3ss", None),
    ],
)
def test_a_password_is_long_and_hard_to_guess(password: str, code: str | None) -> None:
    problem = password_problem(password, "Айгүл Серікқызы", "aigul.serik2026@example.kz")
    assert (problem and problem.code) == code


@pytest.mark.parametrize(
    ("pin", "code"),
    [
        ("123", "pin-form"),
        ("123456789", "pin-form"),
        ("12a4", "pin-form"),
        ("١٢٣٤", "pin-form"),
        ("1111", "pin-easy"),
        ("4567", "pin-easy"),
        ("8765", "pin-easy"),
        ("2580", None),
        ("90417", None),
    ],
)
def test_a_pin_is_digits_and_not_the_first_that_comes_to_mind(pin: str, code: str | None) -> None:
    problem = pin_problem(pin)
    assert (problem and problem.code) == code


def test_secrets_are_kept_as_argon2id_hashes() -> None:
    stored = hash_secret("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_secret(stored, "correct horse battery")
    assert not is_secret(stored, "correct horse batterz")
    assert not is_secret(None, "nobody has this password")
    assert not is_secret("no hash", "anything")


def test_codes_are_read_however_they_are_typed() -> None:
    code = new_code()
    assert len(code) == 10
    assert plain_code(shown_code(code).lower()) == code
    assert plain_code(" o1-li0 ") == "01110"


def test_five_attempts_are_free_and_then_pauses_double() -> None:
    state: AttemptState | None = None
    now = NOON
    for _ in range(5):
        state, refused = after_attempt(state, LIMIT, now)
        assert refused is None
    waits = []
    for _ in range(4):
        assert state is not None
        assert state.blocked_until is not None
        waits.append(state.blocked_until - now)
        _, refused = after_attempt(state, LIMIT, state.blocked_until - timedelta(seconds=1))
        assert refused is not None
        assert (refused.code, refused.facts["retry_after_s"]) == ("too-many-attempts", 2)
        now = state.blocked_until
        state, refused = after_attempt(state, LIMIT, now)
        assert refused is None
    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE]


def test_hammering_makes_no_pause_longer() -> None:
    state = AttemptState(5, NOON, NOON + MINUTE)
    assert after_attempt(state, LIMIT, NOON + timedelta(seconds=30))[0] == state


@given(st.lists(st.integers(0, 4_000), max_size=60))
def test_nobody_is_locked_out_for_ever(gaps: list[int]) -> None:
    state: AttemptState | None = None
    now = NOON
    for gap in gaps:
        now += timedelta(seconds=gap)
        state, _ = after_attempt(state, LIMIT, now)
        assert state.blocked_until is None or state.blocked_until - now <= timedelta(minutes=64)
    _, refused = after_attempt(state, LIMIT, now + timedelta(minutes=64))
    assert refused is None


@given(st.lists(st.integers(0, 120), min_size=200, max_size=200))
def test_an_hour_of_guessing_gives_few_guesses(gaps: list[int]) -> None:
    state: AttemptState | None = None
    now, free = NOON, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        if now >= NOON + timedelta(hours=1):
            break
        state, refused = after_attempt(state, LIMIT, now)
        free += refused is None
    assert free <= 11


@pytest.mark.parametrize(
    ("ended", "age", "unused", "stands"),
    [
        (False, timedelta(0), timedelta(0), True),
        (False, timedelta(days=1), timedelta(hours=11, minutes=59), True),
        (False, timedelta(days=1), timedelta(hours=12), False),
        (False, timedelta(days=30), timedelta(0), False),
        (True, timedelta(0), timedelta(0), False),
    ],
)
def test_a_session_stands_until_it_ends_ages_or_idles(
    ended: bool, age: timedelta, unused: timedelta, stands: bool
) -> None:
    assert (
        session_stands(
            ended_at=NOON if ended else None,
            expires_at=NOON - age + timedelta(days=30),
            last_seen_at=NOON - unused,
            idle=timedelta(hours=12),
            now=NOON,
        )
        is stands
    )


def test_a_shift_closes_by_itself() -> None:
    longest = timedelta(hours=10)
    assert shift_is_open(NOON, longest, NOON + timedelta(hours=9, minutes=59))
    assert not shift_is_open(NOON, longest, NOON + longest)
    assert not shift_is_open(None, longest, NOON)


def test_who_gives_which_role() -> None:
    office = actor_of(SOMEBODY, (Role.SCHOOL_OFFICE, SCHOOL))
    admin = actor_of(SOMEBODY, (Role.CITY_ADMIN, CITY))
    assert roles_to_give(office, "school", SCHOOL) == {Role.CASHIER, Role.SCHOOL_OFFICE}
    assert roles_to_give(office, "school", OTHER) == set()
    assert roles_to_give(office, "city", CITY) == set()
    assert Role.CITY_ADMIN in roles_to_give(admin, "city", CITY)
    assert Role.CITY_ADMIN not in roles_to_give(admin, "school", SCHOOL)
    assert roles_to_give(admin, "school", SCHOOL) == roles_to_give(SYSTEM, "school", SCHOOL)
    assert roles_to_give(actor_of(SOMEBODY, (Role.CASHIER, SCHOOL)), "school", SCHOOL) == set()
    supplier = actor_of(SOMEBODY, (Role.SUPPLIER, OTHER))
    assert roles_to_give(supplier, "supplier", OTHER) == {Role.SUPPLIER}
    assert roles_to_give(supplier, "supplier", SCHOOL) == set()


def test_a_totp_code_opens_once_and_none_before_it_afterwards() -> None:
    step = int(NOON.timestamp()) // 30
    codes = {n: pyotp.TOTP(SECRET).generate_otp(step + n) for n in range(-2, 3)}
    assert totp_step(SECRET, codes[0], None, NOON) == step
    assert totp_step(SECRET, codes[-1], None, NOON) == step - 1
    assert totp_step(SECRET, codes[1], None, NOON) == step + 1
    assert totp_step(SECRET, codes[-2], None, NOON) is None
    assert totp_step(SECRET, codes[2], None, NOON) is None
    assert totp_step(SECRET, codes[0], step, NOON) is None
    assert totp_step(SECRET, codes[-1], step, NOON) is None
    assert totp_step(SECRET, codes[1], step, NOON) == step + 1


@pytest.mark.parametrize(
    ("roles", "has", "asked"),
    [
        ([Role.PARENT], False, False),
        ([Role.CASHIER], False, False),
        ([Role.SCHOOL_OFFICE], False, True),
        ([Role.PARENT, Role.AUDITOR], False, True),
        ([Role.CITY_ADMIN], True, False),
    ],
)
def test_who_is_asked_for_a_second_factor(roles: list[Role], has: bool, asked: bool) -> None:
    assert needs_second_factor(roles, has_second_factor=has) is asked


def test_a_signature_is_over_the_very_bytes_by_the_very_key() -> None:
    key = TILL_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    other = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    signature = till_signature(b"taps")
    assert len(signature) == 64
    assert verify_signature(key, b"taps", signature)
    assert not verify_signature(key, b"tapz", signature)
    assert not verify_signature(other, b"taps", signature)
    assert not verify_signature(key, b"taps", signature[:-1])
    assert not verify_signature(key, b"taps", bytes(64))
    assert not verify_signature(b"no key", b"taps", signature)


def test_only_p256_keys_are_device_keys() -> None:
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
    assert is_device_key(TILL_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert not is_device_key(p384.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert not is_device_key(b"")
    assert not is_device_key(bytes(10_000))
