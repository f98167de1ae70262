"""The stage is computed: by the rule, by its twin in SQL, and by replaying the acts, always the same."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import acts_of, times_of
from schoolmeals.procurement.models import Tender
from schoolmeals.procurement.queries import tenders as queries
from schoolmeals.procurement.rules.acts import Act, ActKind, LotStage, after, replay
from schoolmeals.procurement.rules.stages import STAGES, TIMES, TenderStage, TenderTimes, tender_stage
from tests.factories.procurement import Procurement, rehearsal

NOON = datetime(2026, 12, 8, 7, tzinfo=UTC)
INSTANTS = st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours))
SOME_TIMES = st.builds(TenderTimes, **{name: st.none() | INSTANTS for name in TIMES})


@given(times=SOME_TIMES, now=INSTANTS)
def test_every_tender_is_at_exactly_one_stage(times: TenderTimes, now: datetime) -> None:
    assert tender_stage(times, now) in TenderStage


@pytest.mark.parametrize("stage", list(TenderStage))
def test_every_stage_has_its_line(stage: TenderStage) -> None:
    assert any(named is stage for named, _tests in STAGES)


BEGUN = TenderTimes(submitted_at=NOON, approved_at=NOON, published_at=NOON)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "discussion"),
        ({"discussion_until": NOON}, "discussion"),
        ({"discussion_until": NOON - timedelta(microseconds=1)}, "bidding"),
        ({"discussion_until": NOON - timedelta(days=8), "bidding_until": NOON}, "bidding"),
        ({"discussion_until": NOON, "bidding_until": NOON - timedelta(microseconds=1)}, "closed"),
        ({"closed_at": NOON}, "closed"),
        ({"closed_at": NOON, "opening_started_at": NOON}, "opening"),
        ({"opened_at": NOON}, "admission"),
        ({"opened_at": NOON, "admitted_at": NOON}, "evaluation"),
        ({"evaluated_at": NOON}, "awarding"),
        ({"awarded_at": NOON, "standstill_until": NOON}, "standstill"),
        ({"awarded_at": NOON, "standstill_until": NOON - timedelta(seconds=1)}, "contracting"),
        ({"awarded_at": NOON, "suspended_at": NOON, "standstill_until": NOON - timedelta(seconds=1)}, "suspended"),
        ({"suspended_at": NOON, "cancelled_at": NOON}, "cancelled"),
        ({"awarded_at": NOON, "completed_at": NOON}, "complete"),
        ({"evaluated_at": NOON, "unsuccessful_at": NOON}, "unsuccessful"),
        ({"published_at": None}, "approved"),
        ({"published_at": None, "approved_at": None}, "under-review"),
        ({"published_at": None, "approved_at": None, "submitted_at": None}, "draft"),
    ],
)
def test_the_stage_follows_from_the_times(changes: dict[str, Any], expected: str) -> None:
    assert tender_stage(replace(BEGUN, **changes), NOON) == expected


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(some=st.lists(SOME_TIMES, min_size=1, max_size=12), now=INSTANTS)
def test_the_filter_in_sql_is_the_rule(world: Procurement, some: list[TenderTimes], now: datetime) -> None:
    fitting = [times for times in some if storable(times)]
    assume(fitting)
    with rehearsal(SYSTEM, now) as work:
        ids = put(work, world, fitting)
        found = {
            stage: set(work.session.scalars(select(Tender.id).where(Tender.id.in_(ids), queries.stage_is(stage, now))))
            for stage in TenderStage
        }
        expected = {
            stage: {id for id, times in zip(ids, fitting, strict=True) if tender_stage(times, now) is stage}
            for stage in TenderStage
        }
        assert found == expected


def test_a_filter_that_forgets_the_last_instant_is_found(world: Procurement) -> None:
    """A planted bug: a term that is over at its last instant already."""
    times = replace(BEGUN, discussion_until=NOON - timedelta(days=1), bidding_until=NOON)
    with rehearsal(SYSTEM, NOON) as work:
        [tender_id] = put(work, world, [times])
        one = select(Tender.id).where(Tender.id == tender_id)
        assert work.session.scalar(one.where(queries.stage_is(TenderStage.BIDDING, NOON))) == tender_id
        assert work.session.scalar(one.where(Tender.bidding_until <= NOON)) == tender_id


def storable(times: TenderTimes) -> bool:
    """Whether the table's own checks let the times in."""
    after_review = times.published_at is None or times.approved_at is not None
    return after_review and (times.opened_at is None or times.closed_at is not None)


