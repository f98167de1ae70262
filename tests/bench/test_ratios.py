"""Ratios that hold on a busy machine too, because both sides of each are measured in the same run."""

import time
from collections.abc import Iterator
from threading import Barrier, Thread

import pytest

from schoolmeals.app import create_app
from schoolmeals.database import db
from tests.bench import in_process
from tests.bench.ground import City, bench_server, build_city, settings_for
from tests.bench.workload import Batch, batches

SECONDS = 2.0
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    """A small city on a server with normal durability."""
    with bench_server() as server:
        built = build_city(settings_for(server), schools=8, pupils_each=100)
        in_process.settle(built)
        yield built


def test_a_batch_of_a_hundred_is_three_times_as_fast_as_single_taps(city: City) -> None:
    single = in_process.measure(city, 1, SECONDS, workload=1, days=range(1, 8))
    batch = in_process.measure(city, 100, SECONDS, workload=2, days=range(8, 20))
    assert batch >= 3 * single, (batch, single)


def test_many_clients_of_one_school_do_not_stand_in_each_others_way(city: City) -> None:
    # In turns, and the best of each: what else the machine does meets both sides alike.
    eight, many = [], []
    for turn in range(3):
        day = 20 + 5 * turn
        eight.append(clients_of_one_school(city, 8, workload=20 + turn, days=range(day, day + 2)))
        many.append(clients_of_one_school(city, 32, workload=60 + turn, days=range(day + 2, day + 5)))
    assert max(many) >= 0.6 * max(eight), (many, eight)


def clients_of_one_school(city: City, clients: int, *, workload: int, days: range) -> int:
    """Single taps a second of ``clients`` threads, each with pupils of its own; all at the tills of one school."""
    app = create_app(city.settings)
    school = city.schools[0]
    todo = [one for one in batches(city, 1, workload=workload, days=days) if one.school is school]
    barrier, counts = Barrier(clients), [0] * clients

    def work(place: int) -> None:
        with app.app_context():
            barrier.wait(timeout=60)
            end = time.perf_counter() + SECONDS
            for batch in todo[place::clients]:
                if time.perf_counter() >= end:
                    return
                in_process.ring(at_till(batch, place))
                counts[place] += 1

    threads = [Thread(target=work, args=(place,)) for place in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - begun
    with app.app_context():
        db.engine.dispose()
    return round(sum(counts) / passed)


def at_till(batch: Batch, place: int) -> Batch:
    """The batch at one of the school's tills, so that not all clients queue at one."""
    tills = batch.school.till_ids
    return Batch(batch.school, tills[place % len(tills)], batch.at, batch.places, batch.first_seq)
