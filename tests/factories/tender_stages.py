"""The way of a tender through its stages, for tests: what leads from each to the next.

A builder of a later stage puts the deed that leads to it into :data:`STEPS`, in place of the bare act.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from schoolmeals.actors import SYSTEM
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import (
    admission,
    awarding,
    cancelling,
    closing,
    contracts,
    opening,
    publishing,
    reviewing,
    suspending,
)
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.awards import two_ranked
from tests.factories.contracts import ALMATY, in_force

if TYPE_CHECKING:
    from tests.factories.procurement import Procurement

SERVER_SECRET: Final = "only-for-tests-only-for-tests-only-for-tests"
KEYS: Final = ServerKeys.of(SERVER_SECRET)
"""What the server writes and finds sealed rows with."""
Step = Callable[["Procurement", UUID], None]


def _submit(world: "Procurement", tender_id: UUID) -> None:
    world.do(reviewing.submit_for_review, tender_id)


def _approve(world: "Procurement", tender_id: UUID) -> None:
    world.do(reviewing.approve_tender, tender_id, actor=world.officer)


def _publish(world: "Procurement", tender_id: UUID) -> None:
    world.do(publishing.publish_tender, tender_id, act_id=new_id(world.clock()), zone=ALMATY)


def _close(world: "Procurement", tender_id: UUID) -> None:
    world.do(closing.close_bidding, tender_id, keys=KEYS, clock=deed_clock, actor=SYSTEM)


def _start_opening(world: "Procurement", tender_id: UUID) -> None:
    """Once no more files may follow."""
    world.clock.now = max(world.clock(), world.until(tender_id, "bidding") + timedelta(minutes=30, microseconds=1))
    world.do(opening.start_opening, tender_id, keys=KEYS, zone=ALMATY, clock=deed_clock, actor=SYSTEM)


def _finish_opening(world: "Procurement", tender_id: UUID) -> None:
    world.do(opening.finish_opening, tender_id, clock=deed_clock, actor=SYSTEM)


def _finish_admission(world: "Procurement", tender_id: UUID) -> None:
    world.do(admission.finish_admission, tender_id, zone=ALMATY, actor=world.secretary)


def after_term(name: str) -> Step:
    """Let a term end: the clock is moved to the instant after its last."""

    def wait(world: "Procurement", tender_id: UUID) -> None:
        world.clock.now = max(world.clock(), world.until(tender_id, name) + timedelta(microseconds=1))

    return wait


def happens(kind: ActKind, **payload: Any) -> Step:
    """Let a bare act happen."""

    def happen(world: "Procurement", tender_id: UUID) -> None:
        world.act(tender_id, kind, payload)

    return happen


def _evaluated(world: "Procurement", tender_id: UUID) -> None:
    two_ranked(world, tender_id)


def _sign_award(world: "Procurement", tender_id: UUID) -> None:
    world.do(awarding.sign_award, tender_id, present=world.voters(tender_id), zone=ALMATY, actor=world.chair(tender_id))


def _suspend(world: "Procurement", tender_id: UUID) -> None:
    deed = suspending.suspend_tender
    world.do(deed, tender_id, cause="court", cause_id="court-1", reason="Interim measures", clock=deed_clock)


def _cancel(world: "Procurement", tender_id: UUID) -> None:
    world.do(cancelling.cancel_tender, tender_id, reason_code="no-need", reason="Closed for repairs", clock=deed_clock)


def _contract(world: "Procurement", tender_id: UUID) -> None:
    in_force(world, tender_id)


def _complete(world: "Procurement", tender_id: UUID) -> None:
    world.do(contracts.complete_tender, tender_id)


STEPS: Final[tuple[tuple[TenderStage, tuple[Step, ...]], ...]] = (
    (TenderStage.DRAFT, ()),
    (TenderStage.UNDER_REVIEW, (_submit,)),
    (TenderStage.APPROVED, (_approve,)),
    (TenderStage.DISCUSSION, (_publish,)),
    (TenderStage.BIDDING, (after_term("discussion"),)),
    (TenderStage.CLOSED, (after_term("bidding"), _close)),
    (TenderStage.OPENING, (_start_opening,)),
    (TenderStage.ADMISSION, (_finish_opening,)),
    (TenderStage.EVALUATION, (_finish_admission,)),
    (TenderStage.AWARDING, (_evaluated,)),
    (TenderStage.STANDSTILL, (_sign_award,)),
    (TenderStage.CONTRACTING, (after_term("standstill"),)),
    (TenderStage.COMPLETE, (_contract, _complete)),
)
"""The straight way, each stage with what leads to it from the one before."""
SIDE_STEPS: Final[Mapping[TenderStage, tuple[TenderStage, Step]]] = {
    TenderStage.SUSPENDED: (TenderStage.BIDDING, _suspend),
    TenderStage.CANCELLED: (TenderStage.BIDDING, _cancel),
    TenderStage.UNSUCCESSFUL: (TenderStage.AWARDING, happens(ActKind.UNSUCCESSFUL)),
}
"""Stages beside the way: from where, and by what."""


def path_to(stage: TenderStage) -> list[Step]:
    """The steps from a whole draft to ``stage``."""
    if stage in SIDE_STEPS:
        origin, step = SIDE_STEPS[stage]
        return [*path_to(origin), step]
    steps: list[Step] = []
    for named, leading in STEPS:
        steps += leading
        if named is stage:
            return steps
    raise AssertionError(f"no way leads to {stage}")
