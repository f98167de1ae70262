"""A complaint that is accepted holds every term that runs, and gives it back; each kind by itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from schoolmeals.actors import SYSTEM
from schoolmeals.errors import NotNow
from schoolmeals.procurement.acting import acts_of, deed_clock
from schoolmeals.procurement.actions import admission, awarding, low_prices, opening
from schoolmeals.procurement.actions.complaints import Attached
from schoolmeals.procurement.models import ComplaintFile, Tender
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.reckoning import reckoning_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.procurement.rules.terms import Term, terms_of
from tests.factories.bids import KEYS, make_bid, submit, upload
from tests.factories.evaluation import Table, goods_table, open_price, plant
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_bidding_opening import put_off, start
from tests.procurement.test_complaints import accept, complain, decide

HELD: timedelta = timedelta(days=14)


def at(stage: TenderStage) -> Callable[[Procurement], UUID]:
    return lambda world: world.tender_in(stage)


def with_a_fix(world: Procurement) -> UUID:
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    bid = plant(world, table.tender_id, staff=[])
    about: dict[str, Any] = {"zone": ALMATY, "actor": world.secretary}
    world.do(admission.ask_fix, table.tender_id, bid.id, ["resources"], "Send the diplomas", **about)
    return table.tender_id


def with_a_low_price(world: Procurement) -> UUID:
    table = goods_table(world)
    low, usual = (plant(world, table.tender_id, envelopes=("qualification", "price")) for _ in range(2))
    table.declare(low, usual)
    for bid in (low, usual):
        table.vote(bid, "resources", by=4)
    table.admit(low, usual)
    for bid, price_minor in ((low, 200_00), (usual, 400_00)):
        open_price(world, table.tender_id, bid, price_minor)
    world.do(low_prices.ask_low_price, table.tender_id, low.id, zone=ALMATY, actor=world.secretary)
    return table.tender_id


def with_nobody_admitted(world: Procurement) -> UUID:
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    table.declare(plant(world, table.tender_id, unreadable="incomplete"))
    table.finish_admission()
    return table.tender_id


def promoted(world: Procurement) -> UUID:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    lot_id = next(iter(world.look(tender_queries.tender, tender_id, actor=SYSTEM).lots))
    about: dict[str, Any] = {"code": "refused-to-sign", "reason": "A letter", "zone": ALMATY}
    world.do(awarding.end_award, tender_id, lot_id, **about)
    return tender_id


def disclosing(world: Procurement) -> UUID:
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = make_bid(world, tender_id)
    submit(world, tender_id, bid)
    upload(world, tender_id, bid)
    start(world, tender_id)
    for asks in (False, True):
        put_off(world, tender_id, ask_bidders=asks)
    return tender_id


KINDS: dict[str, tuple[Callable[[Procurement], UUID], str, str]] = {
    "discussion": (at(TenderStage.DISCUSSION), "discussion", "terms"),
    "questions": (at(TenderStage.BIDDING), "questions", "terms"),
    "bidding": (at(TenderStage.BIDDING), "bidding", "terms"),
    "opening": (at(TenderStage.OPENING), "opening", "opening"),
    "reveal": (disclosing, "reveal", "opening"),
    "mending": (with_a_fix, "fix:", "admission"),
    "evaluation": (at(TenderStage.EVALUATION), "evaluation", "admission"),
    "objections": (with_nobody_admitted, "objections:", "admission"),
    "prices": (with_a_low_price, "prices", "evaluation"),
    "low price": (with_a_low_price, "low-price:", "evaluation"),
    "standstill": (at(TenderStage.STANDSTILL), "standstill", "award"),
    "signing": (at(TenderStage.STANDSTILL), "signing", "award"),
    "standstill of a lot": (promoted, "standstill:", "award"),
    "signing of a lot": (promoted, "signing:", "award"),
}
"""Where each kind of term runs: a tender, the term's name or how that begins, and what is complained about there."""
KNOWN = {name.rstrip(":") for _, name, _ in KINDS.values()} | {"decision"}


def terms(world: Procurement, tender_id: UUID) -> dict[str, Term]:
    found: dict[str, Term] = dict(world.look(tender_queries.tender, tender_id, actor=SYSTEM).terms)
    return found


