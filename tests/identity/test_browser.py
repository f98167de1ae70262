"""Passkeys and tills' keys in a real Chromium, with its virtual authenticator."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select, update
from werkzeug.serving import make_server

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.identity.actions.devices import new_device
from schoolmeals.identity.keyring import Keyring
from schoolmeals.identity.models import Device, Passkey, SignInSession
from tests.browser.chromium import carry_session, launched
from tests.factories import session
from tests.factories.identity import (
    LONG_AGO,
    DeviceFactory,
    OrganisationFactory,
    PersonFactory,
    RoleGrantFactory,
    signed_in_till,
)

pytestmark = pytest.mark.browser
GOOD = "қой тау көмір жел"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


WITH_QUEUE = """async () => {
  const { loadDevice } = await import("/static/identity/js/enrol.js");
  const { Queue } = await import("/static/canteen/js/queue.js");
  const queue = await Queue.open((await loadDevice()).deviceId);
  %s;
}"""


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The app on loopback under a name, because passkeys belong to names."""
    server = make_server("localhost", 0, app, threaded=True)
    found = f"http://localhost:{server.server_port}"
    frame = app.extensions["schoolmeals"]
    app.extensions["schoolmeals"] = replace(frame, settings=replace(frame.settings, base_url=found))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["schoolmeals"] = frame


@pytest.fixture
def context(address: str) -> Iterator[BrowserContext]:
    """A browser that nobody has signed in with yet."""
    with launched() as browser:
        opened = browser.new_context(base_url=address, locale="en", extra_http_headers={"Accept-Language": "en"})
        opened.set_default_timeout(15_000)
        yield opened


def with_authenticator(context: BrowserContext) -> Page:
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


def test_a_passkey_is_added_and_signs_in(app: Flask, context: BrowserContext, address: str) -> None:
    person = PersonFactory.create(name="Айгүл")
    carry_session(app, context, address, person.id)
    page = with_authenticator(context)
    page.goto("/me/passkeys")
    page.get_by_label("What to call it").fill("my phone")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey was added.").wait_for()
    assert page.get_by_text("my phone", exact=True).is_visible()

    context.clear_cookies()
    page.goto("/sign-in?next=/me")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="Айгүл").wait_for()
    factors = [one.factors for one in session().scalars(select(SignInSession))]
    assert sorted(factors) == [["passkey"], ["password", "passkey"]]


def test_a_removed_passkey_signs_nobody_in(app: Flask, context: BrowserContext, address: str) -> None:
    person = PersonFactory.create()
    carry_session(app, context, address, person.id)
    page = with_authenticator(context)
    page.goto("/me/passkeys")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey was added.").wait_for()
    page.get_by_text("Change", exact=True).click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("The passkey was removed.").wait_for()
    assert session().scalar(select(Passkey.removed_at)) is not None

    context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("This passkey was not accepted. Try again, or use your password.").wait_for()
    assert page.url.endswith("/sign-in")


