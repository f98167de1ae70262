"""age X25519 keys as the rest of this package needs them: made from 32 bytes, read from text, kept in a key file."""

import secrets
from collections.abc import Iterable
from typing import Final

import pyrage

from schoolmeals.procurement.sealing.faults import FaultCode, SealingFault

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_PREFIX: Final = "age-secret-key-"
_PASSPHRASE_GROUPS: Final = 6


def new_secret() -> bytes:
    """The 32 random bytes of a new key."""
    return secrets.token_bytes(32)


def identity_text(secret: bytes) -> str:
    """The private key ``AGE-SECRET-KEY-1...`` of 32 bytes, as the age tools read it."""
    digits = _five_bit_digits(secret)
    return f"{_PREFIX}1{''.join(_ALPHABET[one] for one in [*digits, *_checksum(digits)])}".upper()


def identity(text: str) -> pyrage.x25519.Identity:
    """The private key that ``text`` names. Raises ``wrong-shape``."""
    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError as error:
        raise SealingFault(FaultCode.WRONG_SHAPE, part="identity") from error


def recipient(text: str) -> pyrage.x25519.Recipient:
    """The public key that ``text`` names. Raises ``wrong-shape``."""
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise SealingFault(FaultCode.WRONG_SHAPE, part="recipient") from error


def new_passphrase() -> str:
    """Six groups of four digits, 79 bits: they can be read, spoken and typed in every language."""
    return "-".join(f"{secrets.randbelow(10_000):04}" for _ in range(_PASSPHRASE_GROUPS))


def new_member_key() -> tuple[str, str]:
    """A key for one member and one tender: the private key's text and the public key's."""
    text = identity_text(new_secret())
    return text, str(identity(text).to_public())


def wrap(identity_of_member: str, passphrase: str) -> bytes:
    """A key file that ``age -d -i FILE`` opens too: the private key, encrypted by age's own scrypt. Takes seconds."""
    return pyrage.passphrase.encrypt(f"{identity_of_member}\n".encode("ascii"), passphrase, armored=True)


def unwrap(key_file: bytes, passphrase: str) -> str:
    """The private key in a key file. Raises ``wrong-passphrase``."""
    try:
        text = pyrage.passphrase.decrypt(key_file, passphrase.strip())
    except pyrage.DecryptError as error:
        raise SealingFault(FaultCode.WRONG_PASSPHRASE) from error
    return text.decode("ascii", errors="replace").strip()


def _five_bit_digits(data: bytes) -> list[int]:
    """``data`` in digits of five bits, the last one filled up with zeros (BIP 173)."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]


def _checksum(digits: list[int]) -> list[int]:
    prefix = [*(ord(one) >> 5 for one in _PREFIX), 0, *(ord(one) & 31 for one in _PREFIX)]
    rest = _remainder([*prefix, *digits, 0, 0, 0, 0, 0, 0]) ^ 1
    return [(rest >> (25 - 5 * at)) & 31 for at in range(6)]


def _remainder(digits: Iterable[int]) -> int:
    """The remainder of the polynomial that BIP 173 calls the checksum's."""
    rest = 1
    for digit in digits:
        top = rest >> 25
        rest = (rest & 0x1FFFFFF) << 5 ^ digit
        for at, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            rest ^= generator if (top >> at) & 1 else 0
    return rest
