"""Tables from files: CSV in the encodings and with the delimiters that are met here, and the first sheet of an XLSX.

A workbook is read by a child process with limits on memory, time, rows and cells, because a file of 5 MB can hold a
million rows.
"""

import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schoolmeals.errors import N_, Invalid
from schoolmeals.files.archives import check
from schoolmeals.files.rules import MOST_ROWS, unusable

LONGEST_CELL: Final = 10_000
MOST_COLUMNS: Final = 60
LARGEST_FILE_BYTES: Final = 20_000_000
SECONDS: Final = 8
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST_WORKBOOK_BYTES: Final = 30_000_000
"""Unpacked."""
_CHILD: Final = Path(__file__).with_name("xlsx_child.py")
_BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_PLAIN: Final = str.maketrans({"\u2011": "-", "\u00a0": " "})
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table with the number of its line, which counts from 1 with the header."""

    number: int
    cells: tuple[str, ...]


def is_workbook(content: bytes) -> bool:
    """Whether this is an XLSX: a zip with a workbook in it."""
    if not content.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def read_table(content: bytes) -> list[Line]:
    """The lines that hold anything, of a CSV or of the first sheet of an XLSX; the header is the first of them.

    Raises Invalid ``file-empty``, ``file-too-large``, ``file-encoding``, ``file-unreadable``, ``too-many-rows``.
    """
    if len(content) > LARGEST_FILE_BYTES:
        raise unusable("file-too-large", N_("The file is larger than 20 MB. A school's roll takes much less."))
    lines = _workbook_lines(content) if is_workbook(content) else _csv_lines(content)
    filled = [line for line in lines if any(cell.strip() for cell in line.cells)]
    if not filled:
        raise unusable("file-empty", N_("There is nothing in this file."))
    return filled


def decoded(content: bytes) -> str:
    """Text by its byte order mark, else as UTF-8, else in KZ-1048: Windows-1251 with the Kazakh letters.

    Raises Invalid ``file-encoding``.
    """
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "kz1048"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise unusable("file-encoding", N_("The letters of this file cannot be read. Save it as CSV UTF-8."))


def guarded(text: str) -> str:
    """``text`` for a cell of a file that people open in a spreadsheet, where no name may act as a formula.

    A file is for programs too: what keeps words together on a page would keep them from being found there.
    """
    text = text.translate(_PLAIN)
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ";") -> bytes:
    """A CSV that spreadsheets here open with the right letters and columns."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerows(
        [guarded(cell) for cell in row] for row in rows
    )
    return buffer.getvalue().encode("utf-8-sig")


def as_workbook(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> bytes:
    """An XLSX of one sheet for people to fill in. Every column holds text, so that a spreadsheet neither cuts the zeros
    of a number nor turns a class into a day.
    """
    # Only those who make a workbook load what it takes: every start would be the longer for it.
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append([guarded(cell) for cell in row])
    for place, width in enumerate(widths, 1):
        column = sheet.column_dimensions[get_column_letter(place)]
        column.width, column.number_format = width, "@"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _csv_lines(content: bytes) -> Iterator[Line]:
    text = decoded(content)
    first = text.lstrip().partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    before = 0
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            if number > MOST_ROWS * 2:
                raise _too_many()
            yield Line(number, _bounded(cells))
    except csv.Error as error:
        raise unusable(
            "file-unreadable", N_("This file cannot be read as a table. Save it as CSV or XLSX again.")
        ) from error


def _bounded(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell[: LONGEST_CELL + 1] for cell in cells[:MOST_COLUMNS])


def _workbook_lines(content: bytes) -> list[Line]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        check(archive.infolist(), len(content), LARGEST_WORKBOOK_BYTES)
    limits = {"rows": MOST_ROWS + 1, "columns": MOST_COLUMNS, "cell": LONGEST_CELL + 1, "seconds": SECONDS}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_CHILD), json.dumps(limits)],
            input=content,
            capture_output=True,
            timeout=SECONDS + 5,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _unreadable() from error
    if done.returncode != 0:
        raise _unreadable()
    rows = json.loads(done.stdout)
    if len(rows) > MOST_ROWS:
        raise _too_many()
    return [Line(number, tuple(cells)) for number, cells in rows]


def _unreadable() -> Invalid:
    return unusable("file-unreadable", N_("This file cannot be read as a table. Save it as CSV or XLSX again."))


def _too_many() -> Invalid:
    return unusable("too-many-rows", N_("The file has more than %(most)s rows. Split it by schools."), most=MOST_ROWS)
