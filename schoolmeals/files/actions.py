"""Keeping files for a while: ordering papers, handing them over, taking uploads, and forgetting all of them in time."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from schoolmeals import audit
from schoolmeals.audit import Subject
from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import NotFound
from schoolmeals.files.models import KeptFile
from schoolmeals.files.rules import KEPT_FOR, PAPER, PDF, UPLOAD, PaperOrder
from schoolmeals.ids import new_id
from schoolmeals.jobs import defer
from schoolmeals.keys import seal


def order_paper(work: Work, key: bytes, order: PaperOrder) -> UUID:
    """Keep the page that a paper is drawn from and promise to draw it; gives the file's id."""
    file_id = _keep(
        work,
        key,
        order.html.encode(),
        kind=PAPER,
        school_id=order.school_id,
        purpose=order.task,
        name=order.name,
        media_type=PDF,
        facts={"back": order.back, **order.facts},
        pages_total=order.pages,
    )
    defer(work, order.task, file_id=str(file_id))
    payload = {"task": order.task, "pages": order.pages}
    audit.record(work, "files.order_paper", Subject("file", file_id), payload, school_id=order.school_id)
    return file_id


def keep_upload(
    work: Work,
    key: bytes,
    content: bytes,
    *,
    purpose: str,
    name: str,
    media_type: str,
    school_id: UUID | None = None,
    facts: dict[str, Any] | None = None,
) -> UUID:
    """Keep an upload until its owner says what is to become of it; gives the file's id."""
    file_id = _keep(
        work,
        key,
        content,
        kind=UPLOAD,
        school_id=school_id,
        purpose=purpose,
        name=name,
        media_type=media_type,
        facts=facts or {},
        pages_total=0,
    )
    payload = {"purpose": purpose, "bytes": len(content)}
    audit.record(work, "files.keep_upload", Subject("file", file_id), payload, school_id=school_id)
    return file_id


def offer_upload(work: Work, file_id: UUID, *, purpose: str, offered_as: str) -> None:
    """Put an upload before a second person: from now on whoever asks for files ``offered_as`` finds it, and whoever
    may ask is for the room to say. Its owner stays, and its time too. Raises NotFound for somebody else's.
    """
    row = _lock_upload(work, file_id, purpose, offered=False)
    if row.ended_at is not None:
        raise NotFound
    _change(work, file_id, purpose=offered_as)
    payload = {"purpose": purpose, "offered_as": offered_as}
    audit.record(work, "files.offer_upload", Subject("file", file_id), payload, school_id=row.school_id)


def end_upload(work: Work, file_id: UUID, *, purpose: str, offered: bool = False) -> bool:
    """Let go of an upload, because its deed is done or not wanted. False where that has happened before.

    Locks the file, so two deeds with the same upload are one. Raises NotFound for somebody else's, unless it was
    ``offered``: whether the actor may then have it the caller has decided.
    """
    row = _lock_upload(work, file_id, purpose, offered=offered)
    if row.ended_at is not None:
        return False
    _change(work, file_id, ended_at=work.now, content=None)
    audit.record(work, "files.end_upload", Subject("file", file_id), {"purpose": purpose}, school_id=row.school_id)
    return True


def finish_paper(work: Work, key: bytes, file_id: UUID, pdf: bytes) -> bool:
    """Put the drawn paper where its page was. False where another run has done so, or it is not wanted any more."""
    row = _lock_order(work, file_id)
    if row is None:
        return False
    _change(work, file_id, content=seal(key, pdf, file_id.bytes), ready_at=work.now, pages_done=row.pages_total)
    payload = {"bytes": len(pdf), "owner": row.owner_id}
    audit.record(work, "files.finish_paper", Subject("file", file_id), payload, school_id=row.school_id)
    return True


def fail_paper(work: Work, file_id: UUID, code: str) -> None:
    """Note that a paper will not come, for the reason ``code``. What it was to be drawn from is forgotten."""
    row = _lock_order(work, file_id)
    if row is None:
        return
    _change(work, file_id, content=None, failed_at=work.now, failure_code=code)
    payload = {"code": code, "owner": row.owner_id}
    audit.record(work, "files.fail_paper", Subject("file", file_id), payload, school_id=row.school_id)


def forget_files(work: Work) -> int:
    """Delete the files whose time is over; gives their number."""
    gone = work.session.scalars(delete(KeptFile).where(KeptFile.expires_at <= work.now).returning(KeptFile.id)).all()
    if gone:
        audit.record(work, "files.forget_files", Subject("files"), {"files": len(gone)})
    return len(gone)


def _lock_upload(work: Work, file_id: UUID, purpose: str, *, offered: bool) -> KeptFile:
    wanted = select(KeptFile).where(
        KeptFile.id == file_id,
        KeptFile.purpose == purpose,
        KeptFile.expires_at > work.now,
    )
    if not offered:
        wanted = wanted.where(KeptFile.owner_id == work.actor.id)
    row = work.session.scalar(wanted.with_for_update())
    if row is None:
        raise NotFound
    return row


def _lock_order(work: Work, file_id: UUID) -> KeptFile | None:
    wanted = select(KeptFile).where(
        KeptFile.id == file_id, KeptFile.kind == PAPER, KeptFile.ready_at.is_(None), KeptFile.failed_at.is_(None)
    )
    return work.session.scalar(wanted.with_for_update())


def _keep(work: Work, key: bytes, content: bytes, **values: Any) -> UUID:
    file_id = new_id(work.now)
    assert work.actor.id is not None, "a file is somebody's"
    row = {
        "id": file_id,
        "owner_id": work.actor.id,
        "content": seal(key, content, file_id.bytes),
        "pages_done": 0,
        "kept_at": work.now,
        "expires_at": work.now + KEPT_FOR,
        **values,
    }
    insert_rows(work.session, KeptFile, [row])
    return file_id


def _change(work: Work, file_id: UUID, **values: Any) -> None:
    work.session.execute(update(KeptFile).where(KeptFile.id == file_id).values(**values))
