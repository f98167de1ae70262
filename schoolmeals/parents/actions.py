"""Deeds of the parents room: a notice is marked as read, and nothing else. Parents change things in other rooms."""

from uuid import UUID

from sqlalchemy import update

from schoolmeals import audit
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.parents.models import Notice


def read_notice(work: Work, school_id: UUID, notice_id: UUID) -> None:
    """Mark one of the actor's notices as read; once read, it stays read since then. Raises NotFound."""
    notice = work.session.get(Notice, (school_id, notice_id), with_for_update=True)
    if notice is None or notice.person_id != work.actor.id:
        raise NotFound
    if notice.read_at is not None:
        return
    notice.read_at = work.now
    work.session.flush()
    audit.record(work, "parents.read_notice", audit.Subject("notice", notice_id), {}, school_id=school_id)


def read_notices(work: Work, *, up_to: UUID) -> int:
    """Mark the actor's notices up to the one with id ``up_to`` as read: those that stood on the page, and none that
    came since. Gives how many there were.
    """
    marked = work.session.execute(
        update(Notice)
        .where(Notice.person_id == work.actor.id, Notice.read_at.is_(None), Notice.id <= up_to)
        .values(read_at=work.now)
        .returning(Notice.id)
    ).all()
    if marked:
        subject = audit.Subject("person", work.actor.id)
        audit.record(work, "parents.read_notices", subject, {"count": len(marked), "up_to": up_to})
    return len(marked)
