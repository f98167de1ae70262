"""Taps by HTTP, signed as a till signs them, against the server that production runs."""

import base64
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Barrier, Thread
from typing import Final

from gunicorn.config import make_settings

from schoolmeals.serve import Serving, web_settings
from schoolmeals.web.security import device_cookie_name
from tests.bench.ground import SECRET, City, signature_of, till_token
from tests.bench.workload import Batch, batches

SERVERS: Final = ("gunicorn", "granian")
WARM_UP: Final = 3
"""Requests of each client that are not counted."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Taps a second, and how long requests took."""

    rate: int
    p50_ms: int
    p99_ms: int


@contextmanager
def serving(city: City, server: str = "gunicorn") -> Iterator[int]:
    """The product behind ``server`` on a free port of this machine, with two processes; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _running(_command(server, port), _environment(city), port):
        yield port


@contextmanager
def serving_hello() -> Iterator[int]:
    """A bare Flask application behind the same server with as many processes and threads; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _running(_gunicorn("tests.bench.hello:app", port), dict(os.environ), port):
        yield port


@contextmanager
def _running(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def measure(city: City, port: int, size: int, clients: int, seconds: float, *, workload: int, days: range) -> Measured:
    """Send batches of ``size`` from ``clients`` connections for ``seconds``; every answer must be 200 and served.

    Bodies are made and signed before the clock runs: that is the tills' work and not the server's.
    """
    expected = int(seconds * (400 if size == 1 else 40) / clients) + WARM_UP + 10
    prepared = [
        _prepared(city, islice(_of_client(city, size, client, clients, workload, days), expected))
        for client in range(clients)
    ]
    barrier = Barrier(clients + 1)
    spent: list[list[float]] = [[] for _ in range(clients)]
    threads = [
        Thread(target=_client, args=(port, prepared[place], seconds, barrier, spent[place]), daemon=True)
        for place in range(clients)
    ]
    for thread in threads:
        thread.start()
    barrier.wait(timeout=120)
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - begun
    everything = sorted(one for own in spent for one in own)
    assert everything, "no request was answered"
    return Measured(
        round(len(everything) * size / passed), _milliseconds(everything, 50), _milliseconds(everything, 99)
    )


def hello(port: int, clients: int, seconds: float) -> int:
    """Requests a second of :func:`serving_hello`: what the server and the client can do at most."""
    barrier = Barrier(clients)
    spent: list[list[float]] = [[] for _ in range(clients)]

    def ask(own: list[float]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        barrier.wait(timeout=60)
        end = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < end:
            connection.request("GET", "/")
            connection.getresponse().read()
            own.append(time.perf_counter() - begun)
        connection.close()

    threads = [Thread(target=ask, args=(own,), daemon=True) for own in spent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(map(len, spent)) / seconds)


def _of_client(city: City, size: int, client: int, clients: int, workload: int, days: range) -> Iterator[Batch]:
    """The client's own part of the schools, on a till of its own."""
    return batches(city, size, workload=workload + client, days=days, share=client, shares=clients)


def _prepared(city: City, todo: Iterator[Batch]) -> list[tuple[bytes, dict[str, str]]]:
    cookie = device_cookie_name(city.settings)
    requests = []
    for batch in todo:
        body = batch.body()
        headers = {
            "Content-Type": "application/json",
            "Cookie": f"{cookie}={till_token(batch.till_id)}",
            "X-Device-Signature": base64.urlsafe_b64encode(signature_of(body)).decode().rstrip("="),
        }
        requests.append((body, headers))
    return requests


def _client(
    port: int, requests: Sequence[tuple[bytes, dict[str, str]]], seconds: float, barrier: Barrier, spent: list[float]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body, headers in requests[:WARM_UP]:
        _send(connection, body, headers)
    barrier.wait(timeout=120)
    end = time.perf_counter() + seconds
    for body, headers in requests[WARM_UP:]:
        begun = time.perf_counter()
        if begun >= end:
            break
        _send(connection, body, headers)
        spent.append(time.perf_counter() - begun)
    connection.close()


def _send(connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]) -> None:
    connection.request("POST", "/api/till/taps", body, headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content[:500]
    assert b'"refused"' not in content, content[:500]


def _milliseconds(spent: Sequence[float], percent: int) -> int:
    return round(spent[min(len(spent) - 1, len(spent) * percent // 100)] * 1000)


def _command(server: str, port: int) -> list[str]:
    if server == "gunicorn":
        return _gunicorn("schoolmeals.cli:make_app()", port)
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface=wsgi",
        f"--port={port}",
        "--workers=2",
        "--blocking-threads=8",
        "--no-ws",
        "--log-level=warning",
        "--factory",
        "schoolmeals.cli:make_app",
    ]


def _gunicorn(application: str, port: int) -> list[str]:
    """gunicorn with the product's own settings."""
    told = []
    for setting in make_settings().values():
        value = web_settings(Serving(port=port)).get(setting.name)
        if value is not None:
            told.append(setting.cli[-1] if value is True else f"{setting.cli[-1]}={value}")
    return [sys.executable, "-m", "gunicorn", *told, application]


def _environment(city: City) -> dict[str, str]:
    settings = city.settings
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "SCHOOLMEALS_DEMO": "yes",
        "SCHOOLMEALS_SECRET_KEY": SECRET,
        "SCHOOLMEALS_BASE_URL": settings.base_url,
        "SCHOOLMEALS_DATABASE_POOL_SIZE": str(settings.database_pool_size),
    }


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not answer")
