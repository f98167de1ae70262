"""What the worker does for the parents room: it looks every minute for what guardians should be told."""

from datetime import timedelta
from typing import Final

from schoolmeals.actors import SYSTEM
from schoolmeals.database import transaction
from schoolmeals.jobs import Task
from schoolmeals.parents.notices import collect_notices
from schoolmeals.web import frame

LATELY: Final = timedelta(minutes=15)
"""Windows overlap, so that a minute that was missed is made up for."""
FOR_DAYS: Final = timedelta(days=4)
"""Once a night, for whatever the worker slept through."""


def tell_lately() -> None:
    """Tell what was recorded in the last quarter of an hour and not told yet."""
    _tell(LATELY)


def tell_of_days() -> None:
    """Tell what was recorded in the last four days and not told yet."""
    _tell(FOR_DAYS)


def _tell(span: timedelta) -> None:
    now = frame().clock()
    with transaction(SYSTEM, now) as work:
        collect_notices(work, since=now - span, zone=frame().zone)


TASKS: tuple[Task, ...] = (
    Task("parents.tell_lately", tell_lately, every="* * * * *"),
    Task("parents.tell_of_days", tell_of_days, every="40 1 * * *"),
)
