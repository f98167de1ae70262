"""Finding kept files: one's own, and those that were put before a second person; only while they are kept."""

from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from schoolmeals.actors import ActorKind
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.files.models import KeptFile
from schoolmeals.files.rules import PAPER, KeptFacts
from schoolmeals.keys import unseal

_COLUMNS = tuple(getattr(KeptFile, one.name) for one in fields(KeptFacts))


def kept_file(
    work: Work, file_id: UUID, *, purpose: str | None = None, kind: str | None = None, offered: bool = False
) -> KeptFacts:
    """A file of the actor's. Raises NotFound for somebody else's, for what is too old, and for another purpose.

    With ``offered`` anybody's of that purpose: whether the actor may have those the caller has decided.
    """
    found = _found(file_id, purpose, kind, *_COLUMNS) if offered else _mine(work, file_id, purpose, kind, *_COLUMNS)
    row = work.session.execute(found.where(KeptFile.expires_at > work.now)).one_or_none()
    if row is None:
        raise NotFound
    return KeptFacts(**row._asdict())


def offered_files(work: Work, purpose: str) -> list[KeptFacts]:
    """The uploads that were put before a second person under this purpose and wait, the oldest first. Whether the
    actor may know of them the caller has decided.
    """
    found = select(*_COLUMNS).where(
        KeptFile.purpose == purpose, KeptFile.expires_at > work.now, KeptFile.ended_at.is_(None)
    )
    rows = work.session.execute(found.order_by(KeptFile.kept_at, KeptFile.id))
    return [KeptFacts(**row._asdict()) for row in rows]


def paper(work: Work, file_id: UUID) -> KeptFacts:
    """A paper that the actor has ordered. Raises NotFound."""
    return kept_file(work, file_id, kind=PAPER)


def content_of(
    work: Work,
    key: bytes,
    file_id: UUID,
    *,
    purpose: str | None = None,
    kind: str | None = None,
    offered: bool = False,
) -> bytes:
    """What a file holds that :func:`kept_file` finds. Raises NotFound, also where it holds nothing any more."""
    column = KeptFile.content
    found = _found(file_id, purpose, kind, column) if offered else _mine(work, file_id, purpose, kind, column)
    sealed: bytes | None = work.session.scalar(found.where(KeptFile.expires_at > work.now))
    if sealed is None:
        raise NotFound
    return unseal(key, sealed, file_id.bytes)


def _mine(work: Work, file_id: UUID, purpose: str | None, kind: str | None, *columns: Any) -> Select[*tuple[Any, ...]]:
    found = _found(file_id, purpose, kind, *columns)
    if work.actor.kind is not ActorKind.SYSTEM:
        found = found.where(KeptFile.owner_id == work.actor.id)
    return found


def _found(file_id: UUID, purpose: str | None, kind: str | None, *columns: Any) -> Select[*tuple[Any, ...]]:
    found = select(*columns).where(KeptFile.id == file_id)
    if purpose is not None:
        found = found.where(KeptFile.purpose == purpose)
    return found if kind is None else found.where(KeptFile.kind == kind)
