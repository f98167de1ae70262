"""A supplier's way to a sealed bid, by clicks: papers, draft, sealing, an upload that breaks, receipt, replacing,
withdrawing. Nothing that was typed is in any request.
"""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from urllib.parse import unquote_plus
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask
from playwright.sync_api import BrowserContext, FilePayload, Page, Request, Route, expect

from schoolmeals.actors import SYSTEM
from schoolmeals.clock import MovableClock
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import ledger, opening
from schoolmeals.procurement.models import FrozenBid, OpenedBid
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.bids import own_bids
from schoolmeals.procurement.rules import bid_form
from schoolmeals.procurement.rules.bids import key_set_of
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.suppliers import NewStaff
from schoolmeals.procurement.sealing import new_member_key, open_share, recorded_manifest
from tests.browser.conftest import no_barriers
from tests.browser.sealing_site import make_bundle
from tests.factories.bids import KEYS, keys_of
from tests.factories.procurement import Procurement, path_to

pytestmark = pytest.mark.browser

NOTE: Final = "Тек-осы-өтінімде-98765"
PRICES: Final = ("799,35", "801,45", "803,55")
MINOR: Final = (799_35, 801_45, 803_55)
WAIT: Final = 20_000
PAPER: Final = b"%PDF-1.4 the certificate MARK-IN-PAPER"
LARGE: Final = b"%PDF-1.4 MARK-IN-FILE" + secrets.token_bytes(1_200_000)


@dataclass
class Room:
    """A supplier's browser before a tender that takes bids, and everything that left it."""

    world: Procurement
    tender_id: UUID
    context: BrowserContext
    page: Page
    sent: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"/tenders/{self.tender_id}/bid"

    def open(self) -> Page:
        """The room in a new page, once its script is ready."""
        self.page = self.context.new_page()
        self.page.goto(self.address)
        self.page.wait_for_selector("#bid-room[data-ready]", timeout=WAIT)
        return self.page

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).click()


@pytest.fixture
def room(
    app: Flask,
    clock: MovableClock,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
) -> Iterator[Room]:
    make_bundle()
    world = Procurement(clock)
    tender_id = world.tender_in(TenderStage.BIDDING)
    for number in range(2):
        cook = NewStaff(
            person_key=f"{number:064x}",
            name=f"Аспаз {number + 1}",
            post="cook",
            education="college",
            grade=5,
            fte_percent=100,
            started_on=date(2025, 1, 10),
        )
        world.do(ledger.add_staff, world.supplier_id, cook, actor=world.supplier)
    context = new_context(360, 800, "en")
    sign_in(context, world.supplier.id)
    said: list[str] = []
    found = Room(world, tender_id, context, context.new_page())
    context.on("request", lambda request: found.sent.append(_all_of(request)))
    context.on("weberror", lambda error: said.append(str(error.error)))
    yield found
    assert said == []


def _all_of(request: Request) -> bytes:
    """The address and the body of a request, as they left the browser and as they would be read."""
    body = request.post_data_buffer or b""
    return unquote_plus(request.url).encode() + b"\n" + body


def test_a_bid_from_its_papers_to_its_withdrawal(room: Room) -> None:
    add_paper(room)
    first_visit(room)
    page = room.open()
    expect(page.locator("[data-keep=menu_note]")).to_have_value(NOTE)
    expect(page.locator("[data-price]").first).to_have_value(PRICES[0])
    expect(page.locator("[data-declare=resources]")).to_be_checked()
    expect(page.locator("[data-files]", has_text="large.pdf")).to_have_count(1)
    no_barriers(page)
    seal(room)
    no_barriers(page)
    submit_with_a_broken_upload(room)
    check_receipt(room)
    replace_and_withdraw(room)
    for mark in (NOTE, "MARK-IN-FILE", "79935", "799,35", "799.35"):
        assert not any(mark.encode() in one for one in room.sent), mark
    # The planted bug: had the page sent its note anywhere, this would find it.
    room.page.evaluate("(text) => fetch('/tenders?text=' + encodeURIComponent(text))", NOTE)
    assert any(NOTE.encode() in one for one in room.sent)


def add_paper(room: Room) -> None:
    """A certificate goes into the supplier's papers, which are the supplier's own."""
    page = room.page
    page.goto(f"/supplier/{room.world.supplier_id}/evidence")
    page.locator("#f-file").set_input_files({"name": "haccp.pdf", "mimeType": "application/pdf", "buffer": PAPER})
    page.locator("#f-kind").select_option("certificate")
    page.locator("#f-title").fill("HACCP certificate")
    with page.expect_navigation():
        room.press("Add")
    # From here on nothing that can be read may leave the browser.
    room.sent.clear()


