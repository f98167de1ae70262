"""Keys for each purpose from the one secret, and what is made with them: keyed hashes and sealed texts.

Whoever has the database without the secret can neither look a card's number up in it nor read what is sealed.
"""

import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


@lru_cache(maxsize=64)
def derive_key(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose (RFC 5869); keys of different purposes tell nothing about each other."""
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"schoolmeals {purpose}".encode())
    return derivation.derive(secret.encode())


def keyed_hash(key: bytes, text: str) -> bytes:
    """HMAC-SHA-256 of ``text``: the same text always gives the same 32 bytes, and nobody without the key can guess
    it.
    """
    return hmac.digest(key, text.encode(), "sha256")


def token_hash(token: str) -> bytes:
    """SHA-256 of a token that is long and random by itself and needs no key."""
    return hashlib.sha256(token.encode()).digest()


def seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    """``plain`` in AES-256-GCM, bound to ``context`` (the id of the row that it belongs to)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """What was sealed. Raises cryptography's InvalidTag where key, context or bytes differ."""
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
