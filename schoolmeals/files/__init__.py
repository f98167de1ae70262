"""Files in and out: tables that people send, uploads that wait for a yes, papers that the worker draws.

*Upload*: a file that waits for its owner's word. *Paper*: a PDF that was ordered; the worker draws it, and it waits to
be fetched. Both are one person's, sealed, and forgotten after some hours; an upload can be put before a second person.
*Line*: one row of a table with its number.

Never here: what a file means. The room that asked for it knows.
"""

from schoolmeals.files.actions import end_upload, keep_upload, offer_upload, order_paper
from schoolmeals.files.api import ordered_paper
from schoolmeals.files.archives import unpacked
from schoolmeals.files.jobs import DRAW
from schoolmeals.files.making import file_key, make_paper
from schoolmeals.files.papers import Enclosure, drawn
from schoolmeals.files.queries import content_of, kept_file, offered_files
from schoolmeals.files.rules import MOST_ROWS, FileStage, KeptFacts, PaperOrder, unusable
from schoolmeals.files.schemas import PaperSchema
from schoolmeals.files.sheets import (
    LARGEST_FILE_BYTES,
    LONGEST_CELL,
    XLSX,
    Line,
    as_csv,
    as_workbook,
    decoded,
    guarded,
    is_workbook,
    read_table,
)
from schoolmeals.files.views import to_paper

__all__ = [
    "DRAW",
    "LARGEST_FILE_BYTES",
    "LONGEST_CELL",
    "MOST_ROWS",
    "XLSX",
    "Enclosure",
    "FileStage",
    "KeptFacts",
    "Line",
    "PaperOrder",
    "PaperSchema",
    "as_csv",
    "as_workbook",
    "content_of",
    "decoded",
    "drawn",
    "end_upload",
    "file_key",
    "guarded",
    "is_workbook",
    "keep_upload",
    "kept_file",
    "make_paper",
    "offer_upload",
    "offered_files",
    "order_paper",
    "ordered_paper",
    "read_table",
    "to_paper",
    "unpacked",
    "unusable",
]
