"""What a file may be, and how long one is kept. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from schoolmeals.errors import FieldProblem, Invalid

KEPT_FOR: Final = timedelta(hours=12)
"""Long enough for a working day, short enough that no heap of children's names grows."""
MOST_ROWS: Final = 50_000
PAPER: Final = "paper"
UPLOAD: Final = "upload"
PDF: Final = "application/pdf"


class FileStage(StrEnum):
    """How far a kept file is. An upload waits until its owner has said yes or no, or until it is too old."""

    MAKING = "making"
    READY = "ready"
    FAILED = "failed"
    WAITING = "waiting"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """A paper to be drawn by the worker. ``task`` draws it and does what belongs to it; ``back`` is where its page
    leads back to; ``pages`` is how many pages it will have, as far as that is known; ``facts`` are for the task.
    """

    task: str
    name: str
    html: str
    back: str
    pages: int
    school_id: UUID | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFacts:
    """A kept file without its content."""

    id: UUID
    kind: str
    owner_id: UUID
    school_id: UUID | None
    purpose: str
    name: str
    media_type: str
    facts: dict[str, Any]
    pages_total: int
    pages_done: int
    kept_at: datetime
    expires_at: datetime
    ready_at: datetime | None
    failed_at: datetime | None
    failure_code: str | None
    ended_at: datetime | None

    @property
    def stage(self) -> FileStage:
        if self.ended_at is not None:
            return FileStage.ENDED
        if self.kind == UPLOAD:
            return FileStage.WAITING
        if self.failed_at is not None:
            return FileStage.FAILED
        return FileStage.READY if self.ready_at is not None else FileStage.MAKING


def unusable(code: str, sentence: str, **params: object) -> Invalid:
    """The file as a whole cannot be used; the field is ``file``."""
    return Invalid(code, sentence, fields={"file": [FieldProblem.of(code, sentence, **params)]}, **params)
