"""The pages of admission and evaluation with bids on the table, in a real browser: on a phone, and on a screen."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page
from sqlalchemy import update

from schoolmeals.actors import Role
from schoolmeals.clock import MovableClock
from schoolmeals.identity.models import Person
from schoolmeals.procurement.actions import admission, evaluation, low_prices, scoring
from schoolmeals.procurement.rules.stages import TenderStage
from tests.browser.conftest import no_barriers
from tests.factories.evaluation import JUDGED, Planted, Table, goods_table, open_price, person, plant, work_done
from tests.factories.identity import OrganisationFactory, RoleGrantFactory
from tests.factories.procurement import ALMATY, Procurement, somebody

pytestmark = pytest.mark.browser
Look = Callable[[Any, str], Page]


@pytest.fixture(params=[("kk", 360), ("ru", 1280)], ids=["kk-360", "ru-1280"])
def look(
    request: pytest.FixtureRequest,
    do: Any,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
) -> Look:
    """Opens a page as somebody, or as nobody, in a language and at a width."""
    language, width = request.param

    def open_as(who: Any, path: str) -> Page:
        do(lambda work: work.session.execute(update(Person).values(language=language)))
        context = new_context(width, 800, language)
        if who is not None:
            sign_in(context, who)
        page = context.new_page()
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        return page

    return open_as


def offered(table: Table, name: str, **about: Any) -> Planted:
    """A bid of a supplier with a name."""
    organisation = OrganisationFactory.create(kind="supplier", name_kk=name, name_ru=name, name_en=name)
    return plant(table.world, table.tender_id, supplier=somebody(Role.SUPPLIER, organisation.id), **about)


def seated(table: Table) -> Table:
    for seat in table.seats:
        role = Role.COMMISSION_MEMBER.value
        RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=table.world.city_id)
    return table


def test_every_page_of_an_evaluation_is_open_to_everybody(app: Flask, clock: MovableClock, look: Look) -> None:
    world = Procurement(clock)
    table = seated(Table(world, world.tender_in(TenderStage.ADMISSION)))
    years = (date(2019, 1, 1), date(2024, 12, 31))
    one = offered(table, "«Дәм» ЖШС", experience=[work_done(*years)])
    other = offered(table, "ЖК Мұратова", experience=[work_done(*years, public=False)], staff=[person("Айша")])
    unread = offered(table, "ТОО «Нан»", unreadable="incomplete")
    at, member = f"/commission/{table.tender_id}", table.members[0].id
    table.declare(one, other, unread)
    content = table.board().row(other.id).candidate.content_sha256
    table.vote(
        other,
        "resources",
        met=False,
        by=2,
        reason_code="staff-short",
        reason="Бір аспазшы жетпейді",
        evidence=[content],
    )
    asked = (table.tender_id, other.id, ["resources"], "Екінші аспазшының құжатын жіберіңіз")
    world.do(admission.ask_fix, *asked, zone=ALMATY, actor=world.secretary)
    for who, path in (
        (member, f"{at}/admission"),
        (member, f"{at}/admission/{one.id}"),
        (member, f"{at}/admission/{other.id}"),
        (world.secretary.id, f"{at}/admission/{one.id}"),
        (other.supplier.id, f"/tenders/{table.tender_id}/bids/{other.id}/mend"),
        (other.supplier.id, f"/tenders/{table.tender_id}"),
    ):
        no_barriers(look(who, path))
    files = [admission.MendingFile("resources", "diplom.pdf", "application/pdf", b"%PDF")]
    world.do(admission.give_fix, table.tender_id, other.id, "Міне", files, answer_id=one.id, actor=other.supplier)
    table.vote(other, "resources")
    table.admit(one, other)
    why = {"reason_code": "does-not-fit", "reason": "Басқа мектептің мөрі"}
    sha256 = one.content["experience"][0]["evidence"][0]
    world.do(scoring.contest_evidence, table.tender_id, one.id, sha256, **why, actor=table.members[0])
    world.do(scoring.give_score, table.tender_id, one.id, JUDGED, 2500, actor=table.members[0])
    for who, path in (
        (member, f"{at}/scores"),
        (member, f"{at}/scores/{one.id}"),
        (world.secretary.id, f"{at}/scores"),
    ):
        no_barriers(look(who, path))
    table.score(one, other)
    world.do(evaluation.finish_evaluation, table.tender_id, zone=ALMATY, actor=world.secretary)
    no_barriers(look(None, f"/tenders/{table.tender_id}/scores"))
    no_barriers(look(member, f"{at}/scores"))


def test_an_abnormally_low_price_on_its_pages(app: Flask, clock: MovableClock, look: Look) -> None:
    table = seated(goods_table(Procurement(clock)))
    bids = [offered(table, name, envelopes=("qualification", "price")) for name in ("«Сүт» ЖШС", "ТОО «Молоко»")]
    table.declare(*bids)
    for bid in bids:
        table.vote(bid, "resources", by=4)
    table.admit(*bids)
    for bid, price in zip(bids, (200_00, 400_00), strict=True):
        open_price(table.world, table.tender_id, bid, price)
    asked = (table.tender_id, bids[0].id)
    table.world.do(low_prices.ask_low_price, *asked, zone=ALMATY, actor=table.world.secretary)
    no_barriers(look(bids[0].supplier.id, f"/tenders/{table.tender_id}/bids/{bids[0].id}/low-price"))
    table.world.do(low_prices.explain_low_price, *asked, "Өз фермамыз бар", actor=bids[0].supplier)
    no_barriers(look(table.members[0].id, f"/commission/{table.tender_id}/scores"))
