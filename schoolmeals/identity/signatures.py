"""Signatures of till devices: ECDSA over P-256 with SHA-256, in the form in which WebCrypto makes them."""

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

HALF: Final = 32
"""Bytes of r and of s (IEEE P1363)."""
LONGEST_KEY: Final = 200
_BY_SHA256: Final = ec.ECDSA(hashes.SHA256())


def verify_signature(public_key_der: bytes, body: bytes, signature: bytes) -> bool:
    """Whether ``signature`` (r and s, 32 bytes each) was made under ``body`` with the key's private half."""
    key = _key(public_key_der)
    if key is None or len(signature) != 2 * HALF:
        return False
    r, s = int.from_bytes(signature[:HALF], "big"), int.from_bytes(signature[HALF:], "big")
    try:
        key.verify(encode_dss_signature(r, s), body, _BY_SHA256)
    except InvalidSignature:
        return False
    return True


def is_device_key(public_key_der: bytes) -> bool:
    """Whether these bytes are the SubjectPublicKeyInfo of a P-256 key."""
    return len(public_key_der) <= LONGEST_KEY and _key(public_key_der) is not None


@lru_cache(maxsize=4096)
def _key(public_key_der: bytes) -> ec.EllipticCurvePublicKey | None:
    try:
        key = load_der_public_key(public_key_der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    return key if is_p256 and isinstance(key, ec.EllipticCurvePublicKey) else None
