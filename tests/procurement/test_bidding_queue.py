"""Two requests of one supplier at once: a double click, or two people of the same firm. And what a bid costs."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from schoolmeals import asking
from schoolmeals.database import Work, transaction
from schoolmeals.errors import Conflict
from schoolmeals.procurement import arriving
from schoolmeals.procurement.acting import Instant, LegalClock, deed_clock
from schoolmeals.procurement.actions.bidding import submit_bid
from schoolmeals.procurement.queries.bids import own_bids
from schoolmeals.procurement.rows import Receipt
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.bids import KEYS, MadeBid, like, make_bid
from tests.factories.procurement import Procurement


class Two:
    """One bid has read the clock, and waits for another of the same supplier to be through, or for ``seconds``."""

    def __init__(self, app: Flask, world: Procurement, seconds: float) -> None:
        self.app, self.world, self.seconds = app, world, seconds
        self.tender_id = world.tender_in(TenderStage.BIDDING)
        self.read, self.through = threading.Event(), threading.Event()

    def submit(self, bid: MadeBid, clock: LegalClock) -> Receipt | Exception:
        try:
            with self.app.app_context(), transaction(self.world.supplier, self.world.clock()) as work:
                return submit_bid(work, self.tender_id, bid.tenderer_id, bid.manifest, keys=KEYS, clock=clock)
        except (Conflict, IntegrityError) as error:
            return error

    def meet(self, first: MadeBid, second: MadeBid) -> tuple[Receipt | Exception, Receipt | Exception]:
        def waiting(work: Work, instant: Instant) -> datetime:
            self.read.set()
            self.through.wait(self.seconds)
            return deed_clock(work, instant)

        def follow() -> Receipt | Exception:
            self.read.wait(30)
            answer = self.submit(second, deed_clock)
            self.through.set()
            return answer

        with ThreadPoolExecutor(2) as pool:
            one, other = pool.submit(self.submit, first, waiting), pool.submit(follow)
            return one.result(), other.result()

    def standing(self) -> list[UUID | None]:
        found = self.world.look(own_bids, self.tender_id, self.world.supplier_id, keys=KEYS, actor=self.world.supplier)
        return [one.bid_id for one in found]


def test_the_same_bid_twice_at_once_is_one_bid(app: Flask, world: Procurement) -> None:
    two = Two(app, world, 0.5)
    bid = make_bid(world, two.tender_id)
    first, second = two.meet(bid, bid)
    assert isinstance(first, Receipt)
    assert first == second
    assert two.standing() == [bid.id]


def test_of_two_bids_for_a_lot_at_once_the_second_is_told_of_the_first(app: Flask, world: Procurement) -> None:
    two = Two(app, world, 0.5)
    bid = make_bid(world, two.tender_id)
    first, second = two.meet(bid, like(bid, bid.tenderer_id))
    assert isinstance(first, Receipt)
    assert isinstance(second, Conflict)
    assert second.code == "bid-there"
    assert two.standing() == [bid.id]


def test_without_the_queue_one_of_them_fails(app: Flask, world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(app, world, 30)
    monkeypatch.setattr(arriving, "queueing", lambda *_about: [])
    bid, other = make_bid(world, two.tender_id), make_bid(world, two.tender_id)
    first, second = two.meet(bid, other)
    assert isinstance(first, IntegrityError)
    assert isinstance(second, Receipt)
    assert two.standing() == [other.id]


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows by one for each."""
    sent: list[Any] = []
    once: Callable[..., None] = asking._send

    def counted(*everything: Any) -> None:
        sent.append(everything)
        once(*everything)

    monkeypatch.setattr(asking, "_send", counted)
    return sent


def test_a_bid_takes_two_round_trips(app: Flask, world: Procurement, round_trips: list[Any]) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = make_bid(world, tender_id)
    about = (submit_bid, tender_id, bid.tenderer_id, bid.manifest)
    round_trips.clear()
    world.do(*about, keys=KEYS, clock=deed_clock, actor=world.supplier)
    # What it is judged by, behind the locks; its row, the log's event and the commit.
    assert len(round_trips) == 2
    round_trips.clear()
    world.clock.now = world.until(tender_id, "bidding")
    round_trips.clear()
    world.do(*about, keys=KEYS, clock=deed_clock, actor=world.supplier)
    assert len(round_trips) == 2, "the receipt again: the same questions, and the commit"
