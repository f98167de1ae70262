"""Awards: who gets a lot, what is looked up at that moment, what lets an award fall, and who follows."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow
from schoolmeals.identity.models import Organisation
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import acts_of, deed_clock, seats_of
from schoolmeals.procurement.actions import awarding, cancelling, commission, contracts, suspending
from schoolmeals.procurement.actions.awarding import SignedAward
from schoolmeals.procurement.models import Award, PoolMember, Recheck
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.drafts import lots_of
from schoolmeals.procurement.rules.acts import ActKind, LotStage
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.awards import COOK_KEY, cook, evaluate, plant_bid, two_ranked
from tests.factories.procurement import ALMATY, Procurement


def sign(world: Procurement, tender_id: UUID, **about: Any) -> SignedAward:
    present = about.pop("present", None) or world.voters(tender_id)
    signed: SignedAward = world.do(
        awarding.sign_award, tender_id, present=present, zone=ALMATY, actor=world.chair(tender_id), **about
    )
    return signed


def lot_of(world: Procurement, tender_id: UUID) -> UUID:
    found: UUID = world.look(lots_of, tender_id, actor=SYSTEM)[0].id
    return found


def standing(world: Procurement, tender_id: UUID) -> list[Award]:
    def look(work: Work) -> list[Award]:
        found = select(Award).where(Award.tender_id == tender_id, Award.ended_at.is_(None))
        rows = list(work.session.scalars(found))
        work.session.expunge_all()
        return rows

    rows: list[Award] = world.look(look, actor=SYSTEM)
    return rows


def kinds(world: Procurement, tender_id: UUID, *, since: int = 0) -> list[str]:
    acts = world.look(acts_of, tender_id, actor=SYSTEM)
    return [act.kind.value for act in acts if act.number > since]


def number_of_acts(world: Procurement, tender_id: UUID) -> int:
    return len(world.look(acts_of, tender_id, actor=SYSTEM))


def test_the_best_bid_gets_the_lot_and_the_standstill_runs(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.AWARDING)
    before = number_of_acts(world, tender_id)
    signed = sign(world, tender_id)
    lot_id = lot_of(world, tender_id)
    (award,) = standing(world, tender_id)
    assert (award.supplier_id, award.rank, award.lot_id) == (world.supplier_id, 1, lot_id)
    assert signed.awards == {lot_id: award.id}
    assert kinds(world, tender_id, since=before) == ["rechecked", "award-made", "awarded"]
    assert world.stage(tender_id) is TenderStage.STANDSTILL
    view = world.look(tender_queries.tender, tender_id, actor=SYSTEM)
    assert (view.lots[lot_id].stage, view.lots[lot_id].award_id) == (LotStage.AWARDED, award.id)
    assert view.terms["signing"].until > view.terms["standstill"].until > world.clock()


def test_it_takes_a_quorum_and_whoever_chairs(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.AWARDING)
    voters, chair = world.voters(tender_id), world.seat(tender_id, "chair").id
    others = [seat for seat in voters if seat != chair]
    for present, code in (([chair, others[0]], "no-quorum"), (others, "chair-away")):
        with pytest.raises(NotNow) as caught:
            sign(world, tender_id, present=present)
        assert caught.value.code == code
    assert standing(world, tender_id) == []
    assert world.stage(tender_id) is TenderStage.AWARDING


def test_a_bid_without_a_rival_needs_reasons(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.EVALUATION)
    evaluate(world, tender_id, [(plant_bid(world, tender_id, world.supplier_id), world.supplier_id)])
    with pytest.raises(Invalid) as caught:
        sign(world, tender_id)
    assert caught.value.code == "reason-for-single-bid"
    assert standing(world, tender_id) == []
    sign(world, tender_id, reason="The only one in the district")
    assert len(standing(world, tender_id)) == 1


def test_where_nobody_was_ranked_there_is_nothing_to_sign(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.EVALUATION)
    evaluate(world, tender_id, [])
    with pytest.raises(NotNow) as caught:
        sign(world, tender_id)
    assert caught.value.code == "no-bid-to-award"
    lot_id = lot_of(world, tender_id)
    world.do(awarding.declare_unsuccessful, tender_id, lot_id, "Nobody came")
    assert world.stage(tender_id) is TenderStage.UNSUCCESSFUL


def test_a_lot_with_bids_left_is_not_given_up(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.AWARDING)
    with pytest.raises(Conflict) as caught:
        world.do(awarding.declare_unsuccessful, tender_id, lot_of(world, tender_id), "No wish")
    assert caught.value.code == "bids-left"
    assert world.stage(tender_id) is TenderStage.AWARDING


def test_where_an_award_falls_the_next_in_rank_follows_with_a_standstill_of_its_own(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.EVALUATION)
    _best, second, rival = two_ranked(world, tender_id)
    sign(world, tender_id)
    world.clock.now = world.until(tender_id, "standstill") + timedelta(hours=1)
    lot_id = lot_of(world, tender_id)
    world.do(awarding.end_award, tender_id, lot_id, code="refused-to-sign", reason="A letter", zone=ALMATY)
    (award,) = standing(world, tender_id)
    assert (award.bid_id, award.supplier_id, award.rank) == (second, rival, 2)
    assert world.until(tender_id, f"standstill:{lot_id}") > world.clock()
    world.do(awarding.end_award, tender_id, lot_id, code="other", reason="No licence", zone=ALMATY)
    assert standing(world, tender_id) == []
    # Nobody is left, and whoever bid can contest that before the tender ends.
    assert world.stage(tender_id) is TenderStage.CONTRACTING
    world.clock.now = world.until(tender_id, f"standstill:{lot_id}") + timedelta(microseconds=1)
    world.do(contracts.complete_tender, tender_id)
    assert world.stage(tender_id) is TenderStage.UNSUCCESSFUL


def test_silence_counts_only_after_the_term_to_sign(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    about: dict[str, Any] = {"code": "not-signed-in-time", "reason": "Silence", "zone": ALMATY}
    with pytest.raises(NotNow) as caught:
        world.do(awarding.end_award, tender_id, lot_of(world, tender_id), **about)
    assert caught.value.code == "still-time-to-sign"
    assert len(standing(world, tender_id)) == 1
    world.clock.now = world.until(tender_id, "signing") + timedelta(seconds=1)
    world.do(awarding.end_award, tender_id, lot_of(world, tender_id), **about)


def test_one_award_stands_for_a_lot_whatever_the_code_does(world: Procurement) -> None:
    """The database itself refuses a second one."""
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    (award,) = standing(world, tender_id)

    def again(work: Work) -> None:
        columns = {column.name: getattr(award, column.name) for column in Award.__table__.c}
        work.session.add(Award(**{**columns, "id": new_id(work.now)}))
        work.session.flush()

    with pytest.raises(IntegrityError, match="uq_award_standing"):
        world.do(again, actor=SYSTEM)

    assert len(standing(world, tender_id)) == 1


def test_a_cook_who_is_bound_elsewhere_wins_nothing_here(world: Procurement) -> None:
    first = world.tender_in(TenderStage.EVALUATION)
    two_ranked(world, first, staff=[cook()])
    sign(world, first)
    tender_id = world.tender_in(TenderStage.EVALUATION)
    _best, second, rival = two_ranked(world, tender_id, staff=[cook()])
    signed = sign(world, tender_id)
    (award,) = standing(world, tender_id)
    assert (award.bid_id, award.supplier_id) == (second, rival)
    assert [len(bids) for bids in signed.passed_over.values()] == [1]

    def looked_up(work: Work) -> list[Any]:
        found = select(Recheck.findings).where(Recheck.tender_id == tender_id).order_by(Recheck.at, Recheck.id)
        return list(work.session.scalars(found))

    found = world.look(looked_up, actor=SYSTEM)
    assert [{"code": "staff-taken", "post": "cook", "fte_percent": 200}] in found
    assert COOK_KEY not in str(found)


def test_a_suspension_holds_every_term_and_gives_it_back(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    until = world.until(tender_id, "standstill")
    order: dict[str, Any] = {"cause": "court", "cause_id": "2-17", "reason": "Interim measures"}
    world.do(suspending.suspend_tender, tender_id, **order, clock=deed_clock)
    assert world.stage(tender_id) is TenderStage.SUSPENDED
    with pytest.raises(Conflict) as caught:
        world.do(suspending.suspend_tender, tender_id, **order, clock=deed_clock)
    assert caught.value.code == "held-already"
    world.clock.move(timedelta(days=30))
    about: dict[str, Any] = {"cause_id": "2-17", "reason": "Lifted", "zone": ALMATY, "clock": deed_clock}
    world.do(suspending.resume_tender, tender_id, **about)
    assert world.stage(tender_id) is TenderStage.STANDSTILL
    assert world.until(tender_id, "standstill") > until + timedelta(days=29)
    with pytest.raises(NotNow):
        world.do(suspending.resume_tender, tender_id, **about)


@pytest.mark.parametrize("missing", ["cause", "cause_id", "reason"])
def test_a_suspension_needs_its_order(world: Procurement, missing: str) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    order: dict[str, Any] = {"cause": "court", "cause_id": "2-17", "reason": "Interim measures", missing: ""}
    with pytest.raises(Invalid) as caught:
        world.do(suspending.suspend_tender, tender_id, **order, clock=deed_clock)
    assert list(caught.value.fields) == [missing]
    assert world.stage(tender_id) is TenderStage.DISCUSSION


def test_a_cancelled_tender_has_no_awards(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    about: dict[str, Any] = {"reason_code": "budget-cut", "reason": "The budget was cut", "clock": deed_clock}
    world.do(cancelling.cancel_tender, tender_id, **about)
    assert world.stage(tender_id) is TenderStage.CANCELLED
    assert standing(world, tender_id) == []


def test_the_last_lot_that_is_cancelled_takes_the_tender_with_it(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    lot_id = lot_of(world, tender_id)
    about: dict[str, Any] = {"reason_code": "no-need", "reason": "The school is rebuilt", "clock": deed_clock}
    with pytest.raises(NotFound):
        world.do(cancelling.cancel_tender, tender_id, lot_id=new_id(), **about)
    with pytest.raises(Invalid) as caught:
        world.do(cancelling.cancel_tender, tender_id, **{**about, "reason_code": "mood"})
    assert list(caught.value.fields) == ["reason_code"]
    assert world.stage(tender_id) is TenderStage.BIDDING
    world.do(cancelling.cancel_tender, tender_id, lot_id=lot_id, **about)
    assert world.stage(tender_id) is TenderStage.CANCELLED
    assert kinds(world, tender_id)[-2:] == [ActKind.LOT_CANCELLED, ActKind.CANCELLED]


def test_a_member_who_turns_out_to_be_close_to_the_winner_keeps_the_protocol_from_being_signed(
    world: Procurement,
) -> None:
    """An alternate was called late and has declared nothing; the registers are compared with theirs once more."""
    tender_id = world.tender_in(TenderStage.AWARDING)
    world.do(commission.recuse, tender_id, world.seat(tender_id, "member").id, "Ill", actor=world.city_admin)
    seat = next(one for one in world.look(seats_of, tender_id, actor=SYSTEM) if one.seated_at is not None)

    def found_it(work: Work) -> None:
        member = work.session.get_one(PoolMember, seat.pool_member_id)
        organisation = work.session.get_one(Organisation, world.supplier_id)
        organisation.identifier_scheme, organisation.identifier = "KZ-BIN", "090840003425"
        member.founder_of = ["090840003425"]

    world.do(found_it, actor=SYSTEM)
    with pytest.raises(Conflict) as caught:
        sign(world, tender_id)
    assert (caught.value.code, caught.value.params) == ("conflict-of-interest", {"name": seat.name})
    assert standing(world, tender_id) == []
    assert world.stage(tender_id) is TenderStage.AWARDING
    world.do(commission.recuse, tender_id, seat.id, "Founded the winner", actor=world.city_admin)
    sign(world, tender_id)
    assert len(standing(world, tender_id)) == 1


@pytest.mark.parametrize("falls", [[], ["other"], ["refused-to-sign", "other"]])
def test_at_most_one_award_stands_whatever_falls(world: Procurement, falls: list[str]) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    lot_id = lot_of(world, tender_id)
    for place, code in enumerate(falls, start=1):
        if not standing(world, tender_id):
            break
        world.do(awarding.end_award, tender_id, lot_id, code=code, reason="A letter", zone=ALMATY)
        assert [one.rank for one in standing(world, tender_id)] == ([place + 1] if place < 2 else [])
    view = world.look(tender_queries.tender, tender_id, actor=SYSTEM)
    assert (view.lots[lot_id].award_id is not None) == bool(standing(world, tender_id))
