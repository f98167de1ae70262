"""Read marks on a real PostgreSQL."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from schoolmeals.actors import Actor
from schoolmeals.audit.models import AuditEvent
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.parents.actions import read_notice, read_notices
from schoolmeals.parents.models import Notice
from tests.factories.parents import NoticeFactory
from tests.factories.wallet import Family, new_family


@pytest.fixture
def family(app: Any) -> Family:
    return new_family()


def told(family: Family, **given: Any) -> UUID:
    values = {"school_id": family.school_id, "pupil_id": family.pupil_id, "person_id": family.parent.id, **given}
    notice_id: UUID = NoticeFactory.create(**values).id
    return notice_id


def read_marks(work: Work) -> dict[UUID, Any]:
    return dict(work.session.execute(select(Notice.id, Notice.read_at)).all())


def events(work: Work) -> list[str]:
    return list(work.session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("parents.%"))))


def stranger() -> Actor:
    return new_family().parent


def test_a_notice_is_read_once_and_keeps_its_first_moment(do: Any, family: Family, clock: MovableClock) -> None:
    notice_id = told(family)
    first = clock()
    do(read_notice, family.school_id, notice_id, actor=family.parent)
    clock.move(timedelta(minutes=5))
    do(read_notice, family.school_id, notice_id, actor=family.parent)
    assert do(read_marks) == {notice_id: first}
    assert do(events) == ["parents.read_notice"]


def test_a_strangers_notice_is_not_found_and_stays_unread(do: Any, family: Family) -> None:
    notice_id = told(family)
    for school_id, wanted, who in (
        (family.school_id, notice_id, stranger()),
        (family.school_id, notice_id, family.office),
        (UUID(int=1), notice_id, family.parent),
        (family.school_id, UUID(int=1), family.parent),
    ):
        with pytest.raises(NotFound):
            do(read_notice, school_id, wanted, actor=who)
    assert do(read_marks) == {notice_id: None}
    assert do(events) == []


def test_all_up_to_one_are_read_and_nothing_that_came_later(do: Any, family: Family, clock: MovableClock) -> None:
    other = stranger()
    before, last, later = told(family), told(family), told(family)
    foreign = told(family, person_id=other.id)
    assert do(read_notices, up_to=last, actor=family.parent) == 2
    assert do(read_marks) == {before: clock(), last: clock(), later: None, foreign: None}
    assert do(read_notices, up_to=last, actor=family.parent) == 0
    assert do(events) == ["parents.read_notices"]
