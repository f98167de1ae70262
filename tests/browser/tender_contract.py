"""From the award to the contract by clicks: the contract is made, both sides sign it by passkey, everybody reads it."""

import json
from hashlib import sha256
from typing import Any

from click.testing import CliRunner
from playwright.sync_api import FilePayload, expect

from schoolmeals.procurement.models import Protocol
from schoolmeals.procurement.protocol_papers import draw_protocol
from schoolmeals.procurement.score_commands import tender_commands
from tests.browser.tender_people import WAIT, Somebody, Town, give_passkeys


def make_contract_by_clicks(town: Town, officer: Somebody) -> None:
    """Once nobody can complain any more the officer has the contract made."""
    officer.go(f"/procurement/tenders/{town.tender_id}/edit")
    officer.follow("Decisions, awards and contracts")
    officer.fill(buffet="Алма; Яблоко; Apple; дана; 150\nШай; Чай; Tea; стакан; 60")
    officer.press("Make the contract")


def sign_by_clicks(town: Town, side: Somebody) -> None:
    """Read the contract whole, make a passkey on one's own page, sign."""
    page = side.page
    give_passkeys(page)
    town.sign_in_again(side)
    to_contract(side).follow("Read and sign")
    side.follow("Add a passkey on my own page")
    with page.expect_navigation():
        page.get_by_role("button", name="Add a passkey").click()
    to_contract(side).follow("Read and sign")
    with page.expect_navigation():
        page.get_by_role("button", name="Sign with my passkey").click()
    side.sees("Your signature is kept.")
    side.look()


def to_contract(side: Somebody) -> Somebody:
    """From one's own contracts to the only one."""
    side.go("/contracts/mine")
    with side.page.expect_navigation():
        side.page.locator("main .tasks a").first.click()
    side.look()
    return side


def recompute_by_clicks(public: Somebody, town: Town, names: list[str]) -> None:
    """Whoever likes downloads the score sheet and computes it again, without us; one changed figure is found."""
    public.go(f"/tenders/{town.tender_id}/scores")
    with public.page.expect_download() as download:
        public.page.locator("a[href$='scores.json']").first.click()
    sheet = download.value.path()
    told = CliRunner().invoke(tender_commands, ["recompute", str(sheet)])
    assert told.exit_code == 0, told.output
    places = [told.output.index(f"{place}. {name}") for place, name in enumerate(names, 1)]
    assert places == sorted(places)
    wrong = sheet.with_suffix(".wrong")
    wrong.write_text(sheet.read_text().replace('"points_milli":', '"points_milli":1', 1))
    assert CliRunner().invoke(tender_commands, ["recompute", str(wrong)]).exit_code == 1


def check_protocols(public: Somebody, town: Town) -> None:
    """Each protocol is led to from the history; its address is the digest of its text; a paper has the text inside."""
    public.go(f"/tenders/{town.tender_id}/history")
    links = public.page.locator("a[href*='/protocols/']").all()
    addresses = [str(one.get_attribute("href")) for one in links]
    kinds = set()
    for address in addresses:
        text = public.page.request.get(f"{address}/protocol.json").body()
        assert sha256(text).hexdigest() == address.rsplit("/", 1)[1]
        kinds.add(json.loads(text)["kind"])
    assert kinds == {"opening", "admission", "evaluation", "award"}
    for address in addresses:
        public.go(address)
    check_paper(public, town, addresses[0])


def check_paper(public: Somebody, town: Town, address: str) -> None:
    """The page knows its own paper from another one."""
    digest = address.rsplit("/", 1)[1]
    row: Any = town.world.look(lambda work: work.session.query(Protocol).filter_by(sha256=bytes.fromhex(digest)).one())
    draw_protocol(str(row.id), "kk")
    public.go(address)
    with public.page.expect_download() as download:
        public.page.get_by_role("link", name="PDF, қазақша").click()
    paper = download.value.path().read_bytes()
    chosen = public.page.locator("#check-file input[type=file]")
    chosen.set_input_files(FilePayload(name="p.pdf", mimeType="application/pdf", buffer=paper))
    expect(public.page.locator("[data-found=paper]")).to_be_visible(timeout=WAIT)
    chosen.set_input_files(FilePayload(name="p.pdf", mimeType="application/pdf", buffer=paper + b" "))
    expect(public.page.locator("[data-found=none]")).to_be_visible(timeout=WAIT)