def first_visit(room: Room) -> None:
    """Fill the bid in, and close the page without a word."""
    page = room.open()
    expect(page.get_by_text("To do")).not_to_have_count(0)
    page.locator("[data-keep=menu_note]").fill(NOTE)
    for place, price in zip(page.locator("[data-price]").all(), PRICES, strict=True):
        place.fill(price)
    for box in page.locator("[data-declare], [data-choose=staff]").all():
        box.check()
    safety = page.locator("#criterion-food-safety")
    safety.locator("summary").click()
    safety.get_by_label("HACCP certificate").check()
    large = FilePayload(name="large.pdf", mimeType="application/pdf", buffer=LARGE)
    page.locator("#file-own-production").set_input_files(large)
    expect(page.locator("[data-files]", has_text="large.pdf")).to_have_count(1)
    expect(page.locator("[data-draft]")).to_have_text("The draft is saved on this device, encrypted. Nothing was sent.")
    page.close()


def seal(room: Room) -> None:
    """Without a price nothing is sealed; then it is."""
    page = room.page
    price = page.locator("[data-price]").first
    price.fill("100000")
    room.press("Seal the bid")
    expect(page.locator("[data-errors]")).to_be_visible()
    assert page.locator("[data-errors] a").first.get_attribute("href") == f"#{price.get_attribute('id')}"
    no_barriers(page)
    price.fill(PRICES[0])
    with page.expect_download() as download:
        room.press("Seal the bid")
        page.get_by_role("link", name="1. Save the recovery file").click(timeout=WAIT)
    recovery = json.loads(download.value.path().read_text())
    assert recovery["format"] == "bid-recovery/v1"


def submit_with_a_broken_upload(room: Room) -> None:
    """The second piece does not go through, until somebody presses the button again after the page was closed."""
    pieces: list[str] = []

    def breaking(route: Route) -> None:
        pieces.append(route.request.url)
        if len(pieces) == 1:
            route.continue_()
        else:
            route.abort()

    room.context.route("**/bid/part?*", breaking)
    room.press("2. Submit the bid")
    expect(room.page.locator("[data-upload-state]")).to_contain_text("The connection broke", timeout=WAIT)
    assert len(pieces) == 5, "one that came through, and four tries"
    (bid,) = mine(room)
    assert [len(numbers) for numbers in bid.missing.values()] == [8]
    room.page.close()
    room.context.unroute("**/bid/part?*")
    room.open()
    expect(room.page.locator("[data-upload-state]")).to_contain_text("The connection broke")
    room.press("Go on sending")
    expect(room.page.get_by_text("The sealed files have arrived whole.")).to_be_visible(timeout=WAIT)


def check_receipt(room: Room) -> None:
    """The receipt is on the page, on paper and in a file that anybody can check."""
    (bid,) = mine(room)
    assert bid.missing == {"qualification": []}
    expect(room.page.locator("[data-own-digest]")).to_have_text(bid.manifest_sha256)
    room.page.get_by_role("link", name="Receipts, to print and to keep").first.click()
    expect(room.page.get_by_text(bid.manifest_sha256)).to_be_visible()
    no_barriers(room.page)
    with room.page.expect_download() as download:
        room.page.get_by_role("link", name="Download the receipt").click()
    receipt = json.loads(download.value.path().read_text())
    text = b64decode(receipt["text"])
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(receipt["public_key"])).verify(
        bytes.fromhex(receipt["signature"]), text
    )
    assert json.loads(text)["manifest_sha256"] == bid.manifest_sha256
    assert receipt["public_key"] == KEYS.receipt_public.hex()


def replace_and_withdraw(room: Room) -> None:
    (before,) = mine(room)
    page = room.open()
    page.locator("[data-price]").first.fill("799,30")
    room.press("Seal the bid")
    page.get_by_role("button", name="2. Submit the bid").click(timeout=WAIT)
    expect(page.locator("[data-own-digest]")).not_to_have_text(before.manifest_sha256, timeout=WAIT)
    expect(page.get_by_text("The sealed files have arrived whole.")).to_be_visible(timeout=WAIT)
    (after,) = mine(room)
    assert (after.bid_id != before.bid_id, len(after.receipts)) == (True, 2)
    page.locator("summary", has_text="Withdraw the bid").click()
    room.press("Withdraw the bid")
    expect(page.get_by_text("You have withdrawn your bid. Nothing of it will be opened.")).to_be_visible(timeout=WAIT)
    (gone,) = mine(room)
    assert (gone.bid_id, len(gone.receipts)) == (None, 3)


