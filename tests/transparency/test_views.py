"""A school's page: who feeds it from the second signature on, at which prices, what is on the table; for everybody."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from schoolmeals.actors import SYSTEM
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work
from schoolmeals.identity import edit_calendar
from schoolmeals.identity.models import Organisation
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import contracts
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.canteen import new_canteen
from tests.factories.contracts import Authenticator, in_force, make, sign
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import Procurement

IN_TERM = datetime(2027, 2, 1, 6, 0, tzinfo=UTC)
SUPPLIER = "Astana meals"


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, path
    return " ".join(answer.get_data(as_text=True).split())


def part(text: str, heading: str) -> str:
    """What stands below a heading of the second order."""
    return text.partition(f'id="{heading}"')[2].partition("<h2")[0]


def name_supplier(work: Work, supplier_id: UUID) -> None:
    work.session.get_one(Organisation, supplier_id).name_en = SUPPLIER


@pytest.fixture
def contracting(world: Procurement) -> UUID:
    """A tender whose contract can be made with a supplier whose name nobody else bears."""
    world.do(name_supplier, world.supplier_id, actor=SYSTEM)
    return world.tender_in(TenderStage.CONTRACTING)


def test_the_supplier_is_on_the_schools_page_from_the_second_signature_on(
    client: FlaskClient, world: Procurement, contracting: UUID
) -> None:
    address = f"/schools/{world.school_id}"
    contract_id = make(world, contracting)
    assert SUPPLIER not in page(client, address), "nothing is signed"
    sign(world, contracting, contract_id, Authenticator(world.supplier))
    assert SUPPLIER not in page(client, address), "one side binds nobody"
    sign(world, contracting, contract_id, Authenticator(world.buyer))
    coming = part(page(client, address), "supplier")
    assert "Signed for later" in coming
    assert SUPPLIER in coming
    assert f"/contracts/{contract_id}" in coming
    assert "No contract is in force for this school today." in coming
    world.clock.now = IN_TERM
    shown = part(page(client, address), "supplier")
    assert f"<h3>{SUPPLIER}</h3>" in shown
    assert f"/contracts/{contract_id}" in shown
    assert f"/tenders/{contracting}" in shown
    assert f"/tenders/{contracting}/award" in shown
    assert "6 to 10 years" in shown
    assert "Lunch" in shown
    assert SUPPLIER in page(client, "/schools"), "the list says it too"


def test_a_terminated_contract_feeds_nobody_and_stays_in_the_history(
    client: FlaskClient, world: Procurement, contracting: UUID
) -> None:
    contract_id, *_ = in_force(world, contracting)
    world.clock.now = IN_TERM
    said = {"fault": "supplier", "reason": "No meals came"}
    world.do(contracts.terminate_contract, contracting, contract_id, actor=world.buyer, **said)
    world.clock.move(timedelta(days=1))
    shown = page(client, f"/schools/{world.school_id}")
    assert SUPPLIER not in part(shown, "supplier")
    assert SUPPLIER in part(shown, "history")
    assert "Terminated" in part(shown, "history")


def test_running_tenders_are_apart_from_those_that_are_over(client: FlaskClient, world: Procurement) -> None:
    running, over = world.tender_in(TenderStage.BIDDING), world.tender_in(TenderStage.CANCELLED)
    draft = world.bare_draft()
    shown = page(client, f"/schools/{world.school_id}")
    assert str(running) in part(shown, "tenders")
    assert str(over) not in part(shown, "tenders")
    assert str(over) in part(shown, "history")
    assert str(draft) not in shown, "a draft is nobody's news"


def test_the_menu_of_the_day_is_public_once_it_is_published(client: FlaskClient, clock: MovableClock) -> None:
    canteen = new_canteen(clock())
    address = f"/schools/{canteen.school_id}"
    shown = part(page(client, address), "menu")
    assert shown.count("<strong>Lunch</strong>") == 1, "the dishes once, the prices by age group"
    assert "6 to 10 years" in shown
    assert "11 to 14 years" in shown
    assert "Allergens: cereals with gluten, milk" in shown
    assert "No contract stands behind these prices." in shown
    other = page(client, f"{address}?day=2026-11-24")
    assert "The menu of this day is not published yet." in other
    assert "<strong>Lunch</strong>" not in other
    assert "No lessons on this day" in page(client, f"{address}?day=2026-11-28")


@pytest.mark.parametrize("day", ["soon", "2026-13-01", "2027-11-23", "0001-01-01"])
def test_no_menu_of_a_day_that_is_none_or_far_away(client: FlaskClient, day: str) -> None:
    school_id = OrganisationFactory.create(kind="school").id
    assert client.get(f"/schools/{school_id}?day={day}").status_code == 404


def test_only_schools_have_such_a_page(client: FlaskClient) -> None:
    city = OrganisationFactory.create(kind="city").id
    for id in (city, new_id(), UUID(int=0)):
        assert client.get(f"/schools/{id}").status_code == 404


def test_schools_are_found_by_words_and_district(client: FlaskClient) -> None:
    one = OrganisationFactory.create(kind="school", name_en="School Aurora", district="Almaty", address="Abay 3")
    two = OrganisationFactory.create(kind="school", name_en="School Borealis", district="Saryarka", address="Abay 5")
    both = {one.id, two.id}
    for query, found in (
        ("", both),
        ("?text=abay", both),
        ("?text=aurora+school", {one.id}),
        ("?district=Saryarka", {two.id}),
        ("?text=aurora&district=Saryarka", set[UUID]()),
    ):
        shown = page(client, f"/schools{query}")
        assert {id for id in both if f"/schools/{id}" in shown} == found, query
    assert "Almaty" in page(client, "/schools"), "districts can be chosen"
    assert "No school was found" in page(client, "/schools?text=nowhere")
    assert client.get("/schools?page=x").status_code == client.get("/schools?page=0").status_code == 404


def test_a_schools_own_free_day_closes_the_canteen(client: FlaskClient, clock: MovableClock, do: Any) -> None:
    school_id = OrganisationFactory.create(kind="school").id
    assert "is not published yet" in page(client, f"/schools/{school_id}")
    assert date(2026, 11, 23) == clock().date()
    names = {"name_kk": "Карантин", "name_ru": "Карантин", "name_en": "Quarantine"}
    do(edit_calendar, school_id, [date(2026, 11, 23)], nature="break", **names)
    assert "No lessons on this day" in page(client, f"/schools/{school_id}")
