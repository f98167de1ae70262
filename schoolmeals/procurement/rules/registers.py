"""Registers of the state: which there are, what a table of one looks like, and when somebody in it counts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from schoolmeals.errors import N_, FieldProblem
from schoolmeals.procurement.rules.identifiers import IIN, PERSON, number_problem, person_key, plain_number, scheme_for


@dataclass(frozen=True, slots=True)
class Register:
    """A register. In one ``of_people`` the numbers are kept as keyed hashes."""

    code: str
    name: str
    of_people: bool = False
    drop_percent: int = 20
    """Of the entries that hold, how many may fall out at one person's word. Ours, not the law's."""


REGISTERS: Final[Mapping[str, Register]] = {
    one.code: one
    for one in (
        Register("bad-faith", N_("Suppliers who acted in bad faith")),
        Register("tax-debt", N_("Tax debtors"), drop_percent=50),
        Register("liquidation", N_("In liquidation or bankrupt")),
        Register("inactive", N_("Inactive taxpayers")),
        Register("financing-list", N_("Organisations linked to the financing of terrorism")),
        Register("conviction", N_("People convicted of economic crimes"), of_people=True),
    )
}
ADDED_UP: Final = timedelta(days=30)
"""How long what one person's files drop is added up, unless two have agreed on one meanwhile. Ours, not the law's."""
COLUMNS: Final = ("identifier", "name", "from", "until", "reason", "reference", "scheme")
NEEDED: Final = frozenset({"identifier", "from"})
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "kk": ("БСН/ЖСН", "Атауы", "Басы", "Соңы", "Себебі", "Негіздемесі", "Нөмір түрі"),
    "ru": ("БИН/ИИН", "Наименование", "Начало", "Окончание", "Причина", "Основание", "Вид номера"),
    "en": ("Number", "Name", "From", "Until", "Reason", "Decision", "Kind of number"),
}
"""What the columns are called in a file, besides their own names."""
LONGEST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLine:
    """Somebody in a register. ``until_on`` is the last day; None has no end."""

    line: int
    scheme: str
    identifier: str
    name: str
    from_on: date
    until_on: date | None
    reason: str
    reference: str


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that cannot be taken: the file's line, from 1 with the header, the column, and why."""

    line: int
    column: str
    problem: FieldProblem


@dataclass(frozen=True, slots=True)
class RegisterTable:
    """A table as it was read: what can be taken, and what cannot."""

    lines: tuple[RegisterLine, ...]
    bad: tuple[BadCell, ...]


@dataclass(frozen=True, slots=True)
class RegisterHit:
    """Somebody who was looked for, in a register, on the day that was asked about."""

    register: str
    import_id: str
    as_of: datetime
    identifier: str
    name: str
    from_on: date
    until_on: date | None
    reason: str
    reference: str


def counts_on(from_on: date, until_on: date | None, day: date) -> bool:
    """Whether an entry holds on a day; both ends belong to it."""
    return from_on <= day and (until_on is None or day <= until_on)


@dataclass(frozen=True, slots=True)
class ImportWord:
    """An import and at whose word: ``wanted_by`` put the file before ``by``."""

    id: UUID
    at: datetime
    by: UUID | None
    wanted_by: UUID | None

    @property
    def is_of_two(self) -> bool:
        """Whether two different people agreed on it."""
        return self.wanted_by is not None and self.wanted_by != self.by


def compared(imports: Sequence[ImportWord], now: datetime) -> tuple[ImportWord, ...]:
    """With which of a register's imports, the last standing one first, a new file is compared: with that one, and with
    the one since which one person's files add up. So nobody clears a register alone in small steps, or by filling it
    first: the one to begin with is the last on which two agreed, or which is older than :data:`ADDED_UP`.
    """
    if not imports:
        return ()
    since = next((one for one in imports if one.is_of_two or now - one.at >= ADDED_UP), imports[-1])
    return (imports[0],) if since is imports[0] else (imports[0], since)


