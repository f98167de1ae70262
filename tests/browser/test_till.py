"""The till in a real browser: from its enrolment to the end of the shift, with a reader, without a network."""

import io
import statistics
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.canteen.api.till import CARD_NUMBERS
from schoolmeals.canteen.models import Sale, SaleUndo
from schoolmeals.clock import MovableClock
from schoolmeals.identity import new_device, set_pin
from schoolmeals.identity.keyring import Keyring
from schoolmeals.keys import derive_key
from schoolmeals.pupils import number_hash
from tests.browser.chromium import SWIPE
from tests.browser.conftest import SHIFTED_DATE, no_barriers
from tests.factories.canteen import LUNCH_MINOR, Canteen, SittingFactory, new_canteen, new_card, new_eater
from tests.factories.identity import PersonFactory
from tests.factories.pupils import PhotoFactory

pytestmark = pytest.mark.browser

PIN: Final = "246810"
LANGUAGES: Final = ("kk", "ru", "en")
TAPS_URL: Final = "**/api/till/taps"


class Counter:
    """A school's till in the browser, and children with cards."""

    def __init__(self, app: Flask, canteen: Canteen, do: Any) -> None:
        self.app, self.canteen, self.do = app, canteen, do
        self.secret = app.extensions["schoolmeals"].settings.secret_key
        self.cashier = self.hire("Сәуле Ахметова")
        self.manager = self.hire("Бақыт Омарова", Role.SCHOOL_OFFICE)

    def hire(self, name: str, *more: Role, language: str = "en") -> Any:
        """Somebody who may open the till, with a PIN."""
        roles = [(role, self.canteen.school_id) for role in (Role.CASHIER, *more)]
        person = PersonFactory.create(name=name, language=language, roles=roles)
        self.do(set_pin, self.canteen.school_id, person.id, PIN)
        return person

    def child(self, card: str, **facts: Any) -> UUID:
        """A pupil of the fifth grade with a card of this number."""
        pupil_id = new_eater(self.canteen, self.do, **{"money_minor": 5 * LUNCH_MINOR, **facts})
        hashed = number_hash(derive_key(self.secret, CARD_NUMBERS), card)
        new_card(self.canteen, pupil_id, number_hash=hashed)
        return pupil_id

    def enrol(self, page: Page) -> None:
        """Make the browser a till, as the person with the code does."""
        _, code = self.do(new_device, self.canteen.school_id, "Асхана 1", keys=Keyring.of(self.secret))
        page.goto("/till")
        page.locator("main a.button").click()
        # The form is the script's, which is there once the page has loaded.
        page.wait_for_url("**/till/enrol")
        page.fill("#f-code", code)
        page.locator("#enrol button").click()
        page.wait_for_url("**/till/shift")

    def open(self, page: Page, cashier: Any = None) -> None:
        """Open the shift by PIN."""
        page.goto("/till/shift")
        page.check(f'input[value="{(cashier or self.cashier).id}"]')
        page.fill("#f-pin", PIN)
        page.locator("form:has(#f-pin) button").click()
        expect(page.locator("main[data-screen=idle]")).to_be_visible()

    def sales(self) -> list[Sale]:
        """All taps that the server has kept, in their order."""
        found: list[Sale] = self.do(lambda work: list(work.session.scalars(select(Sale).order_by(Sale.seq))))
        return found


@pytest.fixture
def counter(app: Flask, clock: MovableClock, do: Any) -> Counter:
    return Counter(app, new_canteen(clock()), do)


@pytest.fixture
def till(counter: Counter, new_context: Callable[..., BrowserContext]) -> Page:
    """An open till on a screen of 1280 x 800."""
    page = new_context().new_page()
    counter.enrol(page)
    counter.open(page)
    return page


def swipe(page: Page, number: str) -> None:
    page.evaluate(SWIPE, number)


