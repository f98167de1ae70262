"""A tender from the draw of its commission to the opened bids, by clicks alone: five members in browsers of their own.
One never comes, one hands in a share that was tampered with, and the public watches.
"""

import io
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pikepdf
import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, FilePayload, Page, Route, expect

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.clock import MovableClock
from schoolmeals.procurement.models import Protocol
from schoolmeals.procurement.protocol_papers import draw_protocol
from schoolmeals.procurement.rules.quorum import SeatFacts
from schoolmeals.procurement.rules.stages import TenderStage
from tests.browser.conftest import no_barriers
from tests.browser.sealing_site import make_bundle
from tests.factories.bids import hand_in
from tests.factories.identity import OrganisationFactory, RoleGrantFactory
from tests.factories.procurement import ALMATY, SEED, Procurement, somebody

pytestmark = pytest.mark.browser

WAIT: Final = 40_000
"""Keys are wrapped slowly on purpose, and other work may slow the machine down."""
PASSPHRASE: Final = re.compile(r"^\d{4}(-\d{4}){5}$")


@dataclass
class Member:
    """A member with a browser of their own, and the paper with the passphrase."""

    seat: SeatFacts
    page: Page
    passphrase: str = ""


@dataclass
class Stage:
    """The world of the journey, with what opens browsers in it."""

    world: Procurement
    open_browser: Callable[[UUID | None], Page]
    sign_in: Callable[[BrowserContext, Any], None]
    tender_id: UUID

    def post_form(self, page: Page, label: str) -> None:
        """Press a button that sends a form, and wait for the page after it."""
        with page.expect_navigation():
            page.get_by_role("button", name=label, exact=True).click()


@pytest.fixture
def stage(
    app: Flask,
    clock: MovableClock,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
) -> Iterator[Stage]:
    make_bundle()
    said: list[str] = []

    def open_browser(person_id: UUID | None) -> Page:
        context = new_context(1280, 900, "en")
        if person_id is not None:
            sign_in(context, person_id)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    world = Procurement(clock)
    yield Stage(world, open_browser, sign_in, world.drafted())
    assert said == []


def test_a_commission_makes_its_keys_publishes_and_opens(stage: Stage, clock: MovableClock) -> None:
    officer = stage.open_browser(stage.world.editor.id)
    draw_by_clicks(stage, officer)
    members = [accept_by_clicks(stage, seat) for seat in stage.world.seats(stage.tender_id) if seat.part != "alternate"]
    publish_by_clicks(stage, officer)
    assert stage.world.stage(stage.tender_id) is TenderStage.DISCUSSION
    clock.now += stage.world.until(stage.tender_id, "discussion") - clock() + timedelta(seconds=1)
    for name in ("Дәм", "Нан", "Ас"):
        hand_in(stage.world, stage.tender_id, tenderer_id=bidder(stage.world, name))
    clock.now += stage.world.until(stage.tender_id, "bidding") - clock() + timedelta(minutes=31)

    public = stage.open_browser(None)
    public.goto(f"/tenders/{stage.tender_id}/opening")
    expect(public.get_by_text("Nothing is opened yet")).to_be_visible(timeout=WAIT)
    assert "Дәм" not in public.content()
    # Weeks later the chair comes with the same device and its passkey; each of the others with another one: the wrapped
    # key was kept, and the passphrase is on paper.
    voting = [come_again(stage, one) for one in sorted(members, key=lambda one: one.seat.part != "chair")]
    begin_by_clicks(stage, voting[0])
    no_barriers(voting[0].page)
    expect(public.get_by_role("heading", name="1. Дәм")).to_be_visible(timeout=WAIT)
    expect(public.get_by_text("Shares: 0 of 3")).to_have_count(3)

    open_by_clicks(stage, voting[0])
    expect(public.get_by_text("Shares: 1 of 3")).to_have_count(3, timeout=WAIT)
    tamper_with_first_share(voting[1].page)
    open_by_clicks(stage, voting[1])
    expect(public.get_by_text(voting[1].seat.name).and_(public.locator("strong"))).to_have_count(2, timeout=WAIT)
    expect(public.get_by_text("the share is not the one that the bidder committed to").first).to_be_visible(
        timeout=WAIT
    )
    no_barriers(public)
    open_by_clicks(stage, voting[2])
    # Two bids are open now; the third waits because of the bad share. The fifth member never comes.
    expect(public.get_by_text("Shares: 2 of 3")).to_have_count(1, timeout=WAIT)
    open_by_clicks(stage, voting[3])
    expect(public.get_by_text("Digest of the content:")).to_have_count(3, timeout=WAIT)
    finish_by_clicks(stage, voting[0])
    expect(public.get_by_role("link", name="Protocol of the opening of bids")).to_be_visible(timeout=WAIT)
    assert stage.world.stage(stage.tender_id) is TenderStage.ADMISSION

    check_protocol(stage, public, voting)


