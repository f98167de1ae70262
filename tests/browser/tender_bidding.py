"""Suppliers by clicks: registering, asking, filling a bid in, sealing and submitting it, and what becomes of it."""

import json
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from playwright.sync_api import FilePayload, Page, Request, expect

from schoolmeals.kz_id import check_digit
from tests.browser.tender_people import PHONE, WAIT, Somebody, Town

PAPER: Final = b"%PDF-1.4 MARK-IN-PAPER of "
RECEIVED: Final = "The sealed files have arrived whole."


@dataclass
class Bidder:
    """A supplier's representative at a telephone, and what the bid says. Nobody may read that before the opening."""

    at: Somebody
    name: str
    price: str
    """Of one meal, as it is typed."""
    organisation_id: UUID | None = None
    """Known once the supplier is registered."""
    sent: list[bytes] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """The telephone."""
        return self.at.page

    @property
    def note(self) -> str:
        """What the bid says about its menu; nobody else says so."""
        return f"{self.name} күн сайын балмұздақ бермейді"

    def secrets(self) -> list[str]:
        """What must be on no page and in no request before the opening."""
        return [self.note, PAPER.decode(), *self.prices()]

    def prices(self) -> list[str]:
        """The price as it is typed, shown and kept."""
        whole, rest = self.price.split(",")
        return [self.price, f"{whole}.{rest}", f"{whole}{rest}"]


def number(first_ten: str) -> str:
    """A BIN or an IIN that is written right; some beginnings have no check digit, and were never issued."""
    found = ((f"{first_ten}{last}", check_digit(f"{first_ten}{last}")) for last in range(10))
    return next(f"{eleven}{digit}" for eleven, digit in found if digit is not None)


def register_by_clicks(town: Town, name: str, place: int, price: str, *, cooks: int = 2) -> Bidder:
    """Somebody registers a supplier and lists a certificate and the cooks."""
    at = town.somebody(town.newcomer(f"Бағлан {name}"), PHONE)
    bidder = Bidder(at, name, price)
    at.go("/supplier/register")
    at.fill(name_kk=name, name_ru=name, scheme="KZ-BIN", number=number(f"090140003{place}"))
    at.fill(position="Директор", basis="Жарғы", addresses=f"Астана, Сарыарқа {place}", phones=f"+7 701 000 00 0{place}")
    at.fill(head_surname=f"Бастық{place}", head_given_name="Асан")
    at.press("Register")
    bidder.organisation_id = UUID(at.page.url.split("/")[-1])
    add_paper(bidder, "certificate", "HACCP")
    for cook in range(cooks):
        at.go(f"/supplier/{bidder.organisation_id}/staff")
        at.fill(name=f"Аспаз {place}{cook}", number=number(f"8{place}010{cook + 1}3000"), post="cook", grade=4 + cook)
        at.fill(education="college", fte_percent=100, started_on="2025-01-10")
        at.page.get_by_label("HACCP").check()
        at.press("Add")
    return bidder


def add_paper(bidder: Bidder, kind: str, title: str) -> None:
    """Put a paper into the supplier's own list."""
    at = bidder.at
    at.go(f"/supplier/{bidder.organisation_id}/evidence")
    content = PAPER + f"{bidder.name} {title}".encode()
    file = FilePayload(name=f"{title}.pdf", mimeType="application/pdf", buffer=content)
    at.page.locator("#f-file").set_input_files(file)
    at.fill(kind=kind, title=title)
    at.press("Add")


def ask_by_clicks(town: Town, bidder: Bidder, text: str) -> None:
    """Ask from the tender's page."""
    bidder.at.go(f"/tenders/{town.tender_id}")
    bidder.at.follow("Ask a question")
    bidder.page.get_by_label("Question").check()
    bidder.at.fill(language="kk", text=text)
    bidder.at.press("Publish the question")
    bidder.at.sees(text)


def answer_by_clicks(town: Town, officer: Somebody, text: str) -> None:
    """Answer the question for everybody."""
    officer.go(f"/procurement/tenders/{town.tender_id}/edit")
    officer.follow("Questions and answers")
    form = officer.page.locator("form").filter(has=officer.page.get_by_role("button", name="Publish the answer"))
    for language in ("kk", "ru"):
        form.locator(f'[name$=".{language}"]').fill(text)
    officer.press("Publish the answer")
    officer.sees(text)


