"""Jobs: work that is promised inside a deed and done by the worker afterwards.

A job is a row, written on the deed's own connection: where the deed is rolled back, the job never existed. Rooms name
the task and its plain arguments; the tasks themselves are put together at the roof, in :mod:`schoolmeals.worker`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from procrastinate import App, SyncPsycopgConnector

from schoolmeals.database import Work

_queue: Final = App(connector=SyncPsycopgConnector())


def defer(work: Work, task: str, *, lock: str | None = None, **arguments: Any) -> None:
    """Promise ``task`` with JSON ``arguments``, once ``work`` is committed. Jobs with the same ``lock`` run one by
    one.
    """
    connection = work.session.connection().connection.driver_connection
    _queue.configure_task(task, connection=connection, lock=lock).defer(**arguments)


@dataclass(frozen=True, slots=True)
class Task:
    """Something the worker does. ``every`` is a cron line for what is due by the clock; None for what deeds promise."""

    name: str
    do: Callable[..., None]
    every: str | None = None


def tasks_of(room: ModuleType) -> tuple[Task, ...]:
    """The tasks of a room's ``jobs.py``: its tuple ``TASKS``."""
    tasks: tuple[Task, ...] = room.TASKS
    return tasks
