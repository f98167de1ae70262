"""Which kind of roll a file is, and its reading."""

from collections.abc import Sequence
from functools import partial
from pathlib import PurePath

from schoolmeals.errors import N_
from schoolmeals.files import LARGEST_FILE_BYTES, is_workbook, read_table, unusable
from schoolmeals.pupils.oneroster import read_oneroster
from schoolmeals.pupils.roster import Roster
from schoolmeals.pupils.roster_values import hidden
from schoolmeals.pupils.rules import cleaned
from schoolmeals.pupils.simple_roster import read_simple


def read_roster(file_name: str, content: bytes, *, key: bytes, school_names: Sequence[str] = ()) -> Roster:
    """The roll in ``content``: a OneRoster zip, an XLSX or a CSV, told apart by what they are and not by their names.

    ``key`` hides IINs; ``school_names`` (BIN, names) find the school in a zip of several. Raises Invalid with the field
    ``file`` where the file as a whole cannot be used; what is wrong with single rows is in the roster.
    """
    if not content:
        raise unusable("file-empty", N_("There is nothing in this file."))
    if len(content) > LARGEST_FILE_BYTES:
        raise unusable("file-too-large", N_("The file is larger than 20 MB. A school's roll takes much less."))
    if content.startswith(b"PK") and not is_workbook(content):
        roster = read_oneroster(content, key, school_names)
    else:
        source = "xlsx" if is_workbook(content) else "csv"
        roster = read_simple(shown_name(file_name), read_table(content), source, key)
    roster.known_as = partial(hidden, key)
    return roster


def shown_name(file_name: str) -> str:
    """The file's name without folders and tricks, to be shown beside its lines."""
    return cleaned(PurePath(file_name.replace("\\", "/")).name)[:100] or "roster"