def draw_by_clicks(stage: Stage, officer: Page) -> None:
    """Announce the draw, let the announced moment come, and draw by the seed."""
    officer.goto(f"/procurement/tenders/{stage.tender_id}/commission")
    soon = (stage.world.clock() + timedelta(minutes=5)).astimezone(ALMATY)
    officer.get_by_label("Where the seed comes from").fill("Rates of the National Bank")
    officer.get_by_label("What its numbers are called").fill("USD, EUR, RUB")
    officer.get_by_label("Digits after the point").select_option("2")
    officer.get_by_label("Day").fill(soon.date().isoformat())
    officer.get_by_label("Time").fill(f"{soon:%H:%M}")
    stage.post_form(officer, "Announce the draw")
    stage.world.clock.move(timedelta(minutes=6))
    officer.get_by_label("Seed", exact=True).fill(SEED)
    stage.post_form(officer, "Draw by lot")


def accept_by_clicks(stage: Stage, seat: SeatFacts) -> Member:
    """Accept the seat, make the key, write the passphrase down, rehearse, publish."""
    RoleGrantFactory.create(
        person_id=seat.person_id, role=Role.COMMISSION_MEMBER.value, organisation_id=stage.world.city_id
    )
    page = stage.open_browser(seat.person_id)
    if seat.part == "chair":
        give_passkeys(page)
    page.goto("/commission")
    page.get_by_role("link", name="School meals 2027").click()
    page.get_by_label("I accept").check()
    stage.post_form(page, "Send the answer")
    page.get_by_role("button", name="Make the key").click()
    shown = page.locator("[data-passphrase]")
    expect(shown).to_have_text(PASSPHRASE, timeout=WAIT)
    if seat.part == "chair":
        page.set_viewport_size({"width": 360, "height": 740})
        no_barriers(page)
        page.get_by_role("button", name="Also lock it with a passkey").click()
        expect(page.get_by_text("The passkey is set.")).to_be_visible(timeout=WAIT)
    passphrase = shown.inner_text()
    page.get_by_role("button", name="I have written it down").click()
    expect(shown).to_be_hidden(timeout=WAIT)
    # A paper with a slip of the pen is found before anything is published.
    page.get_by_label("Passphrase from your paper").fill("0000-" + passphrase[5:])
    page.get_by_role("button", name="Try it and publish the key").click()
    expect(page.get_by_role("alert")).to_have_text("This does not open the key. Check each digit.", timeout=WAIT)
    page.get_by_label("Passphrase from your paper").fill(passphrase)
    with page.expect_navigation():
        page.get_by_role("button", name="Try it and publish the key").click()
    expect(page.get_by_text("Your key is published.")).to_be_visible(timeout=WAIT)
    return Member(seat, page, passphrase)


def give_passkeys(page: Page) -> None:
    """Let the browser have a device that makes passkeys which can wrap keys."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    facts = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**facts, "hasPrf": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def publish_by_clicks(stage: Stage, officer: Page) -> None:
    """Hand over, let a second officer approve, publish."""
    check = f"/procurement/tenders/{stage.tender_id}/check"
    officer.goto(check)
    stage.post_form(officer, "Hand over for review")
    reviewer = stage.open_browser(stage.world.officer.id)
    reviewer.goto(check)
    stage.post_form(reviewer, "Approve")
    officer.goto(check)
    stage.post_form(officer, "Publish")


def bidder(world: Procurement, name: str) -> UUID:
    """A supplier for whom the world's supplier acts too."""
    made = OrganisationFactory.create(kind="supplier", name_kk=name, name_ru=name, name_en=name)
    acting = somebody(Role.SUPPLIER, made.id)
    world.supplier = acting
    found: UUID = made.id
    return found


