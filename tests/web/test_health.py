"""The doors by which machines look after the installation."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, text

from schoolmeals.web.health import head_revision, readiness


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


def test_a_job_that_waits_too_long_is_told(app: Flask, owner_engine: Engine, client: FlaskClient) -> None:
    with owner_engine.begin() as connection:
        connection.execute(
            text(
                "WITH job AS (INSERT INTO procrastinate_jobs (task_name, queue_name, args, status) "
                "VALUES ('late', 'default', '{}', 'todo') RETURNING id) "
                "UPDATE procrastinate_events SET at = now() - interval '1 hour'"
            )
        )
        connection.execute(text("UPDATE procrastinate_events SET at = now() - interval '1 hour'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["worker"] == "3600 s behind"


def test_a_database_that_is_away_is_not_ready() -> None:
    away = create_engine("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    assert readiness(away) == {"status": "not-ready", "checks": {"error": "OperationalError"}}


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("203.0.113.9", 404)])
def test_metrics_are_for_this_machine(client: FlaskClient, address: str, status: int) -> None:
    answer = client.get("/metrics", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == status
    assert (b"schoolmeals_requests_total" in answer.data) is (status == 200)
