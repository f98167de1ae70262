"""What parents are told. Everything else that they see is read from where it was written."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class Notice(Model):
    """One thing worth telling one guardian, e.g. that grace was used. Pulled from the journal, never pushed by it."""

    __tablename__ = "notice"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"]),
        UniqueConstraint("school_id", "person_id", "kind", "cause_id"),
        Index("ix_notice_person", "person_id", "id"),
    )

    school_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    pupil_id: Mapped[UUID]
    kind: Mapped[str]
    """``grace-used``, ``courtesy-meal``, ``top-up-settled``, ``low-balance``, ``card-blocked-used``,
    ``allergen-override``.
    """
    cause_id: Mapped[UUID]
    """The sale, top-up or card that it is about: the same cause is told once."""
    facts: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
