"""Registers of the state as they were imported: each import is a whole register as it stood at one moment."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class RegisterImport(Model):
    """A register as it stood at ``as_of``, and where that was learnt."""

    __tablename__ = "register_import"
    __table_args__ = (
        CheckConstraint("entries >= 0", name="entries_not_negative"),
        Index("ix_register_import_register", "register", "as_of"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    register: Mapped[str]
    """A code of ``rules/registers.py``."""
    source: Mapped[str]
    """In the words of whoever imported it: an address, a letter's number."""
    as_of: Mapped[datetime]
    file_name: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    entries: Mapped[int]
    by: Mapped[UUID | None]
    wanted_by: Mapped[UUID | None]
    """Who put the file before ``by``; None where nobody did."""
    at: Mapped[datetime]


class RegisterEntry(Model):
    """Somebody in a register. A person's number is kept as its keyed hash alone."""

    __tablename__ = "register_entry"
    __table_args__ = (
        CheckConstraint("until_on IS NULL OR until_on >= from_on", name="ends_after_it_begins"),
        Index("ix_register_entry_identifier", "identifier", "import_id"),
        Index("ix_register_entry_import_id", "import_id", "line"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(ForeignKey("register_import.id"))
    line: Mapped[int]
    """Of the file, from 1 with the header."""
    scheme: Mapped[str]
    identifier: Mapped[str]
    name: Mapped[str]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    """The last day on which it holds; null where it has no end."""
    reason: Mapped[str]
    reference: Mapped[str]
    """The decision that it rests on."""
