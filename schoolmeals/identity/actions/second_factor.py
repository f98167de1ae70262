"""Authenticator apps (TOTP, RFC 6238) and recovery codes."""

from typing import Final

import pyotp
from sqlalchemy import delete, update

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict
from schoolmeals.identity.attempts import HOUR, PAUSE, forget_attempts, spend_attempt
from schoolmeals.identity.codes import new_code, plain_code
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Person, RecoveryCode
from schoolmeals.identity.queries import lock_me
from schoolmeals.identity.rules import totp_step
from schoolmeals.ids import new_id
from schoolmeals.keys import seal, unseal
from schoolmeals.verdicts import Refused

RECOVERY_CODES: Final = 10
TOTP_DIGITS: Final = 6
SECOND_FACTOR: Final = "second-factor"
WRONG_FACTOR: Final = Refused("wrong-code", N_("This code is not right or was used before. Try the next one."))


def try_second_factor(work: Work, keys: Keyring, person: Person, code: str) -> str | Refused:
    """``totp`` or ``recovery``, whichever ``code`` was; else Refused ``wrong-code`` or ``too-many-attempts``.

    A code opens once: the caller has locked ``person``.
    """
    key = keys.attempt_key(SECOND_FACTOR, person.id)
    if (refused := spend_attempt(work, SECOND_FACTOR, key, limit=5, per=HOUR, block=PAUSE)) is not None:
        return refused
    factor = _spend(work, keys, person, code)
    if factor is None:
        audit.record(
            work, "identity.refuse-second-factor", audit.Subject("person", person.id), {"code": WRONG_FACTOR.code}
        )
        return WRONG_FACTOR
    forget_attempts(work, key)
    return factor


def start_totp(work: Work, keys: Keyring) -> str:
    """A new secret (base 32) for the actor's authenticator app; it counts once a code of it has been given.

    Raises Conflict ``totp-is-on`` where one counts already: it must be taken away first, with a code.
    """
    person = lock_me(work)
    if person.totp_confirmed_at is not None:
        raise Conflict("totp-is-on", N_("An authenticator app is set up already. Remove it first."))
    secret = pyotp.random_base32()
    person.totp_secret_sealed = seal(keys.totp, secret.encode(), person.id.bytes)
    person.totp_last_step = None
    work.session.flush()
    audit.record(work, "identity.start-totp", audit.Subject("person", person.id), {})
    return secret


def pending_totp(keys: Keyring, person: Person) -> str | None:
    """The secret that waits for its first code, to show it again; None where none waits."""
    if person.totp_confirmed_at is not None or person.totp_secret_sealed is None:
        return None
    return unseal(keys.totp, person.totp_secret_sealed, person.id.bytes).decode()


def confirm_totp(work: Work, keys: Keyring, code: str) -> list[str] | Refused:
    """Count the authenticator app as second factor from now on: the fresh recovery codes, or Refused."""
    person = lock_me(work)
    if person.totp_confirmed_at is not None or not _spend_totp(work, keys, person, "".join(code.split())):
        return WRONG_FACTOR
    person.totp_confirmed_at = work.now
    codes = _new_recovery_codes(work, keys, person)
    audit.record(work, "identity.confirm-totp", audit.Subject("person", person.id), {})
    return codes


def remove_totp(work: Work, keys: Keyring, code: str) -> Refused | None:
    """Take the authenticator app and the recovery codes away; Refused where ``code`` is none of theirs."""
    person = lock_me(work)
    if isinstance(factor := try_second_factor(work, keys, person, code), Refused):
        return factor
    person.totp_secret_sealed = person.totp_confirmed_at = person.totp_last_step = None
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    audit.record(work, "identity.remove-totp", audit.Subject("person", person.id), {})
    return None


def renew_recovery_codes(work: Work, keys: Keyring, code: str) -> list[str] | Refused:
    """Ten fresh recovery codes instead of the old ones; Refused where ``code`` is wrong."""
    person = lock_me(work)
    if isinstance(factor := try_second_factor(work, keys, person, code), Refused):
        return factor
    codes = _new_recovery_codes(work, keys, person)
    audit.record(work, "identity.renew-recovery-codes", audit.Subject("person", person.id), {})
    return codes


def _spend(work: Work, keys: Keyring, person: Person, code: str) -> str | None:
    if person.totp_confirmed_at is None:
        return None
    typed = "".join(code.split())
    if len(typed) == TOTP_DIGITS and typed.isascii() and typed.isdigit():
        return "totp" if _spend_totp(work, keys, person, typed) else None
    spent = work.session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person.id,
            RecoveryCode.code_hash == _recovery_hash(keys, person, plain_code(code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=work.now)
        .returning(RecoveryCode.id)
    )
    return "recovery" if spent is not None else None


def _spend_totp(work: Work, keys: Keyring, person: Person, code: str) -> bool:
    if person.totp_secret_sealed is None:
        return False
    secret = unseal(keys.totp, person.totp_secret_sealed, person.id.bytes).decode()
    step = totp_step(secret, code, person.totp_last_step, work.now)
    if step is None:
        return False
    person.totp_last_step = step
    work.session.flush()
    return True


def _new_recovery_codes(work: Work, keys: Keyring, person: Person) -> list[str]:
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person.id))
    codes = [new_code() for _ in range(RECOVERY_CODES)]
    work.session.add_all(
        RecoveryCode(
            id=new_id(work.now),
            person_id=person.id,
            code_hash=_recovery_hash(keys, person, code),
            created_at=work.now,
        )
        for code in codes
    )
    work.session.flush()
    return codes


def _recovery_hash(keys: Keyring, person: Person, code: str) -> bytes:
    return keys.code_hash("recovery", f"{person.id}\n{code}")
