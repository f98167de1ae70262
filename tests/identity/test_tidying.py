"""The nightly clean-up: what it takes away, what it leaves, and that the audit log is none of its business."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text

from schoolmeals.audit import AuditEvent, AuditPersonal
from schoolmeals.clock import MovableClock
from schoolmeals.database import Model, Work
from schoolmeals.identity.actions import tidying
from schoolmeals.identity.actions.new_password import ask_new_password
from schoolmeals.identity.actions.tidying import tidy_up
from schoolmeals.identity.jobs import TASKS
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Attempts, Challenge, PasswordReset, SignInSession
from schoolmeals.ids import new_id
from schoolmeals.mail import Letter
from tests.conftest import A_MONDAY
from tests.factories import saved, session
from tests.factories.identity import PersonFactory, SessionFactory

KEYS = Keyring.of("only-for-tests-only-for-tests-only-for-tests")
DAY = timedelta(days=1)


def audit_log() -> tuple[list[Any], list[Any]]:
    events = session().execute(select(AuditEvent.id, AuditEvent.payload).order_by(AuditEvent.id)).all()
    return list(events), list(session().execute(select(AuditPersonal.event_id, AuditPersonal.payload)).all())


def left(model: type[Model]) -> int:
    session().expire_all()
    return len(session().scalars(select(model)).all())


def attempts(**more: Any) -> Attempts:
    row = {"key": uuid4().bytes, "purpose": "sign-in", "count": 1, "window_started_at": A_MONDAY, **more}
    found: Attempts = saved(Attempts(**row))
    return found


def letter(**more: Any) -> None:
    saved(Letter(id=new_id(), language="kk", promised_at=A_MONDAY, **more))


def test_attempts_go_when_no_window_reaches_them(app: Flask, do: Any) -> None:
    attempts()
    attempts(blocked_until=A_MONDAY + 30 * DAY)
    assert do(tidy_up, at=A_MONDAY + 7 * DAY - timedelta(seconds=1))["attempts"] == 0
    assert do(tidy_up, at=A_MONDAY + 7 * DAY)["attempts"] == 1
    assert left(Attempts) == 1


def test_challenges_and_codes_go_a_day_after_they_expire(app: Flask, do: Any) -> None:
    saved(Challenge(id=new_id(), purpose="passkey-add", challenge=b"c", created_at=A_MONDAY, expires_at=A_MONDAY))
    saved(PasswordReset(id=new_id(), asked_at=A_MONDAY, expires_at=A_MONDAY, used_at=A_MONDAY))
    standing = PasswordReset(id=new_id(), asked_at=A_MONDAY, expires_at=A_MONDAY + 2 * DAY)
    saved(standing)
    gone = do(tidy_up, at=A_MONDAY + DAY)
    assert (gone["challenges"], gone["codes"]) == (1, 1)
    assert session().scalars(select(PasswordReset.id)).all() == [standing.id]


def test_sessions_go_a_week_after_they_end(app: Flask, do: Any) -> None:
    person = PersonFactory.create().id
    SessionFactory.create(person_id=person, token_hash=b"ended", ended_at=A_MONDAY)
    SessionFactory.create(person_id=person, token_hash=b"old", expires_at=A_MONDAY)
    SessionFactory.create(person_id=person, token_hash=b"standing")
    assert do(tidy_up, at=A_MONDAY + 7 * DAY - timedelta(seconds=1))["sessions"] == 0
    assert do(tidy_up, at=A_MONDAY + 7 * DAY)["sessions"] == 2
    session().expire_all()
    assert session().scalars(select(SignInSession.token_hash)).all() == [b"standing"]


def test_letters_of_the_demo_go_after_a_day_and_others_after_a_week(app: Flask, do: Any) -> None:
    letter(sealed=b"shown", sent_at=A_MONDAY)
    letter(sealed=b"waits")
    letter(sealed=None, sent_at=A_MONDAY)
    assert do(tidy_up, at=A_MONDAY + DAY)["letters"] == 1
    assert left(Letter) == 2
    assert do(tidy_up, at=A_MONDAY + 7 * DAY)["letters"] == 2


def test_the_audit_log_is_left_alone(app: Flask, do: Any) -> None:
    do(ask_new_password, KEYS, contact="a@example.kz", address="203.0.113.7")
    events, personal = audit_log()
    do(tidy_up, at=A_MONDAY + 400 * DAY)
    after, personal_after = audit_log()
    assert [one for one in after if one in events] == events
    assert len(after) == len(events) + 1
    assert personal_after == personal


def test_a_planted_broom_in_the_audit_log_is_seen(app: Flask, do: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug of the test above: the one part of the log that may be erased is swept away as well."""
    kept = tidying._old

    def sweep(work: Work) -> Any:
        work.session.execute(text("DELETE FROM audit_personal"))
        return kept(work)

    monkeypatch.setattr(tidying, "_old", sweep)
    with pytest.raises(AssertionError):
        test_the_audit_log_is_left_alone(app, do)


def test_the_worker_tidies_once_a_night(app: Flask, clock: MovableClock) -> None:
    attempts()
    clock.move(7 * DAY)
    (task,) = [one for one in TASKS if one.name == "identity.tidy"]
    assert task.every == "10 21 * * *"
    task.do()
    assert left(Attempts) == 0
