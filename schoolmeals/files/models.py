"""Files on their way: papers that are being drawn or wait to be fetched, uploads that wait for a yes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class KeptFile(Model):
    """One person's file, kept for some hours. Nobody else finds it, whatever their role, unless its owner has put it
    before a second person: then its purpose says so, and the room of that purpose says who may look.
    """

    __tablename__ = "kept_file"
    __table_args__ = (
        CheckConstraint("kind IN ('paper', 'upload')", name="kind"),
        CheckConstraint("ready_at IS NULL OR failed_at IS NULL", name="ready_or_failed"),
        Index("ix_kept_file_expires_at", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """``paper`` or ``upload``."""
    owner_id: Mapped[UUID]
    school_id: Mapped[UUID | None]
    purpose: Mapped[str]
    """What it is for: the task that draws it, or the deed that an upload waits for."""
    name: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: an upload; of a paper the page that it is drawn from, and then the PDF."""
    facts: Mapped[dict[str, Any]]
    """What the deed needs beside the content; no secrets and no names."""
    pages_total: Mapped[int]
    pages_done: Mapped[int]
    kept_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failure_code: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    """When the deed that an upload waited for was done."""
