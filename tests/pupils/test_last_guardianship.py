"""A parent's role ends with the last pupil in the school, and not before."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from schoolmeals import identity, pupils
from schoolmeals.actors import Role
from schoolmeals.asking import Question, nothing
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work, transaction
from schoolmeals.identity.models import RoleGrant, SignInSession
from schoolmeals.pupils.actions import guardians
from tests.factories import session
from tests.factories.pupils import GuardianshipFactory
from tests.pupils.conftest import School


def is_parent(school: School) -> bool:
    session().expire_all()
    standing = select(RoleGrant.id).where(
        RoleGrant.person_id == school.parent.id, RoleGrant.role == Role.PARENT.value, RoleGrant.revoked_at.is_(None)
    )
    return session().scalar(standing) is not None


def test_it_ends_with_the_last_pupil(school: School, do: Any) -> None:
    GuardianshipFactory.create(school_id=school.id, pupil_id=school.maria.id, person_id=school.parent.id)
    do(pupils.end_guardianship, school.id, school.maria.id, school.parent.id, actor=school.office)
    assert is_parent(school)
    do(pupils.end_guardianship, school.id, school.ali.id, school.parent.id, actor=school.office)
    assert not is_parent(school)
    assert session().scalars(select(SignInSession.ended_at)).all() == [None, None]


def test_it_comes_back_with_another(school: School, do: Any) -> None:
    do(pupils.end_guardianship, school.id, school.ali.id, school.parent.id, actor=school.office)
    do(pupils.add_guardian, school.id, school.maria.id, school.parent.id, "mother", actor=school.office)
    assert is_parent(school)


def end_one_and_add_another(app: Flask, school: School, clock: MovableClock) -> None:
    """The office ends the one guardianship while the other parent's claim makes a second one, at the same moment."""
    meeting = Barrier(2)

    def run(deed: Callable[[Work], None]) -> None:
        with app.app_context():
            meeting.wait(timeout=20)
            with transaction(school.office, clock()) as work:
                deed(work)

    def end(work: Work) -> None:
        pupils.end_guardianship(work, school.id, school.ali.id, parent_id(school))

    def add(work: Work) -> None:
        pupils.add_guardian(work, school.id, school.maria.id, parent_id(school), "mother")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, [end, add]))


def parent_id(school: School) -> UUID:
    assert school.parent.id is not None
    return school.parent.id


def test_a_new_pupil_at_the_same_moment_keeps_the_role(app: Flask, school: School, clock: MovableClock) -> None:
    end_one_and_add_another(app, school, clock)
    assert is_parent(school)


def test_without_the_lock_the_role_is_lost(
    app: Flask, school: School, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug of the test above: the pupils are counted before the new one is there, and nobody waits."""
    counted, granted = Barrier(2), Barrier(2)
    count, grant = guardians._has_pupil_in, identity.grant_role

    def count_then_wait(work: Work, school_id: UUID, person_id: UUID) -> bool:
        found = count(work, school_id, person_id)
        counted.wait(timeout=20)
        granted.wait(timeout=20)
        return found

    def wait_then_grant(work: Work, person_id: UUID, role: Role, organisation_id: UUID) -> None:
        counted.wait(timeout=20)
        grant(work, person_id, role, organisation_id)
        granted.wait(timeout=20)

    monkeypatch.setattr(identity, "lock_person", lambda work, person_id: None)
    nobody_waits = Question("SELECT 1", {}, nothing)
    monkeypatch.setattr("schoolmeals.identity.actions.people.lock_question", lambda person_id: nobody_waits)
    monkeypatch.setattr(guardians, "_has_pupil_in", count_then_wait)
    monkeypatch.setattr(identity, "grant_role", wait_then_grant)
    end_one_and_add_another(app, school, clock)
    assert not is_parent(school)
