"""Who takes part in a tender, each with a browser of their own, and what the public must not read too early."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from schoolmeals.actors import Role
from schoolmeals.procurement.models import PoolMember
from tests.browser.conftest import no_barriers
from tests.factories.identity import PersonFactory, RoleGrantFactory
from tests.factories.procurement import Procurement

PHONE: Final = 360
DESK: Final = 1280
WAIT: Final = 40_000
"""Keys are wrapped slowly on purpose, and other work may slow the machine down."""
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}|(?<=/edit/)(?!menu|notice)\w+")
"""What differs in the addresses of pages that are alike; of a draft's forms the longest and the first are looked at."""
LONG_FORM: Final = 20
FILL: Final = """(typed) => {
  for (const [name, value] of Object.entries(typed)) {
    const found = document.querySelector(`[name="${name}"]:not([type=hidden])`);
    found.value = value;
    if (found.value !== value) throw new Error(`${name} does not take ${value}`);
    for (const event of ["input", "change"]) found.dispatchEvent(new Event(event, { bubbles: true }));
  }
}"""
SIDEWAYS: Final = "document.documentElement.scrollWidth > window.innerWidth"


@dataclass
class Somebody:
    """A person at a browser. Whatever page comes, it is looked at once in each state: no barriers, nothing sideways."""

    page: Page
    looked_at: set[tuple[str, ...]]
    person_id: Any = None

    def go(self, path: str) -> Page:
        """Open an address; it has to be there."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path} answered {answer.status}"
        assert "/sign-in" not in self.page.url, f"{path} asks to sign in"
        self.look()
        return self.page

    def follow(self, text: str) -> Page:
        """Follow a link by its words."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=text, exact=True).first.click()
        self.look()
        return self.page

    def press(self, label: str, at: Any = None) -> Page:
        """Press a button that sends a form; the page that answers says nothing of a problem."""
        with self.page.expect_navigation():
            (at or self.page).get_by_role("button", name=label, exact=True).first.click()
        wrong = self.page.locator(".errors, .error-summary")
        assert wrong.count() == 0 or wrong.first.is_hidden(), wrong.first.inner_text()
        self.look()
        return self.page

    def fill(self, **typed: Any) -> None:
        """Type into, or choose in, the fields of these names; ``__`` stands for a dot."""
        self.fill_in({name.replace("__", "."): value for name, value in typed.items()})

    def fill_in(self, typed: dict[str, Any], at: Any = None) -> None:
        """Type into, or choose in, the fields of these names. A long form is filled at one go, as browsers do it."""
        if len(typed) > LONG_FORM:
            self.page.evaluate(FILL, {name: str(value) for name, value in typed.items()})
            return
        for name, value in typed.items():
            found = (at or self.page).locator(f'[name="{name}"]:not([type=hidden])').first
            if found.evaluate("one => one.tagName") == "SELECT":
                found.select_option(str(value))
            else:
                found.fill(str(value))

    def sees(self, text: str) -> None:
        """These words are on the page, now or soon."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=WAIT)

    def look(self) -> None:
        """Look at the page unless this one was looked at before in the same state, at the same width."""
        state = self.page.locator("main .tag").first
        shown = state.inner_text() if state.count() else ""
        kind = _ID.sub("*", self.page.url.partition("?")[0])
        size = self.page.viewport_size
        key = (kind, shown, str(size["width"] if size else ""))
        if key not in self.looked_at:
            self.looked_at.add(key)
            try:
                no_barriers(self.page)
            except AssertionError as wrong:
                raise AssertionError(f"{self.page.url}: {wrong}") from wrong
        assert not self.page.evaluate(SIDEWAYS), f"{self.page.url} is wider than the window"


@dataclass
class Town:
    """The people of a city's tender and what opens browsers for them."""

    app: Flask
    world: Procurement
    new_context: Callable[..., BrowserContext]
    sign_in: Callable[[BrowserContext, Any], None]
    said: list[str] = field(default_factory=list)
    looked_at: set[tuple[str, ...]] = field(default_factory=set)
    tender_id: UUID = field(init=False)

    def somebody(self, person_id: Any, width: int = DESK, language: str = "en") -> Somebody:
        """A browser of a person's own; of nobody's, where there is no person."""
        context = self.new_context(width, 800, language, accept_downloads=True)
        if person_id is not None:
            self.sign_in(context, person_id)
        context.on("weberror", lambda error: self.said.append(str(error.error)))
        page = context.new_page()
        page.set_default_timeout(WAIT)
        return Somebody(page, self.looked_at, person_id)

    def sign_in_again(self, who: Somebody) -> None:
        """Come back later, as somebody who has just proved who they are."""
        self.sign_in(who.page.context, who.person_id)

    def commission_roles(self) -> None:
        """Whoever is in the pool may come to the commission's doors."""
        people = self.world.look(lambda work: work.session.scalars(select(PoolMember.person_id)).all())
        for person_id in people:
            role = Role.COMMISSION_MEMBER.value
            RoleGrantFactory.create(person_id=person_id, role=role, organisation_id=self.world.city_id)

    def wait_for_end_of(self, term: str) -> None:
        """Let a term pass."""
        clock = self.world.clock
        clock.now += self.world.until(self.tender_id, term) - clock() + timedelta(seconds=1)

    def newcomer(self, name: str) -> UUID:
        """Somebody who can sign in and is nothing yet."""
        made: UUID = PersonFactory.create(name=name).id
        return made


def published_pages(town: Town) -> list[str]:
    """Everything that the public may open about the tender, as pages and as data."""
    own = f"/tenders/{town.tender_id}"
    of_it = ("", "/history", "/opening", "/award", "/scores", "/scores.json", "/ocds.json", "/notice.json")
    return [*(f"{own}{one}" for one in of_it), "/tenders", "/tenders/feed.atom", "/ocds/releases.json", "/contracts"]


def give_passkeys(page: Page) -> None:
    """Let the browser have a device that makes passkeys, which can wrap keys too."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    facts = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**facts, "hasPrf": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
