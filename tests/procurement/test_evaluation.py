"""Evaluation: members score alone, contest evidence, judge low prices; the rest is computed, and can be again."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow, Refusal
from schoolmeals.procurement.actions import commission, evaluation, scoring
from schoolmeals.procurement.models import Score, ScoreSheet, TenderAct
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.sheet import commitment_of, first_difference
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.evaluation import JUDGED, Planted, Table, digest, plant, work_done
from tests.factories.procurement import ALMATY, Procurement

LONG_AGO = work_done(date(2019, 1, 1), date(2024, 12, 31))


@pytest.fixture
def table(world: Procurement) -> Table:
    return Table(world, world.tender_in(TenderStage.ADMISSION))


def two_admitted(table: Table) -> tuple[Planted, Planted]:
    """One with six years behind it, received first, and one without."""
    one = plant(table.world, table.tender_id, experience=[LONG_AGO])
    other = plant(table.world, table.tender_id, price_minor=790_00)
    table.declare(one, other)
    table.admit(one, other)
    return one, other


def written(work: Work) -> tuple[int, int]:
    counts = [select(func.count()).select_from(one).scalar_subquery() for one in (Score, TenderAct)]
    scores, acts = work.session.execute(select(*counts)).one()
    return scores, acts


def refused(table: Table, deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    before = table.world.look(written)
    with pytest.raises(Refusal) as caught:
        table.world.do(deed, table.tender_id, *args, **kwargs)
    assert table.world.look(written) == before
    return caught.value


def finish(table: Table, **about: Any) -> str:
    done: str = table.world.do(
        evaluation.finish_evaluation, table.tender_id, zone=ALMATY, actor=table.world.secretary, **about
    )
    return done


def sheet(table: Table) -> dict[str, Any]:
    def look(work: Work) -> dict[str, Any]:
        text = work.session.scalar(select(ScoreSheet.text).where(ScoreSheet.tender_id == table.tender_id))
        found: dict[str, Any] = json.loads(text or "{}")
        return found

    found: dict[str, Any] = table.world.look(look)
    return found


def payload(table: Table, kind: ActKind) -> dict[str, Any]:
    def look(work: Work) -> Any:
        found = select(TenderAct.payload).where(TenderAct.tender_id == table.tender_id, TenderAct.kind == kind.value)
        return work.session.scalar(found.order_by(TenderAct.number.desc()).limit(1))

    found: dict[str, Any] = table.world.look(look)
    return found


def points(table: Table, bid: Planted) -> dict[str, int]:
    return {one["criterion"]: one["points_milli"] for one in sheet(table)["results"]["points"][str(bid.id)]}


def give(table: Table, seat: int, bid: Planted, value: int = 1500) -> None:
    member = table.members[seat]
    table.world.do(scoring.give_score, table.tender_id, bid.id, JUDGED, value, actor=member)


def test_an_evaluation_from_scores_to_the_sheet(table: Table) -> None:
    one, other = two_admitted(table)
    table.score(one, other, points_milli=2500)
    sha256 = finish(table)
    assert table.world.stage(table.tender_id) is TenderStage.AWARDING
    said = payload(table, ActKind.EVALUATED)
    ranking = said["lots"][str(one.lot_id)]
    assert [(row["bid_id"], row["rank"], row["points_milli"]) for row in ranking] == [
        (str(one.id), 1, 6000 + 2000 + 2500),
        (str(other.id), 2, 2000 + 2500),
    ]
    assert said["sheet_sha256"] == sha256
    assert points(table, one)[JUDGED] == 2500
    assert first_difference(sheet(table)) is None


def test_the_sheet_names_none_of_the_staff(table: Table) -> None:
    one, other = two_admitted(table)
    table.score(one, other)
    finish(table)
    text = json.dumps(sheet(table), ensure_ascii=False)
    for row in one.content["staff"]:
        assert row["name"] not in text
        assert row["person_key"] not in text
        assert row["staff_id"] not in text


def test_points_by_rule_are_kept_with_what_they_rest_on(table: Table) -> None:
    one, other = two_admitted(table)
    table.score(one, other)
    finish(table)

    def look(work: Work) -> tuple[Any, ...]:
        found = select(Score).where(Score.bid_id == one.id, Score.criterion == "experience")
        row = work.session.scalars(found).one()
        return row.seat_id, row.points_milli, row.rule, row.rule_version, row.inputs["days"], row.evidence

    assert table.world.look(look) == (None, 6000, "full-years", 1, 2192, LONG_AGO["evidence"])


# Scores.


def test_a_score_is_hidden_until_all_are_revealed(table: Table) -> None:
    one, other = two_admitted(table)
    give(table, 0, one, 2345)
    events = table.world.look(lambda work: [str(row.payload) for row in work.session.scalars(select(AuditEvent))])
    assert not [text for text in events if "2345" in text]
    assert "2345" not in str(payload(table, ActKind.SCORED))
    waiting = refused(table, scoring.reveal_scores, actor=table.world.secretary)
    assert (waiting.code, waiting.params) == ("scores-missing", {"count": 5})
    for seat in range(5):
        give(table, seat, one, 2345)
        give(table, seat, other)
    table.world.do(scoring.reveal_scores, table.tender_id, actor=table.world.secretary)
    told = payload(table, ActKind.SCORES_REVEALED)["scores"]
    assert len(told) == 10
    for row in told:
        said = (row["seat"], row["bid"], row["criterion"], row["points_milli"], row["salt"])
        assert commitment_of(*said) == row["commitment"]


def test_a_score_may_change_until_it_is_revealed_and_not_after(table: Table) -> None:
    one, other = two_admitted(table)
    give(table, 0, one, 3000)
    table.world.clock.move(timedelta(seconds=1))
    table.score(one, other, points_milli=1000)
    late = refused(table, scoring.give_score, one.id, JUDGED, 500, actor=table.members[0])
    assert late.code == "already-revealed"
    assert refused(table, scoring.reveal_scores, actor=table.world.secretary).code == "nothing-to-reveal"
    finish(table)
    assert points(table, one)[JUDGED] == 1000


def test_whoever_waits_for_the_scores_of_the_others_gives_none(table: Table) -> None:
    """Four have scored when the term is over, and the fifth knows by how little a friend has lost."""
    one, other = two_admitted(table)
    for seat in range(4):
        give(table, seat, one, 1000)
        give(table, seat, other, 900)
    table.world.clock.now = table.world.until(table.tender_id, "evaluation") + timedelta(seconds=1)
    table.world.do(scoring.reveal_scores, table.tender_id, actor=table.world.secretary)
    late = refused(table, scoring.give_score, other.id, JUDGED, 3000, actor=table.members[4])
    assert late.code == "scores-known"
    finish(table)
    assert (points(table, one)[JUDGED], points(table, other)[JUDGED]) == (1000, 900)


def test_where_a_quorum_is_lost_others_score_after_them(table: Table) -> None:
    one, other = two_admitted(table)
    for seat in range(4):
        give(table, seat, one, 1000)
        give(table, seat, other, 900)
    table.world.clock.now = table.world.until(table.tender_id, "evaluation") + timedelta(seconds=1)
    table.world.do(scoring.reveal_scores, table.tender_id, actor=table.world.secretary)
    late = table.members[4]
    leaver = table.seats[0]
    table.world.do(commission.recuse, table.tender_id, leaver.id, "Illness", actor=table.world.holder(leaver))
    for bid in (one, other):
        table.world.do(scoring.give_score, table.tender_id, bid.id, JUDGED, 1000, actor=late)
    table.world.do(scoring.reveal_scores, table.tender_id, actor=table.world.secretary)
    finish(table)


@pytest.mark.parametrize("value", [-1, 3001, None])
def test_points_stay_within_the_criterion(table: Table, value: int | None) -> None:
    one, _ = two_admitted(table)
    refusal = refused(table, scoring.give_score, one.id, JUDGED, value, actor=table.members[0])
    assert isinstance(refusal, Invalid)
    assert refusal.fields["points"][0].params == {"most": 3}


def test_nobody_sets_points_that_are_computed(table: Table) -> None:
    one, _ = two_admitted(table)
    refusal = refused(table, scoring.give_score, one.id, "experience", 10_000, actor=table.members[0])
    assert (type(refusal), refusal.code) == (NotNow, "computed-by-rule")


def test_only_admitted_bids_are_scored(table: Table) -> None:
    one = plant(table.world, table.tender_id)
    broken = plant(table.world, table.tender_id, unreadable="incomplete")
    table.declare(one, broken)
    table.admit(one)
    assert refused(table, scoring.give_score, broken.id, JUDGED, 1, actor=table.members[0]).code == "not-admitted"


def test_a_recused_members_score_counts_no_more(table: Table) -> None:
    one, other = two_admitted(table)
    for seat in range(4):
        give(table, seat, one, 1000)
        give(table, seat, other, 1000)
    give(table, 4, one, 3000)
    give(table, 4, other, 3000)
    table.world.do(scoring.reveal_scores, table.tender_id, actor=table.world.secretary)
    gone = table.seats[4]
    table.world.do(commission.recuse, table.tender_id, gone.id, "a relative bids", actor=table.world.holder(gone))
    finish(table)
    assert points(table, one)[JUDGED] == 1000
    assert str(gone.id) not in [one["seat_id"] for one in sheet(table)["inputs"]["voters"]]


def test_who_keeps_everybody_waiting_is_not_waited_for_once_the_term_is_over(table: Table) -> None:
    one, other = two_admitted(table)
    for seat in range(4):
        give(table, seat, one)
        give(table, seat, other)
    reveal = {"actor": table.world.secretary}
    assert refused(table, scoring.reveal_scores, **reveal).code == "scores-missing"
    table.world.clock.now = table.world.until(table.tender_id, "evaluation") + timedelta(microseconds=1)
    assert table.world.do(scoring.reveal_scores, table.tender_id, **reveal) == 8
    finish(table)


def test_an_evaluation_does_not_end_before_scores_are_revealed(table: Table) -> None:
    two_admitted(table)
    refusal = refused(table, evaluation.finish_evaluation, zone=ALMATY, actor=table.world.secretary)
    assert (refusal.code, refusal.params) == ("scores-hidden", {"present": 0, "needed": 4})


# Evidence.


def contest(table: Table, bid: Planted, sha256: str, *, by: int) -> None:
    why = {"reason_code": "not-genuine", "reason": "The stamp is another school's"}
    for member in table.members[:by]:
        table.world.do(scoring.contest_evidence, table.tender_id, bid.id, sha256, **why, actor=member)


@pytest.mark.parametrize(("by", "expected"), [(2, 6000), (3, 0)])
def test_evidence_that_most_of_the_commission_contest_counts_no_more(table: Table, by: int, expected: int) -> None:
    one, other = two_admitted(table)
    contest(table, one, LONG_AGO["evidence"][0], by=by)
    table.score(one, other)
    finish(table)
    assert points(table, one)["experience"] == expected
    assert first_difference(sheet(table)) is None


def test_evidence_is_contested_with_a_reason_once_and_only_where_it_is(table: Table) -> None:
    one, _ = two_admitted(table)
    about = {"actor": table.members[0], "reason": "x", "reason_code": "not-genuine"}
    sha256 = LONG_AGO["evidence"][0]
    assert isinstance(refused(table, scoring.contest_evidence, one.id, digest("other"), **about), NotFound)
    private = refused(table, scoring.contest_evidence, one.id, sha256, **about | {"reason_code": "private-customer"})
    assert isinstance(private, Invalid)
    assert isinstance(refused(table, scoring.contest_evidence, one.id, sha256, **about | {"reason": " "}), Invalid)
    contest(table, one, sha256, by=1)
    assert isinstance(refused(table, scoring.contest_evidence, one.id, sha256, **about), Conflict)


# One bid alone, and more time.


def test_a_bid_that_is_alone_needs_a_reason(table: Table) -> None:
    one = plant(table.world, table.tender_id)
    table.declare(one)
    table.admit(one)
    table.score(one)
    refusal = refused(table, evaluation.finish_evaluation, zone=ALMATY, actor=table.world.secretary)
    assert isinstance(refusal, Invalid)
    assert set(refusal.fields) == {f"single-{one.lot_id}"}
    finish(table, single_reasons={str(one.lot_id): "Nobody else cooks for this village"})
    assert sheet(table)["inputs"]["lots"][0]["single_reason"] == "Nobody else cooks for this village"


def test_an_evaluation_is_extended_once_with_a_reason(table: Table) -> None:
    two_admitted(table)
    about: dict[str, Any] = {"zone": ALMATY, "actor": table.world.secretary}
    assert isinstance(refused(table, evaluation.extend_evaluation, " ", **about), Invalid)
    before = table.world.until(table.tender_id, "evaluation")
    table.world.do(evaluation.extend_evaluation, table.tender_id, "Thirty bids", **about)
    assert table.world.until(table.tender_id, "evaluation") > before + timedelta(days=15)
    assert refused(table, evaluation.extend_evaluation, "More", **about).code == "extended-before"


def test_without_bids_an_evaluation_ends_empty(table: Table) -> None:
    table.finish_admission()
    finish(table)
    assert [lot["ranking"] for lot in sheet(table)["results"]["lots"].values()] == [[]]
