"""Protocols as rows alone, for the tests of doors."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from schoolmeals.ids import new_id
from schoolmeals.procurement.documents import canonical_text, digest_of, written
from schoolmeals.procurement.models import Protocol, ProtocolPaper
from tests.factories import saved
from tests.factories.procurement import TITLE, texts

PDF = b"%PDF-1.7"


def new_protocol(tender_id: UUID, now: datetime) -> str:
    """The protocol of an opening to which nobody came with a bid, with a paper in Kazakh; gives its digest."""
    text = canonical_text(_document(tender_id, now))
    digest = digest_of(text)
    row = saved(Protocol(id=new_id(now), tender_id=tender_id, kind="opening", at=now, text=text, sha256=digest))
    paper = {"language": "kk", "pdf": PDF, "sha256": hashlib.sha256(PDF).digest(), "at": now}
    saved(ProtocolPaper(protocol_id=row.id, **paper))
    return digest.hex()


def _document(tender_id: UUID, now: datetime) -> dict[str, Any]:
    seat = {"seat_id": "1", "name": "Серікова Гүлім", "part": "chair", "constituency": "parents"}
    content = {
        "list_sha256": "0" * 64,
        "began_at": written(now),
        "shares_needed": 3,
        "members": [{**seat, "present": True, "shares_good": 0, "shares_bad": 0}],
        "secretary": None,
        "adjourned": [],
        "bids": [],
    }
    return {
        "format": "schoolmeals-protocol/v1",
        "kind": "opening",
        "at": written(now),
        "act": 9,
        "tender": {
            "id": str(tender_id),
            "number": "2026-0001",
            "title": TITLE,
            "organiser": {"id": "1", "name": texts("Astana")},
            "version": 1,
            "notice_sha256": "0" * 64,
        },
        "content": content,
    }
