"""Reading an uploaded roll outside of any transaction, for pages, the API, the worker and the command alike."""

from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, NotFound
from schoolmeals.keys import unseal
from schoolmeals.pupils.access import require_office
from schoolmeals.pupils.models import RosterImport


def school_names(work: Work, school_id: UUID) -> tuple[str, ...]:
    """How a school may be called in a file of several: its BIN, and its names."""
    require_office(work, school_id)
    school = identity.organisation(work, school_id)
    return (school.identifier or "", school.name_kk, school.name_ru, school.name_en)


def roster_import(work: Work, school_id: UUID, import_id: UUID) -> RosterImport:
    """An import with its preview. Raises NotFound."""
    require_office(work, school_id)
    wanted = select(RosterImport).where(RosterImport.school_id == school_id, RosterImport.id == import_id)
    if (row := work.session.scalar(wanted)) is None:
        raise NotFound
    return row


def standing_file(work: Work, school_id: UUID, import_id: UUID, file_key: bytes) -> tuple[str, bytes]:
    """Name and content of a file that was not applied or dropped yet. Raises NotFound and Conflict.

    A file that ``file_key`` does not open (it was sealed with another secret) has to be uploaded again.
    """
    row = roster_import(work, school_id, import_id)
    if row.content is None:
        raise Conflict("import-is-over", N_("This file has been applied or dropped already. Upload it again."))
    try:
        return row.file_name, unseal(file_key, row.content, import_id.bytes)
    except InvalidTag as error:
        sentence = N_("This file can no longer be read. Upload it again.")
        raise Conflict("import-unreadable", sentence) from error


def recent_imports(work: Work, school_id: UUID, count: int = 10) -> list[RosterImport]:
    """The last imports, the newest first."""
    require_office(work, school_id)
    wanted = select(RosterImport).where(RosterImport.school_id == school_id)
    return list(work.session.scalars(wanted.order_by(RosterImport.uploaded_at.desc(), RosterImport.id).limit(count)))
