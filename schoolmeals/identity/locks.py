"""What deeds about one person wait for."""

from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.identity.models import Person


def lock_person(work: Work, person_id: UUID) -> None:
    """Let deeds about one person's roles come one after the other: whoever counts what a role stands on, locks first.
    Rows that only point at the person are not held up.
    """
    work.session.scalar(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
