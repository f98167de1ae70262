"""What deeds about one person wait for."""

from typing import Final
from uuid import UUID

from schoolmeals.asking import Question, nothing
from schoolmeals.database import Work

_LOCK: Final = "SELECT id FROM person WHERE id = %(id)s FOR NO KEY UPDATE"


def lock_person(work: Work, person_id: UUID) -> None:
    """Let deeds about one person's roles come one after the other: whoever counts what a role stands on, locks first.
    Rows that only point at the person are not held up.
    """
    work.ask(lock_question(person_id))


def lock_question(person_id: UUID) -> Question[None]:
    """What ``lock_person`` asks, to be asked with other things."""
    return Question(_LOCK, {"id": person_id}, nothing)
