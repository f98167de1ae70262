"""Menus from files: a CSV or the first sheet of an XLSX, one row a line of a menu. Every bad row is reported."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from schoolmeals.canteen.menus import BUFFET, OTHER_ALLERGEN, SET, NewMenuItem, SittingFacts, problems_of
from schoolmeals.canteen.pricing import NO_TERMS, Terms, priced
from schoolmeals.canteen.rules import AGE_GROUPS, MEALS
from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.files import Line, as_csv, as_workbook, read_table
from schoolmeals.money import MINOR_DIGITS
from schoolmeals.pupils import EU_ALLERGENS

COLUMNS: Final = (
    "day",
    "meal",
    "shift",
    "kind",
    "age_group",
    "name_kk",
    "name_ru",
    "name_en",
    "dishes_kk",
    "dishes_ru",
    "dishes_en",
    "price",
    "portion_g",
    "kcal",
    "allergens",
)
NEEDED: Final = ("day", "meal", "kind", "name_kk", "name_ru")
MOST_ROWS: Final = 5_000
_EXAMPLES: Final = (
    ("2026-11-23", "lunch", "1", "set", "6-10", "Түскі ас", "Обед", "Lunch", "Борщ; Палау; Компот",
     "Борщ; Плов; Компот", "Borscht; Pilaf; Compote", "850", "600", "720", "celery, milk"),
    ("2026-11-23", "lunch", "1", "buffet", "", "Алма шырыны", "Яблочный сок", "Apple juice", "", "", "", "300", "200",
     "90", ""),
)  # fmt: skip
_SUM: Final = re.compile(r"([0-9]{1,7})(?:[.,]([0-9]{1,2}))?")
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?: 00:00:00)?|([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_NOT_READ: Final = FieldProblem.of("unreadable", N_("This cannot be read. Write it as in the template."))
_NEEDED: Final = FieldProblem.of("needed", N_("Fill this in."))
_NO_SITTING: Final = FieldProblem.of("no-such-sitting", N_("The school has no such meal in this shift on that day."))


@dataclass(frozen=True, slots=True)
class BadCell:
    """What is wrong with one cell of a file; lines count from 1 with the header."""

    line: int
    column: str
    problem: FieldProblem


@dataclass(slots=True)
class MenuFile:
    """What a file holds: the good lines by day and sitting, and everything that is wrong with the others."""

    menus: dict[tuple[date, UUID], list[NewMenuItem]] = field(default_factory=dict)
    bad: list[BadCell] = field(default_factory=list)

    @property
    def lines(self) -> int:
        return sum(len(items) for items in self.menus.values())


def template() -> bytes:
    """A CSV with the columns' names and two examples."""
    return as_csv([COLUMNS, *_EXAMPLES])


def workbook_template() -> bytes:
    """The same as an XLSX."""
    return as_workbook([COLUMNS, *_EXAMPLES], [max(12, len(name) + 2) for name in COLUMNS])


def read_menu_file(
    content: bytes,
    sittings: Sequence[SittingFacts],
    *,
    currency: str = "KZT",
    terms_on: Callable[[date], Terms] = lambda _day: NO_TERMS,
) -> MenuFile:
    """The menus in a file for a school with ``sittings``, whose contracts promise ``terms_on`` a day.

    A set meal that a contract prices needs no price in the file.

    Raises Invalid where nothing of it can be read: ``header-unknown``, ``too-many-rows`` and what the reader of tables
    raises.
    """
    header, *rows = read_table(content)
    columns = _columns(header)
    if len(rows) > MOST_ROWS:
        sentence = N_("The file has more than %(most)s rows. Split it by weeks.")
        raise Invalid("too-many-rows", fields={"file": [FieldProblem.of("too-many-rows", sentence, most=MOST_ROWS)]})
    found = MenuFile()
    for row in rows:
        _read_row(found, row, columns, sittings, currency, terms_on)
    return found


def _columns(header: Line) -> dict[str, int]:
    names = [re.sub(r"\W+", "_", cell.strip().casefold()).strip("_") for cell in header.cells]
    columns = {name: place for place, name in enumerate(names) if name in COLUMNS}
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        sentence = N_("The first line must name the columns. These are missing: %(missing)s. Take our template.")
        problem = FieldProblem.of("header-unknown", sentence, missing=", ".join(missing))
        raise Invalid("header-unknown", fields={"file": [problem]})
    return columns


