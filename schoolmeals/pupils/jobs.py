"""What the worker does for the pupils room: it writes long rolls in parts, so that pages can show how far it is."""

from typing import Final
from uuid import UUID

from schoolmeals.actors import SYSTEM
from schoolmeals.database import reading, transaction
from schoolmeals.errors import Conflict
from schoolmeals.jobs import Task
from schoolmeals.keys import derive_key
from schoolmeals.pupils.actions.imports import apply_roster
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.roster_loading import school_names, standing_file
from schoolmeals.web.frame import frame
from schoolmeals.workdays import local_day

APPLY: Final = "pupils.apply_roster"
ROWS_A_PART: Final = 1_000


def apply_in_parts(school_id: str, import_id: str) -> None:
    """Write a confirmed roll. Cut off and started again, it goes on where it stopped."""
    school, which = UUID(school_id), UUID(import_id)
    here = frame()
    try:
        with reading(SYSTEM, here.clock()) as look:
            file_name, content = standing_file(look, school, which)
            names = school_names(look, school)
    except Conflict:
        # Another run has finished it.
        return
    key = derive_key(here.settings.secret_key, "pupils sourced ids")
    roster = read_roster(file_name, content, key=key, school_names=names)
    is_whole = False
    while not is_whole:
        now = here.clock()
        today = local_day(now, here.zone)
        with transaction(SYSTEM, now) as work:
            is_whole = apply_roster(work, school, which, roster=roster, today=today, at_once=ROWS_A_PART)


TASKS: tuple[Task, ...] = (Task(APPLY, apply_in_parts),)
