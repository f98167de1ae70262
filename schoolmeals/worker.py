"""The worker: does the jobs that deeds have promised, and what is due by the clock.

Each job runs in the app's context and opens its own transaction, as the system. A job that fails is tried again with
growing pauses; one that was cut off by a crash is taken up again when its worker is seen to be gone.
"""

from collections.abc import Callable
from typing import Any, Final

from flask import Flask
from procrastinate import App, PsycopgConnector, RetryStrategy
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url

from schoolmeals.canteen import jobs as canteen_jobs
from schoolmeals.demo import jobs as demo_jobs
from schoolmeals.files import jobs as files_jobs
from schoolmeals.identity import jobs as identity_jobs
from schoolmeals.jobs import Task, tasks_of
from schoolmeals.parents import jobs as parents_jobs
from schoolmeals.procurement import jobs as procurement_jobs
from schoolmeals.pupils import jobs as pupils_jobs
from schoolmeals.wallet import jobs as wallet_jobs

ROOMS: Final = (
    files_jobs,
    pupils_jobs,
    wallet_jobs,
    canteen_jobs,
    parents_jobs,
    identity_jobs,
    procurement_jobs,
    demo_jobs,
)
RETRY: Final = RetryStrategy(max_attempts=8, exponential_wait=4)
STALLED_AFTER_S: Final = 120
KEEP_FINISHED_HOURS: Final = 7 * 24


def run_worker(flask_app: Flask, *, concurrency: int = 2, wait: bool = True) -> None:
    """Work until stopped; with ``wait`` False, until nothing is due."""
    queue = queue_of(flask_app)
    with flask_app.app_context():
        address = flask_app.config["SQLALCHEMY_DATABASE_URI"]
    with queue.replace_connector(PsycopgConnector(conninfo=conninfo(address))) as connected:
        connected.run_worker(concurrency=concurrency, wait=wait, install_signal_handlers=wait)


def queue_of(flask_app: Flask) -> App:
    """The job library's app with all our tasks, each wrapped in ``flask_app``'s context."""
    queue = App(connector=PsycopgConnector())
    for room in ROOMS:
        for task in tasks_of(room):
            _register(queue, flask_app, task)
    _look_after_itself(queue)
    return queue


def conninfo(address: str) -> str:
    """SQLAlchemy's address as libpq reads it. Not as a URL again: the two write a space differently."""
    url = make_url(address)
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    return make_conninfo("", **url.translate_connect_args(username="user", database="dbname"), **query)


def _register(queue: App, flask_app: Flask, task: Task) -> None:
    run = _in_context(flask_app, task.do)
    if task.every is None:
        queue.task(name=task.name, retry=RETRY)(run)
        return

    def run_by_clock(timestamp: int) -> None:  # noqa: ARG001 (the library hands it to every periodic task)
        run()

    queue.periodic(cron=task.every)(queue.task(name=task.name, queueing_lock=task.name)(run_by_clock))


def _in_context(flask_app: Flask, do: Callable[..., None]) -> Callable[..., None]:
    def run(**arguments: Any) -> None:
        with flask_app.app_context():
            do(**arguments)

    return run


def _look_after_itself(queue: App) -> None:
    @queue.periodic(cron="*/5 * * * *")
    @queue.task(name="jobs.retry_stalled", queueing_lock="jobs.retry_stalled")
    async def retry_stalled(timestamp: int) -> None:  # noqa: ARG001
        for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
            await queue.job_manager.retry_job(job)

    @queue.periodic(cron="17 2 * * *")
    @queue.task(name="jobs.forget_finished", queueing_lock="jobs.forget_finished")
    async def forget_finished(timestamp: int) -> None:  # noqa: ARG001
        await queue.job_manager.delete_old_jobs(nb_hours=KEEP_FINISHED_HOURS, include_failed=False)
