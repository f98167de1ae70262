"""Web and worker are served as one: they start together and end together, whichever way it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schoolmeals.serve import ServeError, Serving, refuse_taken_port, web_settings

SUPERVISOR = """
import atexit, functools, os, sys
from schoolmeals import serve

port, marks, web, worker = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
atexit.register(lambda: open(os.path.join(marks, "farewells"), "a").write("one "))
programs = {
    "web server": functools.partial(exec, web, {"port": port, "marks": marks}),
    "worker": functools.partial(exec, worker, {"port": port, "marks": marks}),
}
try:
    serve.serve(serve.Serving(port=port), programs, lambda: print("ready", flush=True))
except serve.ServeError as error:
    sys.exit(str(error))
"""
WEB = """
import http.server, os, pathlib, sys
pathlib.Path(marks, "web").write_text(str(os.getpid()))
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.HTTPServer(("127.0.0.1", port), Healthy).serve_forever()
"""
GUNICORN = """
import os, pathlib
from schoolmeals import serve
pathlib.Path(marks, "web").write_text(str(os.getpid()))
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {os.getppid()}".encode()]
serve.run_web(application, serve.Serving(port=port))
"""
WORKER = """
import os, pathlib, sys, time
pathlib.Path(marks, "worker").write_text(str(os.getpid()))
time.sleep(60)
"""
DEAF_WORKER = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WORKER
ENDING_WORKER = """
import pathlib, sys, time
while not pathlib.Path(marks, "enough").exists():
    time.sleep(0.02)
sys.exit()
"""


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


def test_the_farewells_of_the_parent_are_its_own(serving: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """A child that said them too would stop the database of all."""
    process = serving(web=GUNICORN)
    process_of("worker", tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert (tmp_path / "farewells").read_text(encoding="utf-8") == "one "


def test_a_child_that_ends_in_good_order_has_ended_too(
    serving: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = serving(worker=ENDING_WORKER)
    (tmp_path / "enough").touch()
    _out, said = process.communicate(timeout=10)
    assert process.returncode == 1
    assert said == "The worker has ended by itself (exit code 0); what it said is above.\n"
    assert (tmp_path / "farewells").read_text(encoding="utf-8") == "one "


def test_children_are_in_sessions_of_their_own_and_hear_signals_again(
    serving: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = serving()
    for name in ("web", "worker"):
        child = process_of(name, tmp_path)
        assert os.getsid(child) == child != os.getsid(process.pid)
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines())
        assert int(status["SigBlk"], 16) == 0
        assert int(status["SigCgt"], 16) & 1 << signal.SIGTERM - 1 == 0


def test_the_web_server_ends_with_all_its_processes_where_the_supervisor_is_killed(
    serving: Callable[..., subprocess.Popen[str]], port: int, tmp_path: Path
) -> None:
    process = serving(web=GUNICORN)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        one, master = map(int, answer.read().split())
    assert master == process_of("web", tmp_path)

    process.kill()
    process.wait()

    eventually(lambda: has_ended(one) and has_ended(master), 15)


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
    settings = web_settings(Serving(host="0.0.0.0", port=9000, web_processes=3, web_threads=4))

    assert web_settings(Serving(host="::"))["bind"] == "[::]:8000"
    assert settings["control_socket_disable"] is True
    assert {"bind": "0.0.0.0:9000", "workers": 3, "threads": 4, "worker_class": "gthread"}.items() <= settings.items()


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
