"""A tender by clicks, from the line of the plan to the published notice."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from playwright.sync_api import FilePayload, expect

from schoolmeals.procurement.rules.need import AGE_GROUPS
from schoolmeals.procurement.rules.quorum import SeatFacts
from tests.browser.tender_bidding import number
from tests.browser.tender_people import WAIT, Somebody, Town, give_passkeys
from tests.factories.procurement import ALMATY, ENDS_ON, LOT_SECTIONS, SEED, STARTS_ON, TENDER_SECTIONS, TITLE

PASSPHRASE: Final = re.compile(r"^\d{4}(-\d{4}){5}$")
CEILING: Final = "850"
MONEY: Final = {"rent_minor_month": "241000"}
"""What is typed in tenge, where the section keeps the smallest unit."""


@dataclass
class Member:
    """A member of the commission at their browser, with the paper that has the passphrase."""

    seat: SeatFacts
    at: Somebody
    passphrase: str = ""
    has_passkey: bool = False


def plan_by_clicks(town: Town, officer: Somebody) -> None:
    """Write a line of next year's plan and publish it; its need is counted from the roll."""
    officer.go("/procurement/tenders")
    officer.follow("Annual plan")
    officer.go("/procurement/plan/new")
    officer.fill(school_id=town.world.school_id, starts_on=STARTS_ON, ends_on=ENDS_ON, planned_days=90)
    officer.fill_in({"title.kk": TITLE["kk"], "title.ru": TITLE["ru"], "title.en": TITLE["en"]})
    officer.fill(amount_minor="5 000 000", announce_on="2026-11-30")
    officer.press("Save")
    officer.press("Publish")
    officer.sees("The published page")


def draft_by_clicks(town: Town, officer: Somebody) -> None:
    """Open a draft, add the lot, fill in every section of the list, let the need be computed."""
    officer.go("/procurement/tenders")
    officer.fill(profile_code="kz-catering-points")
    officer.fill_in({f"title.{code}": text for code, text in TITLE.items()})
    officer.press("Open a draft")
    town.tender_id = UUID(officer.page.url.split("/")[-2])
    officer.fill(school_id=town.world.school_id)
    officer.press("Add a lot")
    tasks = {"notice": "What is bought", "period": "Contract period", "terms": "Terms and payment"}
    for section, title in tasks.items():
        fill_section(officer, title, TENDER_SECTIONS[section])
    for section, title in LOT_TITLES.items():
        fill_section(officer, title, LOT_SECTIONS[section])
    items = [{"age_group": one, "meal": "lunch", "ceiling_minor": CEILING} for one in AGE_GROUPS]
    fill_section(officer, "Prices and quantities", {"items": items})
    officer.press("Compute the need")
    officer.follow("Prices and quantities")
    officer.page.go_back()
    # The title was there from the beginning; what is left is the commission.
    expect(officer.page.get_by_text("Something is missing")).to_have_count(0)
    expect(officer.page.get_by_text("Not started")).to_have_count(0)


LOT_TITLES: Final = {
    "meals": "Meals",
    "kitchen": "Kitchen and canteen",
    "serving": "Serving times",
    "lease": "Equipment and lease",
    "staff": "Required staff",
    "menu": "Four-week menu",
    "diets": "Special diets",
    "origin": "Origin of the food",
}


def fill_section(officer: Somebody, title: str, content: Mapping[str, Any]) -> None:
    """Fill the form of a section as it is shown, and save."""
    officer.follow(title)
    # The days of the menu stand in its table already.
    given = ("week", "weekday", "meal") if title == LOT_TITLES["menu"] else ()
    officer.fill_in({name: value for name, value in typed_of(content) if name.rpartition(".")[2] not in given})
    officer.press("Save")


