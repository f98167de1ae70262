"""Web and worker are served as one: they start together and end together, whichever way it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schoolmeals.serve import ServeError, Serving, refuse_taken_port, web_command

SUPERVISOR = """
import os, sys
from schoolmeals import serve

port, marks, web, worker = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
serving = serve.Serving(port=port)
serve.web_command = lambda _: [sys.executable, "-c", web, str(port), marks]
serve.worker_command = lambda: [sys.executable, "-c", worker, str(port), marks]
try:
    serve.serve(serving, os.environ, lambda: print("ready", flush=True))
except serve.ServeError as error:
    sys.exit(str(error))
"""
WEB = """
import http.server, os, pathlib, sys
pathlib.Path(sys.argv[2], "web").write_text(str(os.getpid()))
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy).serve_forever()
"""
WORKER = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[2], "worker").write_text(str(os.getpid()))
time.sleep(60)
"""
DEAF_WORKER = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WORKER


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serving(port: int, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a supervisor with small children that leave their process ids in ``tmp_path``."""
    started: list[subprocess.Popen[str]] = []

    def start(web: str = WEB, worker: str = WORKER) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SUPERVISOR, str(port), str(tmp_path), web, worker]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def process_of(name: str, marks: Path) -> int:
    eventually(lambda: (marks / name).is_file() and bool((marks / name).read_text(encoding="utf-8")))
    return int((marks / name).read_text(encoding="utf-8"))


def eventually(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def has_ended(process_id: int) -> bool:
    return not Path(f"/proc/{process_id}").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all(
    number: signal.Signals, serving: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = serving()
    web, worker = process_of("web", tmp_path), process_of("worker", tmp_path)

    process.send_signal(number)

    assert process.wait(10) == 0
    assert has_ended(web)
    assert has_ended(worker)


@pytest.mark.parametrize(("victim", "name", "other"), [("web", "web server", "worker"), ("worker", "worker", "web")])
def test_where_one_falls_the_other_is_stopped(
    victim: str, name: str, other: str, serving: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = serving()
    survivor = process_of(other, tmp_path)

    os.kill(process_of(victim, tmp_path), signal.SIGKILL)

    _out, said = process.communicate(timeout=10)
    assert process.returncode == 1
    assert said == f"The {name} has ended by itself (exit code -9); what it said is above.\n"
    assert has_ended(survivor)


def test_a_killed_supervisor_leaves_nobody_behind(
    serving: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = serving()
    web, worker = process_of("web", tmp_path), process_of("worker", tmp_path)

    process.kill()
    process.wait()

    eventually(lambda: has_ended(web) and has_ended(worker))


def test_a_second_signal_does_not_wait_for_the_deaf(
    serving: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = serving(worker=DEAF_WORKER)
    worker = process_of("worker", tmp_path)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    assert not has_ended(worker)

    process.send_signal(signal.SIGINT)

    assert process.wait(5) == 0
    assert has_ended(worker)


def test_a_taken_port_is_refused_with_the_way_round() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]

        with pytest.raises(ServeError, match=rf"Port {number} of 127.0.0.1 .* Try --port {number + 1}\."):
            refuse_taken_port("127.0.0.1", number)
    refuse_taken_port("127.0.0.1", number)


def test_the_web_server_keeps_out_of_the_home_folder() -> None:
    command = web_command(Serving(host="0.0.0.0", port=9000, web_processes=3, web_threads=4))

    assert "--bind=[::]:8000" in web_command(Serving(host="::"))
    assert "--no-control-socket" in command
    assert {"--bind=0.0.0.0:9000", "--workers=3", "--threads=4", "--worker-class=gthread"} <= set(command)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("meals.local", "http://meals.local:8000"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, address: str) -> None:
    assert Serving(host=host).address == address