def verdict(page: Page, kind: str) -> Any:
    """The verdict on the screen, which must be ``kind``: good, care or bad."""
    found = page.locator(f"main.verdict.{kind}")
    expect(found).to_be_visible()
    return found


# The whole journey


def test_a_stranger_is_told_what_a_till_is(new_context: Callable[..., BrowserContext], app: Flask) -> None:
    page = new_context().new_page()
    assert app.extensions["schoolmeals"]
    answer = page.goto("/till")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("h1")).to_have_text("This browser is not a till")


def test_a_till_without_a_shift_asks_for_the_pin(counter: Counter, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    counter.enrol(page)
    page.goto("/till")
    assert page.url.endswith("/till/shift")


def test_a_tap_is_served_and_the_till_is_idle_again(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6", surname="Нұрланов", given_name="Әли")
    expect(till.locator("h1")).to_have_text("Lunch")
    expect(till.locator(".count")).to_have_text("0")
    swipe(till, "04A1B2C3D4E5F6")
    shown = verdict(till, "good")
    expect(shown.locator(".name")).to_have_text("Нұрланов Әли")
    expect(shown.locator(".says")).to_contain_text("Enjoy your meal!")
    expect(shown.locator(".price")).to_have_text("Lunch")
    assert till.evaluate("document.documentElement.dataset.sound") == "good"
    expect(till.locator("main[data-screen=idle]")).to_be_visible(timeout=4000)
    expect(till.locator(".count")).to_have_text("1")
    [sale] = counter.sales()
    assert (sale.verdict, sale.total_minor, sale.seq) == ("served", LUNCH_MINOR, 1)


def test_who_pays_does_not_show(counter: Counter, till: Page) -> None:
    """Whether the purse or grace pays, the screen is the same to the last letter."""
    screens = []
    for card, money in (("0000000A", 5 * LUNCH_MINOR), ("0000000B", 0)):
        counter.child(card, money_minor=money, surname="Серікқызы", given_name="Аружан")
        swipe(till, card)
        screens.append(verdict(till, "good").inner_html())
        expect(till.locator("main[data-screen=idle]")).to_be_visible(timeout=4000)
    assert screens[0] == screens[1]
    assert [(sale.money_minor, sale.grace_minor) for sale in counter.sales()] == [(LUNCH_MINOR, 0), (0, LUNCH_MINOR)]


def test_buffet_items_are_laid_on_the_tray(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    juice = till.locator(f'[data-do=add][data-item="{counter.canteen.juice}"]')
    juice.click()
    juice.click()
    expect(juice).to_contain_text("× 2")
    till.locator(f'[data-do=less][data-item="{counter.canteen.juice}"]').click()
    expect(juice).to_contain_text("× 1")
    swipe(till, "04A1B2C3D4E5F6")
    expect(verdict(till, "good").locator(".price")).to_have_text("Lunch · Juice")
    expect(till.locator("main[data-screen=idle]")).to_be_visible(timeout=4000)
    expect(juice).to_have_attribute("aria-pressed", "false")
    assert counter.sales()[0].total_minor == LUNCH_MINOR + 300_00


def test_an_empty_tray_sells_nothing(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    till.locator("[data-do=set-meal]").click()
    swipe(till, "04A1B2C3D4E5F6")
    expect(till.locator("#loud")).to_contain_text("The tray is empty.")
    assert counter.sales() == []


def test_hands_are_no_reader(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    till.locator("body").press_sequentially("04A1B2C3D4E5F6", delay=90)
    till.keyboard.press("Enter")
    till.wait_for_timeout(300)
    assert counter.sales() == []


def test_an_unknown_card_leads_to_the_name(counter: Counter, till: Page) -> None:
    pupil_id = counter.child("04A1B2C3D4E5F6", surname="Жұмабаева", given_name="Інжу")
    swipe(till, "04FFFFFFFFFFFF")
    shown = verdict(till, "bad")
    expect(shown.locator(".says")).to_contain_text("Not served")
    assert till.evaluate("document.documentElement.dataset.sound") == "bad"
    shown.locator("[data-do=find]").click()
    till.fill("#find-name", "жұмаб")
    till.locator(f'[data-pupil="{pupil_id}"]').click()
    expect(verdict(till, "good").locator(".name")).to_have_text("Жұмабаева Інжу")
    refused, served = counter.sales()
    assert (refused.code, served.code, served.card_id) == ("C10", None, None)


def test_a_child_is_found_by_class_and_a_card_by_hand(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6", surname="Жұмабаева", given_name="Інжу")
    till.reload()
    till.locator("#find").click()
    till.locator("[data-class]").first.click()
    expect(till.locator("#found .faces li")).to_have_count(1)
    till.fill("#find-number", "04 A1 B2 C3 D4 E5 F6")
    till.keyboard.press("Enter")
    verdict(till, "good")


def test_a_reader_does_not_ask_where_the_cursor_stands(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    till.locator("#find").click()
    till.focus("#find-name")
    swipe(till, "04A1B2C3D4E5F6")
    verdict(till, "good")


# Decisions by name


def test_an_intolerance_needs_a_second_named_decision(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6", allergens=[("milk", "intolerance")])
    counter.child("04A1B2C3D4E5F7", surname="Next")
    till.locator(f'[data-do=add][data-item="{counter.canteen.bun}"]').click()
    swipe(till, "04A1B2C3D4E5F6")
    shown = verdict(till, "care")
    expect(shown.locator(".extra").first).to_contain_text("milk")
    expect(shown.locator("[data-part=serve]")).to_have_text("Сәуле Ахметова: I answer for it, serve")
    expect(shown.locator("[data-do=refuse]")).to_be_focused()
    # The next child's card must not wipe the warning away.
    swipe(till, "04A1B2C3D4E5F7")
    till.wait_for_timeout(300)
    verdict(till, "care")
    assert len(counter.sales()) == 1
    shown.locator("[data-part=serve]").click()
    expect(verdict(till, "good").locator(".price")).to_have_text("Lunch")
    _, served = counter.sales()
    assert served.decisions == [{"code": "A41", "reason": ""}]


def test_not_serving_needs_one_press(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6", diet_note="Тұзсыз")
    swipe(till, "04A1B2C3D4E5F6")
    shown = verdict(till, "care")
    expect(shown.locator(".note-of-diet")).to_have_text("Тұзсыз")
    shown.locator("[data-do=refuse]").click()
    expect(till.locator("main[data-screen=idle]")).to_be_visible()
    assert [sale.code for sale in counter.sales()] == ["A42"]


def nuts_for_lunch(counter: Counter) -> None:
    """A child whom a doctor has forbidden the milk in the bun."""
    counter.child("04A1B2C3D4E5F6", allergens=[("milk", "certified")])


def test_a_medical_allergy_is_not_the_cashiers_to_overrule(counter: Counter, till: Page) -> None:
    nuts_for_lunch(counter)
    till.locator(f'[data-do=add][data-item="{counter.canteen.bun}"]').click()
    swipe(till, "04A1B2C3D4E5F6")
    shown = verdict(till, "care")
    expect(shown.locator(".extra").first).to_contain_text("call the school office")
    expect(shown.locator("[data-part=serve]")).to_have_count(0)


def test_the_office_overrules_a_medical_allergy_with_a_reason(counter: Counter, till: Page) -> None:
    nuts_for_lunch(counter)
    counter.open(till, counter.manager)
    till.locator(f'[data-do=add][data-item="{counter.canteen.bun}"]').click()
    swipe(till, "04A1B2C3D4E5F6")
    shown = verdict(till, "care")
    serve = shown.locator("[data-part=serve]")
    expect(serve).to_have_text("Бақыт Омарова: I answer for it, serve")
    serve.click()
    assert len(counter.sales()) == 1, "without a reason nothing is sent"
    till.fill("#reason", "The bun is made without milk today")
    serve.click()
    verdict(till, "good")
    assert counter.sales()[1].decisions == [{"code": "A40", "reason": "The bun is made without milk today"}]


def test_what_is_not_sold_beside_the_meal_stays_on_the_screen(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6", money_minor=LUNCH_MINOR)
    till.locator(f'[data-do=add][data-item="{counter.canteen.juice}"]').click()
    swipe(till, "04A1B2C3D4E5F6")
    shown = verdict(till, "care")
    expect(shown.locator(".says")).to_contain_text("Enjoy your meal!")
    expect(shown.locator(".extra").first).to_contain_text("only the set meal today")
    till.wait_for_timeout(3000)
    shown.locator("[data-do=next]").click()
    expect(till.locator("main[data-screen=idle]")).to_be_visible()


# Undo


def test_a_sale_is_taken_back_by_two_presses(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6", surname="Нұрланов", given_name="Әли")
    swipe(till, "04A1B2C3D4E5F6")
    verdict(till, "good")
    till.locator("#last").click()
    undo = till.locator(".last button")
    expect(undo).to_have_attribute("aria-label", "Undo: Нұрланов Әли")
    undo.click()
    undo.click()
    expect(till.locator(".last li [data-part=undone]")).to_be_visible()
    found = counter.do(lambda work: work.session.scalars(select(SaleUndo)).all())
    assert [one.undone_by for one in found] == [counter.cashier.id]


def test_after_five_minutes_the_office_takes_back(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    swipe(till, "04A1B2C3D4E5F6")
    verdict(till, "good")
    till.locator("#last").click()
    counter.app.extensions["schoolmeals"].clock.move(timedelta(minutes=6))
    till.locator(".last button").click()
    till.locator(".last button").click()
    expect(till.locator("#undo-problem")).to_contain_text("More than five minutes have passed.")
    assert counter.do(lambda work: work.session.scalars(select(SaleUndo)).all()) == []


# Without a network


def test_without_a_network_nothing_is_green_and_the_tap_is_sent_once(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    till.context.set_offline(True)
    swipe(till, "04A1B2C3D4E5F6")
    expect(till.locator("main.kept")).to_be_visible()
    expect(till.locator("#unsent b")).to_have_text("1")
    expect(till.locator("[data-link=away]")).to_be_visible()
    expect(till.locator("#end")).to_be_disabled()
    till.wait_for_timeout(1500)
    assert till.locator("main.good").count() == 0
    till.context.set_offline(False)
    verdict(till, "good")
    expect(till.locator("#unsent")).to_be_hidden()
    assert [sale.seq for sale in counter.sales()] == [1]


def test_a_lost_answer_is_asked_for_again_and_nothing_is_sold_twice(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    sent: list[Any] = []

    def lose_first(route: Route) -> None:
        sent.append(route.request.post_data_json)
        if len(sent) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    till.route(TAPS_URL, lose_first)
    swipe(till, "04A1B2C3D4E5F6")
    expect(till.locator("main.kept")).to_be_visible()
    verdict(till, "good")
    assert sent[0] == sent[1]
    assert len(counter.sales()) == 1


def test_unsent_taps_outlive_a_reload_and_what_was_refused_is_told(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    till.route(TAPS_URL, lambda route: route.abort())
    for number in ("04A1B2C3D4E5F6", "04FFFFFFFFFFFF"):
        swipe(till, number)
        expect(till.locator("main.kept")).to_be_visible()
        till.locator("main [data-do=next]").click()
    expect(till.locator("#unsent b")).to_have_text("2")
    till.unroute(TAPS_URL)
    till.reload()
    expect(till.locator("#late")).to_contain_text("Unknown card")
    expect(till.locator("#unsent")).to_be_hidden()
    assert [(sale.seq, sale.code) for sale in counter.sales()] == [(1, None), (2, "C10")]
    till.locator("#late-read").click()
    expect(till.locator("#late")).to_be_hidden()


def test_a_server_in_trouble_is_asked_again(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    broken = iter([True, False])
    till.route(TAPS_URL, lambda route: route.fulfill(status=503) if next(broken) else route.continue_())
    swipe(till, "04A1B2C3D4E5F6")
    verdict(till, "good")
    assert len(counter.sales()) == 1


def test_the_count_goes_on_after_the_browsers_data_were_lost(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    swipe(till, "04A1B2C3D4E5F6")
    verdict(till, "good")
    till.evaluate("""async () => {
      for (const one of await indexedDB.databases())
        if (one.name !== "schoolmeals-till") indexedDB.deleteDatabase(one.name);
    }""")
    till.reload()
    expect(till.locator("main[data-screen=idle]")).to_be_visible()
    swipe(till, "04FFFFFFFFFFFF")
    verdict(till, "bad")
    assert [sale.seq for sale in counter.sales()] == [1, 2]


# One tab, one shift


def test_a_second_tab_is_refused(counter: Counter, till: Page) -> None:
    second = till.context.new_page()
    second.goto("/till")
    expect(second.locator("h1")).to_contain_text("already open in another tab")
    counter.child("04A1B2C3D4E5F6")
    swipe(second, "04A1B2C3D4E5F6")
    assert counter.sales() == []
    till.close()
    second.locator("[data-do=again]").click()
    expect(second.locator("main[data-screen=idle]")).to_be_visible()


def test_the_shift_ends_and_the_pin_is_asked_for(counter: Counter, till: Page) -> None:
    till.locator("#end").click()
    till.wait_for_url("**/till/shift")
    assert counter.sales() == []


def test_a_shift_that_ran_out_leads_to_the_pin(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    counter.app.extensions["schoolmeals"].clock.move(timedelta(hours=11))
    swipe(till, "04A1B2C3D4E5F6")
    till.wait_for_url("**/till/shift")
    assert counter.sales() == []


# Quick enough


def test_the_verdict_stands_within_100_ms_of_the_answer(counter: Counter, till: Page) -> None:
    cards = [f"04A1B2C3D4E5{n:02X}" for n in range(20)]
    for card in cards:
        counter.child(card)
    till.evaluate("""() => {
      globalThis.shownAt = [];
      const main = document.getElementById("main");
      new MutationObserver(() => {
        if (main.matches(".verdict")) shownAt.push(performance.now());
      }).observe(main, { attributes: true, attributeFilter: ["class"] });
    }""")
    for place, card in enumerate(cards):
        swipe(till, card)
        till.wait_for_function("(count) => shownAt.length > count", arg=place)
    waits = till.evaluate("""() => {
      const answers = performance.getEntriesByType("resource").filter((one) => one.name.endsWith("/api/till/taps"));
      return answers.map((one, place) => shownAt[place] - one.responseEnd);
    }""")
    assert len(waits) == len(cards)
    assert statistics.quantiles(waits, n=20)[-1] < 100, waits


def test_the_till_is_light(counter: Counter, till: Page) -> None:
    till.reload()
    expect(till.locator("main[data-screen=idle]")).to_be_visible()
    scripts = till.evaluate("""async () => {
      const names = performance.getEntriesByType("resource").map((one) => one.name);
      const bodies = await Promise.all(names.filter((one) => /\\.js(\\?|$)/.test(one)).map((one) => fetch(one)));
      return (await Promise.all(bodies.map((one) => one.text()))).reduce((sum, text) => sum + text.length, 0);
    }""")
    assert 10_000 < scripts < 60_000
    assert counter.sales() == []


# No barriers, in three languages


def face(counter: Counter) -> UUID:
    """A photo of 320 pixels."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((320, 320)).convert("RGB").save(out, "WEBP")
    photo: UUID = PhotoFactory.create(school_id=counter.canteen.school_id, content=out.getvalue()).id
    return photo


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (800, 1280)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_screen_has_a_barrier(
    counter: Counter, new_context: Callable[..., BrowserContext], language: str, width: int, height: int
) -> None:
    name = {"surname": "Құттымұратова", "given_name": "Гүлсезім"}
    counter.child("04A1B2C3D4E5F6", **name, photo_id=face(counter))
    counter.child("04A1B2C3D4E5F7", **name, allergens=[("milk", "intolerance")], photo_id=face(counter))
    page = new_context(width, height, language).new_page()
    page.goto("/till")
    no_barriers(page)
    counter.enrol(page)
    counter.open(page, counter.hire("Гүлбаршын Тоқтамұратова", language=language))
    assert page.locator("html").get_attribute("lang") == language
    no_barriers(page)
    swipe(page, "04A1B2C3D4E5F6")
    verdict(page, "good")
    no_barriers(page)
    expect(page.locator("main[data-screen=idle]")).to_be_visible(timeout=4000)
    page.locator(f'[data-do=add][data-item="{counter.canteen.bun}"]').click()
    no_barriers(page)
    swipe(page, "04A1B2C3D4E5F7")
    verdict(page, "care")
    no_barriers(page)
    page.locator("[data-do=refuse]").click()
    swipe(page, "04FFFFFFFFFFFF")
    verdict(page, "bad")
    no_barriers(page)
    page.locator("main [data-do=find]").click()
    page.locator("[data-class]").first.click()
    expect(page.locator("#found .faces li")).to_have_count(2)
    no_barriers(page)
    page.locator("main [data-do=back]").click()
    page.locator("#last").click()
    no_barriers(page)
    page.locator("main [data-do=back]").click()
    page.context.set_offline(True)
    swipe(page, "04A1B2C3D4E5F6")
    expect(page.locator("main.kept")).to_be_visible()
    no_barriers(page)


def test_a_latecomer_may_eat_on_the_cashiers_word(counter: Counter, till: Page) -> None:
    counter.child("04A1B2C3D4E5F6")
    clock = counter.app.extensions["schoolmeals"].clock
    clock.move(timedelta(hours=3))
    till.context.add_init_script(SHIFTED_DATE % round(clock().timestamp() * 1000))
    till.reload()
    expect(till.locator(".serving .till-warns")).to_have_text("It is not the time of this meal now.")
    swipe(till, "04A1B2C3D4E5F6")
    serve = verdict(till, "care").locator("[data-part=serve]")
    expect(serve).to_have_text("Сәуле Ахметова: serve all the same")
    serve.click()
    verdict(till, "good")
    assert [(sale.code, sale.decisions) for sale in counter.sales()] == [
        ("M30", []),
        (None, [{"code": "M30", "reason": ""}]),
    ]


def test_the_sitting_can_be_chosen(counter: Counter, till: Page) -> None:
    breakfast = SittingFactory.create(
        school_id=counter.canteen.school_id, meal="breakfast", opens_at=time(8), closes_at=time(9, 30)
    )
    till.reload()
    expect(till.locator("h1")).to_have_text("Lunch")
    till.locator(f'[data-sitting="{breakfast.id}"]').click()
    expect(till.locator("h1")).to_have_text("Breakfast")
    expect(till.locator(".trays")).to_have_text("There is no menu for this meal today. Call the school office.")
    expect(till.locator(f'[data-sitting="{breakfast.id}"]')).to_be_focused()


def test_the_till_speaks_the_cashiers_language_until_somebody_switches(counter: Counter, till: Page) -> None:
    counter.open(till, counter.hire("Ирина Ким", language="ru"))
    expect(till.locator("h1")).to_have_text("Обед")
    till.locator('.languages [lang="kk"]').click()
    expect(till.locator("h1")).to_have_text("Түскі ас")
    till.reload()
    expect(till.locator("h1")).to_have_text("Түскі ас")
