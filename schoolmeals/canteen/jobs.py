"""What the worker does for the canteen: each night it tells the tenders' room what was served."""

from datetime import timedelta
from typing import Final

from schoolmeals import identity
from schoolmeals.actors import SYSTEM
from schoolmeals.canteen.served import tell_served_meals
from schoolmeals.database import reading, transaction
from schoolmeals.jobs import Task
from schoolmeals.web import frame
from schoolmeals.workdays import local_day

FOR_DAYS: Final = timedelta(days=14)
"""Taps of a till without a network, and meals that are taken back, come this late."""


def tell_served() -> None:
    """Tell of the last two weeks, school by school, each in a transaction of its own."""
    here = frame()
    today = local_day(here.clock(), here.zone)
    with reading(SYSTEM, here.clock()) as look:
        schools = [school.id for school in identity.schools(look)]
    for school_id in schools:
        with transaction(SYSTEM, here.clock()) as work:
            tell_served_meals(work, school_id, today - FOR_DAYS, today)


TASKS: tuple[Task, ...] = (Task("canteen.tell_served", tell_served, every="20 1 * * *"),)
