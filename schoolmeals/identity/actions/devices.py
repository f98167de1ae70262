"""Tills: adding and enrolling devices, cashiers' PINs, opening and closing shifts."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from schoolmeals import audit
from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotAllowed, NotFound
from schoolmeals.identity.actions.organisations import NEEDED, TOO_LONG
from schoolmeals.identity.attempts import HOUR, PAUSE, forget_attempts, spend_attempt
from schoolmeals.identity.codes import new_code, plain_code
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import CashierPin, Device, RoleGrant
from schoolmeals.identity.passwords import hash_secret, is_secret, pin_problem
from schoolmeals.identity.queries import require_role_in
from schoolmeals.identity.rules import ENROLMENT_WITHIN
from schoolmeals.identity.signatures import is_device_key
from schoolmeals.ids import new_id
from schoolmeals.keys import token_hash
from schoolmeals.verdicts import Refused

LONGEST_NAME: Final = 80
ENROLMENT: Final = "enrolment"
WRONG_CODE: Final = Refused(
    "wrong-code", N_("This code is not right, was used before, or is older than 15 minutes. Ask for a new one.")
)
WRONG_PIN: Final = Refused("wrong-pin", N_("The PIN is not right. Try again."))


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A till that has just been enrolled. ``token`` goes into its cookie and is told once."""

    device_id: UUID
    school_id: UUID
    name: str
    token: str


def new_device(work: Work, school_id: UUID, name: str, *, keys: Keyring) -> tuple[UUID, str]:
    """Add a till to a school: its id and its enrolment code, told once, good for 15 minutes.

    Scoped to the school's office. Raises Invalid with the field name.
    """
    require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(fields={"name": [NEEDED if not name else TOO_LONG]})
    device_id, code = new_id(work.now), new_code()
    work.session.add(
        Device(
            id=device_id,
            school_id=school_id,
            name=name,
            enrolment_hash=keys.code_hash(ENROLMENT, code),
            enrolment_expires_at=work.now + ENROLMENT_WITHIN,
            created_by=work.actor.id,
            created_at=work.now,
        )
    )
    work.session.flush()
    _record(work, "identity.add-device", device_id, school_id, {"name": name})
    return device_id, code


def renew_enrolment(
    work: Work, school_id: UUID, device_id: UUID, *, keys: Keyring, within: timedelta = ENROLMENT_WITHIN
) -> str:
    """Another enrolment code for a till: one that came too late, or that lost its key. What it had counts no more.

    Good for ``within``; the demo, whose codes open nothing of worth, gives its visitors longer.
    """
    require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    device = _device_of_school(work, school_id, device_id)
    if device.revoked_at is not None:
        raise Conflict("device-revoked", N_("This device was removed. Add it as a new one."))
    code = new_code()
    device.enrolment_hash = keys.code_hash(ENROLMENT, code)
    device.enrolment_expires_at = work.now + within
    device.public_key = device.token_hash = device.enrolled_at = None
    device.cashier_id = device.shift_opened_at = None
    work.session.flush()
    _record(work, "identity.renew-enrolment", device_id, school_id, {})
    return code


def enrol_device(work: Work, *, keys: Keyring, code: str, public_key: bytes, address: str) -> Enrolled | Refused:
    """Take a device into use with its code and its public key (SubjectPublicKeyInfo in DER, P-256).

    Refused ``wrong-code`` or ``too-many-attempts``; Invalid for another kind of key.
    """
    if not is_device_key(public_key):
        sentence = N_("The device sent a key that we do not use.")
        raise Invalid(fields={"public_key": [FieldProblem.of("not-a-device-key", sentence)]})
    key = keys.attempt_key(ENROLMENT, address)
    if (refused := spend_attempt(work, ENROLMENT, key, limit=10, per=HOUR, block=PAUSE)) is not None:
        return refused
    token = secrets.token_urlsafe(32)
    device = work.session.execute(
        update(Device)
        .where(
            Device.enrolment_hash == keys.code_hash(ENROLMENT, plain_code(code)),
            Device.enrolment_expires_at > work.now,
            Device.revoked_at.is_(None),
        )
        .values(
            enrolment_hash=None,
            enrolment_expires_at=None,
            public_key=public_key,
            token_hash=token_hash(token),
            enrolled_at=work.now,
        )
        .returning(Device.id, Device.school_id, Device.name)
    ).one_or_none()
    if device is None:
        audit.record(
            work,
            "identity.refuse-enrolment",
            audit.Subject("device"),
            {"code": WRONG_CODE.code},
            personal={"address": address},
        )
        return WRONG_CODE
    forget_attempts(work, key)
    _record(work, "identity.enrol-device", device.id, device.school_id, {"public_key": public_key.hex()})
    return Enrolled(device.id, device.school_id, device.name, token)