def needs_second_person(register: Register, *, lines: int, in_force: int, dropped: int) -> bool:
    """Whether an import clears so many that a second person must want it: all with an empty file, also where there was
    no import before, or more than the register's share of those who are in it.
    """
    return not lines or dropped * 100 > in_force * register.drop_percent


def read_register(register: Register, rows: Sequence[tuple[int, Sequence[str]]], *, key: bytes) -> RegisterTable:
    """A table, given as line numbers and cells with the header first. ``key`` hashes the numbers of people."""
    header = _columns(rows[0][1])
    missing = [BadCell(rows[0][0], name, NO_COLUMN) for name in sorted(NEEDED - set(header))]
    if missing:
        return RegisterTable((), tuple(missing))
    lines: list[RegisterLine] = []
    bad: list[BadCell] = []
    seen: dict[tuple[str, str, date], int] = {}
    for number, cells in rows[1:]:
        found = _read_line(register, number, _named(header, cells), key)
        if isinstance(found, RegisterLine):
            known = seen.setdefault((found.scheme, found.identifier, found.from_on), number)
            if known == number:
                lines.append(found)
                continue
            found = [BadCell(number, "identifier", FieldProblem.of("twice-in-file", TWICE, first=known))]
        bad += found
    return RegisterTable(tuple(lines), tuple(bad))


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Where each known column is, by any of its names."""
    names = {label.casefold(): COLUMNS[place] for labels in HEADERS.values() for place, label in enumerate(labels)}
    names |= {name: name for name in COLUMNS}
    found = {names.get(cell.strip().casefold()): place for place, cell in reversed(list(enumerate(header)))}
    return {name: place for name, place in found.items() if name is not None}


def _named(header: Mapping[str, int], cells: Sequence[str]) -> dict[str, str]:
    return {name: cells[place].strip() if place < len(cells) else "" for name, place in header.items()}


def _read_line(register: Register, line: int, cells: Mapping[str, str], key: bytes) -> RegisterLine | list[BadCell]:
    number = plain_number(cells["identifier"])
    scheme = plain_number(cells.get("scheme", "")) or scheme_for(number) or (IIN if register.of_people else "KZ-BIN")
    bad: list[BadCell] = []
    wrong = number_problem(scheme, number)
    if wrong is not None:
        bad.append(BadCell(line, "scheme" if wrong.code == "no-scheme" else "identifier", wrong))
    from_on, until_on = as_day(cells["from"]), as_day(cells.get("until", ""))
    if from_on is None:
        bad.append(BadCell(line, "from", BAD_DAY))
    if cells.get("until") and until_on is None:
        bad.append(BadCell(line, "until", BAD_DAY))
    if from_on is not None and until_on is not None and until_on < from_on:
        bad.append(BadCell(line, "until", ENDS_EARLY))
    texts = {name: cells.get(name, "") for name in ("name", "reason", "reference")}
    bad += [BadCell(line, name, TOO_LONG) for name, text in texts.items() if len(text) > LONGEST or "\0" in text]
    if bad or from_on is None:
        return bad
    if register.of_people:
        scheme, number = PERSON, person_key(key, scheme, number)
    return RegisterLine(line=line, scheme=scheme, identifier=number, from_on=from_on, until_on=until_on, **texts)


def as_day(text: str) -> date | None:
    """A day written as 2026-05-31 or 31.05.2026; None for anything else."""
    parts = text.split(".")
    try:
        if len(parts) == 3 and len(parts[2]) == 4:
            return date(int(parts[2]), int(parts[1]), int(parts[0]))
        found = date.fromisoformat(text)
        return found if found.isoformat() == text else None
    except ValueError:
        return None


TWICE: Final = N_("This number with the same beginning is already in line %(first)s.")
NO_COLUMN: Final = FieldProblem.of("no-column", N_("The file has no such column."))
BAD_DAY: Final = FieldProblem.of("bad-day", N_("This is not a date. Write it as 2026-05-31 or 31.05.2026."))
ENDS_EARLY: Final = FieldProblem.of("ends-early", N_("The last day is before the first."))
TOO_LONG: Final = FieldProblem.of("too-long", N_("This is longer than 500 letters."))
