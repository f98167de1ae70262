"""Pictures are kept as they come out of ``pictures.shrunk``: small, and nothing but pixels."""

import hashlib
from typing import Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals import audit
from schoolmeals.asking import Question, nothing
from schoolmeals.audit import Subject
from schoolmeals.database import Work, insertion, rows_of
from schoolmeals.errors import NotFound
from schoolmeals.ids import new_id
from schoolmeals.pupils.access import require_office
from schoolmeals.pupils.models import Photo

_LOCK_PICTURED: Final = "SELECT photo_id FROM pupil WHERE school_id = %(school_id)s AND id = %(id)s FOR UPDATE"
_PICTURE: Final = "UPDATE pupil SET photo_id = %(photo_id)s WHERE school_id = %(school_id)s AND id = %(id)s"


def keep_photo(work: Work, school_id: UUID, content: bytes) -> UUID:
    """Keep a picture (WebP, as ``shrunk_photo`` makes it); gives its id. Whoever calls it checks the right to."""
    photo_id = new_id(work.now)
    digest = hashlib.sha256(content).digest()
    row = {
        "school_id": school_id,
        "id": photo_id,
        "media_type": "image/webp",
        "content": content,
        "sha256": digest,
        "added_at": work.now,
    }
    work.ask_last(insertion([rows_of(Photo, tuple(row), [tuple(row.values())], {})]))
    payload = {"bytes": len(content)}
    personal = {"sha256": digest.hex()}
    audit.record(work, "pupils.keep_photo", Subject("photo", photo_id), payload, school_id=school_id, personal=personal)
    return photo_id


def set_photo(work: Work, school_id: UUID, pupil_id: UUID, content: bytes | None) -> UUID | None:
    """Give the pupil another picture, or none; the old one is deleted. Raises NotFound."""
    require_office(work, school_id)
    pupil = {"school_id": school_id, "id": pupil_id}
    locking = Question(_LOCK_PICTURED, pupil, list)
    work.ask(locking)
    if not locking.answer:
        raise NotFound
    before = locking.answer[0].photo_id
    photo_id = keep_photo(work, school_id, content) if content is not None else None
    work.ask_last([Question(_PICTURE, {"photo_id": photo_id, **pupil}, nothing)])
    if before is not None:
        forget_photo(work, school_id, before)
    payload = {"photo_id": photo_id, "before": before}
    audit.record(work, "pupils.set_photo", Subject("pupil", pupil_id), payload, school_id=school_id)
    return photo_id


def forget_photo(work: Work, school_id: UUID, photo_id: UUID) -> None:
    """Delete a picture that nothing shows any more."""
    photo = work.session.scalar(select(Photo).where(Photo.school_id == school_id, Photo.id == photo_id))
    if photo is not None:
        work.session.delete(photo)
        work.session.flush()
        audit.record(work, "pupils.forget_photo", Subject("photo", photo_id), {}, school_id=school_id)
