"""Goods, where the price decides: two envelopes by clicks. The price stays sealed until admission is decided."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, expect
from sqlalchemy import select

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.clock import MovableClock
from schoolmeals.procurement.actions import commission as commission_deeds
from schoolmeals.procurement.actions.commission import KeptKey
from schoolmeals.procurement.models import FrozenBid
from schoolmeals.procurement.rules.quorum import SeatFacts
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.sealing.age_keys import new_member_key, new_passphrase, wrap
from tests.browser import tender_bidding as bidding
from tests.browser import tender_commission as commission
from tests.browser import tender_contract as contract
from tests.browser.sealing_site import make_bundle
from tests.browser.tender_bidding import Bidder
from tests.browser.tender_people import PHONE, WAIT, Somebody, Town, published_pages
from tests.browser.tender_preparing import Member
from tests.factories.evaluation import Planted, Table, goods_draft
from tests.factories.identity import RoleGrantFactory, actor_of
from tests.factories.procurement import Procurement, path_to

pytestmark = pytest.mark.browser

QUALIFICATION: Final = "Біліктілік туралы конверт"
PRICE: Final = "Баға туралы конверт"
BIDDERS: Final = (("«Сүт» ЖШС", "391,15"), ("ТОО «Молоко»", "412,35"))


@pytest.fixture
def town(
    app: Flask,
    clock: MovableClock,
    new_context: Callable[..., BrowserContext],
    sign_in: Callable[[BrowserContext, Any], None],
) -> Iterator[Town]:
    make_bundle()
    found = Town(app, Procurement(clock), new_context, sign_in)
    found.tender_id = goods_draft(found.world)
    yield found
    assert found.said == []


def test_prices_are_opened_once_admission_is_decided(town: Town) -> None:
    members = with_keys(town)
    for step in path_to(TenderStage.BIDDING):
        step(town.world, town.tender_id)
    bidders = [
        bidding.register_by_clicks(town, name, place, price, cooks=0) for place, (name, price) in enumerate(BIDDERS, 5)
    ]
    for bidder in bidders:
        bidding.bid_by_clicks(town, bidder, papers=("legal-capacity", "no-conviction", "resources"))
    town.wait_for_end_of("bidding")
    town.world.clock.move(timedelta(minutes=31))

    # Weeks have passed.
    for member in members:
        town.sign_in_again(member.at)
    public = town.somebody(None, PHONE, "kk")
    open_together(town, public, members, bidders)
    # The names are known now, the prices are not: neither the public nor the chair reads one.
    prices_are_sealed(town, (public, members[0].at), bidders)
    admit(town, bidders)
    prices_are_sealed(town, (public, members[0].at), bidders)

    public.go(f"/tenders/{town.tender_id}/opening")
    for member in members[:3]:
        commission.to_seat(member).follow("Score the bids")
        # While prices are sealed nobody is told that there are none.
        expect(member.at.page.get_by_text("Without a place")).to_have_count(0)
        member.at.follow("Go to the opening")
        commission.open_by_clicks(member)
    opened = envelopes(public, PRICE).filter(has_text="Мазмұнның бақылау сомасы:")
    expect(opened).to_have_count(len(bidders), timeout=WAIT)
    public.look()
    commission.finish_evaluation_by_clicks(members[0], judged=False)
    # The planted bug is what happens now: prices are public.
    with pytest.raises(AssertionError, match="is readable"):
        prices_are_sealed(town, (public,), bidders)
    contract.recompute_by_clicks(public, town, [name for name, _price in BIDDERS])


def with_keys(town: Town) -> list[Member]:
    """The commission; three of it, the chair first, with a key that is kept and a passphrase on paper."""
    world, tender_id = town.world, town.tender_id
    world.draw_by_lot(tender_id)
    world.do(commission_deeds.appoint_secretary, tender_id, world.secretary.id)
    voting = [one for one in world.seats(tender_id) if one.part in ("chair", "deputy", "member")]
    come = sorted(voting, key=lambda one: one.part != "chair")[:3]
    for seat in world.seats(tender_id):
        if seat.accepted_at is None and seat not in come:
            world.accept(tender_id, seat)
    return [come_with_key(town, seat) for seat in come]


def come_with_key(town: Town, seat: SeatFacts) -> Member:
    """Accept and publish a key that was made and wrapped as the command line does it."""
    who = actor_of(seat.person_id, (Role.COMMISSION_MEMBER, town.world.city_id))
    (identity, recipient), passphrase = new_member_key(), new_passphrase()
    kept = KeptKey(wrap(identity, passphrase).decode())
    town.world.do(commission_deeds.accept_appointment, town.tender_id, actor=who)
    town.world.do(commission_deeds.publish_key, town.tender_id, recipient, kept=kept, actor=who)
    role = Role.COMMISSION_MEMBER.value
    RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=town.world.city_id)
    return Member(seat, town.somebody(seat.person_id), passphrase)


def open_together(town: Town, public: Somebody, members: Sequence[Member], bidders: Sequence[Bidder]) -> None:
    """The envelopes with the qualification are opened, and no others."""
    commission.begin_by_clicks(members[0])
    for member in members:
        commission.open_by_clicks(member)
    commission.finish_opening_by_clicks(members[0])
    public.go(f"/tenders/{town.tender_id}/opening")
    expect(envelopes(public, QUALIFICATION)).to_have_count(len(bidders))
    expect(envelopes(public, PRICE)).to_have_count(0)


def envelopes(public: Somebody, name: str) -> Locator:
    """The envelopes of that name on the opening's page."""
    return public.page.locator("section").filter(has_text=name)


def admit(town: Town, bidders: Sequence[Bidder]) -> None:
    """Everybody is admitted; ``test_tender_journey.py`` does it by clicks."""
    table = Table(town.world, town.tender_id)
    bids_of = select(FrozenBid).where(FrozenBid.tender_id == town.tender_id)
    rows = town.world.look(lambda work: work.session.scalars(bids_of).all(), actor=SYSTEM)
    bids = [Planted(one.id, one.lot_id, one.tenderer_id, town.world.supplier, {}) for one in rows]
    assert {one.tenderer_id for one in bids} == {one.organisation_id for one in bidders}
    table.declare(*bids)
    table.admit(*bids)
    assert town.world.stage(town.tender_id) is TenderStage.EVALUATION


def prices_are_sealed(town: Town, readers: Sequence[Somebody], bidders: Sequence[Bidder]) -> None:
    """No price of a bid is on any page of the tender or of the commission."""
    table = [f"/commission/{town.tender_id}/{one}" for one in ("opening", "admission", "scores")]
    for reader in readers:
        for path in [*published_pages(town), *table]:
            text = reader.page.request.get(path).text()
            found = [one for bidder in bidders for one in bidder.prices() if one in text]
            assert found == [], f"{found} is readable on {path}"
