"""Finding kept files: one's own, and only while they are kept."""

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


def kept_file(work: Work, file_id: UUID, *, purpose: str | None = None, kind: str | None = None) -> KeptFacts:
    """A file of the actor's. Raises NotFound for somebody else's, for what is too old, and for another purpose."""
    row = work.session.execute(_mine(work, file_id, purpose, kind, *_COLUMNS)).one_or_none()
    if row is None:
        raise NotFound
    return KeptFacts(**row._asdict())


def paper(work: Work, file_id: UUID) -> KeptFacts:
    """A paper that the actor has ordered. Raises NotFound."""
    return kept_file(work, file_id, kind=PAPER)


def content_of(work: Work, key: bytes, file_id: UUID, *, purpose: str | None = None, kind: str | None = None) -> bytes:
    """What a file of the actor's holds. Raises NotFound, also where it holds nothing any more."""
    sealed: bytes | None = work.session.scalar(_mine(work, file_id, purpose, kind, KeptFile.content))
    if sealed is None:
        raise NotFound
    return unseal(key, sealed, file_id.bytes)


def _mine(work: Work, file_id: UUID, purpose: str | None, kind: str | None, *columns: Any) -> Select[*tuple[Any, ...]]:
    found = select(*columns).where(KeptFile.id == file_id, KeptFile.expires_at > work.now)
    if work.actor.kind is not ActorKind.SYSTEM:
        found = found.where(KeptFile.owner_id == work.actor.id)
    if purpose is not None:
        found = found.where(KeptFile.purpose == purpose)
    return found if kind is None else found.where(KeptFile.kind == kind)
