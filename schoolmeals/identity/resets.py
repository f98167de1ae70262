"""The codes that open a new password, as rows: how one is taken, and how it ends."""

from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from schoolmeals.database import Work
from schoolmeals.identity.models import PasswordReset

RESET: Final = "password-reset"
"""What such a code is called where codes are hashed, attempts are counted and deeds are recorded."""


def lock_standing(work: Work, code_hash: bytes) -> PasswordReset | None:
    """The reset of a code that can be used now, locked, so that of two who come at once the second finds it used."""
    return work.session.scalar(
        select(PasswordReset)
        .where(
            PasswordReset.code_hash == code_hash,
            PasswordReset.used_at.is_(None),
            PasswordReset.expires_at > work.now,
        )
        .with_for_update()
    )


def end_resets_of(work: Work, person_id: UUID) -> None:
    """Only the latest code for a person opens."""
    work.session.execute(
        update(PasswordReset)
        .where(
            PasswordReset.person_id == person_id, PasswordReset.used_at.is_(None), PasswordReset.expires_at > work.now
        )
        .values(expires_at=work.now)
    )
