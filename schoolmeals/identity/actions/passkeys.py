"""Passkeys (WebAuthn): keys on somebody's own device, unlocked by face, finger or screen lock."""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotFound
from schoolmeals.identity.actions.organisations import NEEDED, TOO_LONG
from schoolmeals.identity.actions.sessions import Caller, SignedIn, begin_session
from schoolmeals.identity.models import Challenge, Passkey, Person
from schoolmeals.identity.queries import lock_me
from schoolmeals.identity.rules import PASSKEY_WITHIN
from schoolmeals.ids import new_id
from schoolmeals.verdicts import Refused

ADDING: Final = "passkey-add"
SIGN_IN: Final = "passkey-sign-in"
LONGEST_NAME: Final = 80
MOST_PASSKEYS: Final = 20
REFUSED: Final = Refused("passkey-refused", N_("This passkey was not accepted. Try again, or use your password."))
_REQUIRED: Final = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Site:
    """The site that a passkey belongs to: browsers give it to no other."""

    name: str
    origin: str

    @property
    def domain(self) -> str:
        """The relying party's id."""
        return urlsplit(self.origin).hostname or ""


def start_passkey(work: Work, site: Site) -> tuple[UUID, dict[str, Any]]:
    """Begin to add a passkey for the actor: the challenge's id, and the options for the browser's ``create``."""
    person = lock_me(work)
    standing = work.session.scalars(
        select(Passkey).where(Passkey.person_id == person.id, Passkey.removed_at.is_(None))
    ).all()
    if len(standing) >= MOST_PASSKEYS:
        raise Conflict("passkeys-full", N_("You have as many passkeys as we keep. Remove one first."))
    options = generate_registration_options(
        rp_id=site.domain,
        rp_name=site.name,
        user_id=person.id.bytes,
        user_name=person.email or person.phone or "",
        user_display_name=person.name,
        # Discoverable, so that signing in needs no name; which authenticator it is, we leave to the person.
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential_id) for one in standing],
    )
    challenge_id = _keep_challenge(work, ADDING, options.challenge, person.id)
    audit.record(work, "identity.start-passkey", audit.Subject("person", person.id), {})
    return challenge_id, json.loads(options_to_json(options))


def add_passkey(work: Work, site: Site, challenge_id: UUID, credential: dict[str, Any], name: str) -> UUID | Refused:
    """Add the passkey that the browser made. Refused ``passkey-refused`` where it does not answer our challenge."""
    challenge = _spend_challenge(work, ADDING, challenge_id)
    if challenge is None or challenge.person_id != work.actor.id:
        return REFUSED
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge.challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return REFUSED
    if work.session.scalar(select(Passkey.id).where(Passkey.credential_id == verified.credential_id)) is not None:
        return REFUSED
    passkey = Passkey(
        id=new_id(work.now),
        person_id=work.actor.id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=_transports(credential),
        name=_checked_name(name),
        created_at=work.now,
    )
    work.session.add(passkey)
    work.session.flush()
    audit.record(work, "identity.add-passkey", audit.Subject("passkey", passkey.id), {"person_id": work.actor.id})
    return passkey.id


def start_passkey_sign_in(work: Work, site: Site) -> tuple[UUID, dict[str, Any]]:
    """Begin to sign in by whatever passkey the person chooses: the challenge's id, and options for ``get``."""
    options = generate_authentication_options(rp_id=site.domain, user_verification=_REQUIRED)
    challenge_id = _keep_challenge(work, SIGN_IN, options.challenge, None)
    audit.record(work, "identity.start-passkey-sign-in", audit.Subject("challenge", challenge_id), {})
    return challenge_id, json.loads(options_to_json(options))


def sign_in_by_passkey(
    work: Work, site: Site, challenge_id: UUID, credential: dict[str, Any], caller: Caller
) -> SignedIn | Refused:
    """Sign in by a passkey, which is possession and verification in one. Refused ``passkey-refused``."""
    challenge = _spend_challenge(work, SIGN_IN, challenge_id)
    found = _passkey_of(work, credential) if challenge is not None else None
    if challenge is None or found is None:
        return _refuse(work, None, caller)
    passkey, person = found
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge.challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return _refuse(work, person.id, caller)
    passkey.sign_count, passkey.last_used_at = verified.new_sign_count, work.now
    return begin_session(work, person, factors=("passkey",), caller=caller)


def rename_passkey(work: Work, passkey_id: UUID, name: str) -> None:
    """Call one of the actor's passkeys something else. Raises NotFound, Invalid."""
    passkey = _my_passkey(work, passkey_id)
    passkey.name = _checked_name(name)
    work.session.flush()
    audit.record(work, "identity.rename-passkey", audit.Subject("passkey", passkey_id), {})


def remove_passkey(work: Work, passkey_id: UUID) -> None:
    """Sign in by this passkey no more. Raises NotFound."""
    passkey = _my_passkey(work, passkey_id)
    passkey.removed_at = work.now
    work.session.flush()
    audit.record(work, "identity.remove-passkey", audit.Subject("passkey", passkey_id), {})


def _keep_challenge(work: Work, purpose: str, challenge: bytes, person_id: UUID | None) -> UUID:
    challenge_id = new_id(work.now)
    work.session.add(
        Challenge(
            id=challenge_id,
            person_id=person_id,
            purpose=purpose,
            challenge=challenge,
            created_at=work.now,
            expires_at=work.now + PASSKEY_WITHIN,
        )
    )
    work.session.flush()
    return challenge_id


def _spend_challenge(work: Work, purpose: str, challenge_id: UUID) -> Challenge | None:
    """The challenge, if it waits for its first answer; it takes no second one, whatever becomes of the first."""
    challenge = work.session.scalar(
        select(Challenge).where(Challenge.id == challenge_id, Challenge.purpose == purpose).with_for_update()
    )
    if challenge is None or challenge.used_at is not None or work.now >= challenge.expires_at:
        return None
    challenge.used_at = work.now
    work.session.flush()
    return challenge


def _passkey_of(work: Work, credential: dict[str, Any]) -> tuple[Passkey, Person] | None:
    try:
        credential_id = base64url_to_bytes(str(credential.get("rawId", "")))
    except ValueError:
        return None
    found = work.session.execute(
        select(Passkey, Person)
        .join(Person, Person.id == Passkey.person_id)
        .where(Passkey.credential_id == credential_id, Passkey.removed_at.is_(None), Person.disabled_at.is_(None))
        .with_for_update(of=Passkey)
    ).one_or_none()
    return (found[0], found[1]) if found is not None else None


def _my_passkey(work: Work, passkey_id: UUID) -> Passkey:
    passkey = work.session.scalar(
        select(Passkey)
        .where(Passkey.id == passkey_id, Passkey.person_id == work.actor.id, Passkey.removed_at.is_(None))
        .with_for_update()
    )
    if passkey is None:
        raise NotFound
    return passkey


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(fields={"name": [NEEDED if not name else TOO_LONG]})
    return name


def _transports(credential: dict[str, Any]) -> list[str]:
    response = credential.get("response")
    told = response.get("transports") if isinstance(response, dict) else None
    return [str(one)[:20] for one in told[:8]] if isinstance(told, list) else []


def _refuse(work: Work, person_id: UUID | None, caller: Caller) -> Refused:
    audit.record(
        work,
        "identity.refuse-sign-in",
        audit.Subject("person", person_id),
        {"code": REFUSED.code},
        personal={"address": caller.address},
    )
    return REFUSED
