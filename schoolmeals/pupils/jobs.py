"""What the worker does for the pupils room: the tasks that its deeds promise, and those that are due by the clock."""

from schoolmeals.jobs import Task

TASKS: tuple[Task, ...] = ()
