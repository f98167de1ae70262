"""The looking itself: a page that came once shows what stands in the way at each width and in each light."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import no_barriers, no_barriers_at

PAGE = """<!doctype html><html lang="kk"><head><title>Ас</title><meta name="viewport" content="width=device-width">
<style>:root { color-scheme: light dark } p { color: #000; background: #fff } %s</style></head>
<body><main><h1>Ас</h1><p>Бүгін не бар</p></main></body></html>"""
PALE = "p { color: #eee }"


def test_a_barrier_that_only_a_desk_shows_is_found(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(360, 800).new_page()
    page.set_content(PAGE % f"@media (width > 1000px) {{ {PALE} }}")
    no_barriers_at(page, 360)
    with pytest.raises(AssertionError, match="color-contrast"):
        no_barriers_at(page, 360, 1280)
    no_barriers_at(page, 360)


def test_what_is_too_wide_for_a_phone_alone_is_found(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(360, 800).new_page()
    page.set_content(PAGE % "p { width: 600px }")
    no_barriers_at(page, 1280)
    with pytest.raises(AssertionError, match="wider than the window"):
        no_barriers_at(page, 1280, 360)


@pytest.mark.parametrize("light", ["light", "dark"])
def test_a_barrier_that_one_light_alone_shows_is_found(new_context: Callable[..., BrowserContext], light: Any) -> None:
    page = new_context(360, 800).new_page()
    page.set_content(PAGE % f"@media (prefers-color-scheme: {light}) {{ {PALE} }}")
    page.emulate_media(color_scheme="dark" if light == "light" else "light")
    no_barriers(page)
    page.emulate_media(color_scheme=light)
    with pytest.raises(AssertionError, match="color-contrast"):
        no_barriers(page)
