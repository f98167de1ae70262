"""Letters by e-mail: an outbox that deeds write into, and the way from there to a mail server.

A letter is a row, sealed, and a job that names the row; both are written in the deed's own transaction, so a deed that
is rolled back sends nothing. Neither the job nor a log line ever holds an address or a word of the letter. What was
sent is erased at once. A letter arrives at least once: whoever crashes between the server's yes and our note of it
sends it again, with the same Message-ID.

Texts are English message ids, marked with ``N_``; they are spoken in the reader's language when the letter goes out.
"""

import json
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from ipaddress import ip_address
from ssl import create_default_context
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

from sqlalchemy import LargeBinary, select, update
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model, Work
from schoolmeals.ids import new_id
from schoolmeals.jobs import defer
from schoolmeals.keys import derive_key, seal, unseal

SEND: Final = "mail.send"
"""The job that sends one letter, named by its id."""
TIMEOUT_S: Final = 20
USUAL_PORTS: Final = {"smtp": 587, "smtps": 465}
MOST_SHOWN: Final = 30


class Letter(Model):
    """A letter that was promised. ``sealed`` holds address and words; it is None once they are erased."""

    __tablename__ = "letter"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    language: Mapped[str]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    promised_at: Mapped[datetime]
    good_until: Mapped[datetime | None]
    """After this it would only confuse: it is not sent any more."""
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    given_up_because: Mapped[str | None]
    """``too-late``, ``refused`` by the reader's mail server, or ``no-server``."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says, to whom: message ids, and what fills their gaps."""

    to: str
    subject: str
    text: str
    params: Mapping[str, str]
    leave: str = ""
    """Where a mail program ends the letters of this kind by itself; empty where there is no such place."""


class NotDelivered(Exception):
    """The mail server did not take the letter; trying again is no use where ``is_final``. Names nobody."""

    def __init__(self, why: str, *, is_final: bool) -> None:
        super().__init__(why)
        self.is_final = is_final


def letters_key(secret: str) -> bytes:
    """The key that letters are sealed with; views and jobs hand it to the deeds."""
    return derive_key(secret, "letters")


def promise(
    work: Work,
    *,
    to: str,
    language: str,
    subject: str,
    text: str,
    key: bytes,
    params: Mapping[str, str] | None = None,
    good_until: datetime | None = None,
    leave: str = "",
    letter_id: UUID | None = None,
) -> UUID:
    """Send a letter once ``work`` is committed; the letter's id. What was promised under ``letter_id`` before is not
    promised again.

    ``subject`` and ``text`` are message ids with gaps like ``%(name)s``, which ``params`` fill. ``key`` is
    :func:`letters_key`. ``leave`` is the address that ends letters of this kind by one POST (RFC 8058).
    """
    if letter_id is not None and work.session.get(Letter, letter_id) is not None:
        return letter_id
    letter_id = letter_id or new_id(work.now)
    words = {"to": to, "subject": subject, "text": text, "params": dict(params or {}), "leave": leave}
    work.session.add(
        Letter(
            id=letter_id,
            language=language,
            sealed=seal(key, json.dumps(words).encode(), letter_id.bytes),
            promised_at=work.now,
            good_until=good_until,
        )
    )
    work.session.flush()
    defer(work, SEND, lock=f"letter {letter_id}", letter_id=str(letter_id))
    return letter_id


def letter_that_waits(look: Work, letter_id: UUID) -> Letter | None:
    """The letter, unless it was sent, given up or forgotten."""
    waiting = select(Letter).where(
        Letter.id == letter_id, Letter.sealed.is_not(None), Letter.sent_at.is_(None), Letter.given_up_at.is_(None)
    )
    return look.session.scalar(waiting)


def letters_kept(look: Work) -> list[Letter]:
    """The letters whose words are still there after sending, the latest first: those of a demo."""
    found = select(Letter).where(Letter.sealed.is_not(None), Letter.sent_at.is_not(None))
    return list(look.session.scalars(found.order_by(Letter.sent_at.desc(), Letter.id.desc()).limit(MOST_SHOWN)))


def words_of(letter: Letter, key: bytes) -> Words:
    """What a letter says that was not erased."""
    assert letter.sealed is not None
    return Words(**json.loads(unseal(key, letter.sealed, letter.id.bytes)))


def note_sent(work: Work, letter_id: UUID, *, keep_words: bool) -> None:
    """The letter is out; its words are erased unless they are kept, which is for the demo alone."""
    _note(work, letter_id, keep_words=keep_words, sent_at=work.now)


def give_up(work: Work, letter_id: UUID, because: str) -> None:
    """Send the letter no more, and erase its words."""
    _note(work, letter_id, keep_words=False, given_up_at=work.now, given_up_because=because)


def compose(
    letter_id: UUID, at: datetime, *, sender: str, to: str, subject: str, text: str, leave: str = ""
) -> EmailMessage:
    """The letter as mail servers take it: plain text. Raises ValueError for an address that cannot be one."""
    message = EmailMessage()
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{letter_id}@{sender.rpartition('@')[2]}>"
    # Nobody's holiday reply need answer it (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    if leave:
        # Mail programs show a button of their own, and large providers ask for it (RFC 2369, RFC 8058).
        message["List-Unsubscribe"] = f"<{leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text, cte="quoted-printable")
    return message


def deliver(address: str, message: EmailMessage) -> None:
    """Hand ``message`` to the mail server at ``address``. Raises NotDelivered. Never call it inside a transaction.

    ``smtp://`` turns TLS on before it says anything (a server on this machine may do without), ``smtps://`` begins
    with it.
    """
    server = urlsplit(address)
    try:
        with _connected(server) as smtp:
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            smtp.send_message(message)
            return
    except smtplib.SMTPRecipientsRefused as error:
        failure = NotDelivered("recipient refused", is_final=all(code >= 500 for code, _ in error.recipients.values()))
    except smtplib.SMTPDataError as error:
        failure = NotDelivered(f"message refused: {error.smtp_code}", is_final=error.smtp_code >= 500)
    except (smtplib.SMTPException, OSError) as error:
        failure = NotDelivered(type(error).__name__, is_final=False)
    # Raised out here, so that no trace of the server's own words, which may name the reader, hangs on it.
    raise failure


def _connected(server: SplitResult) -> smtplib.SMTP:
    host, port = server.hostname or "", server.port or USUAL_PORTS[server.scheme]
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=create_default_context())
    smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        smtp.ehlo()
        if smtp.has_extn("starttls") or not _is_this_machine(host):
            smtp.starttls(context=create_default_context())
    except BaseException:
        smtp.close()
        raise
    return smtp


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _note(work: Work, letter_id: UUID, *, keep_words: bool, **values: object) -> None:
    erased = {} if keep_words else {"sealed": None}
    work.session.execute(update(Letter).where(Letter.id == letter_id).values(**values, **erased))
