"""Several lives at once: each process takes the next one, until all are lived or somebody presses Ctrl-C."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, Final

import click

_LOOK_SECONDS: Final = 0.1
_FORK: Final = multiprocessing.get_context("fork")

Life = Callable[["Hurry"], None]


class Interrupted(Exception):
    """What was begun was not finished."""


class Hurry:
    """Tells a life whether to go on, and is told of each of its steps."""

    def __init__(self, stop: Any, steps: Any) -> None:
        self._stop, self._steps = stop, steps
        self._parent = os.getpid()

    def step(self) -> None:
        """One more step is done."""
        with self._steps.get_lock():
            self._steps.value += 1

    def check(self) -> None:
        """Raise Interrupted where nobody waits for this any more."""
        if self._stop.is_set() or os.getpid() != self._parent != os.getppid():
            raise Interrupted


def live_side_by_side(lives: Sequence[Life], *, steps: int, label: str, on_fork: Callable[[], None]) -> None:
    """Live all ``lives``, as many at once as there are cores, with a progress bar of ``steps`` on a terminal.

    ``on_fork`` is called first in each process: what must not be shared is opened anew there. A single life is lived in
    this process. Raises Interrupted where one of them ended before its end.
    """
    stop, done = _FORK.Event(), _FORK.Value("i", 0)
    hurry = Hurry(stop, done)
    shares = min(len(lives), os.cpu_count() or 1)
    if shares == 1:
        for life in lives:
            life(hurry)
        return
    running = [
        _FORK.Process(target=_live, args=(lives[first::shares], hurry, on_fork), daemon=True) for first in range(shares)
    ]
    try:
        with _bar(steps, label) as show:
            for one in running:
                one.start()
            while any(one.is_alive() for one in running):
                _wait_a_moment(running)
                show(done.value)
                if any(one.exitcode for one in running):
                    stop.set()
    finally:
        stop.set()
        for one in running:
            if one.pid is not None:
                one.join()
    if any(one.exitcode for one in running):
        raise Interrupted


def _wait_a_moment(running: Sequence[BaseProcess]) -> None:
    alive = [one.sentinel for one in running if one.is_alive()]
    wait(alive, _LOOK_SECONDS)


def _live(lives: Sequence[Life], hurry: Hurry, on_fork: Callable[[], None]) -> None:
    # Ctrl-C reaches every process of a terminal; the first one decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    on_fork()
    try:
        for life in lives:
            life(hurry)
    except Interrupted:
        sys.exit(1)


@contextmanager
def _bar(steps: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    with click.progressbar(length=steps, label=label, file=sys.stderr) as bar:
        yield lambda done: bar.update(done - bar.pos)
