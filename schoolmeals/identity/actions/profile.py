"""What people change about themselves."""

from typing import Final
from uuid import UUID

from sqlalchemy import update

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.errors import N_, Invalid
from schoolmeals.identity.actions.organisations import NEEDED
from schoolmeals.identity.actions.people import LANGUAGES, name_problems
from schoolmeals.identity.actions.sessions import end_sessions_of
from schoolmeals.identity.attempts import HOUR, PAUSE, forget_attempts, spend_attempt
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Person
from schoolmeals.identity.passwords import hash_secret, is_secret, password_problem
from schoolmeals.identity.queries import lock_me
from schoolmeals.verdicts import Refused

WRONG_OLD: Final = Refused("wrong-password", N_("The present password is not right."))


def describe_me(work: Work, *, name: str, language: str) -> None:
    """Call the actor ``name`` and speak ``language`` to them. Raises Invalid with the fields name and language."""
    problems = name_problems(name)
    if language not in LANGUAGES:
        problems["language"] = [NEEDED]
    if problems:
        raise Invalid(fields=problems)
    person = lock_me(work)
    person.name, person.language = name.strip(), language
    work.session.flush()
    audit.record(
        work,
        "identity.describe-me",
        audit.Subject("person", person.id),
        {"language": language},
        personal={"name": person.name},
    )


def set_language(work: Work, language: str) -> None:
    """Speak ``language`` to the actor from now on. Raises Invalid for one that is not spoken here."""
    if language not in LANGUAGES:
        raise Invalid(fields={"language": [NEEDED]})
    work.session.execute(update(Person).where(Person.id == work.actor.id).values(language=language))
    audit.record(work, "identity.set-language", audit.Subject("person", work.actor.id), {"language": language})


def change_password(work: Work, *, old: str, new: str, keys: Keyring, session_id: UUID | None) -> Refused | None:
    """Give the actor a new password and end all sessions but this one.

    The old one is needed where there is one. Refused ``wrong-password`` or ``too-many-attempts``; Invalid with the
    field new.
    """
    person = lock_me(work)
    right = person.password_hash is None or is_secret(person.password_hash, old)
    key = keys.attempt_key("password", person.id)
    if (refused := spend_attempt(work, "password", key, limit=5, per=HOUR, block=PAUSE)) is not None:
        return refused
    if not right:
        audit.record(work, "identity.refuse-password", audit.Subject("person", person.id), {"code": WRONG_OLD.code})
        return WRONG_OLD
    if (problem := password_problem(new, person.name, person.email or "", person.phone or "")) is not None:
        raise Invalid(fields={"new": [problem]})
    forget_attempts(work, key)
    person.password_hash = hash_secret(new)
    work.session.flush()
    end_sessions_of(work, person.id, but=session_id)
    audit.record(work, "identity.change-password", audit.Subject("person", person.id), {})
    return None
