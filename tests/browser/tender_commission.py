"""The commission by clicks: opening together, declaring, admitting, asking for what is missing, scoring, awarding."""

from collections.abc import Iterable, Sequence
from typing import Final

from playwright.sync_api import FilePayload, Locator, expect

from tests.browser.tender_bidding import Bidder
from tests.browser.tender_people import WAIT, Somebody, Town
from tests.browser.tender_preparing import Member
from tests.factories.procurement import TITLE

WORDS: Final = "Осы құжаттар жеткілікті деп санаймын"


def begin_by_clicks(chair: Member) -> None:
    """The chair comes from the list of seats and begins the opening."""
    to_seat(chair)
    chair.at.follow("Go to the opening")
    chair.at.press("Begin the opening")
    chair.at.follow("My part in the opening")


def to_seat(member: Member) -> Somebody:
    """From the list of one's commissions to the seat."""
    member.at.go("/commission")
    member.at.follow(TITLE["en"])
    return member.at


def open_by_clicks(member: Member) -> None:
    """Hand the shares in, with the passkey where the key is locked with one, else with the passphrase on paper."""
    page = member.at.page
    if not page.url.endswith("/opening"):
        to_seat(member)
        member.at.follow("Go to the opening")
    way_in = page.get_by_role("button", name="Open by passkey")
    assert way_in.count() == member.has_passkey
    if not way_in.count():
        page.get_by_label("Passphrase from your paper").fill(member.passphrase)
        way_in = page.get_by_role("button", name="Open my shares")
    with page.expect_navigation():
        way_in.click()
    member.at.sees("All your shares are handed in.")
    member.at.look()


def finish_opening_by_clicks(chair: Member) -> None:
    """Every bid is open: make the protocol."""
    chair.at.follow("Public page of the opening")
    chair.at.press("Finish and make the protocol")


def declare_by_clicks(member: Member, names: Iterable[str]) -> None:
    """Say of each bidder that there is no interest."""
    to_seat(member).follow("Declarations of interest")
    for name in names:
        part = member.at.page.locator("section").filter(has=member.at.page.get_by_role("heading", name=name))
        part.get_by_label("I have no interest in this bidder").check()
        member.at.press(f"Declare: {name}", part)


def ask_fix_by_clicks(chair: Member, bidder: Bidder, requirement: str, what: str) -> None:
    """Ask a supplier once for a paper that is missing."""
    to_seat(chair).follow("Decide on admission")
    chair.at.follow(bidder.name)
    chair.at.page.get_by_role("group", name="What is to be mended").get_by_label(requirement).check()
    chair.at.page.locator("#f-text").fill(what)
    chair.at.press("Ask the supplier")


def fix_by_clicks(town: Town, bidder: Bidder, requirement: str) -> None:
    """The supplier sees it on the tender's page, and sends the paper."""
    bidder.at.go(f"/tenders/{town.tender_id}")
    bidder.at.follow("Answer")
    bidder.at.fill(text="Міне, анықтама")
    paper = FilePayload(name="anyqtama.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4 capacity")
    bidder.page.get_by_label(f"Documents: {requirement}").set_input_files(paper)
    bidder.at.press("Send the answer")
    bidder.at.sees("Your answer has reached the commission.")


def admit_by_clicks(member: Member, bidders: Sequence[Bidder]) -> None:
    """Say yes to whatever waits for this member's decision."""
    to_seat(member).follow("Decide on admission")
    waiting = member.at.page.locator(".tasks li").filter(has_text="Waits for your decision")
    for name in [bidder.name for bidder in bidders if waiting.filter(has_text=bidder.name).count()]:
        member.at.follow(name)
        while (form := open_question(member)) is not None:
            form.get_by_label("Yes").check()
            with member.at.page.expect_navigation():
                form.get_by_role("button").click()
            member.at.look()
        member.at.follow("← All bids")


def open_question(member: Member) -> Locator | None:
    """The first form that stands open because the member has not decided."""
    forms = member.at.page.locator("details[open] form").filter(has=member.at.page.locator("[name=requirement]"))
    return forms.first if forms.count() else None


def close_admission_by_clicks(chair: Member) -> None:
    """Nothing is open: the list becomes public."""
    to_seat(chair).follow("Decide on admission")
    chair.at.press("Close the list of admitted bids")


def score_by_clicks(member: Member, points: Sequence[str]) -> None:
    """Give points alone, one for each bid, with the reasons."""
    to_seat(member).follow("Score the bids")
    for field, given in zip(member.at.page.locator("input[name^='s-']").all(), points, strict=True):
        field.fill(given)
    for note in member.at.page.locator("textarea[name^='n-']").all():
        note.fill(f"{member.seat.name}: {WORDS}")
    member.at.press("Record my scores")


def finish_evaluation_by_clicks(chair: Member, *, judged: bool = True) -> None:
    """Reveal what everybody has given, and publish the sheet."""
    to_seat(chair).follow("Score the bids")
    if judged:
        chair.at.press("Reveal all scores")
    chair.at.press("Finish the evaluation")


def award_by_clicks(chair: Member, present: Sequence[Member]) -> None:
    """Sign the award for those who are here."""
    to_seat(chair).follow("Protocol of the award")
    for one in present:
        chair.at.page.get_by_label(one.seat.name).check()
    chair.at.press("Sign and publish")


def expect_shares(public: Somebody, here: int, bids: int, needed: str = "3") -> None:
    """The public sees on the opening's page how many shares of each bid are there."""
    text = f"Үлестер: {needed} ішінен {here}"
    expect(public.page.get_by_text(text)).to_have_count(bids, timeout=WAIT)
