"""The browser that tests drive, and hands for it. Without a Chromium those tests are left out, and say so."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from schoolmeals.web.security import session_cookie_name
from tests.factories.identity import signed_in

QUIET: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SWIPE: Final = """(number) => {
  const key = (key, code) => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true }));
  for (const one of number) key(one, /[0-9]/.test(one) ? "Digit" + one : "Key" + one);
  key("Enter", "Enter");
}"""
"""What a reader that acts as a keyboard does; in one go, so that a busy machine cannot slow it down to hands."""


def chromium_path() -> str | None:
    """The program: ``SCHOOLMEALS_CHROMIUM``, or one on the path."""
    return os.environ.get("SCHOOLMEALS_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser for as long as it lasts; skips the test where there is none."""
    path = chromium_path()
    if path is None:
        pytest.skip("NO BROWSER TESTS: no Chromium here. Install it, or name one in SCHOOLMEALS_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


def carry_session(app: Flask, context: BrowserContext, address: str, person_id: Any) -> None:
    """Let a browser carry a session of that person."""
    name = session_cookie_name(app.extensions["schoolmeals"].settings)
    cookie = signed_in(app, person_id).get_cookie(name)
    assert cookie is not None
    context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
