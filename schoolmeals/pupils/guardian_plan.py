"""What a roll changes in the list of guardians: who is new, who has another name or number, who is gone. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from schoolmeals.pupils.roster import GuardianRow, Roster


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
    listed = {(one.pupil_id, one.row.sourced_id): one for one in known}
    named: set[UUID] = set()
    for sourced_id, pupil_id in pupil_ids.items():
        for row in roster.guardians.get(sourced_id, ()):
            found = listed.get((pupil_id, row.sourced_id))
            if found is None:
                plan.new.append((pupil_id, row))
                continue
            named.add(found.id)
            if found.row != row or not found.is_listed:
                plan.changed.append((found.id, row))
    in_file = set(pupil_ids.values())
    for one in known:
        is_silent = roster.is_whole and one.pupil_id in in_file and one.id not in named
        if one.is_listed and (is_silent or one.row.sourced_id in roster.gone_guardians):
            plan.gone.append(one.id)
    return plan
