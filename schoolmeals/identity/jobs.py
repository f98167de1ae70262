"""What the worker does for the identity room: it sends letters and tidies up at night."""

import logging
from email.message import EmailMessage
from typing import Final
from uuid import UUID

from flask_babel import force_locale, gettext

from schoolmeals.actors import SYSTEM
from schoolmeals.database import reading, transaction
from schoolmeals.identity.actions.new_password import ANSWER, answer_forgotten
from schoolmeals.identity.actions.tidying import tidy_up
from schoolmeals.identity.keyring import Keyring
from schoolmeals.jobs import Task
from schoolmeals.mail import (
    SEND,
    Letter,
    NotDelivered,
    Words,
    compose,
    deliver,
    give_up,
    letter_that_waits,
    letters_key,
    note_sent,
    words_of,
)
from schoolmeals.web import frame

LINK_LEADS_TO: Final = "/sign-in/new-password"
"""Where the link of a letter leads. The worker has no request from which an address could be built."""
log: Final = logging.getLogger(__name__)


def send_letter(letter_id: str) -> None:
    """Send one letter. Raises NotDelivered where it is worth another try, which the worker makes after a pause."""
    here, which = frame(), UUID(letter_id)
    with reading(SYSTEM, here.clock()) as look:
        letter = letter_that_waits(look, which)
    if letter is None:
        return
    because = _send(letter)
    with transaction(SYSTEM, here.clock()) as work:
        if because is None:
            note_sent(work, which, keep_words=here.settings.demo)
        else:
            log.warning("letter %s was given up: %s", which, because)
            give_up(work, which, because)


def spoken(words: Words, language: str) -> tuple[str, str]:
    """A letter's subject and text in ``language``."""
    with force_locale(language):
        return gettext(words.subject) % words.params, gettext(words.text) % words.params


def _send(letter: Letter) -> str | None:
    """Why the letter must be given up; None where it is out. Raises NotDelivered where another try may help."""
    here = frame()
    if letter.good_until is not None and here.clock() >= letter.good_until:
        return "too-late"
    if here.settings.demo:
        return None
    if not here.settings.smtp_url:
        return "no-server"
    try:
        deliver(here.settings.smtp_url, _written(letter))
    except NotDelivered as error:
        if not error.is_final:
            raise
        return "refused"
    except ValueError:
        return "refused"
    return None


def _written(letter: Letter) -> EmailMessage:
    settings = frame().settings
    words = words_of(letter, letters_key(settings.secret_key))
    subject, text = spoken(words, letter.language)
    said = {"subject": subject, "text": text, "leave": words.leave}
    return compose(letter.id, letter.promised_at, sender=settings.mail_from, to=words.to, **said)


def answer(reset_id: str) -> None:
    """Look for whom a request for a new password is, and write the letter."""
    here = frame()
    page = f"{here.settings.base_url.rstrip('/')}{LINK_LEADS_TO}"
    with transaction(SYSTEM, here.clock()) as work:
        answer_forgotten(work, Keyring.of(here.settings.secret_key), UUID(reset_id), page)


def tidy() -> None:
    """Forget, once a night, what is of no more use."""
    with transaction(SYSTEM, frame().clock()) as work:
        tidy_up(work)


TASKS: tuple[Task, ...] = (
    Task(SEND, send_letter),
    Task(ANSWER, answer),
    Task("identity.tidy", tidy, every="10 21 * * *"),
)
