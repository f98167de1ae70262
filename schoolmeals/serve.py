"""Runs the web server and the worker side by side, and sees to it that they end together.

Both are children in sessions of their own: Ctrl-C reaches only this process, which stops them in good order; where
this process is killed, the kernel tells them. Where one of them falls, the other is stopped too: whoever watches over
us sees one process that ended, and starts it again.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LOOK_SECONDS: Final = 0.1
_READY_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 15.0
_WEB_GRACE_SECONDS: Final = 10
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ServeError(Exception):
    """Serving cannot begin or has ended by itself. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Where and how broadly to serve."""

    host: str = "127.0.0.1"
    port: int = 8000
    web_processes: int = 2
    web_threads: int = 8
    with_web: bool = True
    with_worker: bool = True

    @property
    def shown_address(self) -> str:
        """The same by the name that passkeys need: browsers bind them to a name, never to an address in digits."""
        return self.address.replace("//127.0.0.1:", "//localhost:")

    @property
    def address(self) -> str:
        """What a person types into a browser on this machine."""
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{_in_address(here)}:{self.port}"


def serve(serving: Serving, environment: Mapping[str, str], when_ready: Callable[[], None]) -> None:
    """Serve until a signal comes; call ``when_ready`` once the first page can be had.

    ``environment`` holds the settings for the children, the database's addresses among them. Raises ServeError where
    the port is taken, and where a child ends by itself.
    """
    if serving.with_web:
        refuse_taken_port(serving.host, serving.port)
    with _stop_signals() as stop, _children(serving, environment, stop) as children:
        if serving.with_web:
            _await_first_page(serving, children, stop)
        if not stop.wanted:
            when_ready()
        while not stop.wanted:
            _look_after(children)
            time.sleep(_LOOK_SECONDS)


def web_command(serving: Serving) -> list[str]:
    """The web server as a command. Production and demo run the same."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        f"--bind={_in_address(serving.host)}:{serving.port}",
        "--worker-class=gthread",
        f"--workers={serving.web_processes}",
        f"--threads={serving.web_threads}",
        f"--graceful-timeout={_WEB_GRACE_SECONDS}",
        "--keep-alive=15",
        "--log-level=warning",
        # One start for all processes: half the time until the first page. Nothing is connected before they part.
        "--preload",
        # It would open a socket in the home folder, which a service need not have.
        "--no-control-socket",
        # The heartbeat of the processes must not wait for a slow disk.
        *(["--worker-tmp-dir=/dev/shm"] if os.access("/dev/shm", os.W_OK) else []),  # noqa: S108
        "schoolmeals.cli:make_app()",
    ]


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def worker_command() -> list[str]:
    """The worker as a command."""
    return [sys.executable, "-m", "schoolmeals", "worker"]


def refuse_taken_port(host: str, port: int) -> None:
    """Raise ServeError where somebody else listens there; said now, and not after a minute of preparation."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServeError(
                f"Port {port} of {host} cannot be had ({error.strerror}). Try --port {port + 1}."
            ) from error


@dataclass(slots=True)
class _Stop:
    wanted: bool = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True


@dataclass(slots=True)
class _Child:
    name: str
    process: subprocess.Popen[bytes] = field(repr=False)


@contextlib.contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Turn signals into a wish to stop, for as long as it lasts."""
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _children(serving: Serving, environment: Mapping[str, str], stop: _Stop) -> Iterator[list[_Child]]:
    children: list[_Child] = []
    try:
        if serving.with_web:
            children.append(_Child("web server", _start(web_command(serving), environment)))
        if serving.with_worker:
            children.append(_Child("worker", _start(worker_command(), environment)))
        yield children
    finally:
        _end(children, stop)


def _start(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def end_with_parent() -> None:
        if sys.platform == "linux":
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_parent
    )


def _await_first_page(serving: Serving, children: list[_Child], stop: _Stop) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not stop.wanted and not _answers(f"{serving.address}/healthz"):
        _look_after(children)
        if time.monotonic() > deadline:
            raise ServeError(f"The web server has not answered for {_READY_SECONDS:.0f} seconds.")
        time.sleep(_LOOK_SECONDS)


def _answers(url: str) -> bool:
    try:
        # Never through a proxy that the environment names: this is about our own child.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        raise ServeError(f"The web server answers {error.code} to {url}.") from error
    except OSError:
        return False


def _look_after(children: list[_Child]) -> None:
    for child in children:
        code = child.process.poll()
        if code is not None:
            raise ServeError(f"The {child.name} has ended by itself (exit code {code}); what it said is above.")


def _end(children: list[_Child], stop: _Stop) -> None:
    """Ask all, wait for all, and kill whoever does not listen; at once where a second signal comes."""
    stop.wanted = False
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(child.process.poll() is None for child in children):
        if time.monotonic() > deadline or stop.wanted:
            for child in children:
                child.process.kill()
        time.sleep(_LOOK_SECONDS / 2)
