"""What the worker does by itself for tenders: closes them after the deadline, and writes rows that are nothing."""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from schoolmeals.actors import SYSTEM
from schoolmeals.clock import Clock, system_clock
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import NotNow
from schoolmeals.jobs import Task
from schoolmeals.procurement.acting import LegalClock, database_clock, deed_clock
from schoolmeals.procurement.actions.bidding import write_cover
from schoolmeals.procurement.actions.closing import close_bidding
from schoolmeals.procurement.adjourning import put_off_overdue
from schoolmeals.procurement.asking_suppliers import ask_supplier
from schoolmeals.procurement.models import Tender
from schoolmeals.procurement.notice_papers import draw_notice
from schoolmeals.procurement.protocol_papers import draw_protocol
from schoolmeals.procurement.protocols import DRAW
from schoolmeals.procurement.queries.tenders import stage_is
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.bids import cover_count
from schoolmeals.procurement.rules.news import TELL
from schoolmeals.procurement.rules.papers import DRAW_NOTICE
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.table import ASK_SUPPLIER
from schoolmeals.procurement.telling import forget_old_subscriptions, tell_subscribers
from schoolmeals.web import frame


def legal_clock(clock: Clock) -> LegalClock:
    """The database's clock; where an installation moves its own by hand, that one."""
    return database_clock if clock is system_clock else deed_clock


def close_due() -> None:
    """Close every tender whose deadline has passed."""
    here = frame()
    keys = ServerKeys.of(here.settings.secret_key)
    with reading(SYSTEM, here.clock()) as look:
        due = [id for id, _until in _at(look, TenderStage.CLOSED)]
    _for_each(due, lambda work, id: close_bidding(work, id, keys=keys, clock=legal_clock(here.clock)))


def put_off_due() -> None:
    """Put off every opening, of bids or prices, whose time is over while shares are missing; the second time the
    bidders are asked for their keys. Once they are asked nothing is put off any more: people finish the opening.
    """
    here = frame()
    keys = ServerKeys.of(here.settings.secret_key)
    with reading(SYSTEM, here.clock()) as look:
        going_on = or_(*(stage_is(stage, look.now) for stage in (TenderStage.OPENING, TenderStage.EVALUATION)))
        due = list(look.session.scalars(select(Tender.id).where(going_on)))
    how: dict[str, Any] = {"keys": keys, "zone": here.zone, "clock": legal_clock(here.clock)}
    _for_each(due, lambda work, id: put_off_overdue(work, id, **how))


def cover() -> None:
    """Write as many rows and pieces that are nothing as chance says, for each tender that takes bids."""
    here = frame()
    keys = ServerKeys.of(here.settings.secret_key)
    with reading(SYSTEM, here.clock()) as look:
        taking = _at(look, TenderStage.BIDDING)
    until = dict(taking)

    def write(work: Work, tender_id: UUID) -> None:
        rows, parts = (cover_count(until[tender_id] - here.clock(), secrets.randbelow) for _ in range(2))
        write_cover(work, tender_id, rows=rows, parts=parts, keys=keys, clock=legal_clock(here.clock))

    _for_each(list(until), write)


def _for_each(tender_ids: Iterable[UUID], deed: Callable[[Work, UUID], object]) -> None:
    """Do something to each tender in a transaction of its own. What has become too late in between is left; one that
    fails keeps no other waiting, and is told of at the end.
    """
    failed: list[Exception] = []
    for tender_id in tender_ids:
        try:
            with transaction(SYSTEM, frame().clock()) as work:
                deed(work, tender_id)
        except NotNow:
            continue
        except Exception as error:  # noqa: BLE001 (the others come first; then all is told)
            failed.append(error)
    if failed:
        raise ExceptionGroup("tenders that could not be worked on", failed)


def _at(look: Work, stage: TenderStage) -> list[tuple[UUID, datetime]]:
    """The tenders at a stage that are not closed yet, with their deadlines."""
    found = select(Tender.id, Tender.bidding_until).where(stage_is(stage, look.now), Tender.closed_at.is_(None))
    return [(id, until) for id, until in look.session.execute(found) if until is not None]


TASKS: tuple[Task, ...] = (
    Task(DRAW_NOTICE, draw_notice),
    Task(TELL, tell_subscribers),
    Task("procurement.forget_subscriptions", forget_old_subscriptions, every="50 1 * * *"),
    Task("procurement.close", close_due, every="* * * * *"),
    Task("procurement.cover", cover, every="*/10 * * * *"),
    Task("procurement.put_off", put_off_due, every="*/10 * * * *"),
    Task(DRAW, draw_protocol),
    Task(ASK_SUPPLIER, ask_supplier),
)
