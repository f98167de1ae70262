"""What several of the room's tests share."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from flask import Flask


@pytest.fixture
def with_settings(app: Flask) -> Iterator[Callable[..., None]]:
    """``with_settings(demo=False)`` changes the app's settings until the test is over."""
    before = app.extensions["schoolmeals"].settings

    def change(**changes: Any) -> None:
        frame = app.extensions["schoolmeals"]
        app.extensions["schoolmeals"] = replace(frame, settings=replace(before, **changes))

    yield change
    app.extensions["schoolmeals"] = replace(app.extensions["schoolmeals"], settings=before)


@pytest.fixture
def at_once(app: Flask) -> Callable[..., list[Any]]:
    """``at_once(one, other)`` runs deeds at the same moment, each in a thread with a context of its own."""

    def run(*deeds: Callable[[], Any]) -> list[Any]:
        barrier = Barrier(len(deeds))

        def one(deed: Callable[[], Any]) -> Any:
            with app.app_context():
                barrier.wait(timeout=20)
                return deed()

        with ThreadPoolExecutor(len(deeds)) as pool:
            return list(pool.map(one, deeds))

    return run
