"""A roll as one table: our template in three languages, or what a school has, where its header is understood."""

import re
from collections.abc import Mapping
from typing import Final

from schoolmeals.errors import N_
from schoolmeals.files import MOST_ROWS, Line, unusable
from schoolmeals.keys import keyed_hash
from schoolmeals.pupils.roster import MADE_ID, Roster, RosterClass, RosterRow
from schoolmeals.pupils.roster_values import Values, hidden
from schoolmeals.pupils.rules import class_name, cleaned, full_name, sort_key
from schoolmeals.pupils.simple_guardians import GUARDIAN_COLUMNS, GUARDIAN_HEADERS, MORE_GUARDIANS, read_guardians

COLUMNS: Final = ("number", "surname", "given_name", "patronymic", "birth_date", "class")
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "kk": ("Нөмірі", "Тегі", "Аты", "Әкесінің аты", "Туған күні", "Сыныбы"),
    "ru": ("Номер", "Фамилия", "Имя", "Отчество", "Дата рождения", "Класс"),
    "en": ("Number", "Surname", "Given name", "Patronymic", "Date of birth", "Class"),
}
"""A pupil's headers. Each of them is understood, whatever the language of the page."""
TEMPLATE: Final[Mapping[str, tuple[str, ...]]] = {
    language: HEADERS[language] + GUARDIAN_HEADERS[language] for language in HEADERS
}
"""The template's headers: the pupil and two guardians, who may be left out."""

_MORE: Final[dict[str, tuple[str, ...]]] = {
    "number": ("id", "student id", "sourcedid", "личный номер", "иин", "жсн", "iin", "жеке нөмірі", "оқушы нөмірі"),
    "surname": ("last name", "family name", "familyname"),
    "given_name": ("name", "first name", "givenname", "есімі"),
    "patronymic": ("middle name", "middlename"),
    "birth_date": ("birth date", "birthday", "birthdate", "день рождения", "туған жылы", "туған уақыты"),
    "class": ("grade", "сынып", "form"),
    "full_name": ("full name", "фио", "аты жөні", "тегі аты әкесінің аты", "фамилия имя отчество", "оқушы", "ученик"),
}


def _known_headers() -> dict[str, str]:
    columns = COLUMNS + GUARDIAN_COLUMNS
    ours = {_key(text): column for texts in TEMPLATE.values() for column, text in zip(columns, texts, strict=True)}
    return ours | {_key(text): column for column, texts in (_MORE | MORE_GUARDIANS).items() for text in texts}


def _key(header: str) -> str:
    return " ".join(re.findall(r"\w+", cleaned(header).casefold().replace(".", "")))


def read_simple(file: str, lines: list[Line], source: str, key: bytes) -> Roster:
    """The roll in ``lines``. ``key`` hides IINs and names that serve as numbers. Raises Invalid ``header-unknown``."""
    header, *rows = lines
    columns = _columns(header)
    if not rows:
        raise unusable("no-pupils", N_("There is a header but no pupil in this file."))
    if len(rows) > MOST_ROWS:
        raise unusable(
            "too-many-rows", N_("The file has more than %(most)s rows. Split it by schools."), most=MOST_ROWS
        )
    roster = Roster(source, guardians={})
    names = {column: header.cells[place] for place, column in columns.items()}
    names.setdefault("surname", names.get("full_name", ""))
    first_lines: dict[str, int] = {}
    for line in rows:
        _read_row(roster, file, line, columns, names, first_lines, key)
    # An empty template says nothing of guardians, and neither does a column that nobody has filled in.
    if roster.guardian_links == 0 and not roster.half_told:
        roster.guardians = None
    return roster


def _columns(header: Line) -> dict[int, str]:
    known = _known_headers()
    columns: dict[int, str] = {}
    for place, text in enumerate(header.cells):
        column = known.get(_key(text))
        if column is not None and column not in columns.values():
            columns[place] = column
    there = set(columns.values())
    if "class" not in there or not ("full_name" in there or {"surname", "given_name"} <= there):
        raise unusable(
            "header-unknown",
            N_("The first line must name the columns: surname, given name and class at least. Take our template."),
        )
    return columns


def _read_row(
    roster: Roster,
    file: str,
    line: Line,
    columns: dict[int, str],
    names: dict[str, str],
    first_lines: dict[str, int],
    key: bytes,
) -> None:
    cells = {columns[place]: cell for place, cell in enumerate(line.cells) if place in columns}
    if "full_name" in cells and "surname" not in cells:
        cells |= _split(cells["full_name"])
    values = Values(roster, file, line.number, cells, names)
    surname = values.text("surname", needed=True)
    given_name = values.text("given_name", needed="full_name" not in cells)
    patronymic = values.text("patronymic")
    number, birth_date = values.text("number"), values.day("birth_date")
    understood = class_name(values.text("class", needed=True))
    if understood is None and cells.get("class", "").strip():
        values.complain("class", "bad-class")
    if not number and birth_date is None and not cells.get("birth_date", "").strip():
        values.complain("number" if "number" in names else "birth_date", "no-way-to-know-again")
    name = full_name(surname, given_name, patronymic)
    if not values.is_good or understood is None:
        roster.spoiled |= {hidden(key, number), sort_key(name)}
        return
    sourced_id = hidden(key, number) if number else _made_id(key, name, str(birth_date))
    if sourced_id in first_lines:
        values.complain("number" if number else "surname", "twice-in-file", first=first_lines[sourced_id])
        return
    first_lines[sourced_id] = line.number
    roster.classes.setdefault(understood.key, RosterClass(understood.key, understood.name, understood.grade))
    row = RosterRow(file, line.number, sourced_id, surname, given_name, patronymic, birth_date, understood.key)
    roster.rows.append(row)
    assert roster.guardians is not None
    roster.guardians[sourced_id] = read_guardians(roster, row, cells, names, key)


def _split(name: str) -> dict[str, str]:
    """Surname, given name and whatever follows, as lists have them."""
    surname, _, rest = cleaned(name).partition(" ")
    given_name, _, patronymic = rest.partition(" ")
    return {"surname": surname, "given_name": given_name, "patronymic": patronymic}


def _made_id(key: bytes, name: str, birth_date: str) -> str:
    """An id for pupils who have no number: the same for the same name and birth date, however the name is written."""
    return f"{MADE_ID}{keyed_hash(key, f'{sort_key(name)} {birth_date}').hex()[:32]}"