def named(found: dict[str, Term], name: str) -> str:
    return next(one for one in found if one == name or (name.endswith(":") and one.startswith(name)))


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_complaint_holds_each_kind_of_term_and_gives_it_back(world: Procurement, kind: str) -> None:
    make, name, about = KINDS[kind]
    tender_id = make(world)
    before = terms(world, tender_id)
    term = before[named(before, name)]
    assert term.until > world.clock(), "the term runs"
    stage = world.stage(tender_id)
    complaint_id = complain(world, tender_id, about=about)
    accept(world, tender_id, complaint_id)
    held_at = world.look(lambda work: work.session.get_one(Tender, tender_id).suspended_at, actor=SYSTEM)
    assert world.stage(tender_id) is TenderStage.SUSPENDED
    world.clock.move(HELD)
    decide(world, tender_id, complaint_id)
    assert world.stage(tender_id) is stage
    after = terms(world, tender_id)[named(before, name)]

    def expected(work: Any) -> Term:
        tender = tender_queries.visible(work, tender_id).tender
        return reckoning_of(work, tender, ALMATY).resumed(term, held_at, world.clock())

    assert after == world.look(expected, actor=SYSTEM)
    assert after.until > term.until
    assert after.until >= world.clock(), "what was left of it is there again"
    if term.length.unit == "hours":
        assert after.until - world.clock() == term.until - held_at
    begun = {name for act in world.look(acts_of, tender_id, actor=SYSTEM) for name in terms_of(act.payload)}
    assert {name.partition(":")[0] for name in begun} <= KNOWN, "a new kind of term: add it above"


def test_the_time_for_sealed_files_is_held_to_the_second(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = make_bid(world, tender_id)
    submit(world, tender_id, bid)
    world.clock.now = world.until(tender_id, "bidding") + timedelta(minutes=20)
    complaint_id = complain(world, tender_id, about="terms")
    accept(world, tender_id, complaint_id)
    world.clock.move(HELD)
    with pytest.raises(NotNow) as caught:
        upload(world, tender_id, bid)
    assert caught.value.code == "tender-is-suspended"
    decide(world, tender_id, complaint_id)
    world.clock.move(timedelta(minutes=9))
    how: dict[str, Any] = {"zone": ALMATY, "keys": KEYS, "clock": deed_clock, "actor": SYSTEM}
    with pytest.raises(NotNow) as caught:
        world.do(opening.start_opening, tender_id, **how)
    assert caught.value.code == "files-may-follow"
    upload(world, tender_id, bid)
    world.clock.move(timedelta(minutes=2))
    with pytest.raises(NotNow) as caught:
        upload(world, tender_id, bid)
    assert caught.value.code == "files-late"
    assert world.do(opening.start_opening, tender_id, **how) == [bid.id]


def test_attachments_are_kept_to_the_byte(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    files = tuple(Attached(f"{place}.pdf", "application/pdf", bytes([place]) * 10) for place in range(1, 11))
    complain(world, tender_id, files=files)

    def look(work: Any) -> list[tuple[str, bytes]]:
        rows = work.session.query(ComplaintFile).order_by(ComplaintFile.id)
        return [(row.file_name, row.content) for row in rows]

    assert sorted(world.look(look, actor=SYSTEM)) == sorted((one.name, one.content) for one in files)


def test_a_resumption_that_forgets_a_term_would_be_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    before = terms(world, tender_id)
    complaint_id = complain(world, tender_id)
    accept(world, tender_id, complaint_id)
    world.clock.move(HELD)
    monkeypatch.setattr("schoolmeals.procurement.holding._runs_on", lambda name: name == "signing")
    decide(world, tender_id, complaint_id)
    after = terms(world, tender_id)
    assert (after["signing"], after["standstill"] == before["standstill"]) == (before["signing"], False)


def test_nobody_bids_while_a_tender_is_held(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    bid = make_bid(world, tender_id)
    complaint_id = complain(world, tender_id, about="terms", actor=world.stranger)
    accept(world, tender_id, complaint_id)
    with pytest.raises(NotNow) as caught:
        submit(world, tender_id, bid)
    assert caught.value.code == "tender-is-suspended"
    assert ActKind.SUSPENDED in [act.kind for act in world.look(acts_of, tender_id, actor=SYSTEM)]
