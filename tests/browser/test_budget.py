"""How much a phone must fetch: the parent's home at its first visit, and the till's scripts."""

import sys
from collections.abc import Callable
from typing import Any, Final

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext

from schoolmeals.clock import MovableClock
from schoolmeals.web.security import device_cookie_name
from tests.factories.identity import till_token
from tests.house.world import World, build

pytestmark = pytest.mark.browser

HOME_BYTES: Final = 40_000
HOME_REQUESTS: Final = 10
TILL_SCRIPT_BYTES: Final = 60_000


class Traffic:
    """What a page asked for, as Chromium's own network log tells it; bytes are those on the wire, heads included."""

    def __init__(self, context: BrowserContext) -> None:
        self.page = context.new_page()
        self.asked: dict[str, tuple[str, str]] = {}
        self.bytes: dict[str, int] = {}
        log = context.new_cdp_session(self.page)
        log.on("Network.requestWillBeSent", self._asked)
        log.on("Network.loadingFinished", self._came)
        log.send("Network.enable")
        log.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _asked(self, told: dict[str, Any]) -> None:
        self.asked[told["requestId"]] = (told["request"]["url"], told.get("type", "Other"))

    def _came(self, told: dict[str, Any]) -> None:
        self.bytes[told["requestId"]] = round(told["encodedDataLength"])

    def visit(self, path: str) -> None:
        """Open a page and give what it fetches a second to arrive; pages that renew themselves are never idle."""
        answer = self.page.goto(path, wait_until="load")
        assert answer is not None
        assert answer.status == 200
        self.page.wait_for_timeout(1_000)

    def weight(self, kind: str | None = None) -> int:
        """Bytes of all answers, or of those of one kind."""
        return sum(size for id, size in self.bytes.items() if kind in (None, self.asked[id][1]))

    def strangers(self, address: str) -> list[str]:
        """What was asked of anybody else."""
        return [url for url, _ in self.asked.values() if not url.startswith((f"{address}/", "data:", "blob:"))]


def told(capsys: pytest.CaptureFixture[str], sentence: str) -> None:
    """Print a figure for whoever reads the run."""
    with capsys.disabled():
        sys.stdout.write(f"\n{sentence}\n")


@pytest.fixture
def world(app: Flask, do: Any, clock: MovableClock) -> World:
    return build(app, do, clock)


def test_the_parents_home_is_light(
    world: World,
    address: str,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    context = new_context(360, 740, "kk")
    sign_in(context, world.people["parent"])
    traffic = Traffic(context)
    traffic.visit("/home")
    assert traffic.page.locator(".meals li").count() > 0, "a home without meals proves little"
    # A page that stays open goes on asking for its small token; that is not its first load.
    first = [url for url, _ in traffic.asked.values() if "/home/version" not in url]
    assert len(first) <= HOME_REQUESTS
    told(capsys, f"The parent's home: {len(first)} requests, {traffic.weight():,} bytes.")
    assert 1_000 < traffic.weight() <= HOME_BYTES
    assert traffic.strangers(address) == []


def test_the_tills_scripts_are_light(
    world: World, address: str, new_context: Callable[..., BrowserContext], capsys: pytest.CaptureFixture[str]
) -> None:
    context = new_context()
    name = device_cookie_name(world.app.extensions["schoolmeals"].settings)
    context.add_cookies([{"name": name, "value": till_token(world.till_id), "url": address}])
    traffic = Traffic(context)
    traffic.visit("/till")
    told(capsys, f"The till's scripts: {traffic.weight('Script'):,} bytes.")
    assert 1_000 < traffic.weight("Script") <= TILL_SCRIPT_BYTES
    assert traffic.strangers(address) == []


def test_a_heavy_page_is_found(address: str, new_context: Callable[..., BrowserContext]) -> None:
    traffic = Traffic(new_context())
    heavy = {"body": "<img src='/big.png'>" + "x" * HOME_BYTES, "content_type": "text/html"}
    traffic.page.route("**/heavy", lambda route: route.fulfill(**heavy))
    traffic.page.route("http://elsewhere.example/*", lambda route: route.fulfill(body=""))
    traffic.visit("/heavy")
    traffic.page.evaluate("fetch('http://elsewhere.example/spy', { mode: 'no-cors' })")
    traffic.page.wait_for_timeout(100)
    assert traffic.strangers(address) == ["http://elsewhere.example/spy"]
