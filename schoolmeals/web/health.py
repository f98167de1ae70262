"""How the installation is doing: readiness for a load balancer, metrics for Prometheus."""

import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
LONGEST_WAIT_S: Final = 300
"""A job that has been due for longer means that no worker keeps up."""

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
            lag_s = int(connection.scalar(_LAG) or 0)
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


def metrics_text() -> bytes:
    """All metrics in Prometheus' text format: of all web processes, where they share a folder, else of this one."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)
