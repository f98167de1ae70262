"""A roll as a file tells it: its rows, its classes, and what is wrong with which line of which file. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from schoolmeals.errors import N_
from schoolmeals.pupils.rules import cleaned

MADE_ID: Final = "name-"
"""The beginning of ids that were made from name and birth date, because the file has no numbers."""
SENTENCES: Final = {
    "missing-value": N_("This must be filled in."),
    "too-long": N_("This is longer than %(most)s letters."),
    "bad-date": N_("This is not a date. Write it as 2015-05-31 or 31.05.2015."),
    "bad-class": N_("Write the class as year and letter, for example 5 «А»."),
    "no-way-to-know-again": N_("Give a number or a date of birth, so that the pupil is known again next time."),
    "twice-in-file": N_("This pupil is already in line %(first)s."),
    "unknown-user": N_("There is no such user in users.csv."),
    "unknown-class": N_("There is no such class in classes.csv."),
    "unknown-guardian": N_("There is no such guardian in users.csv. The pupil goes in without this link."),
    "guardian-without-name": N_("This guardian has no name. The pupils go in without this link."),
    "bad-email": N_("This is no e-mail address. The guardian is listed without it."),
    "bad-relation": N_("Write mother, father, legal guardian or relative. The guardian is listed as a relative."),
    "guardian-twice": N_("This guardian is named twice for this pupil."),
    "bad-phone": N_("This is no phone number. The guardian is listed without it."),
    "unknown-grade": N_("The class's year cannot be read from its grades or its title."),
    "no-class": N_("The pupil is enrolled in no class. They go in without one."),
}
"""What people are told of a row; the codes are stable."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one value. ``line`` counts from 1 with the header, as spreadsheets do."""

    file: str
    line: int
    column: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the stored preview."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "params": dict(self.params),
        }


@dataclass(frozen=True, slots=True)
class RosterClass:
    """A class of the file; ``key`` is its id there, or one made from its name."""

    key: str
    name: str
    grade: int


@dataclass(frozen=True, slots=True)
class RosterRow:
    """A pupil of the file, cleaned and checked."""

    file: str
    line: int
    sourced_id: str
    surname: str
    given_name: str
    patronymic: str = ""
    birth_date: date | None = None
    class_key: str | None = None


@dataclass(frozen=True, slots=True)
class GuardianRow:
    """A guardian of the file: ``relation`` is ``parent``, ``guardian`` or ``relative``; what is not known is empty."""

    sourced_id: str
    name: str
    relation: str
    email: str = ""
    phone: str = ""


@dataclass(slots=True)
class Roster:
    """What was read. ``is_whole`` is False for a file of changes, from whose silence nobody leaves."""

    source: str
    """``oneroster-1.1``, ``oneroster-1.2``, ``csv`` or ``xlsx``."""
    is_whole: bool = True
    classes: dict[str, RosterClass] = field(default_factory=dict)
    rows: list[RosterRow] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    gone: frozenset[str] = frozenset()
    """Sourced ids that the file itself calls deleted."""
    guardians: dict[str, tuple[GuardianRow, ...]] | None = None
    """Whom the file calls guardians of which pupil, by the pupil's sourced id; None for files that tell of none."""
    half_told: set[str] = field(default_factory=set)
    """Pupils of whom a guardian could not be read: nobody is taken off their list, because somebody is in the file."""
    gone_guardians: frozenset[str] = frozenset()
    """Sourced ids of guardians that the file itself calls deleted."""
    known_as: Callable[[str], str] = field(default=str, repr=False)
    """How this file's reader keeps an id: what an older import kept as it was is compared in the same form."""
    spoiled: set[str] = field(default_factory=set)
    """Sourced ids and names (as sorted) of rows that could not go in: those pupils are here, so they do not leave."""

    def complain(self, file: str, line: int, column: str, code: str, **params: Any) -> None:
        """Note a problem of one value."""
        assert code in SENTENCES
        self.problems.append(RowProblem(file, line, cleaned(column)[:60], code, params))

    @property
    def guardian_links(self) -> int:
        """How many ties between a guardian and a pupil the file tells of."""
        return sum(len(listed) for listed in (self.guardians or {}).values())
