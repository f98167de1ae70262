"""The frame of pages on a phone and on a desk: sections behind one button, tables that need no pushing."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from schoolmeals.clock import MovableClock
from tests.browser.conftest import no_barriers
from tests.browser.test_pages_axe import SIDEWAYS
from tests.house.world import World, build

pytestmark = pytest.mark.browser

HIGHEST: Final = 64
"""Pixels of the head on a phone, without the demo's banner."""
WIDE_TABLE: Final = """<!doctype html><meta name="viewport" content="width=device-width"><title>x</title>
<div class="scroll" style="overflow-x: auto"><table><tr>%s</tr></table></div>""" % ("<td>seventy</td>" * 20)


@pytest.fixture
def world(app: Flask, do: Any, clock: MovableClock) -> World:
    return build(app, do, clock)


def at(page: Page, path: str) -> Page:
    page.goto(path)
    return page


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_on_a_phone_the_sections_open_by_one_button_without_a_script(
    world: World,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
    language: str,
) -> None:
    context = new_context(360, 740, language, java_script_enabled=False)
    sign_in(context, world.people["school-office"])
    page = at(context.new_page(), "/me")
    head = page.locator(".head").bounding_box()
    assert head is not None
    assert head["height"] <= HIGHEST
    sections = page.locator("header nav")
    expect(sections).to_be_hidden()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(sections).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/day")


def test_the_open_sections_shut_nobody_out(
    world: World, new_context: Callable[..., BrowserContext], sign_in: Callable[[BrowserContext, Any], None]
) -> None:
    context = new_context(360, 740, "kk")
    sign_in(context, world.people["school-office"])
    page = at(context.new_page(), "/me")
    page.locator(".menu > summary").click()
    expect(page.locator("header nav")).to_be_visible()
    no_barriers(page)


def test_on_a_desk_the_sections_stand_open(
    world: World, new_context: Callable[..., BrowserContext], sign_in: Callable[[BrowserContext, Any], None]
) -> None:
    context = new_context(1280, 800, "ru")
    sign_in(context, world.people["school-office"])
    page = at(context.new_page(), "/me")
    expect(page.locator(".menu > summary")).to_be_hidden()
    for section in page.locator("header nav li > *").all():
        expect(section).to_be_visible()
    page.locator("header nav a").first.click()
    page.wait_for_url("**/day")


def test_a_planted_table_that_must_be_pushed_sideways_is_found(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(360, 740).new_page()
    page.route("**/wide", lambda route: route.fulfill(body=WIDE_TABLE, content_type="text/html"))
    page.goto("/wide")
    assert [one.split()[0] for one in page.evaluate(SIDEWAYS)] == ["DIV"]
