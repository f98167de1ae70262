"""Reading a tender's documents. What belongs to a version that nobody has published yet is its makers' alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.acting import AtHand
from schoolmeals.procurement.models import TenderDocument
from schoolmeals.procurement.queries.tenders import visible
from schoolmeals.procurement.rules.papers import NOTICE
from schoolmeals.procurement.rules.permissions import Party

_MAKERS = frozenset({Party.OFFICER, Party.CITY_ADMIN, Party.AUDITOR, Party.SYSTEM})


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """A document without its content. ``from_version`` is the version of the tender's text that brought it."""

    id: UUID
    series_id: UUID
    lot_id: UUID | None
    version: int
    document_type: str
    title: Mapping[str, str]
    language: str | None
    file_name: str
    media_type: str
    size_bytes: int
    sha256: bytes
    from_version: int
    added_at: datetime

    @property
    def is_notice(self) -> bool:
        """Whether it is a paper of the text itself, drawn by the worker."""
        return self.document_type == NOTICE


@dataclass(frozen=True, slots=True)
class Series:
    """A document in its versions, the latest first."""

    latest: DocumentFacts
    earlier: tuple[DocumentFacts, ...]


def documents(work: Work, tender_id: UUID) -> list[Series]:
    """The documents of a tender that the actor may read, the papers of the text first. Raises NotFound."""
    hand = visible(work, tender_id)
    names = list(DocumentFacts.__dataclass_fields__)
    columns = [getattr(TenderDocument, name) for name in names]
    found = select(*columns).where(TenderDocument.tender_id == tender_id).order_by(TenderDocument.version.desc())
    rows = [DocumentFacts(**dict(zip(names, row, strict=True))) for row in work.session.execute(found)]
    of_series: dict[UUID, list[DocumentFacts]] = {}
    for one in rows:
        if _may_read(hand, one.from_version):
            of_series.setdefault(one.series_id, []).append(one)
    series = [Series(many[0], tuple(many[1:])) for many in of_series.values()]
    return sorted(series, key=_place)


def published_alone(found: list[Series], version: int) -> list[Series]:
    """What everybody reads at a version of the text, also where the actor may read more."""
    kept = ([one for one in (each.latest, *each.earlier) if one.from_version <= version] for each in found)
    return [Series(many[0], tuple(many[1:])) for many in kept if many]


def document_content(work: Work, tender_id: UUID, document_id: UUID) -> TenderDocument:
    """One document with its content, in whatever version. Raises NotFound."""
    hand = visible(work, tender_id)
    row = work.session.get(TenderDocument, document_id)
    if row is None or row.tender_id != tender_id or not _may_read(hand, row.from_version):
        raise NotFound
    return row


def _may_read(hand: AtHand, from_version: int) -> bool:
    return from_version <= hand.tender.version or not hand.parties.isdisjoint(_MAKERS)


def _place(one: Series) -> tuple[Any, ...]:
    order = ("kk", "ru", "en")
    spoken = order.index(one.latest.language) if one.latest.language in order else len(order)
    return (not one.latest.is_notice, spoken if one.latest.is_notice else 0, one.latest.series_id)
