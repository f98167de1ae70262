"""What the worker does for bids by itself: it closes what is due, and covers what must not be counted."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work
from schoolmeals.errors import Conflict
from schoolmeals.procurement import jobs
from schoolmeals.procurement.acting import acts_of
from schoolmeals.procurement.models import CiphertextPart, SealedRow, Tender
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.bids import cover_count
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.worker import queue_of
from tests.factories.bids import hand_in
from tests.factories.procurement import Procurement
from tests.procurement.test_bidding_opening import start


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


def test_it_puts_an_opening_off_to_which_too_few_come_and_then_asks_the_bidders(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    hand_in(world, tender_id)
    start(world, tender_id)
    jobs.put_off_due()
    assert adjourned(world, tender_id) == []
    for asked in ([False], [False, True]):
        world.clock.now = world.until(tender_id, "opening") + timedelta(seconds=1)
        jobs.put_off_due()
        jobs.put_off_due()
        assert adjourned(world, tender_id) == asked
    # From here on it is for people: the bidders have their term, and then the chair finishes.
    world.clock.now = max(world.until(tender_id, name) for name in ("opening", "reveal")) + timedelta(seconds=1)
    jobs.put_off_due()
    assert adjourned(world, tender_id) == [False, True]


@pytest.mark.parametrize("job", ["close_due", "put_off_due"])
def test_one_that_cannot_be_worked_on_keeps_no_other_waiting(
    world: Procurement, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    stage = TenderStage.BIDDING if job == "close_due" else TenderStage.OPENING
    tenders = {world.tender_in(stage), world.tender_in(stage)}
    world.clock.move(timedelta(days=90))
    tried: list[UUID] = []

    def fail_first(_work: Work, tender_id: UUID, **_how: Any) -> None:
        tried.append(tender_id)
        if len(tried) == 1:
            raise Conflict("sealed-row-damaged", "Damaged")

    monkeypatch.setattr(jobs, "close_bidding" if job == "close_due" else "put_off_overdue", fail_first)
    with pytest.raises(ExceptionGroup):
        getattr(jobs, job)()
    assert set(tried) == tenders


def test_it_leaves_an_opening_alone_in_which_nothing_waits(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.OPENING)
    world.clock.now = world.until(tender_id, "opening") + timedelta(seconds=1)
    jobs.put_off_due()
    assert adjourned(world, tender_id) == []


def adjourned(world: Procurement, tender_id: UUID) -> list[bool]:
    """Whether bidders were asked, for each time that the opening was put off."""
    acts = world.look(acts_of, tender_id, actor=SYSTEM)
    return [one.payload["asks_bidders"] for one in acts if one.kind is ActKind.OPENING_ADJOURNED]


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
