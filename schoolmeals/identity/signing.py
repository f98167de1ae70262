"""Signing by passkey: the digest of a text is the challenge, so that the assertion is about this text and no other.

A proof is kept whole. Whoever has it, and the text, can check it again with any WebAuthn library, without us.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from webauthn import generate_authentication_options, options_to_json, verify_authentication_response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

from schoolmeals.database import Work
from schoolmeals.identity.actions.passkeys import Site
from schoolmeals.identity.models import Passkey

_BROKEN = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class PasskeyProof:
    """A signature by passkey, as JSON: the assertion, the public key, and the site that it was made for."""

    json: dict[str, Any]


def signing_options(work: Work, site: Site, digest: bytes) -> dict[str, Any] | None:
    """Options for the browser's ``get`` that ask one of the actor's passkeys to sign ``digest``; None without one."""
    standing = work.session.scalars(
        select(Passkey.credential_id).where(Passkey.person_id == work.actor.id, Passkey.removed_at.is_(None))
    ).all()
    if not standing:
        return None
    options = generate_authentication_options(
        rp_id=site.domain,
        challenge=digest,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in standing],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    made: dict[str, Any] = json.loads(options_to_json(options))
    return made


def sign_by_passkey(work: Work, site: Site, digest: bytes, credential: dict[str, Any]) -> PasskeyProof | None:
    """The proof that the actor has signed ``digest`` by a passkey of their own; None where ``credential`` is none."""
    try:
        credential_id = base64url_to_bytes(str(credential.get("rawId", "")))
    except _BROKEN:
        return None
    passkey = work.session.scalar(
        select(Passkey)
        .where(
            Passkey.credential_id == credential_id,
            Passkey.person_id == work.actor.id,
            Passkey.removed_at.is_(None),
        )
        .with_for_update()
    )
    if passkey is None:
        return None
    proof = PasskeyProof(
        {
            "credential": credential,
            "public_key": bytes_to_base64url(passkey.public_key),
            "domain": site.domain,
            "origin": site.origin,
        }
    )
    count = _verified_count(proof, digest, passkey.sign_count)
    if count is None:
        return None
    passkey.sign_count, passkey.last_used_at = count, work.now
    work.session.flush()
    return proof


def proves(proof: PasskeyProof, digest: bytes) -> bool:
    """Whether a kept proof is a signature under the text with this digest. Pure."""
    return _verified_count(proof, digest, 0) is not None


def _verified_count(proof: PasskeyProof, digest: bytes, count_before: int) -> int | None:
    """The authenticator's count where the proof holds."""
    said = proof.json
    try:
        verified = verify_authentication_response(
            credential=said["credential"],
            expected_challenge=digest,
            expected_rp_id=said["domain"],
            expected_origin=said["origin"],
            credential_public_key=base64url_to_bytes(said["public_key"]),
            credential_current_sign_count=count_before,
            require_user_verification=True,
        )
    except _BROKEN:
        return None
    return verified.new_sign_count