def typed_of(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """What is typed for a section's content: dotted names, and what goes into each."""
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from typed_of(value, f"{path}{name}.")
        elif isinstance(value, list):
            for place, row in enumerate(value):
                yield from typed_of(row, f"{path}{name}.{place}.")
        else:
            yield f"{path}{name}", MONEY.get(name, value)


def draw_by_clicks(town: Town, officer: Somebody) -> None:
    """Announce the draw, let the announced moment come, and draw by the seed."""
    officer.go(f"/procurement/tenders/{town.tender_id}/commission")
    soon = (town.world.clock() + timedelta(minutes=5)).astimezone(ALMATY)
    officer.fill(seed_source="Rates of the National Bank", seed_numbers="USD, EUR, RUB", seed_decimals="2")
    officer.fill(day=soon.date().isoformat(), time=f"{soon:%H:%M}")
    officer.press("Announce the draw")
    town.world.clock.move(timedelta(minutes=6))
    officer.fill(seed=SEED)
    officer.press("Draw by lot")


def keys_by_clicks(town: Town) -> list[Member]:
    """Everybody who was drawn accepts and makes a key. Keys are locked slowly: all five browsers do it at one time."""
    members = [accept_by_clicks(town, seat) for seat in town.world.seats(town.tender_id) if seat.part != "alternate"]
    for one in members:
        write_down(one)
    for one in members:
        expect(one.at.page.get_by_text("Your key is published.")).to_be_visible(timeout=WAIT)
        one.at.look()
    # The chair leads; the others follow.
    return sorted(members, key=lambda one: one.seat.part != "chair")


def accept_by_clicks(town: Town, seat: SeatFacts) -> Member:
    """Accept the seat and let the browser begin with the key."""
    at = town.somebody(seat.person_id)
    if seat.part == "chair":
        give_passkeys(at.page)
    at.go("/commission")
    at.follow(TITLE["en"])
    at.page.get_by_label("I accept").check()
    at.press("Send the answer")
    at.page.get_by_role("button", name="Make the key").click()
    return Member(seat, at)


def write_down(member: Member) -> None:
    """Write the passphrase down, the chair locks the key with a passkey too; rehearse, publish."""
    page = member.at.page
    shown = page.locator("[data-passphrase]")
    expect(shown).to_have_text(PASSPHRASE, timeout=WAIT)
    if member.seat.part == "chair":
        page.get_by_role("button", name="Also lock it with a passkey").click()
        expect(page.get_by_text("The passkey is set.")).to_be_visible(timeout=WAIT)
        member.has_passkey = True
    member.passphrase = shown.inner_text()
    page.get_by_role("button", name="I have written it down").click()
    expect(shown).to_be_hidden(timeout=WAIT)
    page.get_by_label("Passphrase from your paper").fill(member.passphrase)
    page.get_by_role("button", name="Try it and publish the key").click()


def publish_by_clicks(town: Town, officer: Somebody, reviewer: Somebody) -> None:
    """Hand over, let a second officer read and approve, publish."""
    check = f"/procurement/tenders/{town.tender_id}/check"
    officer.go(check)
    officer.press("Hand over for review")
    reviewer.go("/procurement/tenders")
    reviewer.follow(TITLE["en"])
    reviewer.follow("Check the answers")
    reviewer.press("Approve")
    officer.go(check)
    officer.press("Publish")
    officer.sees("The tender is published.")


def registers_by_clicks(town: Town, officer: Somebody) -> None:
    """Import the state's registers in which bidders are looked for; nobody of ours is in them."""
    today = town.world.clock().astimezone(ALMATY).date().isoformat()
    content = f"Number;Name;From\r\n{number('1408400000')};«Басқа» ЖШС;2026-01-01\r\n".encode()
    for register in ("tax-debt", "bad-faith", "liquidation"):
        officer.go("/procurement/registers")
        officer.fill(register=register, source="goszakup.gov.kz", day=today, time="08:00")
        file = FilePayload(name=f"{register}.csv", mimeType="text/csv", buffer=content)
        officer.page.locator("#f-file").set_input_files(file)
        officer.press("Look at it first")
        officer.press("Import it")
        officer.sees("The register was imported. Checks ask it from now on.")
