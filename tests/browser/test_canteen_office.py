"""The canteen's office pages in a real browser: no barriers and nothing too wide, on a phone and on a desk."""

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext
from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.canteen import ring_up
from schoolmeals.canteen.models import Sale
from schoolmeals.clock import MovableClock
from tests.browser.conftest import no_barriers_at
from tests.factories.canteen import Canteen, SittingFactory, new_canteen, new_eater
from tests.factories.identity import OrganisationFactory, PersonFactory

pytestmark = pytest.mark.browser


@pytest.fixture
def canteen(app: Flask, clock: MovableClock, do: Any) -> Canteen:
    """A school with two meals, a day's sales and a tap that was not served."""
    assert app.extensions["schoolmeals"]
    found = new_canteen(clock())
    SittingFactory.create(school_id=found.school_id, meal="breakfast", opens_at=time(8), closes_at=time(9, 30))
    eater = new_eater(found, do, money_minor=5_000_00, surname="Құттымұратова", given_name="Гүлсезім")
    orders = [found.order(eater, found.juice, meal=True), found.order(b"?" * 32, meal=True)]
    do(ring_up, orders, actor=found.till)
    return found


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_no_office_page_has_a_barrier(
    canteen: Canteen,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
    do: Any,
    language: str,
) -> None:
    own = (Role.SCHOOL_OFFICE, canteen.school_id)
    city = (Role.CITY_ADMIN, OrganisationFactory.create(kind="city").id)
    page = new_context(360, 800, language).new_page()
    sign_in(page.context, PersonFactory.create(language=language, roles=[own, city]).id)
    school, day = f"/school/{canteen.school_id}", "2026-11-23"
    sale = do(lambda work: work.session.scalar(select(Sale.id).where(Sale.verdict == "served")))
    for path in (
        f"{school}/menu",
        f"{school}/menu/{day}/{canteen.sitting_id}/item/{canteen.bun}",
        f"{school}/menu/{day}/{canteen.sitting_id}/publish",
        f"{school}/menu/{day}/import",
        f"{school}/sittings",
        f"{school}/sittings/{canteen.sitting_id}",
        f"{school}/day",
        f"{school}/day/{day}/sale/{sale}/undo",
        f"{school}/day/{day}/close",
        "/city",
    ):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language, path
        no_barriers_at(page, 360, 1280)