def begin_by_clicks(stage: Stage, member: Member) -> None:
    member.page.goto(f"/tenders/{stage.tender_id}/opening")
    stage.post_form(member.page, "Begin the opening")


def come_again(stage: Stage, member: Member) -> Member:
    """Sign in once more."""
    if member.seat.part != "chair":
        return Member(member.seat, stage.open_browser(member.seat.person_id), member.passphrase)
    stage.sign_in(member.page.context, member.seat.person_id)
    return member


def open_by_clicks(stage: Stage, member: Member) -> None:
    """Come to the opening with the passkey, or with the passphrase on paper."""
    page = member.page
    page.goto(f"/commission/{stage.tender_id}/opening")
    way_in = page.get_by_role("button", name="Open by passkey")
    assert way_in.count() == (member.seat.part == "chair")
    if not way_in.count():
        page.get_by_label("Passphrase from your paper").fill(member.passphrase)
        way_in = page.get_by_role("button", name="Open my shares")
    with page.expect_navigation():
        way_in.click()
    page.wait_for_load_state()


def tamper_with_first_share(page: Page) -> None:
    """Let the member's browser hand in another share for the first bid than the one it opened."""

    def change(route: Route) -> None:
        told = json.loads(route.request.post_data or "")
        share = json.loads(b64decode(told["shares"][0]))
        share["share"] = "00" * 32 + share["share"][-2:]
        told["shares"][0] = b64encode(json.dumps(share, sort_keys=True, separators=(",", ":")).encode()).decode()
        route.continue_(post_data=json.dumps(told))

    page.route("**/opening/shares", change)


def finish_by_clicks(stage: Stage, member: Member) -> None:
    member.page.goto(f"/tenders/{stage.tender_id}/opening")
    stage.post_form(member.page, "Finish and make the protocol")


def check_protocol(stage: Stage, public: Page, voting: list[Member]) -> None:
    """The protocol says what happened; the page knows its paper, and no other."""
    found: list[Protocol] = stage.world.look(
        lambda work: work.session.query(Protocol).filter_by(tender_id=stage.tender_id).all(), actor=SYSTEM
    )
    (row,) = found
    draw_protocol(str(row.id), "kk")
    content = json.loads(row.text)["content"]
    said = {one["seat_id"]: (one["present"], one["shares_bad"]) for one in content["members"]}
    came = [(True, 0), (True, 1), (True, 0), (True, 0), (False, 0)]
    assert [said[str(one.seat.id)] for one in voting] == came
    assert [len(one["envelopes"]) for one in content["bids"]] == [1, 1, 1]
    assert content["bids"][0]["envelopes"][0]["faults"] == [{"code": "share-changed", "members": voting[1].seat.name}]
    public.goto(f"/protocols/{row.sha256.hex()}")
    with public.expect_download() as download:
        public.get_by_role("link", name="PDF, қазақша").click()
    pdf = download.value.path().read_bytes()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.attachments["protocol.json"].get_file().read_bytes() == row.text.encode()
    public.set_viewport_size({"width": 360, "height": 740})
    no_barriers(public)
    chosen = public.get_by_label("File (PDF or JSON)")
    chosen.set_input_files(FilePayload(name="p.pdf", mimeType="application/pdf", buffer=pdf))
    expect(public.get_by_text("Genuine: this file is one of this protocol's papers.")).to_be_visible(timeout=WAIT)
    chosen.set_input_files(FilePayload(name="p.pdf", mimeType="application/pdf", buffer=pdf + b" "))
    expect(public.get_by_text("This file is none of those of this protocol")).to_be_visible(timeout=WAIT)
