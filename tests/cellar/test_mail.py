"""The outbox: what a deed promises goes out once the deed is done, and nobody reads it on the way."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from schoolmeals.clock import MovableClock
from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.mail import Letter, NotDelivered, compose, deliver, letters_key, promise
from schoolmeals.worker import run_worker
from tests.conftest import A_MONDAY
from tests.factories import session
from tests.factories.mail import MailServer, mail_server

SECRET = "only-for-tests-only-for-tests-only-for-tests"
WORDS: dict[str, Any] = {
    "to": "aigul@example.kz",
    "language": "en",
    "subject": "New password",
    "text": "The code is %(code)s.",
    "params": {"code": "K7Q2"},
    "key": letters_key(SECRET),
}


@pytest.fixture
def post_office(app: Flask) -> Iterator[MailServer]:
    """The app with a mail server, and out of demo mode."""
    frame = app.extensions["schoolmeals"]
    with mail_server() as server:
        settings = replace(frame.settings, demo=False, smtp_url=server.address, mail_from="meals@school.example")
        app.extensions["schoolmeals"] = replace(frame, settings=settings)
        yield server
        app.extensions["schoolmeals"] = replace(app.extensions["schoolmeals"], settings=frame.settings)


def the_letter() -> Letter:
    session().expire_all()
    return session().scalars(select(Letter)).one()


def jobs() -> list[tuple[str, Any, int]]:
    found = text("SELECT status::text, args, attempts FROM procrastinate_jobs WHERE task_name = 'mail.send'")
    return [tuple(row) for row in session().execute(found)]


def again_now() -> None:
    """As if the pause before the next try were over."""
    session().execute(text("UPDATE procrastinate_jobs SET scheduled_at = NULL"))


def test_a_promised_letter_goes_out_and_is_erased(app: Flask, do: Any, post_office: MailServer) -> None:
    letter_id: UUID = do(promise, **WORDS)
    run_worker(app, wait=False)
    (sent,) = post_office.letters
    assert (sent["To"], sent["From"], sent["Subject"]) == ("aigul@example.kz", "meals@school.example", "New password")
    assert sent["Message-ID"] == f"<{letter_id}@school.example>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent.get_content_type() == "text/plain"
    assert sent.get_content().strip() == "The code is K7Q2."
    letter = the_letter()
    assert (letter.sealed, letter.sent_at, letter.given_up_at) == (None, A_MONDAY, None)


def test_a_letter_of_a_deed_that_failed_was_never_written(app: Flask, do: Any, post_office: MailServer) -> None:
    def fail(work: Work) -> None:
        promise(work, **WORDS)
        raise RuntimeError("the deed went wrong")

    with pytest.raises(RuntimeError):
        do(fail)
    run_worker(app, wait=False)
    assert post_office.asked == []
    assert session().scalars(select(Letter)).all() == []


def test_neither_the_row_nor_the_job_nor_the_log_names_anybody(
    app: Flask, do: Any, post_office: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    post_office.answers["RCPT"] = "450 aigul@example.kz is busy, K7Q2"
    with caplog.at_level(logging.DEBUG):
        letter_id = do(promise, **WORDS)
        run_worker(app, wait=False)
    letter = the_letter()
    assert letter.sealed is not None
    assert b"aigul" not in letter.sealed
    ((_, args, _),) = jobs()
    assert args == {"letter_id": str(letter_id)}
    assert "NotDelivered" in caplog.text
    assert "aigul" not in caplog.text
    assert "K7Q2" not in caplog.text


def test_a_busy_server_is_asked_again_after_a_pause(app: Flask, do: Any, post_office: MailServer) -> None:
    post_office.answers["RCPT"] = "450 busy"
    do(promise, **WORDS)
    run_worker(app, wait=False)
    ((status, _, attempts),) = jobs()
    assert (status, attempts, post_office.letters) == ("todo", 1, [])
    post_office.answers.clear()
    again_now()
    run_worker(app, wait=False)
    assert len(post_office.letters) == 1
    assert the_letter().sent_at == A_MONDAY


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_letter_that_is_refused_for_good_is_given_up(
    app: Flask, do: Any, post_office: MailServer, command: str
) -> None:
    post_office.answers[command] = "550 no such user"
    do(promise, **WORDS)
    run_worker(app, wait=False)
    letter = the_letter()
    assert (letter.given_up_because, letter.sealed, letter.sent_at) == ("refused", None, None)
    assert [status for status, _, _ in jobs()] == ["succeeded"]


def test_a_letter_is_sent_once_though_its_job_runs_twice(app: Flask, do: Any, post_office: MailServer) -> None:
    do(promise, **WORDS)
    run_worker(app, wait=False)
    session().execute(text("UPDATE procrastinate_jobs SET status = 'todo'"))
    run_worker(app, wait=False)
    assert len(post_office.letters) == 1


def test_the_same_run_sends_twice_where_the_note_is_forgotten(app: Flask, do: Any, post_office: MailServer) -> None:
    """The planted bug of the test above: nobody remembers that the letter is out."""
    do(promise, **WORDS)
    sealed = the_letter().sealed
    run_worker(app, wait=False)
    session().execute(update(Letter).values(sealed=sealed, sent_at=None))
    session().execute(text("UPDATE procrastinate_jobs SET status = 'todo'"))
    run_worker(app, wait=False)
    assert len(post_office.letters) == 2


def test_a_letter_that_is_no_longer_of_use_is_not_sent(
    app: Flask, do: Any, post_office: MailServer, clock: MovableClock
) -> None:
    do(promise, **WORDS, good_until=A_MONDAY + timedelta(minutes=30))
    clock.move(timedelta(minutes=30))
    run_worker(app, wait=False)
    assert post_office.letters == []
    assert the_letter().given_up_because == "too-late"


def test_a_server_elsewhere_must_speak_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    message = compose(new_id(), A_MONDAY, sender="a@example.kz", to="b@example.kz", subject="s", text="t")
    with mail_server() as server:
        monkeypatch.setattr("schoolmeals.mail._is_this_machine", lambda _host: False)
        with pytest.raises(NotDelivered, match="SMTPNotSupportedError") as caught:
            deliver(server.address, message)
    assert caught.value.is_final is False
    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.asked)


def test_a_letter_that_can_be_left_says_so_to_mail_programs() -> None:
    about = {"sender": "a@example.kz", "to": "b@example.kz", "subject": "s", "text": "t"}
    left = compose(new_id(), A_MONDAY, **about, leave="https://meals.example.kz/tenders/subscriptions/x/end")
    assert left["List-Unsubscribe"] == "<https://meals.example.kz/tenders/subscriptions/x/end>"
    assert left["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = compose(new_id(), A_MONDAY, **about)
    assert plain["List-Unsubscribe"] is plain["List-Unsubscribe-Post"] is None


def test_a_subject_cannot_add_a_line_to_the_head() -> None:
    subject = "Hello\r\nBcc: everybody@example.kz"
    message = compose(new_id(), A_MONDAY, sender="a@example.kz", to="b@example.kz", subject=subject, text="т")
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Bcc: everybody@example.kz"
    with pytest.raises(ValueError, match="address"):
        compose(new_id(), A_MONDAY, sender="a@example.kz", to="b@example.kz\r\nBcc: c@example.kz", subject="", text="")