def mine(room: Room) -> list[Any]:
    found: list[Any] = room.world.look(
        own_bids, room.tender_id, room.world.supplier_id, keys=KEYS, actor=room.world.supplier
    )
    return found


def test_what_was_filled_in_is_what_is_opened(room: Room) -> None:
    add_paper(room)
    first_visit(room)
    page = room.open()
    room.press("Seal the bid")
    page.get_by_role("button", name="2. Submit the bid").click(timeout=WAIT)
    expect(page.get_by_text("The sealed files have arrived whole.")).to_be_visible(timeout=WAIT)
    world, tender_id = room.world, room.tender_id
    for step in path_to(TenderStage.OPENING)[len(path_to(TenderStage.BIDDING)) :]:
        step(world, tender_id)
    bid = world.look(lambda work: work.session.query(FrozenBid).one())
    manifest = recorded_manifest(bid.manifest, keys_of(world, tender_id), sha256=bid.manifest_sha256)
    for seat in [one for one in world.seats(tender_id) if one.votes and one.stands][:3]:
        share = open_share(manifest, "qualification", str(seat.id), world.identities[seat.id]).to_bytes()
        world.do(opening.give_shares, tender_id, [share], actor=world.holder(seat))
    world.do(opening.reveal_bid, tender_id, bid.id, "qualification", keys=KEYS, clock=deed_clock, actor=SYSTEM)
    row = world.look(lambda work: work.session.query(OpenedBid).one())
    content = bid_form.read(row.plaintext)
    assert (content.menu_note, content.currency) == (NOTE, "KZT")
    assert sorted(line.price_minor for line in content.prices) == sorted(MINOR)
    assert [line.name for line in content.staff] == ["Аспаз 1", "Аспаз 2"]
    assert {line.for_: line.file for line in content.evidence} == {
        "food-safety": "haccp.pdf",
        "own-production": "large.pdf",
    }
    assert "resources" in content.declared
    files = {(one["name"], one["sha256"]) for one in row.files}
    assert bid_form.missing_files(content, files) == []
    about = {"tender_id": tender_id, "lot_id": bid.lot_id, "tenderer_id": world.supplier_id}
    assert bid_form.belongs(content, envelope="qualification", envelopes=["qualification"], **about) is None


def test_a_swapped_key_is_refused_and_its_member_named(room: Room) -> None:
    """The server shows other keys than it did before: the sealer names the member, and nothing is sealed."""
    first_visit_of(room)
    document = room.world.look(tender_queries.version, room.tender_id).document
    keys = key_set_of(document)
    swapped = keys.members[1]
    other = new_member_key()[1]

    def swap(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        text = b64decode(told["key_set"]).decode().replace(swapped.recipient, other)
        told["key_set"] = b64encode(text.encode()).decode()
        route.fulfill(response=answer, json=told)

    room.context.route("**/bid/room?*", swap)
    page = room.open()
    room.press("Seal the bid")
    name = next(one["name"] for one in document["commission"]["members"] if one["seat_id"] == swapped.id)
    expect(page.locator("[data-told]")).to_contain_text(name, timeout=WAIT)
    expect(page.get_by_text("It is not submitted yet.")).not_to_be_visible()
    assert mine(room) == []


def test_a_digest_from_the_printed_notice_counts(room: Room) -> None:
    first_visit_of(room)
    page = room.open()
    page.locator("#notice-digest").fill("00" * 32)
    room.press("Seal the bid")
    expect(page.locator("[data-told]")).to_contain_text("Nothing was sealed", timeout=WAIT)
    page.locator("#notice-digest").fill(page.locator("[data-keys]").inner_text())
    room.press("Seal the bid")
    expect(page.get_by_text("It is not submitted yet.")).to_be_visible(timeout=WAIT)


def first_visit_of(room: Room) -> None:
    """Fill in what must be there."""
    page = room.open()
    for place, price in zip(page.locator("[data-price]").all(), PRICES, strict=True):
        place.fill(price)
    for box in page.locator("[data-declare]").all():
        box.check()
    expect(page.locator("[data-draft]")).to_contain_text("The draft is saved")
    page.close()
