"""A new password for somebody who has forgotten theirs: by a link in a letter, or by a code from
the office (``mending.py``).

Whoever asks is told the same, after the same work, whether or not there is such an account: what was typed is put away
sealed, and only the worker looks for whom it is. A code opens once. It changes the password and nothing else: all
sessions end, and the second factor is asked for at the next sign-in as ever.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.identity import letters, resets
from schoolmeals.identity.actions.sessions import end_sessions_of
from schoolmeals.identity.attempts import HOUR, PAUSE, forget_attempts, spend_attempt
from schoolmeals.identity.codes import new_code, plain_code
from schoolmeals.identity.contacts import contact_of
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import PasswordReset, Person
from schoolmeals.identity.passwords import hash_secret, password_problem
from schoolmeals.identity.resets import RESET, end_resets_of
from schoolmeals.ids import new_id
from schoolmeals.jobs import defer
from schoolmeals.keys import seal, unseal
from schoolmeals.verdicts import Refused

ANSWER: Final = "identity.answer_forgotten"
"""The job that looks for whom a request is, and writes the letter."""
FORGOTTEN: Final = "forgotten-password"
LINK_LASTS: Final = timedelta(minutes=30)
CODES_IN_LINK: Final = 3
"""A link need not be typed, so its code is three times as long."""
WRONG_CODE: Final = Refused(
    "wrong-code", N_("This code is not right, was used before, or has expired. Ask for a new one.")
)


def ask_new_password(work: Work, keys: Keyring, *, contact: str, address: str) -> Refused | None:
    """Ask for a letter with a link. Refused ``too-many-attempts``; Invalid with the field contact for what is neither
    an e-mail address nor a phone number. Nothing else is told: see the module.
    """
    known = contact_of(contact)
    if known is None:
        sentence = N_("This is neither an e-mail address nor a phone number.")
        raise Invalid(fields={"contact": [FieldProblem.of("not-a-contact", sentence)]})
    for key, limit in (
        (keys.attempt_key(FORGOTTEN, "contact", known.text), 3),
        (keys.attempt_key(FORGOTTEN, "address", address), 30),
    ):
        if (refused := spend_attempt(work, FORGOTTEN, key, limit=limit, per=HOUR, block=PAUSE)) is not None:
            return refused
    reset_id = new_id(work.now)
    work.session.add(
        PasswordReset(
            id=reset_id,
            contact_sealed=seal(keys.contacts, known.text.encode(), reset_id.bytes),
            asked_at=work.now,
            expires_at=work.now + LINK_LASTS,
        )
    )
    work.session.flush()
    defer(work, ANSWER, reset_id=str(reset_id))
    audit.record(
        work,
        "identity.ask-new-password",
        audit.Subject(RESET, reset_id),
        {},
        personal={"address": address, "contact": known.text},
    )
    return None


def answer_forgotten(work: Work, keys: Keyring, reset_id: UUID, page: str) -> None:
    """Write the letter, where somebody with an e-mail address asked; ``page`` is the address of the page for the code.

    Nothing happens where the request was answered before or has expired.
    """
    reset = work.session.get(PasswordReset, reset_id, with_for_update=True)
    if reset is None or reset.contact_sealed is None or work.now >= reset.expires_at:
        return
    contact = unseal(keys.contacts, reset.contact_sealed, reset.id.bytes).decode()
    reset.contact_sealed = None
    person = work.session.scalar(
        select(Person).where(
            (Person.email == contact) | (Person.phone == contact),
            Person.email.is_not(None),
            Person.disabled_at.is_(None),
        )
    )
    if person is not None:
        code = "".join(new_code() for _ in range(CODES_IN_LINK))
        end_resets_of(work, person.id)
        reset.person_id, reset.code_hash = person.id, keys.code_hash(RESET, code)
        letters.write(
            work,
            keys,
            person,
            letters.LINK_SUBJECT,
            letters.LINK_TEXT,
            address=f"{page}?code={code}",
            good_until=reset.expires_at,
        )
    work.session.flush()
    audit.record(work, "identity.answer-forgotten", audit.Subject(RESET, reset.id), {"is_known": person is not None})


def set_new_password(work: Work, keys: Keyring, *, code: str, new: str, address: str) -> Refused | None:
    """Set a new password by a code. All sessions end, and all other codes for it.

    Refused ``wrong-code`` or ``too-many-attempts``; Invalid with the field new, after which the code is still good.
    """
    key = keys.attempt_key(RESET, address)
    if (refused := spend_attempt(work, RESET, key, limit=10, per=HOUR, block=PAUSE)) is not None:
        return refused
    reset = resets.lock_standing(work, keys.code_hash(RESET, plain_code(code)))
    person = None
    if reset is not None:
        person = work.session.get(Person, reset.person_id, with_for_update=True)
    if reset is None or person is None or person.disabled_at is not None:
        audit.record(
            work,
            "identity.refuse-new-password",
            audit.Subject(RESET),
            {"code": WRONG_CODE.code},
            personal={"address": address},
        )
        return WRONG_CODE
    if (problem := password_problem(new, person.name, person.email or "", person.phone or "")) is not None:
        raise Invalid(fields={"new": [problem]})
    forget_attempts(work, key)
    person.password_hash = hash_secret(new)
    reset.used_at = work.now
    work.session.flush()
    end_resets_of(work, person.id)
    end_sessions_of(work, person.id)
    letters.write(work, keys, person, letters.CHANGED_SUBJECT, letters.CHANGED_TEXT)
    audit.record(
        work,
        "identity.set-new-password",
        audit.Subject("person", person.id),
        {"reset_id": reset.id},
        personal={"address": address},
    )
    return None
