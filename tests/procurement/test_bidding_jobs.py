"""What the worker does for bids by itself: it closes what is due, and covers what must not be counted."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select

from schoolmeals.database import Work
from schoolmeals.procurement import jobs
from schoolmeals.procurement.models import CiphertextPart, SealedRow, Tender
from schoolmeals.procurement.rules.bids import cover_count
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.worker import queue_of
from tests.factories.procurement import Procurement


def counts(work: Work) -> tuple[int, int]:
    found = [work.session.scalar(select(func.count()).select_from(table)) for table in (SealedRow, CiphertextPart)]
    return (found[0] or 0, found[1] or 0)


def test_the_worker_knows_them(app: Flask) -> None:
    assert {"procurement.close", "procurement.cover"} <= set(queue_of(app).tasks)


def test_it_closes_what_is_due_and_nothing_else(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    jobs.close_due()
    assert world.stage(tender_id) is TenderStage.BIDDING
    world.clock.now = world.until(tender_id, "bidding") + timedelta(seconds=1)
    jobs.close_due()
    jobs.close_due()
    assert world.look(lambda work: work.session.get_one(Tender, tender_id).closed_at) is not None


def test_it_covers_tenders_that_take_bids(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    world.clock.now = world.until(tender_id, "bidding") - timedelta(minutes=50)
    for _ in range(5):
        jobs.cover()
    rows, parts = world.look(counts)
    assert 0 < rows <= 5 * 24
    assert 0 < parts <= 5 * 24
    world.clock.now = world.until(tender_id, "bidding") + timedelta(seconds=1)
    jobs.cover()
    assert world.look(counts) == (rows, parts)


def test_covers_come_when_bids_come() -> None:
    spans = (timedelta(minutes=59), timedelta(hours=20), timedelta(days=2), timedelta(days=9))
    assert [cover_count(span, lambda limit: limit - 1) for span in spans] == [24, 8, 3, 1]
    assert [cover_count(span, lambda _limit: 0) for span in spans] == [0, 0, 0, 0]
