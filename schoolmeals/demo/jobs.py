"""What the worker does for the demo city."""

from datetime import datetime

from schoolmeals.demo.city import TENDERS, tell_tenders
from schoolmeals.jobs import Task


def hold(now: str) -> None:
    """Hold the tenders of the city that was made at ``now``. Done twice, it goes on where it was cut off."""
    tell_tenders(datetime.fromisoformat(now))


TASKS: tuple[Task, ...] = (Task(TENDERS, hold),)