def put(work: Work, world: Procurement, some: list[TenderTimes]) -> list[UUID]:
    rows = [
        {
            "id": new_id(),
            "organiser_id": world.city_id,
            "profile_code": "kz-catering-points",
            "title": {},
            "made_at": NOON,
            "acts": 0,
            "version": 0 if times.published_at is None else 1,
            "number": None if times.published_at is None else f"{place}",
            **{one.name: getattr(times, one.name) for one in fields(times)},
        }
        for place, times in enumerate(some)
    ]
    work.session.execute(insert(Tender), rows)
    return [row["id"] for row in rows]


@pytest.mark.parametrize("stage", list(TenderStage))
def test_replaying_the_acts_gives_the_times_that_are_kept(world: Procurement, stage: TenderStage) -> None:
    tender_id = world.tender_in(stage)

    def look(work: Work) -> None:
        row = work.session.get_one(Tender, tender_id)
        facts = replay(acts_of(work, tender_id))
        assert facts.times == times_of(row)
        assert (facts.acts, facts.version, facts.number) == (row.acts, row.version, row.number)

    world.look(look)


def test_replaying_in_parts_comes_to_the_same(world: Procurement) -> None:
    acts = world.look(queries.acts, world.tender_in(TenderStage.STANDSTILL))
    for cut in range(len(acts)):
        facts = replay(acts[:cut])
        for act in acts[cut:]:
            facts = after(facts, act)
        assert facts == replay(acts)


def act(number: int, kind: ActKind, **changes: Any) -> Act:
    return Act(**{"id": UUID(int=number), "number": number, "kind": kind, "at": NOON, **changes})


def test_acts_are_numbered_without_gaps() -> None:
    with pytest.raises(AssertionError, match="without gaps"):
        replay([act(2, ActKind.OPENED_DRAFT)])


def test_a_tender_resumes_when_its_last_cause_is_gone() -> None:
    one, two = UUID(int=1), UUID(int=2)
    acts = [
        act(1, ActKind.SUSPENDED, payload={"cause_id": str(one)}),
        act(2, ActKind.SUSPENDED, payload={"cause_id": str(two)}, at=NOON + timedelta(hours=1)),
        act(3, ActKind.RESUMED, payload={"cause_id": str(one)}, at=NOON + timedelta(hours=2)),
    ]
    assert replay(acts[:2]).times.suspended_at == NOON
    assert replay(acts).times.suspended_at == NOON, "the terms stand still since the first cause"
    resumed = act(4, ActKind.RESUMED, payload={"cause_id": str(two)}, at=NOON + timedelta(hours=3))
    assert replay([*acts, resumed]).times.suspended_at is None
    assert replay([*acts, resumed]).suspensions == {}


def test_a_lot_has_one_standing_award() -> None:
    lot, first, second = UUID(int=9), UUID(int=1), UUID(int=2)
    acts = [
        act(1, ActKind.LOT_ADDED, lot_id=lot),
        act(2, ActKind.AWARD_MADE, lot_id=lot, subject_id=first),
    ]
    assert replay(acts).lots[lot].award_id == first
    with pytest.raises(AssertionError, match="one standing award"):
        replay([*acts, act(3, ActKind.AWARD_MADE, lot_id=lot, subject_id=second)])
    ended = [*acts, act(3, ActKind.AWARD_ENDED, lot_id=lot, subject_id=first)]
    assert replay(ended).lots[lot].stage is LotStage.ACTIVE
    again = replay([*ended, act(4, ActKind.AWARD_MADE, lot_id=lot, subject_id=second)])
    assert again.lots[lot].award_id == second


def test_an_unanswered_question_and_a_waiting_complaint_are_remembered() -> None:
    asked = act(1, ActKind.ENQUIRY_ASKED, subject_id=UUID(int=5))
    complained = act(2, ActKind.COMPLAINT_MADE, subject_id=UUID(int=6))
    facts = replay([asked, complained])
    assert facts.unanswered == {UUID(int=5)}
    assert facts.complaints_waiting == {UUID(int=6)}
    answered = act(3, ActKind.ENQUIRY_ANSWERED, subject_id=UUID(int=5))
    withdrawn = act(4, ActKind.COMPLAINT_WITHDRAWN, subject_id=UUID(int=6))
    settled = replay([asked, complained, answered, withdrawn])
    assert (settled.unanswered, settled.complaints_waiting) == (frozenset(), frozenset())
