"""The doors by which machines look after the installation."""

import multiprocessing
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import values
from sqlalchemy import Engine, create_engine, text

from schoolmeals.web import health
from schoolmeals.web.health import count_together, head_revision, metrics_text, readiness


def test_the_process_is_alive(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_a_migrated_database_is_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ok", "checks": {"database": "ok", "migrations": "ok", "worker": "ok"}}


def test_a_database_at_another_migration_is_not_ready(app: Flask, owner_engine: Engine, client: FlaskClient) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    try:
        answer = client.get("/readyz")
    finally:
        with owner_engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head_revision()})
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["migrations"] == f"at 0000, not {head_revision()}"


@pytest.fixture
def job_of_an_hour_ago(app: Flask, owner_engine: Engine) -> None:
    with owner_engine.begin() as connection:
        connection.execute(
            text(
                "WITH job AS (INSERT INTO procrastinate_jobs (task_name, queue_name, args, status) "
                "VALUES ('late', 'default', '{}', 'todo') RETURNING id) "
                "UPDATE procrastinate_events SET at = now() - interval '1 hour'"
            )
        )
        connection.execute(text("UPDATE procrastinate_events SET at = now() - interval '1 hour'"))


@pytest.mark.usefixtures("job_of_an_hour_ago")
def test_a_job_that_waits_too_long_is_told(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_BEGAN", time.monotonic() - 7200)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["worker"] == "3600 s behind"


@pytest.mark.usefixtures("job_of_an_hour_ago")
def test_what_waited_while_nobody_served_is_no_reason_not_to_begin(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_BEGAN", time.monotonic() - 290)
    assert client.get("/readyz").get_json()["checks"]["worker"] == "ok"
    monkeypatch.setattr(health, "_BEGAN", time.monotonic() - 302)
    assert client.get("/readyz").get_json()["checks"]["worker"] in ("302 s behind", "303 s behind")


def test_a_database_that_is_away_is_not_ready() -> None:
    away = create_engine("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    assert readiness(away) == {"status": "not-ready", "checks": {"error": "OperationalError"}}


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("203.0.113.9", 404)])
def test_metrics_are_for_this_machine(client: FlaskClient, address: str, status: int) -> None:
    answer = client.get("/metrics", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status
    assert (b"schoolmeals_requests_total" in answer.data) is (status == 200)


def _count(times: int) -> None:
    for _ in range(times):
        health.REQUESTS.labels("counted.together", "GET", 200).inc()


@pytest.mark.parametrize(("is_planted", "found"), [(False, b"} 7.0"), (True, b"")])
def test_processes_that_part_after_loading_count_together(
    is_planted: bool, found: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the library keeps what it chose when it was loaded, and each process counts for itself."""
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    if is_planted:
        monkeypatch.setattr(values, "get_value_class", lambda chosen=values.ValueClass: chosen)
    count_together(tmp_path / "metrics")
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=_count, args=(times,)) for times in (3, 4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    told = [line for line in metrics_text().splitlines() if b"counted.together" in line and b"_total" in line]
    assert [line.endswith(found) for line in told] == ([] if is_planted else [True])
