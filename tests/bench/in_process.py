"""``ring_up`` without the web: one at a time, and in batches, in one process and in two."""

import multiprocessing
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import create_engine, text

from schoolmeals.actors import device
from schoolmeals.app import create_app
from schoolmeals.canteen.actions.taps import ring_up
from schoolmeals.database import db, transaction
from tests.bench.ground import City
from tests.bench.workload import Batch, batches

WARM_UP_BATCHES = 5


def settle(city: City) -> None:
    """Sell something in every school on the first day, and let PostgreSQL count its rows, as it does in any real city.

    What is planned on tables that were never counted reads all sales of a school to check one line's foreign key.
    """
    app = create_app(city.settings)
    with app.app_context():
        for batch in batches(city, min(100, len(city.schools[0].card_hashes)), workload=999, days=range(1)):
            ring(batch)
        db.engine.dispose()
    owner = create_engine(city.settings.database_owner_url, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("ANALYZE"))
    owner.dispose()


def measure(city: City, size: int, seconds: float, *, workload: int, days: range) -> int:
    """Taps a second in this process."""
    return run(city, batches(city, size, workload=workload, days=days), seconds)


def measure_two(city: City, size: int, seconds: float, *, workload: int, days: range) -> int:
    """Taps a second in two processes together, each with half of the schools."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=_share, args=(city, size, seconds, workload + share, days, share, barrier, results))
        for share in range(2)
    ]
    for process in processes:
        process.start()
    total: int = sum(results.get(timeout=seconds + 60) for _ in processes)
    for process in processes:
        process.join()
    return total


def run(city: City, todo: Iterator[Batch], seconds: float, barrier: Any = None) -> int:
    """Ring up batches for ``seconds`` and give the taps a second; every tap must be served."""
    app = create_app(city.settings)
    with app.app_context():
        for _ in range(WARM_UP_BATCHES):
            ring(next(todo))
        if barrier is not None:
            barrier.wait(timeout=60)
        begun, taps = time.perf_counter(), 0
        for batch in todo:
            taps += ring(batch)
            if time.perf_counter() - begun >= seconds:
                break
        passed = time.perf_counter() - begun
        db.engine.dispose()
    return round(taps / passed)


def ring(batch: Batch) -> int:
    """Ring up one batch in a transaction of its own."""
    with transaction(device(batch.till_id, batch.school.id), batch.at) as work:
        answers = ring_up(work, batch.orders())
    assert all(answer.is_served for answer in answers), answers[0]
    return len(answers)


def _share(
    city: City, size: int, seconds: float, workload: int, days: range, share: int, barrier: Any, results: Any
) -> None:
    todo = batches(city, size, workload=workload, days=days, share=share, shares=2)
    results.put(run(city, todo, seconds, barrier))
