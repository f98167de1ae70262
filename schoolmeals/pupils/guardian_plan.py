"""What a roll changes in the list of guardians: who is new, who has another name or number, who is gone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from schoolmeals.pupils.roster import MADE_ID, GuardianRow, Roster
from schoolmeals.pupils.rules import sort_key


@dataclass(frozen=True, slots=True)
class KnownGuardian:
    """A guardian of a pupil as the list has them, also one whom it no longer names."""

    id: UUID
    pupil_id: UUID
    row: GuardianRow
    is_listed: bool


@dataclass(slots=True)
class GuardianPlan:
    """Everything that applying a roll would do to the list."""

    new: list[tuple[UUID, GuardianRow]] = field(default_factory=list)
    """With the pupil's id."""
    changed: list[tuple[UUID, GuardianRow]] = field(default_factory=list)
    """With the list's id: another name, address or number, or named again."""
    gone: list[UUID] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def plan_guardians(roster: Roster, pupil_ids: Mapping[str, UUID], known: Sequence[KnownGuardian]) -> GuardianPlan:
    """Compare the file with the list. ``pupil_ids``: the pupils of the file by sourced id.

    A file that tells of no guardians changes nothing. Silence in a file of changes says nothing either.
    """
    plan = GuardianPlan()
    if roster.guardians is None:
        return plan
    listed: dict[UUID, list[KnownGuardian]] = {}
    for one in known:
        listed.setdefault(one.pupil_id, []).append(one)
    named: set[UUID] = set()
    for sourced_id, pupil_id in pupil_ids.items():
        for row, found in _matched(roster.guardians.get(sourced_id, ()), listed.get(pupil_id, ())):
            if found is None:
                plan.new.append((pupil_id, row))
                continue
            named.add(found.id)
            if found.row != row or not found.is_listed:
                plan.changed.append((found.id, row))
    told = {pupil_id for sourced_id, pupil_id in pupil_ids.items() if sourced_id not in roster.half_told}
    for one in known:
        is_silent = roster.is_whole and one.pupil_id in told and one.id not in named
        if one.is_listed and (is_silent or one.row.sourced_id in roster.gone_guardians):
            plan.gone.append(one.id)
    return plan


def _matched(
    rows: Sequence[GuardianRow], known: Sequence[KnownGuardian]
) -> Iterator[tuple[GuardianRow, KnownGuardian | None]]:
    """Each row with whom it means among those known at the same pupil: by the id, else by the name.

    So somebody stays who they are when a school changes from tables to OneRoster or back. An id that was made from a
    name never takes the place of a real one.
    """
    by_id = {one.row.sourced_id: one for one in known}
    in_file = {row.sourced_id for row in rows}
    by_name = {sort_key(one.row.name): one for one in known if one.row.sourced_id not in in_file}
    for row in rows:
        found = by_id.get(row.sourced_id) or by_name.pop(sort_key(row.name), None)
        is_made = found is not None and row.sourced_id.startswith(MADE_ID)
        yield (replace(row, sourced_id=found.row.sourced_id) if found and is_made else row), found