def amend_by_clicks(town: Town, officer: Somebody, reviewer: Somebody, why: str) -> None:
    """One officer writes other terms and says why; another reads what changes and publishes that."""
    draft = f"/procurement/tenders/{town.tender_id}/edit"
    officer.go(draft)
    officer.follow("Terms and payment")
    officer.fill(payment_days=7)
    officer.press("Save")
    officer.follow("What the amendment changes")
    officer.fill_in({"rationale.kk": why, "rationale.ru": why})
    officer.press("Save the reason")
    officer.sees("You have written in it. Somebody else reads and publishes it.")
    reviewer.go(draft)
    reviewer.follow("What the amendment changes")
    reviewer.sees(why)
    reviewer.press("Publish the amendment")


def bid_by_clicks(town: Town, bidder: Bidder, *, papers: tuple[str, ...] = ()) -> None:
    """Fill the bid in on the telephone and submit it sealed. ``papers`` are what HACCP is attached to as a proof."""
    enter_room(town, bidder)
    page = bidder.page
    if page.locator("[data-keep=menu_note]").count():
        page.locator("[data-keep=menu_note]").fill(bidder.note)
    for place in page.locator("[data-price]").all():
        place.fill(bidder.price)
    for box in page.locator("[data-declare], [data-choose=staff]").all():
        box.check()
    for code in papers:
        part = page.locator(f"#demand-{code}, #criterion-{code}")
        part.locator("summary").click()
        part.get_by_label("HACCP").check()
    bidder.at.look()
    seal_by_clicks(bidder)


def enter_room(town: Town, bidder: Bidder) -> None:
    """Come from the tender's page to the room of the bid; from here on all that leaves the telephone is kept."""
    bidder.at.go(f"/tenders/{town.tender_id}")
    bidder.at.follow("My bid")
    bidder.page.wait_for_selector("#bid-room[data-ready]", timeout=WAIT)
    bidder.page.on("request", lambda request: bidder.sent.append(all_of(request)))


def seal_by_clicks(bidder: Bidder) -> dict[str, Any]:
    """Seal, save the recovery file, submit, and wait until the sealed files have arrived; the recovery file."""
    page = bidder.page
    page.get_by_role("button", name="Seal the bid").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="1. Save the recovery file").click()
    bidder.at.look()
    page.get_by_role("button", name="2. Submit the bid").click()
    expect(page.get_by_text("It is not submitted yet.")).to_be_hidden(timeout=WAIT)
    expect(page.get_by_text(RECEIVED)).to_be_visible(timeout=WAIT)
    bidder.at.look()
    recovery: dict[str, Any] = json.loads(download.value.path().read_text())
    return recovery


def confirm_by_clicks(town: Town, bidder: Bidder) -> None:
    """After an amendment: the bid waits for a word, and gets it."""
    enter_room(town, bidder)
    bidder.at.sees("The tender was amended after you had submitted.")
    bidder.at.look()
    bidder.page.get_by_role("button", name="Confirm the bid as it is").click()
    expect(bidder.page.get_by_text("The tender was amended after you had submitted.")).to_be_hidden(timeout=WAIT)


def replace_by_clicks(town: Town, bidder: Bidder, price: str) -> None:
    """Seal anew with another price; the receipt is another one."""
    enter_room(town, bidder)
    digest = bidder.page.locator("[data-own-digest]")
    before = digest.inner_text()
    bidder.price = price
    for place in bidder.page.locator("[data-price]").all():
        place.fill(price)
    seal_by_clicks(bidder)
    expect(digest).not_to_have_text(before)


def withdraw_by_clicks(town: Town, bidder: Bidder) -> None:
    """Take the bid back."""
    enter_room(town, bidder)
    bidder.page.locator("summary", has_text="Withdraw the bid").click()
    bidder.page.get_by_role("button", name="Withdraw the bid").click()
    bidder.at.sees("You have withdrawn your bid. Nothing of it will be opened.")
    bidder.at.look()


def all_of(request: Request) -> bytes:
    """The address and the body of a request, as they leave the browser."""
    return request.url.encode() + b"\n" + (request.post_data_buffer or b"")
