"""A decision on a complaint sends a tender back to admission: the commission decides, evaluates and awards anew."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from schoolmeals.actors import SYSTEM, Role
from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement import promoting
from schoolmeals.procurement.actions import awarding, complaints, evaluation, scoring
from schoolmeals.procurement.queries import admission as admission_queries
from schoolmeals.procurement.ranked import awards_of, ranking_of
from schoolmeals.procurement.rules.acts import Act, ActKind, LotFacts, LotStage, replay
from schoolmeals.procurement.rules.complaints import problems_of
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.evaluation import JUDGED, Planted, Table, plant, work_done
from tests.factories.identity import RoleGrantFactory, signed_in
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_awards import standing
from tests.procurement.test_complaints import accept, complain, decide
from tests.procurement.test_opening_views import public

LONG_AGO = work_done(date(2019, 1, 1), date(2024, 12, 31))
REJECT: dict[str, Any] = {"met": False, "reason_code": "evidence-not-genuine", "reason": "The stamp is wrong"}
AGAIN = [{"kind": "repeat-admission"}]


def finish(table: Table, **about: Any) -> None:
    table.world.do(evaluation.finish_evaluation, table.tender_id, zone=ALMATY, actor=table.world.secretary, **about)


def sign(table: Table, reason: str = "") -> None:
    world = table.world
    about: dict[str, Any] = {"present": world.voters(table.tender_id), "zone": ALMATY, "reason": reason}
    world.do(awarding.sign_award, table.tender_id, actor=world.chair(table.tender_id), **about)


def sent_back(world: Procurement) -> tuple[Table, Planted, Planted]:
    """A better bid was rejected, the other one won, and the review body has sent the tender back."""
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    better = plant(world, table.tender_id, experience=[LONG_AGO])
    weaker = plant(world, table.tender_id)
    table.declare(better, weaker)
    table.vote(better, "legal-capacity", **REJECT, evidence=[better.content["evidence"][0]["sha256"]])
    table.admit(better, weaker)
    table.score(weaker)
    finish(table, single_reasons={str(weaker.lot_id): "The price is usual"})
    sign(table, "The price is usual")
    world.clock.move(timedelta(minutes=1))
    complaint_id = complain(world, table.tender_id, about="admission", actor=better.supplier)
    accept(world, table.tender_id, complaint_id)
    decide(world, table.tender_id, complaint_id, outcome="satisfied", remedies=AGAIN)
    world.do(complaints.execute_decision, table.tender_id, complaint_id, report="We begin anew", zone=ALMATY)
    world.clock.move(timedelta(minutes=1))
    return table, better, weaker


def second_round(table: Table, better: Planted, weaker: Planted) -> None:
    """Both are admitted now; the one that was scored stays as it was, the other one is scored."""
    table.admit(better, weaker)
    for member in table.members:
        table.world.do(scoring.give_score, table.tender_id, better.id, JUDGED, 2000, actor=member)
    table.world.do(scoring.reveal_scores, table.tender_id, actor=table.world.secretary)
    finish(table)


def places(world: Procurement, tender_id: UUID) -> list[UUID]:
    ranking: dict[UUID, Any] = world.look(ranking_of, tender_id, actor=SYSTEM)
    return [one.bid_id for one in next(iter(ranking.values()))]


def test_votes_of_the_first_round_count_no_more(world: Procurement) -> None:
    table, better, weaker = sent_back(world)
    assert world.stage(table.tender_id) is TenderStage.ADMISSION
    for bid in (better, weaker):
        assert table.cell(bid, "no-tax-debt").decision.met is None
        assert table.cell(bid, "no-tax-debt").votes == ()
    assert table.cell(better, "legal-capacity").decision.met is True
    assert standing(world, table.tender_id) == []


def test_the_second_round_ends_with_the_award_of_whoever_was_wronged(world: Procurement) -> None:
    table, better, weaker = sent_back(world)
    second_round(table, better, weaker)
    assert places(world, table.tender_id) == [better.id, weaker.id]
    sign(table)
    assert [one.bid_id for one in standing(world, table.tender_id)] == [better.id]
    assert world.stage(table.tender_id) is TenderStage.STANDSTILL
    awards = world.look(awards_of, table.tender_id, actor=SYSTEM)
    assert [(one.bid_id, one.end_code) for one in awards] == [(weaker.id, "ordered"), (better.id, None)]
    world.clock.now = world.until(table.tender_id, "standstill")
    assert world.stage(table.tender_id) is TenderStage.STANDSTILL


def give_up(table: Table, lot_id: UUID) -> UUID | None:
    about: dict[str, Any] = {"code": "refused-to-sign", "reason": "A letter", "zone": ALMATY}
    found: UUID | None = table.world.do(awarding.end_award, table.tender_id, lot_id, **about)
    return found


def test_who_won_the_first_round_follows_where_the_second_winner_falls(world: Procurement) -> None:
    table, better, weaker = sent_back(world)
    second_round(table, better, weaker)
    sign(table)
    assert give_up(table, better.lot_id) is not None
    assert [one.bid_id for one in standing(world, table.tender_id)] == [weaker.id]


def test_a_promotion_that_counts_fallen_rounds_would_be_found(
    world: Procurement, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, better, weaker = sent_back(world)
    second_round(table, better, weaker)
    sign(table)

    def ever(work: Work, tender_id: UUID, _lot_id: UUID) -> list[UUID]:
        return [one.bid_id for one in awards_of(work, tender_id)]

    monkeypatch.setattr(promoting, "tried_bids", ever)
    assert give_up(table, better.lot_id) is None


def test_each_round_has_an_extension_of_its_own(world: Procurement) -> None:
    table, better, weaker = sent_back(world)
    table.admit(better, weaker)
    about: dict[str, Any] = {"zone": ALMATY, "actor": world.secretary}
    world.do(evaluation.extend_evaluation, table.tender_id, "Many bids", **about)
    with pytest.raises(Exception, match="extended"):
        world.do(evaluation.extend_evaluation, table.tender_id, "More", **about)


def test_an_order_that_another_has_overtaken_holds_nothing_up(world: Procurement) -> None:
    """The award falls with the return to admission; that it was ordered to fall as well must not keep the tender."""
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complaint_id = complain(world, tender_id, about="admission")
    accept(world, tender_id, complaint_id)
    (award,) = standing(world, tender_id)
    orders = [*AGAIN, {"kind": "end-award", "lot_id": str(award.lot_id)}]
    decide(world, tender_id, complaint_id, outcome="satisfied", remedies=orders)
    world.do(complaints.execute_decision, tender_id, complaint_id, report="Done", zone=ALMATY)
    assert world.stage(tender_id) is TenderStage.ADMISSION
    assert standing(world, tender_id) == []


def test_nothing_is_ordered_that_cannot_be_carried_out(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.AWARDING)
    complaint_id = complain(world, tender_id, about="evaluation")
    accept(world, tender_id, complaint_id)
    lot_id = next(iter(world.look(ranking_of, tender_id, actor=SYSTEM)))
    orders = [{"kind": "end-award", "lot_id": str(lot_id)}]
    with pytest.raises(Invalid) as caught:
        decide(world, tender_id, complaint_id, outcome="satisfied", remedies=orders)
    assert [one.code for one in caught.value.fields["remedies"]] == ["not-possible"]
    assert world.stage(tender_id) is TenderStage.SUSPENDED


@pytest.mark.parametrize(
    ("kind", "stage", "possible"),
    [
        ("end-award", LotStage.AWARDED, True),
        ("end-award", LotStage.ACTIVE, False),
        ("end-award", LotStage.CONTRACTED, False),
        ("cancel-lot", LotStage.ACTIVE, True),
        ("cancel-lot", LotStage.AWARDED, True),
        ("cancel-lot", LotStage.CONTRACTED, False),
        ("cancel-lot", LotStage.UNSUCCESSFUL, False),
    ],
)
def test_what_can_be_ordered_for_a_lot(kind: str, stage: LotStage, possible: bool) -> None:
    lot_id = new_id()
    lots, orders = {lot_id: LotFacts(stage)}, [{"kind": kind, "lot_id": str(lot_id)}]
    problems = problems_of(orders, "satisfied", lots, evaluated=True)
    assert (problems == {}) is possible


def evaluated_anew(world: Procurement) -> tuple[Table, Planted, Planted]:
    """Both were admitted and ranked, one was awarded, and the review body orders the evaluation alone anew."""
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    better, weaker = plant(world, table.tender_id, experience=[LONG_AGO]), plant(world, table.tender_id)
    table.declare(better, weaker)
    table.admit(better, weaker)
    table.score(better, weaker)
    finish(table)
    sign(table)
    world.clock.move(timedelta(minutes=1))
    complaint_id = complain(world, table.tender_id, about="evaluation", actor=weaker.supplier)
    accept(world, table.tender_id, complaint_id)
    world.clock.move(timedelta(days=1))
    decide(world, table.tender_id, complaint_id, outcome="satisfied", remedies=[{"kind": "repeat-evaluation"}])
    world.do(complaints.execute_decision, table.tender_id, complaint_id, report="We look again", zone=ALMATY)
    return table, better, weaker


def test_an_evaluation_alone_is_done_anew_and_admission_stays(world: Procurement) -> None:
    table, better, _weaker = evaluated_anew(world)
    tender_id = table.tender_id
    assert world.stage(tender_id) is TenderStage.EVALUATION
    assert standing(world, tender_id) == []
    assert table.cell(better, "no-tax-debt").decision.met is True, "the votes of the admission hold"
    calendar_days = world.until(tender_id, "evaluation") - world.clock()
    assert calendar_days >= timedelta(days=1), "the whole term begins again"
    paper = next(one for one in better.files if one["sha256"] in str(better.content["experience"]))
    for member in table.members[:3]:
        why = {"reason_code": "not-genuine", "reason": "The customer knows nothing of it"}
        world.do(scoring.contest_evidence, tender_id, better.id, paper["sha256"], **why, actor=member)
    finish(table)
    sign(table)
    awards = world.look(awards_of, tender_id, actor=SYSTEM)
    assert [(one.bid_id, one.end_code) for one in awards] == [(better.id, "ordered"), (awards[-1].bid_id, None)]
    assert world.stage(tender_id) is TenderStage.STANDSTILL


def test_an_evaluation_anew_has_an_extension_of_its_own(world: Procurement) -> None:
    table, _better, _weaker = evaluated_anew(world)
    about: dict[str, Any] = {"zone": ALMATY, "actor": world.secretary}
    before = world.until(table.tender_id, "evaluation")
    world.do(evaluation.extend_evaluation, table.tender_id, "New papers", **about)
    assert world.until(table.tender_id, "evaluation") > before
    with pytest.raises(NotNow) as caught:
        world.do(evaluation.extend_evaluation, table.tender_id, "More", **about)
    assert caught.value.code == "extended-before"


def test_what_was_not_evaluated_is_not_evaluated_anew(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.ADMISSION)
    complaint_id = complain(world, tender_id, about="opening")
    accept(world, tender_id, complaint_id)
    with pytest.raises(Invalid) as caught:
        decide(world, tender_id, complaint_id, outcome="partly", remedies=[{"kind": "repeat-evaluation"}])
    assert [one.code for one in caught.value.fields["remedies"]] == ["nothing-evaluated"]


def test_the_wider_of_two_orders_counts(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complaint_id = complain(world, tender_id, about="evaluation")
    accept(world, tender_id, complaint_id)
    decide(world, tender_id, complaint_id, outcome="satisfied", remedies=[{"kind": "repeat-evaluation"}, *AGAIN])
    world.do(complaints.execute_decision, tender_id, complaint_id, report="Done", zone=ALMATY)
    assert world.stage(tender_id) is TenderStage.ADMISSION


def test_lots_that_nobody_was_left_for_are_open_again_and_others_are_not(world: Procurement) -> None:
    lots = {stage: new_id() for stage in (LotStage.UNSUCCESSFUL, LotStage.CANCELLED, LotStage.CONTRACTED)}
    kinds = {
        LotStage.UNSUCCESSFUL: ActKind.LOT_UNSUCCESSFUL,
        LotStage.CANCELLED: ActKind.LOT_CANCELLED,
        LotStage.CONTRACTED: ActKind.CONTRACT_ACTIVE,
    }
    told: list[tuple[ActKind, UUID | None, dict[str, str]]] = [
        (ActKind.LOT_ADDED, lot_id, {}) for lot_id in lots.values()
    ]
    told += [(kinds[stage], lot_id, {}) for stage, lot_id in lots.items()]
    told.append((ActKind.COMPLAINT_EXECUTED, None, {"back_to": "admission"}))
    acts = [
        Act(id=new_id(), number=n, kind=kind, at=world.clock(), payload=said, lot_id=lot_id, subject_id=new_id())
        for n, (kind, lot_id, said) in enumerate(told, start=1)
    ]
    facts = replay(acts)
    found = {stage: facts.lots[lot_id].stage for stage, lot_id in lots.items()}
    assert found == {
        LotStage.UNSUCCESSFUL: LotStage.ACTIVE,
        LotStage.CANCELLED: LotStage.CANCELLED,
        LotStage.CONTRACTED: LotStage.CONTRACTED,
    }


def test_pages_say_that_the_first_round_holds_no_more(app: Flask, world: Procurement) -> None:
    table, better, weaker = sent_back(world)
    everybody = public(app)
    at = f"/tenders/{table.tender_id}"
    shown = {place: everybody.get(f"{at}{place}") for place in ("", "/scores", "/award", "/history", "/opening")}
    assert {place: answer.status_code for place, answer in shown.items()} == dict.fromkeys(shown, 200)
    assert "A decision on a complaint has set this evaluation aside" in shown["/scores"].text
    assert "have not been ranked yet" in shown["/award"].text
    seat = table.seats[0]
    RoleGrantFactory.create(person_id=seat.person_id, role=Role.COMMISSION_MEMBER.value, organisation_id=world.city_id)
    member = signed_in(app, seat.person_id)
    desk = f"/commission/{table.tender_id}"
    assert "Waits for your decision" in member.get(f"{desk}/admission").text
    assert member.get(f"{desk}/admission/{better.id}").status_code == 200
    assert member.get(f"{desk}/scores").status_code == 404
    second_round(table, better, weaker)
    assert "set this evaluation aside" not in everybody.get(f"{at}/scores").text
    assert world.look(admission_queries.admission_board, table.tender_id, ALMATY, actor=world.auditor).rows
