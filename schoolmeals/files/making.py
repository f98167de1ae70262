"""What a task of the worker does with an ordered paper: draws it, does what belongs to it, and puts it in its place.

Nothing that belongs to a paper is done before the paper is there, and nothing is done without it: where the drawing
fails, the cards that were to be replaced still open.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from sqlalchemy import func, update

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import NotFound, Refusal
from schoolmeals.files.actions import fail_paper, finish_paper
from schoolmeals.files.models import KeptFile
from schoolmeals.files.papers import drawn
from schoolmeals.files.queries import content_of, kept_file
from schoolmeals.files.rules import PAPER, FileStage, KeptFacts
from schoolmeals.keys import derive_key
from schoolmeals.web.frame import frame

TOLD_EVERY: Final = 5
"""Pages between two updates of the row; every page would be a heap of dead rows."""


def file_key() -> bytes:
    """The key that kept files are sealed with. Needs an app context."""
    return derive_key(frame().settings.secret_key, "files content")


def make_paper(file_id: UUID, then: Callable[[Work, KeptFacts], None] | None = None) -> None:
    """Draw an ordered paper, and do ``then`` in the transaction that puts it in its place.

    A refusal of ``then`` and a paper that cannot be drawn are told on the paper's page; they are not tried again. A
    paper that is finished, too old or forgotten is passed over, so running twice does it once.
    """
    now = frame().clock
    try:
        with reading(SYSTEM, now()) as look:
            order = kept_file(look, file_id, kind=PAPER)
            if order.stage is not FileStage.MAKING:
                return
            html = content_of(look, file_key(), file_id).decode()
    except NotFound:
        return
    try:
        pdf = drawn(html, lambda page: _tell(file_id, page))
        with transaction(SYSTEM, now()) as work:
            if finish_paper(work, file_key(), file_id, pdf) and then is not None:
                then(work, order)
    except Refusal as refusal:
        with transaction(SYSTEM, now()) as work:
            fail_paper(work, file_id, refusal.code)


def _tell(file_id: UUID, page: int) -> None:
    if page % TOLD_EVERY:
        return
    with transaction(SYSTEM, frame().clock()) as work:
        work.session.execute(
            update(KeptFile)
            .where(KeptFile.id == file_id, KeptFile.ready_at.is_(None))
            .values(pages_done=func.least(page, KeptFile.pages_total))
        )
