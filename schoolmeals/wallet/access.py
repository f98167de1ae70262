"""Whose purse may be seen by whom: a pupil's guardians see theirs, a school's office sees its pupils', the city all."""

from typing import Final
from uuid import UUID

from schoolmeals import identity, pupils
from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work

OFFICE: Final = (Role.SCHOOL_OFFICE, Role.CITY_ADMIN, Role.AUDITOR)
"""Who may look at a school's purses. A till never does."""


def require_reach(work: Work, school_id: UUID, pupil_id: UUID) -> None:
    """Raise NotFound where the actor may not see the pupil's purse. The system sees every one."""
    if work.actor.kind is ActorKind.SYSTEM:
        return
    if work.actor.has_role_in(school_id, OFFICE):
        identity.require_role_in(work, school_id, *OFFICE)
        pupils.pupil(work, school_id, pupil_id)
    else:
        pupils.require_guardian(work, school_id, pupil_id)
