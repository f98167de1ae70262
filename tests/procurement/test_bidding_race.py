"""Around the deadline: whatever was acknowledged is in the list, and nothing else; without the lock it would not be."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from flask import Flask

from schoolmeals.actors import SYSTEM, Actor, Role
from schoolmeals.database import Work, transaction
from schoolmeals.errors import NotNow
from schoolmeals.procurement import arriving
from schoolmeals.procurement.acting import Instant, LegalClock, deed_clock
from schoolmeals.procurement.actions.bidding import submit_bid
from schoolmeals.procurement.actions.closing import close_bidding
from schoolmeals.procurement.freezing import frozen_list
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.bids import KEYS, MadeBid, like, make_bid
from tests.factories.identity import OrganisationFactory, actor_of
from tests.factories.procurement import Procurement

LOG = logging.getLogger(__name__)
ROUNDS = 20
SUBMITTERS = 16
RUSH_CLIENTS = 50
RUSH_BIDS = 500
RUSH_P99_S = 3.0
"""What tells a slow machine from a slow deed: here fifty clients and the server are threads of one process. The
promise, one second over HTTP, is held by ``script/bench --only rush``."""


class Race:
    """A tender whose deadline comes in a moment of real time."""

    def __init__(self, app: Flask, world: Procurement, bidders: list[Actor], left: timedelta) -> None:
        self.app, self.world, self.bidders = app, world, bidders
        self.tender_id = world.tender_in(TenderStage.BIDDING)
        self.until = world.until(self.tender_id, "bidding")
        sample = make_bid(world, self.tender_id)
        self.bids = [like(sample, tenderer_of(one)) for one in bidders]
        self._start, self._base = time.monotonic(), self.until - left

    def go(self) -> None:
        """Let time run from now."""
        self._start = time.monotonic()

    def now(self) -> datetime:
        return self._base + timedelta(seconds=time.monotonic() - self._start)

    def submit(self, place: int, clock: LegalClock = deed_clock) -> MadeBid | None:
        """Submit one bid; None where it was refused as late."""
        bid, actor = self.bids[place], self.bidders[place]
        try:
            with self.app.app_context(), transaction(actor, self.now()) as work:
                submit_bid(work, self.tender_id, bid.tenderer_id, bid.manifest, keys=KEYS, clock=clock)
        except NotNow:
            return None
        return bid

    def close(self) -> None:
        """Close as soon as the deadline has passed."""
        while self.now() <= self.until:
            time.sleep(0.001)
        with self.app.app_context(), transaction(SYSTEM, self.now()) as work:
            close_bidding(work, self.tender_id, keys=KEYS, clock=deed_clock)

    def listed(self) -> set[UUID]:
        found = self.world.look(frozen_list, self.tender_id, actor=SYSTEM)
        assert all(one.received_at <= self.until for one in found)
        return {one.id for one in found}


def tenderer_of(actor: Actor) -> UUID:
    return next(iter(actor.schools_as(Role.SUPPLIER)))


def bidders(world: Procurement, count: int) -> list[Actor]:
    """Suppliers, each with somebody who acts for it."""
    person_id = world.supplier.id
    assert person_id is not None
    made = (OrganisationFactory.create(kind="supplier").id for _ in range(count))
    return [actor_of(person_id, (Role.SUPPLIER, id)) for id in made]


def slowly(seconds: float) -> LegalClock:
    """A bid whose deed takes long after the clock was read: the moment in which it could get lost."""

    def clock(work: Work, instant: Instant) -> datetime:
        at = deed_clock(work, instant)
        time.sleep(seconds)
        return at

    return clock


@pytest.mark.slow
def test_what_was_acknowledged_is_in_the_list(app: Flask, world: Procurement) -> None:
    suppliers, chance, late = bidders(world, SUBMITTERS), Random(11), 0
    for _ in range(ROUNDS):
        # Each round has a city of its own: nobody may sit in so many commissions.
        race = Race(app, Procurement(world.clock), suppliers, timedelta(milliseconds=150))
        delays = [chance.uniform(0.05, 0.2) for _ in suppliers]

        def bid(place: int, race: Race = race, delays: list[float] = delays) -> MadeBid | None:
            time.sleep(delays[place])
            return race.submit(place, slowly(0.08) if place % 3 == 0 else deed_clock)

        with ThreadPoolExecutor(SUBMITTERS + 1) as pool:
            race.go()
            closing = pool.submit(race.close)
            answers = list(pool.map(bid, range(SUBMITTERS)))
            closing.result()
        acknowledged = {one.id for one in answers if one is not None}
        late += SUBMITTERS - len(acknowledged)
        assert race.listed() == acknowledged
    assert 0 < late < ROUNDS * SUBMITTERS, "both sides of the deadline were tried"


def meeting(race: Race, seconds: float) -> bool:
    """One bid that has read the clock in time waits until the list is closed, or for ``seconds``, and goes on. Whether
    the list has it, as it must, since it is acknowledged.
    """
    closed, read = threading.Event(), threading.Event()

    def clock(work: Work, instant: Instant) -> datetime:
        at = min(deed_clock(work, instant), race.until)
        read.set()
        closed.wait(seconds)
        return at

    def close() -> None:
        read.wait()
        race.close()
        closed.set()

    with ThreadPoolExecutor(2) as pool:
        race.go()
        closing = pool.submit(close)
        bid = pool.submit(race.submit, 0, clock).result()
        closing.result()
    assert bid is not None
    return race.listed() == {bid.id}


def test_closing_waits_for_a_bid_on_its_way(app: Flask, world: Procurement) -> None:
    assert meeting(Race(app, world, bidders(world, 1), timedelta(milliseconds=1)), 0.5)


def test_without_the_lock_an_acknowledged_bid_is_lost(
    app: Flask, world: Procurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    race = Race(app, world, bidders(world, 1), timedelta(milliseconds=1))
    monkeypatch.setattr(arriving, "LOCK", "")
    assert not meeting(race, 30)


@pytest.mark.slow
def test_a_rush_in_the_last_two_seconds(
    app: Flask, world: Procurement, record_property: Callable[[str, object], None]
) -> None:
    race = Race(app, world, bidders(world, RUSH_BIDS), timedelta(seconds=2))
    took: list[float] = []

    def client(number: int) -> list[MadeBid | None]:
        answers = []
        for place in range(number, RUSH_BIDS, RUSH_CLIENTS):
            began = time.monotonic()
            answers.append(race.submit(place))
            took.append(time.monotonic() - began)
        return answers

    with ThreadPoolExecutor(RUSH_CLIENTS + 1) as pool:
        race.go()
        closing = pool.submit(race.close)
        answers = [one for some in pool.map(client, range(RUSH_CLIENTS)) for one in some]
        closing.result()
    acknowledged = {one.id for one in answers if one is not None}
    assert race.listed() == acknowledged
    assert len(took) == RUSH_BIDS
    p99 = sorted(took)[RUSH_BIDS * 99 // 100 - 1]
    LOG.info("%s of %s in time, p99 %.2f s", len(acknowledged), RUSH_BIDS, p99)
    assert p99 < RUSH_P99_S
