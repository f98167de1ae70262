"""A purse's statement: one object from which page, CSV and JSON are made, and which always adds up.

The purse's two accounts are read as one: what grace lends goes out, what repays it moves nothing. So the lines of both
accounts that belong to one journal entry become one line here.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final
from uuid import UUID

from schoolmeals.ids import spoken_number
from schoolmeals.ledger.rules import StatementLine
from schoolmeals.money import MINOR_DIGITS

BYTE_ORDER_MARK: Final = "\ufeff"
"""Spreadsheet programs take a CSV file for UTF-8 only where it begins with this."""
_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the purse: what came in or went out (one of the two, not negative), and the balance after it."""

    entry_id: UUID
    kind: str
    at: datetime
    in_minor: int
    out_minor: int
    balance_after_minor: int
    receipt: str
    reverses_id: UUID | None

    @property
    def change_minor(self) -> int:
        return self.in_minor - self.out_minor


@dataclass(frozen=True, slots=True)
class Statement:
    """A purse from ``since`` up to, without, ``until``; minor units. A statement that does not add up is not made."""

    school_id: UUID
    pupil_id: UUID
    currency: str
    since: datetime
    until: datetime
    as_of: datetime
    opening_minor: int
    closing_minor: int
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        assert self.opening_minor + self.in_minor - self.out_minor == self.closing_minor, "the statement adds up"

    @property
    def in_minor(self) -> int:
        return sum(line.in_minor for line in self.lines)

    @property
    def out_minor(self) -> int:
        return sum(line.out_minor for line in self.lines)


def merged(
    money: Sequence[StatementLine],
    grace: Sequence[StatementLine],
    *,
    opening_minor: int,
    receipt_numbers: Mapping[UUID, int],
) -> tuple[Line, ...]:
    """The lines of a purse from those of its two accounts, in the order of their times.

    An entry that only moves money between the two leaves the balance where it was and has no line. ``receipt_numbers``
    names the cash receipts.
    """
    changes: dict[UUID, int] = {}
    entries: dict[UUID, StatementLine] = {}
    for sign, account_lines in ((1, money), (-1, grace)):
        for line in account_lines:
            entries.setdefault(line.entry_id, line)
            changes[line.entry_id] = changes.get(line.entry_id, 0) + sign * line.change_minor
    balance = opening_minor
    lines = []
    for entry in sorted(entries.values(), key=lambda entry: entry.at):
        change = changes[entry.entry_id]
        if change == 0:
            continue
        balance += change
        receipt = receipt_of(entry.entry_id, receipt_numbers.get(entry.entry_id))
        lines.append(
            Line(
                entry.entry_id,
                entry.kind,
                entry.at,
                max(change, 0),
                max(-change, 0),
                balance,
                receipt,
                entry.reverses_id,
            )
        )
    return tuple(lines)


def receipt_of(entry_id: UUID, receipt_no: int | None) -> str:
    """What to quote of an entry: the number of its cash receipt, else that of its id."""
    return f"№ {receipt_no}" if receipt_no is not None else spoken_number(entry_id)


def as_csv(statement: Statement, *, words: Callable[[str], str], kind_of: Callable[[Line], str], zone: tzinfo) -> str:
    """The statement for a spreadsheet: semicolons, a byte order mark, sums with a comma, local times.

    ``words`` translates the headings, ``kind_of`` names a line. No text in it can be taken for a formula.
    """

    def sum_of(minor: int) -> str:
        return amount_text(minor, statement.currency)

    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    headings = ("Date and time", "What", "Receipt", "Paid in", "Spent", "Balance")
    writer.writerow([_text(words(heading)) for heading in headings])
    writer.writerow(
        [_time(statement.since, zone), _text(words("Balance before")), "", "", "", sum_of(statement.opening_minor)]
    )
    for line in statement.lines:
        writer.writerow(
            [
                _time(line.at, zone),
                _text(kind_of(line)),
                _text(line.receipt),
                sum_of(line.in_minor),
                sum_of(line.out_minor),
                sum_of(line.balance_after_minor),
            ]
        )
    totals = (statement.in_minor, statement.out_minor, statement.closing_minor)
    writer.writerow(["", _text(words("Balance after")), "", *[sum_of(minor) for minor in totals]])
    return BYTE_ORDER_MARK + buffer.getvalue()


def amount_text(minor: int, currency: str) -> str:
    """A sum as spreadsheets in Kazakhstan read it: ``1250,50``; always with its minor digits."""
    digits = MINOR_DIGITS[currency]
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole},{rest:0{digits}d}" if digits else f"{sign}{whole}"


def _time(instant: datetime, zone: tzinfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_BEGINS_A_FORMULA) else value