def revoke_device(work: Work, school_id: UUID, device_id: UUID) -> None:
    """Take a till out of use at once and for ever. Scoped to the school's office."""
    require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    device = _device_of_school(work, school_id, device_id)
    if device.revoked_at is not None:
        return
    device.revoked_at = work.now
    device.cashier_id = device.shift_opened_at = device.enrolment_hash = None
    work.session.flush()
    _record(work, "identity.revoke-device", device_id, school_id, {})


def set_pin(work: Work, school_id: UUID, person_id: UUID, pin: str) -> None:
    """Give a cashier of the school a PIN: by the school's office, or by the cashier.

    Raises NotFound for anybody else or who is no cashier there, Invalid with the field pin.
    """
    if not (person_id == work.actor.id and work.actor.has_role_in(school_id, [Role.CASHIER])):
        require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    if not _is_cashier(work, school_id, person_id):
        raise NotFound
    if (problem := pin_problem(pin)) is not None:
        raise Invalid(fields={"pin": [problem]})
    values = {"pin_hash": hash_secret(pin), "set_at": work.now}
    work.session.execute(
        insert(CashierPin)
        .values(school_id=school_id, person_id=person_id, **values)
        .on_conflict_do_update(index_elements=[CashierPin.school_id, CashierPin.person_id], set_=values)
    )
    audit.record(work, "identity.set-pin", audit.Subject("person", person_id), {}, school_id=school_id)


def open_shift(work: Work, cashier_id: UUID, pin: str, *, keys: Keyring) -> Refused | None:
    """Open the acting till for a cashier of its school.

    Refused ``wrong-pin``, the same where there is no such cashier or no PIN, or ``too-many-attempts``. Whoever has the
    till open is replaced.
    """
    device = _acting_device(work)
    stored = work.session.scalar(
        select(CashierPin.pin_hash).where(CashierPin.school_id == device.school_id, CashierPin.person_id == cashier_id)
    )
    known = stored if stored is not None and _is_cashier(work, device.school_id, cashier_id) else None
    right = is_secret(known, pin)
    key = keys.attempt_key("pin", device.id, cashier_id)
    if (refused := spend_attempt(work, "pin", key, limit=5, per=HOUR, block=PAUSE)) is not None:
        return refused
    if not right:
        _record(work, "identity.refuse-shift", device.id, device.school_id, {"code": WRONG_PIN.code})
        return WRONG_PIN
    forget_attempts(work, key)
    device.cashier_id, device.shift_opened_at = cashier_id, work.now
    work.session.flush()
    _record(work, "identity.open-shift", device.id, device.school_id, {"cashier_id": cashier_id})
    return None


def close_shift(work: Work) -> None:
    """Close the acting till. Nothing happens where it is closed."""
    device = _acting_device(work)
    if device.cashier_id is None:
        return
    cashier_id, device.cashier_id, device.shift_opened_at = device.cashier_id, None, None
    work.session.flush()
    _record(work, "identity.close-shift", device.id, device.school_id, {"cashier_id": cashier_id})


def _acting_device(work: Work) -> Device:
    if work.actor.kind is not ActorKind.DEVICE:
        raise NotAllowed
    device = work.session.get(Device, work.actor.id, with_for_update=True)
    if device is None or device.revoked_at is not None:
        raise NotFound
    return device


def _device_of_school(work: Work, school_id: UUID, device_id: UUID) -> Device:
    device = work.session.scalar(
        select(Device).where(Device.id == device_id, Device.school_id == school_id).with_for_update()
    )
    if device is None:
        raise NotFound
    return device


def _is_cashier(work: Work, school_id: UUID, person_id: UUID) -> bool:
    found = select(RoleGrant.id).where(
        RoleGrant.person_id == person_id,
        RoleGrant.organisation_id == school_id,
        RoleGrant.role == Role.CASHIER.value,
        RoleGrant.revoked_at.is_(None),
    )
    return work.session.scalar(found) is not None


def _record(work: Work, action: str, device_id: UUID, school_id: UUID, payload: dict[str, object]) -> None:
    audit.record(work, action, audit.Subject("device", device_id), payload, school_id=school_id)
