"""Which documents may be attached to a tender: told by their content, never by their name. Pure."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.drafting import LANGUAGES, NEEDED, UNKNOWN, Problems, check
from schoolmeals.procurement.rules.media import type_by_start
from schoolmeals.procurement.rules.sections import Field, FieldKind, Section

DRAW_NOTICE: Final = "procurement.draw_notice"
"""The job that draws a version's paper in one language."""
LARGEST_BYTES: Final = 20_000_000
MOST_DOCUMENTS: Final = 60
"""Of one tender, all versions together."""
LONGEST_NAME: Final = 120
NOTICE: Final = "biddingDocuments"
"""OCDS's word for the text itself: the papers that the worker draws of each version."""
KINDS: Final = ("technicalSpecifications", "contractDraft", "evaluationCriteria", "eligibilityCriteria", "illustration")
"""OCDS's words for what officers attach."""
ACCEPTED: Final = ".pdf,.docx,.xlsx,.odt,.ods,.png,.jpg,.jpeg"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_PACKED: Final = (
    ("word/document.xml", f"{_OFFICE}wordprocessingml.document"),
    ("xl/workbook.xml", f"{_OFFICE}spreadsheetml.sheet"),
)
_OPEN: Final = frozenset({"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet"})
ENDINGS: Final = {
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    f"{_OFFICE}wordprocessingml.document": ".docx",
    f"{_OFFICE}spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """A document to be attached. ``series_id`` is that of the document whose next version it is, None for a new one."""

    id: UUID
    document_type: str
    title: Mapping[str, str]
    language: str | None
    file_name: str
    content: bytes
    series_id: UUID | None = None
    lot_id: UUID | None = None


def media_type_of(content: bytes) -> str | None:
    """What a file is by its content; None for what is not taken, also for office files with macros."""
    known = type_by_start(content)
    if known is not None or not content.startswith(b"PK\x03\x04"):
        return known
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _packed_type(archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        return None


def document_problems(document: NewDocument, so_far: int) -> Problems:
    """What is wrong with a document, by field."""
    title = Section("", "", (Field("title", FieldKind.TEXTS, "", most=200),))
    checked = check(title, {"title": dict(document.title)})
    problems: Problems = {**checked.gaps, **checked.faults}
    if "title" in problems:
        problems = {f"title.{one}": [NEEDED] for one in ("kk", "ru")}
    if document.document_type not in KINDS:
        problems["document_type"] = [UNKNOWN]
    if document.language is not None and document.language not in LANGUAGES:
        problems["language"] = [UNKNOWN]
    file = file_problem(document.content, so_far)
    return problems | ({"file": [file]} if file is not None else {})


def file_problem(content: bytes, so_far: int) -> FieldProblem | None:
    """What is wrong with a file itself."""
    if not content:
        return NO_FILE
    if len(content) > LARGEST_BYTES:
        return FieldProblem.of("file-too-large", TOO_LARGE, most=LARGEST_BYTES // 1_000_000)
    if so_far >= MOST_DOCUMENTS:
        return FieldProblem.of("too-many-documents", TOO_MANY, most=MOST_DOCUMENTS)
    return None if media_type_of(content) is not None else WRONG_KIND


def kept_name(name: str, media_type: str) -> str:
    """A name that every system can keep, with the ending that the content deserves."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    clean = "".join(one if one.isalnum() or one in " -_.()№" else "_" for one in stem).strip(" .")
    return (clean[:LONGEST_NAME] or "document") + ENDINGS[media_type]


def _packed_type(archive: zipfile.ZipFile) -> str | None:
    names = set(archive.namelist())
    if any("vbaproject" in name.lower() for name in names):
        return None
    found = next((media_type for name, media_type in _PACKED if name in names), None)
    if found is None and "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
        said = archive.read("mimetype").decode("ascii", "replace").strip()
        return said if said in _OPEN else None
    return found if "[Content_Types].xml" in names else None


NO_FILE: Final = FieldProblem.of("no-file", N_("Choose a file."))
WRONG_KIND: Final = FieldProblem.of(
    "wrong-kind-of-file", N_("Attach a PDF, a Word, Excel or OpenDocument file without macros, or a picture.")
)
TOO_LARGE: Final = N_("The file is larger than %(most)s MB. Make it smaller or split it.")
TOO_MANY: Final = N_("A tender has at most %(most)s documents, all versions together.")
