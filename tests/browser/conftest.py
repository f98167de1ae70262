"""A real browser before a real server: Chromium by Playwright, the app on loopback, a clock that runs.

Without a Chromium (``SCHOOLMEALS_CHROMIUM``, or one on the path) these tests are left out, and say so.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from schoolmeals.clock import MovableClock
from tests.browser.chromium import carry_session, launched
from tests.conftest import A_MONDAY

PATIENCE: Final = 20_000
"""Milliseconds until what is awaited counts as missing: other tests want the same two cores."""
expect.set_options(timeout=PATIENCE)
BARRIERS: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # What passed is not written up: on long pages that takes longer than the looking.
    "resultTypes": ["violations"],
}
AXE: Final = Axe().axe_script
SHIFTED_DATE: Final = """(() => {
  const ahead = %d - Date.now(), Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) { if (given.length) super(...given); else super(Real.now() + ahead); }
    static now() { return Real.now() + ahead; }
  };
})();"""
"""The pages' own clock goes with the server's."""


class RunningClock(MovableClock):
    """A clock that goes on from where it was set, because a browser's own does too."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._started = time.monotonic()

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self._started)


@pytest.fixture
def clock() -> MovableClock:
    """A clock that runs from noon of a school day."""
    return RunningClock(A_MONDAY)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, one for each file of tests."""
    with launched() as browser:
        yield browser


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """Where the app is served, on loopback, while the test runs."""
    # "localhost" is what the settings call this installation, and what browsers take for a safe place.
    server = make_server("localhost", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def new_context(chromium: Browser, address: str, clock: MovableClock) -> Iterator[Callable[..., BrowserContext]]:
    """``new_context(width=360, language="kk", signed_in_as=...)`` opens a browser of its own for somebody."""
    opened: list[BrowserContext] = []

    def open_one(width: int = 1280, height: int = 800, language: str = "en", **more: Any) -> BrowserContext:
        context = chromium.new_context(
            base_url=address,
            viewport={"width": width, "height": height},
            locale=language,
            extra_http_headers={"Accept-Language": language},
            # Axe is a script, which the pages' own policy would rightly stop.
            bypass_csp=True,
            **more,
        )
        context.set_default_timeout(PATIENCE)
        context.add_init_script(SHIFTED_DATE % round(clock().timestamp() * 1000))
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def sign_in(app: Flask, address: str) -> Callable[[BrowserContext, Any], None]:
    """``sign_in(context, person_id)`` lets a browser carry a session of that person."""

    return lambda context, person_id: carry_session(app, context, address, person_id)


def no_barriers(page: Page) -> None:
    """No violation of WCAG 2.2 AA or of axe's best practice, and nothing wider than the window.

    A page may be looked at several times, at other widths or in other colours: axe is read once.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("(barriers) => axe.run(barriers).then((found) => found.violations)", BARRIERS)
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), "wider than the window"


def no_barriers_at(page: Page, *widths: int) -> None:
    """The same at each width. No page asks how wide the window was when it came, so it need not come again."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        no_barriers(page)
