"""The hosted page in a real browser: no barriers (WCAG 2.2 AA by axe) in three languages, and paid without scripts."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from schoolmeals.demo.stripe_double import create_double, demo_payments
from tests.browser.conftest import chromium, no_barriers_at
from tests.factories import payments as factory

__all__ = ["chromium"]

pytestmark = pytest.mark.browser


class Shop:
    """A shop with a demo bank below it, on loopback."""

    def __init__(self) -> None:
        rooms: dict[str, Any] = {"/demo-bank": Response("not open yet")}
        self.server = make_server(
            "127.0.0.1", 0, DispatcherMiddleware(Response("back in the shop"), rooms), threaded=True
        )
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        # The bank must know its address, and that is known only once the server listens.
        self.double = create_double(None, public_url=f"{self.address}/demo-bank", secret="only for tests")
        rooms["/demo-bank"] = self.double
        self.payments = demo_payments(self.double)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def page_to_pay(self, language: str) -> str:
        """The address of a fresh hosted page."""
        asked = factory.intent(self.double.premises.clock(), language=language, return_url=f"{self.address}/back")
        return self.payments.checkout(asked).url

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.double.close()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_no_page_has_a_barrier(chromium: Browser, shop: Shop, language: str) -> None:
    # Axe is a script, which the page's own policy would rightly stop.
    context = chromium.new_context(bypass_csp=True)
    page, address = context.new_page(), shop.page_to_pay(language)
    page.goto(address)
    no_barriers_in_any_light(page)
    page.check(f"input[value='{factory.TOO_POOR}']")
    page.click("button")
    no_barriers_in_any_light(page)
    page.check(f"input[value='{factory.ASKS}']")
    page.click("button")
    no_barriers_in_any_light(page)
    page.click("button[value=confirm]")
    page.goto(address)
    no_barriers_in_any_light(page)
    page.goto(f"{address}-unknown")
    no_barriers_in_any_light(page)
    context.close()


def no_barriers_in_any_light(page: Page) -> None:
    """None on a phone and on a desk, nor on a phone in the dark."""
    page.emulate_media(color_scheme="light")
    no_barriers_at(page, 360, 1280)
    page.emulate_media(color_scheme="dark")
    no_barriers_at(page, 360)


def test_a_payment_needs_no_scripts_and_leads_back_under_the_real_policy(chromium: Browser, shop: Shop) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(shop.page_to_pay("kk"))
    page.check(f"input[value='{factory.ASKS}']")
    page.click("button")
    page.click("button[value=confirm]")
    assert (page.url, page.inner_text("body")) == (f"{shop.address}/back", "back in the shop")
    assert said == []
    assert all(address.startswith(shop.address) for address in asked_for)
    context.close()
