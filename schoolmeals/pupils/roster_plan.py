"""What a roll would change: who is new, changed, unchanged, returning, and who would leave. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeAlias, TypeVar
from uuid import UUID

from schoolmeals.pupils.roster import MADE_ID, Roster, RosterClass, RosterRow
from schoolmeals.pupils.rules import full_name, must_be_confirmed, sort_key

Likeness: TypeAlias = tuple[str, date]
"""Name, as it is sorted, and birth date."""
One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class KnownPupil:
    """A pupil as the database has them; ``class_key`` is their class's sourced id."""

    id: UUID
    sourced_id: str
    surname: str
    given_name: str
    patronymic: str
    birth_date: date | None
    class_key: str | None
    has_left: bool

    @property
    def name(self) -> str:
        return full_name(self.surname, self.given_name, self.patronymic)


@dataclass(frozen=True, slots=True)
class Change:
    """A pupil and the row that changes them. ``fields`` are the names of what differs."""

    pupil: KnownPupil
    row: RosterRow
    fields: tuple[str, ...]


@dataclass(slots=True)
class RosterPlan:
    """Everything that applying a roll would do."""

    new: list[RosterRow] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    returning: list[Change] = field(default_factory=list)
    unchanged: int = 0
    leaving: list[KnownPupil] = field(default_factory=list)
    classes: list[RosterClass] = field(default_factory=list)
    """Classes that are new or have another name, grade or id."""
    adopted: dict[str, str] = field(default_factory=dict)
    """Classes that the file knows by another id: the id that they have to the one that they get."""
    on_roll: int = 0

    @property
    def must_be_confirmed(self) -> bool:
        """Whether so many would leave that somebody has to say so in words."""
        return must_be_confirmed(on_roll=self.on_roll, leaving=len(self.leaving))

    @property
    def steps(self) -> int:
        """How many rows would be written."""
        return len(self.new) + len(self.changed) + len(self.returning) + len(self.leaving)


def plan_roster(
    roster: Roster, known: Sequence[KnownPupil], known_classes: Mapping[str, tuple[str, int]]
) -> RosterPlan:
    """Compare the roll with what is known. ``known_classes``: name and grade by sourced id.

    A pupil is known again by the sourced id, else by name and birth date where both sides have exactly one of them,
    which is how a school changes from one system to another without anybody leaving.
    """
    plan = RosterPlan(on_roll=sum(not one.has_left for one in known))
    used = {row.class_key for row in roster.rows}
    wanted = {key: one for key, one in roster.classes.items() if key in used}
    plan.adopted = adopted_classes(wanted, known_classes)
    plan.classes = [one for key, one in wanted.items() if known_classes.get(key) != (one.name, one.grade)]
    known = [replace(one, class_key=plan.adopted.get(one.class_key or "", one.class_key)) for one in known]
    matched = match(roster.rows, known)
    for row in roster.rows:
        _sort_in(plan, row, matched.get(row.sourced_id))
    plan.leaving = _leaving(roster, known, {one.id for one in matched.values()})
    return plan


def adopted_classes(wanted: Mapping[str, RosterClass], known_classes: Mapping[str, tuple[str, int]]) -> dict[str, str]:
    """Known classes that are the file's under another id, because name and grade are the same."""
    free: dict[tuple[str, int], str] = {facts: key for key, facts in known_classes.items() if key not in wanted}
    strange = {(one.name, one.grade): key for key, one in wanted.items() if key not in known_classes}
    return {free[facts]: key for facts, key in strange.items() if facts in free}


def match(rows: Sequence[RosterRow], known: Sequence[KnownPupil]) -> dict[str, KnownPupil]:
    """The known pupil of each row, by the row's sourced id."""
    by_id = {one.sourced_id: one for one in known}
    matched = {row.sourced_id: by_id[row.sourced_id] for row in rows if row.sourced_id in by_id}
    taken = {one.id for one in matched.values()}
    rest = [row for row in rows if row.sourced_id not in matched]
    strangers = _only_ones((_likeness(one), one) for one in known if one.id not in taken)
    for likeness, row in _only_ones((_likeness(row), row) for row in rest).items():
        if likeness in strangers:
            matched[row.sourced_id] = strangers[likeness]
    return matched


def _likeness(one: RosterRow | KnownPupil) -> Likeness | None:
    if one.birth_date is None:
        return None
    # Systems differ in whether they know patronymics.
    return sort_key(full_name(one.surname, one.given_name)), one.birth_date


def _only_ones(pairs: Iterable[tuple[Likeness | None, One]]) -> dict[Likeness, One]:
    listed = [(key, one) for key, one in pairs if key is not None]
    counts = Counter(key for key, _ in listed)
    return {key: one for key, one in listed if counts[key] == 1}


def _sort_in(plan: RosterPlan, row: RosterRow, pupil: KnownPupil | None) -> None:
    if pupil is None:
        plan.new.append(row)
        return
    change = Change(pupil, row, differences(pupil, row))
    if pupil.has_left:
        plan.returning.append(change)
    elif change.fields:
        plan.changed.append(change)
    else:
        plan.unchanged += 1


def differences(pupil: KnownPupil, row: RosterRow) -> tuple[str, ...]:
    """The fields in which the row differs. What the file does not tell changes nothing."""
    names = ["surname", "given_name"]
    if not row.sourced_id.startswith(MADE_ID):
        names.insert(0, "sourced_id")
    names += [name for name in ("patronymic", "birth_date", "class_key") if getattr(row, name)]
    return tuple(name for name in names if getattr(pupil, name) != getattr(row, name))


def _leaving(roster: Roster, known: Sequence[KnownPupil], stays: set[UUID]) -> list[KnownPupil]:
    """Who is on the roll and not in the file. Somebody whose row was bad is in the file."""
    return [
        one
        for one in known
        if not one.has_left
        and one.id not in stays
        and (roster.is_whole or one.sourced_id in roster.gone)
        and one.sourced_id not in roster.spoiled
        and sort_key(one.name) not in roster.spoiled
    ]
