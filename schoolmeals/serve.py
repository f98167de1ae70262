"""Runs the web server and the worker side by side, and sees to it that they end together.

Both are forked from this process, which has loaded everything once for all of them, and live in sessions of their own:
Ctrl-C reaches only this process, which stops them in good order; where this process is killed, the kernel tells them.
Where one of them falls, the other is stopped too: whoever watches over us sees one process that ended, and starts it
again.
"""

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, Final

from gunicorn.app.base import BaseApplication

_FORK: Final = multiprocessing.get_context("fork")
_PR_SET_PDEATHSIG: Final = 1
_LOOK_SECONDS: Final = 0.1
_READY_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 15.0
_WEB_GRACE_SECONDS: Final = 10
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Program = Callable[[], None]
"""What a child does until it is told to end; it begins with what its parent had loaded, and with nothing open."""


class ServeError(Exception):
    """Serving cannot begin or has ended by itself. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Where and how broadly to serve."""

    host: str = "127.0.0.1"
    port: int = 8000
    web_processes: int = 2
    web_threads: int = 8

    @property
    def shown_address(self) -> str:
        """The same by the name that passkeys need: browsers bind them to a name, never to an address in digits."""
        return self.address.replace("//127.0.0.1:", "//localhost:")

    @property
    def address(self) -> str:
        """What a person types into a browser on this machine."""
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{_in_address(here)}:{self.port}"


def serve(serving: Serving, programs: Mapping[str, Program], when_ready: Callable[[], None]) -> None:
    """Run ``programs`` until a signal comes; call ``when_ready`` once the first page can be had.

    Each program has the name that a person knows it by; one of them serves the web. No thread may run and no connection
    be open here, for children would share them. Raises ServeError where the port is taken, and where a child ends by
    itself.
    """
    refuse_taken_port(serving.host, serving.port)
    with _stop_signals() as stop, _children(programs, stop) as children:
        _await_first_page(serving, children, stop)
        if not stop.wanted:
            when_ready()
        while not stop.wanted:
            _look_after(children)
            time.sleep(_LOOK_SECONDS)


def run_web(application: Callable[..., Any], serving: Serving) -> None:
    """Serve ``application`` by WSGI in processes of its own until a signal comes."""
    _WebServer(application, web_settings(serving)).run()


def web_settings(serving: Serving) -> dict[str, object]:
    """The web server's settings, by gunicorn's names. Production and demo have the same."""
    return {
        "bind": f"{_in_address(serving.host)}:{serving.port}",
        "worker_class": "gthread",
        "workers": serving.web_processes,
        "threads": serving.web_threads,
        "graceful_timeout": _WEB_GRACE_SECONDS,
        "keepalive": 15,
        "loglevel": "warning",
        # Nothing is connected before its processes part.
        "preload_app": True,
        # It would open a socket in the home folder, which a service need not have.
        "control_socket_disable": True,
        # The heartbeat of the processes must not wait for a slow disk.
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108
    }


class _WebServer(BaseApplication):  # type: ignore[misc]
    """gunicorn within this process, for an application that is there already."""

    def __init__(self, application: Callable[..., Any], settings: Mapping[str, object]) -> None:
        self._application, self._settings = application, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        return self._application


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


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
    process: BaseProcess = field(repr=False)


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
def _children(programs: Mapping[str, Program], stop: _Stop) -> Iterator[list[_Child]]:
    children: list[_Child] = []
    # What has been loaded stays: no collector of a child looks at it, and so the memory of all remains one.
    gc.freeze()
    try:
        for name, program in programs.items():
            children.append(_Child(name, _start(program)))
        yield children
    finally:
        _end(children, stop)


def _start(program: Program) -> BaseProcess:
    child = _FORK.Process(target=_run, args=(program, os.getpid(), ctypes.CDLL(None)))
    # A signal between the fork and the child's own beginning waits, instead of being heard as the parent's.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return child


def _run(program: Program, parent: int, libc: ctypes.CDLL) -> None:
    """Begin as a program of its own would; the standard library ends us without the parent's farewells."""
    os.setsid()
    if sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    for number in _SIGNALS:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    program()


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
        code = child.process.exitcode
        if code is not None:
            raise ServeError(f"The {child.name} has ended by itself (exit code {code}); what it said is above.")


def _end(children: list[_Child], stop: _Stop) -> None:
    """Ask all, wait for all, and kill whoever does not listen; at once where a second signal comes."""
    stop.wanted = False
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(child.process.exitcode is None for child in children):
        if time.monotonic() > deadline or stop.wanted:
            for child in children:
                child.process.kill()
        time.sleep(_LOOK_SECONDS / 2)
