"""Looking at protocols: by their digest, for everybody. Nothing is left out, since nothing in them is secret."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.models import Protocol, ProtocolPaper
from schoolmeals.procurement.queries.tenders import visible


@dataclass(frozen=True, slots=True)
class ProtocolLine:
    """A protocol in a list."""

    kind: str
    at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class ProtocolFacts:
    """A protocol: ``text`` is the JSON whose SHA-256 is ``sha256``; ``papers`` are digests of what is drawn, by
    language.
    """

    tender_id: UUID
    kind: str
    at: datetime
    sha256: str
    text: str
    document: Mapping[str, Any]
    papers: Mapping[str, str]


def protocol(work: Work, sha256: str) -> ProtocolFacts:
    """The protocol with this digest. Raises NotFound."""
    row = work.session.scalar(select(Protocol).where(Protocol.sha256 == _bytes(sha256)))
    if row is None:
        raise NotFound
    found = select(ProtocolPaper.language, ProtocolPaper.sha256).where(ProtocolPaper.protocol_id == row.id)
    papers = {language: digest.hex() for language, digest in work.session.execute(found)}
    return ProtocolFacts(row.tender_id, row.kind, row.at, sha256.lower(), row.text, json.loads(row.text), papers)


def protocol_paper(work: Work, sha256: str, language: str) -> bytes:
    """A protocol's PDF. Raises NotFound, also where it is not drawn yet."""
    joined = select(ProtocolPaper.pdf).join(Protocol, Protocol.id == ProtocolPaper.protocol_id)
    wanted = joined.where(Protocol.sha256 == _bytes(sha256), ProtocolPaper.language == language)
    found: bytes | None = work.session.scalar(wanted)
    if found is None:
        raise NotFound
    return found


def protocols_of(work: Work, tender_id: UUID) -> list[ProtocolLine]:
    """The protocols of a tender, the latest first. Raises NotFound."""
    visible(work, tender_id)
    found = select(Protocol.kind, Protocol.at, Protocol.sha256).where(Protocol.tender_id == tender_id)
    rows = work.session.execute(found.order_by(Protocol.at.desc(), Protocol.id.desc()))
    return [ProtocolLine(kind, at, sha256.hex()) for kind, at, sha256 in rows]


def _bytes(sha256: str) -> bytes:
    try:
        return bytes.fromhex(sha256)
    except ValueError as error:
        raise NotFound from error