def test_staff_add_a_passkey_and_from_then_on_need_it(
    app: Flask, context: BrowserContext, address: str, do: Any
) -> None:
    """Also beside the password, and for a dangerous deed later on, where it leads back to the page."""
    settings = replace(app.extensions["schoolmeals"].settings, staff_second_factor="yes")
    app.extensions["schoolmeals"] = replace(app.extensions["schoolmeals"], settings=settings)
    school = OrganisationFactory.create()
    person_id = do(identity.new_person, name="Дана", email="dana@example.kz", password=GOOD, language="en")
    RoleGrantFactory.create(person_id=person_id, role=Role.SCHOOL_OFFICE.value, organisation_id=school.id)
    page = with_authenticator(context)

    sign_in_by_password(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey was added.").wait_for()
    page.goto(f"/people/{school.id}")
    page.get_by_role("heading", name="Invite somebody").wait_for()

    context.clear_cookies()
    sign_in_by_password(page)
    page.get_by_text("You signed in with your password alone.").wait_for()
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(lambda url: "second-step" not in url)
    page.goto(f"/people/{school.id}")
    page.get_by_role("heading", name="Invite somebody").wait_for()

    session().execute(update(SignInSession).values(created_at=LONG_AGO, proved_at=None))
    page.get_by_label("Full name").fill("Болат")
    page.get_by_role("button", name="Make a code").click()
    page.get_by_role("heading", name="Is it still you?").wait_for()
    page.get_by_role("button", name="Use your passkey").click()
    page.get_by_role("heading", name="Invite somebody").wait_for()
    page.get_by_label("Full name").fill("Болат")
    page.get_by_role("button", name="Make a code").click()
    page.get_by_text("The code is shown only now.").wait_for()

    # By the password the form goes on by itself, with what was typed.
    session().execute(update(SignInSession).values(created_at=LONG_AGO, proved_at=None))
    page.goto(f"/people/{school.id}")
    page.get_by_label("Full name").fill("Сәуле")
    page.get_by_role("button", name="Make a code").click()
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("Сәуле opens this address and types the code.").wait_for()


def sign_in_by_password(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail or phone").fill("dana@example.kz")
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="One more step").wait_for()


def test_a_device_is_enrolled_and_signs_with_a_key_that_cannot_be_read(
    app: Flask, context: BrowserContext, address: str, do: object
) -> None:
    school = OrganisationFactory.create()
    keys = Keyring.of(app.extensions["schoolmeals"].settings.secret_key)
    id, code = do(new_device, school.id, "Till 1", keys=keys)  # type: ignore[operator]
    page = context.new_page()
    page.goto("/till/enrol")
    page.get_by_label("Enrolment code").fill("wrong")
    page.get_by_role("button", name="Enrol").click()
    page.get_by_text("This code is not right, was used before, or is older than 15 minutes.").wait_for()
    page.get_by_label("Enrolment code").fill(code.lower())
    page.get_by_role("button", name="Enrol").click()
    page.wait_for_url("**/till/shift")
    assert page.get_by_text("Till 1").is_visible()
    told = page.evaluate(
        """async () => {
          const { loadDevice, sign } = await import("/static/identity/js/enrol.js");
          const device = await loadDevice();
          const signature = await sign(new TextEncoder().encode("taps"));
          const open = indexedDB.open("schoolmeals-till");
          const store = await new Promise((done) => (open.onsuccess = () => done(open.result)));
          const get = store.transaction("device").objectStore("device").get("this");
          const { privateKey } = await new Promise((done) => (get.onsuccess = () => done(get.result)));
          const read = await crypto.subtle.exportKey("pkcs8", privateKey).then(() => "read", () => "refused");
          return { device, signature, read };
        }"""
    )
    assert told["device"] == {"deviceId": str(id), "schoolId": str(school.id), "name": "Till 1"}
    assert told["read"] == "refused"
    public_key = session().scalar(select(Device.public_key))
    assert public_key is not None
    assert identity.verify_signature(public_key, b"taps", identity.signature_bytes(told["signature"]))


def test_a_till_with_unsent_sales_does_not_close(app: Flask, context: BrowserContext, address: str, do: object) -> None:
    school, cashier = OrganisationFactory.create(), PersonFactory.create(name="Болат")
    keys = Keyring.of(app.extensions["schoolmeals"].settings.secret_key)
    _, code = do(new_device, school.id, "Till 1", keys=keys)  # type: ignore[operator]
    page = context.new_page()
    page.goto("/till/enrol")
    page.get_by_label("Enrolment code").fill(code)
    page.get_by_role("button", name="Enrol").click()
    page.wait_for_url("**/till/shift")
    opened = app.extensions["schoolmeals"].clock()
    session().execute(update(Device).values(cashier_id=cashier.id, shift_opened_at=opened))
    page.reload()
    page.evaluate(WITH_QUEUE % "await queue.add({ id: 'a tap' })")
    page.get_by_role("button", name="Close the till").click()
    page.get_by_text("Sales that have not reached the server yet: 1.").wait_for()
    session().expire_all()
    assert session().scalars(select(Device.shift_opened_at)).all() == [opened]
    page.evaluate(WITH_QUEUE % "await queue.settle([1])")
    page.get_by_role("button", name="Close the till").click()
    page.get_by_text("On shift").wait_for(state="detached")
    session().expire_all()
    assert session().scalars(select(Device.shift_opened_at)).all() == [None]


@pytest.mark.parametrize("path", ["/till/enrol", "/till/shift"])
def test_what_needs_its_script_waits_for_it(app: Flask, path: str) -> None:
    school, cashier = OrganisationFactory.create(), PersonFactory.create()
    till = signed_in_till(app, DeviceFactory.create(school_id=school.id, cashier_id=cashier.id).id)
    page = till.get(path).get_data(as_text=True)
    assert len(re.findall(r'<button class="button[^>]* disabled="">', page)) == 1


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_have_no_barriers(app: Flask, context: BrowserContext, address: str, width: int) -> None:
    city, school = OrganisationFactory.create(kind="city"), OrganisationFactory.create()
    roles = [(Role.CITY_ADMIN, city.id), (Role.CASHIER, school.id)]
    person = PersonFactory.create(email="dana@demo.example", language="kk", roles=roles)
    strict = context.browser
    assert strict is not None
    # Axe is a script, which the pages' own policy would rightly stop.
    open_one = strict.new_context(base_url=address, bypass_csp=True, viewport={"width": width, "height": 800})
    page = open_one.new_page()
    paths = ["/sign-in", "/join", "/till/enrol", "/sign-in/forgotten", "/sign-in/new-password", "/letters"]
    found = [violation for path in paths for violation in barriers(page, path)]
    carry_session(app, open_one, address, person.id)
    mine = ["/me", "/me/name", "/me/password", "/me/second-factor", "/me/passkeys", "/me/sessions", "/people"]
    school_pages = [
        f"/people/{school.id}",
        "/city/schools",
        f"/city/schools/{school.id}",
        f"/school/{school.id}/calendar",
    ]
    for path in [*mine, f"/me/pin/{school.id}", *school_pages, f"/school/{school.id}/tills"]:
        found += barriers(page, path)
    found += barriers(page, "/me/prove")
    settings = replace(app.extensions["schoolmeals"].settings, staff_second_factor="yes")
    app.extensions["schoolmeals"] = replace(app.extensions["schoolmeals"], settings=settings)
    found += barriers(page, "/me/second-step")
    open_one.close()
    assert found == []


def barriers(page: Page, path: str) -> list[tuple[str, str, list[str]]]:
    """Violations of WCAG 2.2 AA on a page, and whether it is wider than the window."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    violations = Axe().run(page, options={"runOnly": tags}).response["violations"]
    found = [(path, one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append((path, "wider than the window", []))
    return found
