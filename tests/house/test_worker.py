"""The worker knows every room's tasks, does what a deed has promised, and nothing that was rolled back."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from schoolmeals.database import Work
from schoolmeals.jobs import Task, defer
from schoolmeals.parents import jobs as parents_jobs
from schoolmeals.worker import conninfo, queue_of, run_worker

PROMISED = "parents.promised_in_a_test"


def jobs(work: Work) -> list[tuple[str, str]]:
    rows = work.session.execute(text("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id"))
    return [(name, status) for name, status in rows if name == PROMISED]


def test_the_worker_knows_what_each_room_has_to_do(app: Flask) -> None:
    assert {"wallet.reconcile", "parents.tell_lately", "pupils.apply_roster", "jobs.retry_stalled"} <= set(
        queue_of(app).tasks
    )


def test_a_promise_is_kept_in_the_apps_context(app: Flask, do: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    monkeypatch.setattr(parents_jobs, "TASKS", (Task(PROMISED, lambda what: kept.append(what)),))
    do(defer, PROMISED, what="bread")
    assert do(jobs) == [(PROMISED, "todo")]
    run_worker(app, wait=False)
    assert kept == ["bread"]
    assert do(jobs) == [(PROMISED, "succeeded")]


def test_a_promise_of_a_deed_that_failed_was_never_made(app: Flask, do: Any) -> None:
    def fail(work: Work) -> None:
        defer(work, PROMISED, what="bread")
        raise RuntimeError("the deed went wrong")

    with pytest.raises(RuntimeError):
        do(fail)
    assert do(jobs) == []


def test_a_socket_in_a_folder_with_spaces_is_found() -> None:
    address = "postgresql+psycopg://schoolmeals_app@/meals?host=/srv/school%20meals/socket"
    assert conninfo(address) == "dbname=meals user=schoolmeals_app host='/srv/school meals/socket'"
