"""Passkeys of the demo's people, held as a phone would hold them: contracts are signed as they really are."""

import hashlib
import json
from typing import Any
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from schoolmeals import identity
from schoolmeals.actors import Actor
from schoolmeals.database import Work
from schoolmeals.identity.actions.passkeys import add_passkey, start_passkey

_PRESENT, _VERIFIED, _WITH_KEY = 0b1, 0b100, 0b1000000


class Device:
    """Somebody's phone with a passkey for this site."""

    def __init__(self, actor: Actor, site: identity.Site) -> None:
        self.actor, self.site, self._count = actor, site, 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = hashlib.sha256(self._public_key()).digest()

    def enrol(self, work: Work) -> None:
        """Add the passkey to its holder's account."""
        challenge_id, options = start_passkey(work, self.site)
        made = add_passkey(work, self.site, challenge_id, self._created(options["challenge"]), "Телефон")
        assert isinstance(made, UUID), "a passkey made for this challenge is taken"

    def sign(self, digest: bytes) -> dict[str, Any]:
        """What the browser would send after its holder has signed ``digest``."""
        self._count += 1
        client = self._client_data("webauthn.get", bytes_to_base64url(digest))
        data = self._site_hash() + bytes([_PRESENT | _VERIFIED]) + self._count.to_bytes(4, "big")
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            client, authenticatorData=bytes_to_base64url(data), signature=bytes_to_base64url(signature)
        )

    def _created(self, challenge: str) -> dict[str, Any]:
        head = self._site_hash() + bytes([_PRESENT | _VERIFIED | _WITH_KEY]) + bytes(4)
        data = head + bytes(16) + len(self._id).to_bytes(2, "big") + self._id + self._public_key()
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", challenge)
        return self._credential(client, attestationObject=bytes_to_base64url(statement), transports=["internal"])

    def _credential(self, client: bytes, **response: Any) -> dict[str, Any]:
        return {
            "id": bytes_to_base64url(self._id),
            "rawId": bytes_to_base64url(self._id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {"clientDataJSON": bytes_to_base64url(client), **response},
        }

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.site.origin}).encode()

    def _site_hash(self) -> bytes:
        return hashlib.sha256(self.site.domain.encode()).digest()

    def _public_key(self) -> bytes:
        numbers = self._key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        # COSE: an elliptic curve key, ES256, P-256.
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
