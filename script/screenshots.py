"""What ``script/screenshots`` does. City, clock and people are the same each time: only what changed looks changed."""

import io
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Flask
from flask_migrate import upgrade
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from schoolmeals.clock import MovableClock
from schoolmeals.config import Settings
from schoolmeals.database import db
from schoolmeals.demo.bank import create_demo_app
from schoolmeals.demo.city import seed_city, till_codes
from schoolmeals.demo.families import CASHIER_PIN, KNOWN_CARD
from schoolmeals.embedded import EmbeddedServer
from schoolmeals.web.health import MIGRATIONS
from tests.browser.chromium import QUIET, SWIPE, chromium_path

IMAGES: Final = Path(__file__).resolve().parent.parent / "docs" / "images"
LUNCH: Final = datetime(2026, 11, 23, 7, 40, tzinfo=UTC)
"""Monday 12:40 in Almaty: the first shift has eaten, the second one is eating."""
MOST_BYTES: Final = 150_000
COLOURS: Final = 128
CLOCK: Final = f"""(() => {{
  const Real = Date, ahead = {round(LUNCH.timestamp() * 1000)} - Real.now();
  globalThis.Date = class extends Real {{
    constructor(...given) {{ if (given.length) super(...given); else super(Real.now() + ahead); }}
    static now() {{ return Real.now() + ahead; }}
  }};
}})();"""


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, kind: str, message: str, *args: Any) -> None:
        """Nothing."""


def main() -> None:
    """Make the city, take the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="schoolmeals-pictures-"))
    try:
        with city(folder) as (address, code), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=QUIET)
            parent(browser, address)
            till(browser, address, code)
            school_day(browser, address)
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def city(folder: Path) -> Iterator[tuple[str, str]]:
    """A demo of one school, served on loopback: its address, and a code to enrol a till."""
    postgres = EmbeddedServer.start(folder / "pg", unsafe_fast=True)
    postgres.ensure_database("pictures")
    server = make_server("localhost", 0, Flask("waiting"), threaded=True, request_handler=Quiet)
    address = f"http://localhost:{server.server_port}"
    settings = Settings(
        demo=True,
        secret_key=secrets.token_urlsafe(40),
        database_url=postgres.app_url("pictures"),
        database_owner_url=postgres.owner_url("pictures"),
        base_url=address,
        data_folder=folder,
    )
    app = create_demo_app(settings, clock=MovableClock(LUNCH))
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
        seed_city(LUNCH, zone=ZoneInfo(settings.time_zone), schools=1, pupils=200, days=15)
        code = till_codes()[0][1]
    server.app = app
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield address, code
    server.shutdown()
    server.server_close()
    with app.app_context():
        db.engine.dispose()
    postgres.stop()


def visit(browser: Browser, address: str, language: str, width: int, height: int) -> Page:
    """A fresh browser."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": height},
        locale=language,
        extra_http_headers={"Accept-Language": language},
    )
    context.add_init_script(CLOCK)
    return context.new_page()


def enter(page: Page, email: str, language: str) -> None:
    """Be one of the demo's people, by one tap."""
    page.goto("/sign-in")
    page.locator("[name=person_id]", has_text=email).first.click()
    page.wait_for_load_state()
    if (sections := page.locator(".menu > summary")).is_visible():
        sections.click()
    page.locator(f"[formaction='/language/{language}']").click()
    page.wait_for_load_state()


def parent(browser: Browser, address: str) -> None:
    """A parent's telephone."""
    page = visit(browser, address, "en", 390, 844)
    enter(page, "Ахметова Сәуле", "en")
    page.goto("/home")
    keep(page, "parent.png")


def till(browser: Browser, address: str, code: str) -> None:
    """The till's answer to a card."""
    page = visit(browser, address, "kk", 1024, 664)
    page.goto("/till/enrol", wait_until="networkidle")
    page.fill("#f-code", code)
    page.locator("#enrol button").click()
    page.wait_for_url("**/till/shift")
    page.locator("[name=cashier]").first.check()
    page.fill("#f-pin", CASHIER_PIN)
    page.locator("form:has(#f-pin) button").click()
    for number in range(1, 6):
        page.locator("main[data-screen=idle]").wait_for(timeout=30_000)
        page.evaluate(SWIPE, KNOWN_CARD.format(number))
        page.locator("main.verdict").wait_for()
        if page.locator("main.verdict.good").count():
            page.wait_for_timeout(300)
            keep(page, "till.png")
            return
        page.reload()
    raise SystemExit("None of the known cards was served; choose another time of the day.")


def school_day(browser: Browser, address: str) -> None:
    """The school's day, as its office sees it."""
    page = visit(browser, address, "ru", 1024, 820)
    enter(page, "Соколова Марина", "ru")
    page.goto("/day")
    keep(page, "day.png")


def keep(page: Page, name: str) -> None:
    """Write what the window shows, in few colours, which is plenty for a page of text."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    picture.save(IMAGES / name, optimize=True)
    size = (IMAGES / name).stat().st_size
    assert size <= MOST_BYTES, f"{name} has {size} bytes"
    print(f"docs/images/{name}: {size:,} bytes")


if __name__ == "__main__":
    main()
