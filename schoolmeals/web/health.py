"""How the installation is doing: readiness for a load balancer, metrics for Prometheus."""

import os
import shutil
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
LONGEST_WAIT_S: Final = 300
"""A job that has been due for longer means that no worker keeps up."""
_BEGAN: Final = time.monotonic()

REQUESTS: Final = Counter("schoolmeals_requests_total", "Answered requests", ["endpoint", "method", "status"])
SECONDS: Final = Histogram("schoolmeals_request_seconds", "Time to answer", ["endpoint"])

_LAG = text("""
    SELECT coalesce(extract(epoch FROM now() - min(greatest(coalesce(scheduled_at, '-infinity'), first_event.at))), 0)
      FROM procrastinate_jobs AS job
      JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events WHERE job_id = job.id) AS first_event ON true
     WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
""")


def readiness(engine: Engine) -> dict[str, Any]:
    """``status`` ok or not, and each check by name. Never raises: an answer is the point."""
    checks: dict[str, str] = {}
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            checks["database"] = "ok"
            current = MigrationContext.configure(connection).get_current_revision()
            checks["migrations"] = "ok" if current == head_revision() else f"at {current}, not {head_revision()}"
            # What was left undone when all of us stopped is no fault of a worker that has just begun.
            lag_s = int(min(connection.scalar(_LAG) or 0, time.monotonic() - _BEGAN))
            checks["worker"] = "ok" if lag_s <= LONGEST_WAIT_S else f"{lag_s} s behind"
    except SQLAlchemyError as error:
        checks["error"] = type(error).__name__
    return {"status": "ok" if all(found == "ok" for found in checks.values()) else "not-ready", "checks": checks}


@lru_cache(maxsize=1)
def head_revision() -> str | None:
    """The newest migration that this code knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def register(app: Flask) -> None:
    """Count requests and measure their time."""

    @app.before_request
    def start_clock() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(answer: Response) -> Response:
        endpoint = request.endpoint or "none"
        REQUESTS.labels(endpoint, request.method, answer.status_code).inc()
        if "started" in g:
            SECONDS.labels(endpoint).observe(time.perf_counter() - g.started)
        return answer


def count_together(folder: Path) -> None:
    """Let this process and those forked from it count together, in ``folder``, which is emptied for them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    # The library chooses when it is loaded; ours have labels, and every label's counter is made when it is first used.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def metrics_text() -> bytes:
    """All metrics in Prometheus' text format: of all web processes, where they share a folder, else of this one."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)
