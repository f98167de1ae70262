"""One value of a roll at a time: cleaned, checked, or complained about."""

import re
from datetime import date
from typing import Final

from schoolmeals.keys import keyed_hash
from schoolmeals.kz_id import is_iin
from schoolmeals.pupils.roster import Roster
from schoolmeals.pupils.rules import NAME_LENGTH, cleaned

_ISO: Final = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?$")
_OURS: Final = re.compile(r"^(\d{1,2})[./](\d{1,2})[./](\d{4})$")
_SEPARATORS: Final = re.compile(r"[\s.\-]")
_IIN: Final = 12
_SHORTEST: Final = 9
"""The digits that are left of an IIN from January 2000 where a spreadsheet took it for a number."""
_YEARS: Final = range(1990, 2100)


class Values:
    """The values of one row, taken by column, with their complaints going to the roster."""

    def __init__(self, roster: Roster, file: str, line: int, cells: dict[str, str], names: dict[str, str]) -> None:
        self._roster = roster
        self._file = file
        self._line = line
        self._cells = cells
        self._names = names
        self.is_good = True

    def text(self, column: str, *, needed: bool = False, most: int = NAME_LENGTH) -> str:
        """A cleaned text, empty where there is none or it cannot be used."""
        text = cleaned(self._cells.get(column, ""))
        if len(text) > most:
            self.complain(column, "too-long", most=most)
            return ""
        if needed and not text:
            self.complain(column, "missing-value")
        return text

    def day(self, column: str) -> date | None:
        """A date in the ways it is written here."""
        text = self.text(column)
        if not text:
            return None
        if (day := day_of(text)) is None:
            self.complain(column, "bad-date")
        return day

    def complain(self, column: str, code: str, **params: object) -> None:
        """Note that the row cannot go in, and why."""
        self.is_good = False
        self.remark(column, code, **params)

    def remark(self, column: str, code: str, **params: object) -> None:
        """Note something that does not keep the row out."""
        self._roster.complain(self._file, self._line, self._names.get(column, column), code, **params)


def day_of(text: str) -> date | None:
    """The day that ``text`` means (2015-05-31, 31.05.2015), or None."""
    if found := _ISO.match(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _OURS.match(text):
        day, month, year = (int(part) for part in found.groups())
    else:
        return None
    try:
        return date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None


def hidden(key: bytes, number: str) -> str:
    """A person's number as it is kept: an IIN, even a mistyped one, only as a keyed hash; everything else as it is.

    Spreadsheets drop the zeros that the IINs of those born from 2000 to 2009 begin with; such a number is the same IIN.
    """
    if len(number) < _SHORTEST:
        return number
    digits = number.zfill(_IIN) if is_iin(number.zfill(_IIN)) else _SEPARATORS.sub("", number)
    return f"iin-{keyed_hash(key, digits).hex()[:32]}" if len(digits) == _IIN and digits.isdigit() else number