def _read_row(
    found: MenuFile,
    row: Line,
    columns: Mapping[str, int],
    sittings: Sequence[SittingFacts],
    currency: str,
    terms_on: Callable[[date], Terms],
) -> None:
    cells = {name: row.cells[place].strip() for name, place in columns.items() if place < len(row.cells)}
    reader = _Cells(cells)
    day, sitting = reader.day(), None
    if day is not None:
        sitting = reader.sitting(sittings, day)
    item = reader.item(currency)
    problems = reader.problems | {name: one for name, one in problems_of(item).items() if name not in reader.problems}
    if not problems and day is not None and sitting is not None:
        item, problems = priced(item, sitting.meal, terms_on(day))
    for name, listed in problems.items():
        found.bad += [BadCell(row.number, name, problem) for problem in listed]
    if not problems and day is not None and sitting is not None:
        found.menus.setdefault((day, sitting.id), []).append(item)


class _Cells:
    """One row's cells as values; what cannot be read is collected in ``problems`` by column."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self._cells = cells
        self.problems: dict[str, list[FieldProblem]] = {}

    def day(self) -> date | None:
        parts = _DAY.fullmatch(self._text("day"))
        try:
            if parts is not None:
                year, month, day = (parts[1], parts[2], parts[3]) if parts[1] else (parts[6], parts[5], parts[4])
                return date(int(year), int(month), int(day))
        except ValueError:
            pass
        self._complain("day")
        return None

    def sitting(self, sittings: Sequence[SittingFacts], day: date) -> SittingFacts | None:
        meal, shift = self._text("meal").casefold(), self._whole("shift") or 1
        if meal not in MEALS:
            self._complain("meal")
            return None
        held = (one for one in sittings if one.meal == meal and one.shift == shift and one.is_held_on(day))
        sitting = next(held, None)
        if sitting is None:
            self.problems["meal"] = [_NO_SITTING]
        return sitting

    def item(self, currency: str) -> NewMenuItem:
        kind = self._text("kind").casefold()
        return NewMenuItem(
            kind=kind if kind in (SET, BUFFET) else "",
            age_group=self._age_group(),
            name_kk=self._text("name_kk"),
            name_ru=self._text("name_ru"),
            name_en=self._text("name_en"),
            dishes=self._dishes(),
            price_minor=self._minor(currency),
            currency=currency,
            portion_g=self._whole("portion_g"),
            kcal=self._whole("kcal"),
            allergens=self._allergens(),
        )

    def _text(self, name: str) -> str:
        return self._cells.get(name, "")

    def _complain(self, name: str) -> None:
        self.problems[name] = [_NOT_READ if self._text(name) else _NEEDED]

    def _whole(self, name: str) -> int | None:
        text = self._text(name)
        if text and not re.fullmatch(r"[0-9]{1,6}", text):
            self._complain(name)
            return None
        return int(text) if text else None

    def _minor(self, currency: str) -> int | None:
        if not self._text("price"):
            return None
        parts = _SUM.fullmatch(re.sub(r"[\s\u00a0\u202f₸]", "", self._text("price")))
        if parts is None:
            self._complain("price")
            return 0
        digits = MINOR_DIGITS[currency]
        return int(parts[1]) * int(10**digits) + int((parts[2] or "").ljust(digits, "0")[:digits] or 0)

    def _age_group(self) -> str | None:
        text = re.sub(r"[\s–—]+", "-", self._text("age_group")).strip("-")
        return (text if text in AGE_GROUPS else self._text("age_group")) or None

    def _dishes(self) -> list[dict[str, str]]:
        lists = {code: _parts(self._text(f"dishes_{code}"), ";") for code in ("kk", "ru", "en")}
        for code in ("ru", "en"):
            if lists[code] and len(lists[code]) != len(lists["kk"]):
                self.problems[f"dishes_{code}"] = [
                    FieldProblem.of("uneven", N_("Name as many dishes as in Kazakh, in the same order."))
                ]
                return []
        return [
            {code: names[place] for code, names in lists.items() if place < len(names)}
            for place in range(len(lists["kk"]))
        ]

    def _allergens(self) -> list[str]:
        parts = _parts(self._text("allergens"), ",")
        return [part.casefold() if part.casefold() in EU_ALLERGENS else _other(part) for part in parts]


def _other(part: str) -> str:
    """Free words keep their writing; the prefix is understood in any."""
    prefix, colon, words = part.partition(":")
    return f"{OTHER_ALLERGEN}{words.strip()}" if colon and prefix.strip().casefold() == "other" else part


def _parts(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]
