"""Kept files."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from schoolmeals.files import file_key
from schoolmeals.files.models import KeptFile
from schoolmeals.ids import new_id
from schoolmeals.keys import seal
from tests.factories import saved


def new_kept_file(owner_id: UUID, at: datetime, content: bytes = b"%PDF-1.7", **changes: Any) -> UUID:
    """A paper that is ready to be fetched; ``changes`` are columns."""
    file_id = new_id(at)
    values = {
        "kind": "paper",
        "school_id": None,
        "purpose": "files.draw_paper",
        "name": "paper.pdf",
        "media_type": "application/pdf",
        "facts": {"back": "/"},
        "pages_total": 4,
        "pages_done": 4,
        "kept_at": at,
        "expires_at": at + timedelta(hours=12),
        "ready_at": at,
        **changes,
    }
    saved(KeptFile(id=file_id, owner_id=owner_id, content=seal(file_key(), content, file_id.bytes), **values))
    return file_id


def file_id_in(location: str) -> UUID:
    """The id of the file that an order has led to."""
    return UUID(location.rsplit("/", 1)[-1])
