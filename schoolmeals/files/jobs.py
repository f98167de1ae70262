"""What the worker does for kept files: draws papers that need nothing else, and forgets what is too old."""

from typing import Final
from uuid import UUID

from schoolmeals.actors import SYSTEM
from schoolmeals.database import transaction
from schoolmeals.files.actions import forget_files
from schoolmeals.files.making import make_paper
from schoolmeals.jobs import Task
from schoolmeals.web.frame import frame

DRAW: Final = "files.draw_paper"


def draw_paper(file_id: str) -> None:
    """Draw a paper with which no deed is done."""
    make_paper(UUID(file_id))


def forget_old_files() -> None:
    """Delete what nobody may fetch any more."""
    with transaction(SYSTEM, frame().clock()) as work:
        forget_files(work)


TASKS: tuple[Task, ...] = (
    Task(DRAW, draw_paper),
    Task("files.forget_old_files", forget_old_files, every="25 2 * * *"),
)
