"""What may go otherwise than planned, by clicks: a member leaves and an alternate comes, the loser complains, the
review body decides, and the next in rank follows. The tender is brought to its admission by deeds.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, expect

from schoolmeals.actors import Role
from schoolmeals.clock import MovableClock
from schoolmeals.procurement.rules.quorum import SeatFacts
from schoolmeals.procurement.rules.stages import TenderStage
from tests.browser.tender_people import PHONE, Somebody, Town
from tests.factories.awards import declared_by_all
from tests.factories.evaluation import Planted, Table, plant, work_done
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import TITLE, Procurement, somebody
from tests.procurement.test_awards import standing

pytestmark = pytest.mark.browser

WINNER: Final = "«Дәм» ЖШС"
LOSER: Final = "ТОО «Нан»"
LONG_AGO: Final = work_done(date(2019, 1, 1), date(2024, 12, 31))


@pytest.fixture
def town(
    app: Flask,
    clock: MovableClock,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
) -> Iterator[Town]:
    found = Town(app, Procurement(clock), new_context, sign_in)
    found.tender_id = found.world.tender_in(TenderStage.ADMISSION)
    found.commission_roles()
    yield found
    assert found.said == []


def test_a_recusal_a_complaint_and_the_next_in_rank(town: Town) -> None:
    table = Table(town.world, town.tender_id)
    best, second = offered(table, WINNER, experience=[LONG_AGO]), offered(table, LOSER)
    called = leave_by_clicks(town, table)
    declare_by_clicks(town, called)
    declared_by_all(town.world, town.tender_id)
    table.admit(best, second)
    table.score(best, second)
    award_by_clicks(town, table, called)
    assert [one.bid_id for one in standing(town.world, town.tender_id)] == [best.id]
    complain_by_clicks(town, second)
    decide_by_clicks(town)
    carry_out_by_clicks(town)
    assert [(one.bid_id, one.rank) for one in standing(town.world, town.tender_id)] == [(second.id, 2)]
    public = town.somebody(None, PHONE, "kk")
    public.go(f"/tenders/{town.tender_id}/award")
    expect(public.page.get_by_text(LOSER).first).to_be_visible()


def offered(table: Table, name: str, **about: Any) -> Planted:
    """A bid of a supplier with a name."""
    organisation = OrganisationFactory.create(kind="supplier", name_kk=name, name_ru=name, name_en=name)
    return plant(table.world, table.tender_id, supplier=somebody(Role.SUPPLIER, organisation.id), **about)


def leave_by_clicks(town: Town, table: Table) -> SeatFacts:
    """A plain member has a share in a bidder, says so, and is out at once; gives the alternate who was called."""
    leaving = next(seat for seat in table.seats if seat.part == "member")
    member = to_seat(town, leaving)
    member.follow("Declarations of interest")
    part = member.page.locator("section").filter(has=member.page.get_by_role("heading", name=WINNER))
    part.get_by_label("I have a share in it, or it owes me money").check()
    member.press(f"Declare: {WINNER}", part)
    member.go(f"/commission/{town.tender_id}")
    member.sees("Your seat in this commission has ended.")
    return next(seat for seat in table.seats if seat.seated_at is not None)


def to_seat(town: Town, seat: SeatFacts) -> Somebody:
    """A member's own browser, from the list of seats to the one of this tender."""
    member = town.somebody(seat.person_id, PHONE)
    member.go("/commission")
    member.follow(TITLE["en"])
    return member


def declare_by_clicks(town: Town, seat: SeatFacts) -> None:
    """Whoever was called finds the declarations, and has no interest in anybody."""
    alternate = to_seat(town, seat)
    alternate.follow("Declarations of interest")
    for name in (WINNER, LOSER):
        part = alternate.page.locator("section").filter(has=alternate.page.get_by_role("heading", name=name))
        part.get_by_label("I have no interest in this bidder").check()
        alternate.press(f"Declare: {name}", part)
    expect(alternate.page.get_by_text("No interest declared")).to_have_count(2)


def award_by_clicks(town: Town, table: Table, called: SeatFacts) -> None:
    """From the end of the evaluation the chair is led to the protocol, and from there to the public page."""
    chairing = next(seat for seat in table.seats if seat.part == "chair")
    others = [seat for seat in table.seats if seat.id not in (chairing.id, called.id)]
    chair = to_seat(town, chairing)
    chair.follow("Score the bids")
    chair.press("Finish the evaluation")
    assert chair.page.url.endswith(f"/commission/{town.tender_id}/award")
    for seat in (chairing, *others[:2], called):
        chair.page.get_by_label(seat.name).check()
    chair.press("Sign and publish")
    assert chair.page.url.endswith(f"/tenders/{town.tender_id}/award")
    assert town.world.stage(town.tender_id) is TenderStage.STANDSTILL


def complain_by_clicks(town: Town, bid: Planted) -> None:
    """While the standstill runs, whoever came second complains on the page of the award."""
    loser = town.somebody(bid.supplier.id, PHONE)
    loser.go(f"/tenders/{town.tender_id}/award")
    loser.follow("Complain")
    loser.fill(about="award", text="Жеңімпаздың тәжірибесі расталмаған", remedy="Шешімнің күшін жою")
    loser.press("Send the complaint")
    loser.sees("Your complaint is with the review body.")


def decide_by_clicks(town: Town) -> None:
    """The review body takes it up, which holds the tender, and upholds it."""
    body = town.somebody(town.world.review_body.id)
    body.go("/complaints")
    body.page.get_by_role("link", name="Complaint No. 1").click()
    body.press("Take the complaint up")
    assert town.world.stage(town.tender_id) is TenderStage.SUSPENDED
    body.page.get_by_label("Upheld", exact=True).check()
    body.page.get_by_label("End the award; the next in rank follows").check()
    body.page.locator("[name=lot_id]").select_option(index=1)
    body.fill(reasons="Тапсырыс беруші мұндай шартты білмейді")
    body.press("Publish the decision")
    body.sees("Upheld, waits to be carried out")


def carry_out_by_clicks(town: Town) -> None:
    """The officer comes from the decisions of the tender, and the system does what was ordered."""
    officer = town.somebody(town.world.editor.id)
    officer.go(f"/procurement/tenders/{town.tender_id}/decisions")
    officer.follow("Complaint No. 1")
    officer.fill(report="Шешімнің күші жойылды")
    officer.press("Carry it out")
    officer.sees("Upheld and carried out")
