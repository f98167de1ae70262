"""Whatever is done in whatever order: a lot never has two awards that stand, and the acts and the rows say the same."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work
from schoolmeals.errors import Refusal
from schoolmeals.procurement.acting import acts_of, deed_clock, times_of
from schoolmeals.procurement.actions import awarding, cancelling, suspending
from schoolmeals.procurement.models import Award, Tender
from schoolmeals.procurement.queries.drafts import lots_of
from schoolmeals.procurement.rules.acts import Act, ActKind, replay
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.awards import evaluate, plant_bid
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import ALMATY, Procurement, rehearsal

NAMES: Final = ("sign", "give-up-other", "give-up-refused", "give-up-late", "suspend", "resume", "wait", "lot", "all")
ORDERS: Final = st.lists(st.sampled_from(NAMES), min_size=1, max_size=9).map(lambda names: ["sign", *names])


class Awarding:
    """A tender whose one lot has three bids in their ranks, and the deeds that make awards and let them fall."""

    def __init__(self, world: Procurement) -> None:
        self.world = world
        self.tender_id = world.tender_in(TenderStage.EVALUATION)
        self.lot_id: UUID = world.look(lots_of, self.tender_id, actor=SYSTEM)[0].id
        suppliers = [world.supplier_id, *(OrganisationFactory.create(kind="supplier").id for _ in range(2))]
        evaluate(world, self.tender_id, [(plant_bid(world, self.tender_id, one), one) for one in suppliers])
        self.chair, self.voters = world.chair(self.tender_id), world.voters(self.tender_id)

    def go(self, names: Sequence[str]) -> list[str]:
        """Try the deeds one after the other, each with whoever may do it; those that were not refused. All is taken
        back.
        """
        done = []
        with rehearsal(SYSTEM, self.world.clock()) as work:
            for place, name in enumerate(names):
                work.now += timedelta(days=40 if name == "wait" else 0, minutes=1)
                with suppress(Refusal), work.attempt():
                    self._do(work, name, place)
                    done.append(name)
                self.hold(work)
        return done

    def _do(self, work: Work, name: str, place: int) -> None:
        officer = work.acting(self.world.editor)
        about: dict[str, Any] = {"reason": "A letter", "zone": ALMATY}
        codes = {"give-up-other": "other", "give-up-refused": "refused-to-sign", "give-up-late": "not-signed-in-time"}
        cause: dict[str, Any] = {"cause_id": "court-1", "reason": "An order", "clock": deed_clock}
        cancel: dict[str, Any] = {"reason_code": "no-need", "reason": "Closed", "clock": deed_clock}
        deeds: dict[str, Callable[[], object]] = {
            "sign": lambda: awarding.sign_award(
                work.acting(self.chair), self.tender_id, present=self.voters, zone=ALMATY, reason="Reasons"
            ),
            "suspend": lambda: suspending.suspend_tender(officer, self.tender_id, cause="court", **cause),
            "resume": lambda: suspending.resume_tender(officer, self.tender_id, zone=ALMATY, **cause),
            "wait": lambda: None,
            "lot": lambda: cancelling.cancel_tender(officer, self.tender_id, lot_id=self.lot_id, **cancel),
            "all": lambda: cancelling.cancel_tender(officer, self.tender_id, **cancel),
        }
        if name in codes:
            awarding.end_award(officer, self.tender_id, self.lot_id, code=codes[name], **about)
        else:
            deeds[name]()
        work.session.flush()

    def hold(self, work: Work) -> None:
        """One award at most stands, and rows and acts agree on it after each act."""
        found = select(Award.id).where(Award.lot_id == self.lot_id, Award.ended_at.is_(None))
        standing = set(work.session.scalars(found))
        acts = acts_of(work, self.tender_id)
        assert all(len(counted(acts[:upto])) <= 1 for upto in range(len(acts) + 1)), "two awards stand"
        assert standing == counted(acts), "rows and acts differ"
        facts = replay(acts)
        assert standing == {one.award_id for one in facts.lots.values()} - {None}
        assert facts.times == times_of(work.session.get_one(Tender, self.tender_id)), "the acts do not come to the row"


def counted(acts: Sequence[Act]) -> set[UUID | None]:
    """The awards that stand after these acts, counted without the rules."""
    made = {one.subject_id for one in acts if one.kind is ActKind.AWARD_MADE}
    return made - {one.subject_id for one in acts if one.kind is ActKind.AWARD_ENDED}


@pytest.fixture
def lot(world: Procurement) -> Awarding:
    return Awarding(world)


def test_one_award_stands_at_most_whatever_is_done(lot: Awarding) -> None:
    done: list[list[str]] = []

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ORDERS)
    @example(["sign", "give-up-other", "give-up-refused", "give-up-other", "sign"])
    @example(["sign", "give-up-other", "wait", "give-up-late", "all"])
    @example(["sign", "suspend", "give-up-other", "resume", "lot", "sign"])
    def hold(names: list[str]) -> None:
        done.append(lot.go(names))

    hold()
    assert ["sign", "give-up-other", "give-up-refused", "give-up-other"] in done, "three awards, one after the other"
    assert any("all" in one or "lot" in one for one in done)


def test_an_award_that_is_not_ended_before_the_next_is_found(lot: Awarding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awarding, "end_standing", lambda *_about: None)
    with pytest.raises((IntegrityError, AssertionError)):
        lot.go(["sign", "give-up-other"])


def test_a_row_that_falls_without_an_act_is_found(lot: Awarding, monkeypatch: pytest.MonkeyPatch) -> None:
    def silently(work: Work, _hand: object, award: Award, code: str, reason: str) -> None:
        award.ended_at, award.end_code, award.end_reason = work.now, code, reason

    monkeypatch.setattr(cancelling, "end_standing", silently)
    with pytest.raises(AssertionError):
        lot.go(["sign", "all"])
