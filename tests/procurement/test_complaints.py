"""Complaints: who makes them and when, what they hold, and how they end."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from schoolmeals.actors import PUBLIC, SYSTEM
from schoolmeals.errors import Conflict, Invalid, NotAllowed, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import complaints
from schoolmeals.procurement.actions.complaints import Attached, NewComplaint
from schoolmeals.procurement.queries import complaints as complaint_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.rules.acts import LotStage
from schoolmeals.procurement.rules.complaints import ComplaintStage, Said, complaint_stage
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_awards import lot_of, standing

FILE = Attached("диплом.pdf", "application/pdf", b"%PDF-1.7")


def new(**about: Any) -> NewComplaint:
    said = {"about": "award", "text": "The cook has no diploma", "remedy": "End the award", "language": "ru"}
    return NewComplaint(**{**said, "files": (FILE,), **about})


def complain(world: Procurement, tender_id: UUID, **about: Any) -> UUID:
    actor = about.pop("actor", world.supplier)
    made: UUID = world.do(complaints.make_complaint, tender_id, new_id(world.clock()), new(**about), actor=actor)
    return made


def accept(world: Procurement, tender_id: UUID, complaint_id: UUID) -> None:
    about: dict[str, Any] = {"zone": ALMATY, "clock": deed_clock, "actor": world.review_body}
    world.do(complaints.accept_complaint, tender_id, complaint_id, **about)


def decide(world: Procurement, tender_id: UUID, complaint_id: UUID, **about: Any) -> None:
    said = {"outcome": "declined", "reasons": "The diploma is genuine", "zone": ALMATY, **about}
    world.do(complaints.decide_complaint, tender_id, complaint_id, actor=world.review_body, **said)


def stage_of(world: Procurement, complaint_id: UUID) -> ComplaintStage:
    found: ComplaintStage = world.look(complaint_queries.stage_of, complaint_id, actor=SYSTEM)
    return found


def test_a_complaint_is_made_once_however_often_it_is_sent(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complaint_id = new_id(world.clock())
    for _ in range(2):
        world.do(complaints.make_complaint, tender_id, complaint_id, new(), actor=world.supplier)
    (found,) = world.look(complaint_queries.complaints_of, tender_id, actor=world.supplier)
    assert (found.number, found.stage, found.is_mine) == (1, ComplaintStage.WAITING, True)
    assert [(one.name, one.size_bytes) for one in found.files] == [("диплом.pdf", 8)]
    with pytest.raises(Conflict) as caught:
        complain(world, tender_id)
    assert caught.value.code == "complained"


def test_strangers_read_that_there_is_a_complaint_and_not_its_words(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complain(world, tender_id)
    (found,) = world.look(complaint_queries.complaints_of, tender_id, actor=PUBLIC)
    assert (found.text, found.remedy, found.files, found.about) == ("", "", (), "award")
    (read,) = world.look(complaint_queries.to_review, actor=world.review_body)
    assert (read.text, read.remedy) == ("The cook has no diploma", "End the award")
    with pytest.raises(NotFound):
        world.look(complaint_queries.complaint_file, read.files[0].id, actor=world.stranger)
    assert world.look(complaint_queries.complaint_file, read.files[0].id, actor=world.review_body)[1] == FILE.content


@pytest.mark.parametrize(
    ("stage", "about", "code"),
    [
        (TenderStage.DISCUSSION, "award", "nothing-decided"),
        (TenderStage.EVALUATION, "terms", "too-late-for-terms"),
        (TenderStage.CONTRACTING, "award", "standstill-over"),
    ],
)
def test_each_thing_is_contested_at_its_time(world: Procurement, stage: TenderStage, about: str, code: str) -> None:
    tender_id = world.tender_in(stage)
    with pytest.raises(NotNow) as caught:
        complain(world, tender_id, about=about)
    assert caught.value.code == code
    assert world.look(complaint_queries.complaints_of, tender_id, actor=SYSTEM) == []


def test_an_empty_complaint_is_sent_back(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    with pytest.raises(Invalid) as caught:
        complain(world, tender_id, about="mood", text=" ", remedy="", lot_id=new_id())
    assert sorted(caught.value.fields) == ["about", "lot_id", "remedy", "text"]


def test_an_accepted_complaint_holds_the_terms_and_a_declined_one_gives_them_back(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    until = world.until(tender_id, "standstill")
    complaint_id = complain(world, tender_id)
    accept(world, tender_id, complaint_id)
    assert world.stage(tender_id) is TenderStage.SUSPENDED
    world.clock.move(timedelta(days=20))
    assert world.stage(tender_id) is TenderStage.SUSPENDED
    decide(world, tender_id, complaint_id)
    assert world.stage(tender_id) is TenderStage.STANDSTILL
    assert world.until(tender_id, "standstill") > until + timedelta(days=19)
    assert stage_of(world, complaint_id) is ComplaintStage.DECLINED
    with pytest.raises(NotNow) as caught:
        decide(world, tender_id, complaint_id)
    assert caught.value.code == "complaint-is-declined"


def test_an_upheld_complaint_holds_until_it_is_carried_out(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    lot_id = lot_of(world, tender_id)
    complaint_id = complain(world, tender_id, actor=world.stranger)
    accept(world, tender_id, complaint_id)
    orders = [{"kind": "end-award", "lot_id": str(lot_id)}]
    with pytest.raises(Invalid):
        decide(world, tender_id, complaint_id, outcome="satisfied")
    with pytest.raises(Invalid):
        decide(world, tender_id, complaint_id, outcome="declined", remedies=orders)
    decide(world, tender_id, complaint_id, outcome="satisfied", remedies=orders)
    assert world.stage(tender_id) is TenderStage.SUSPENDED
    (before,) = standing(world, tender_id)
    world.do(complaints.execute_decision, tender_id, complaint_id, report="The award ended", zone=ALMATY)
    (award,) = standing(world, tender_id)
    assert (before.rank, award.rank) == (1, 2)
    assert stage_of(world, complaint_id) is ComplaintStage.EXECUTED
    assert world.stage(tender_id) is TenderStage.STANDSTILL


def test_a_decision_may_send_the_tender_back_to_admission(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    lot_id = lot_of(world, tender_id)
    complaint_id = complain(world, tender_id, about="admission")
    accept(world, tender_id, complaint_id)
    decide(world, tender_id, complaint_id, outcome="partly", remedies=[{"kind": "repeat-admission"}])
    world.do(complaints.execute_decision, tender_id, complaint_id, report="We begin anew", zone=ALMATY)
    assert world.stage(tender_id) is TenderStage.ADMISSION
    assert standing(world, tender_id) == []
    view = world.look(tender_queries.tender, tender_id, actor=SYSTEM)
    assert (view.lots[lot_id].stage, set(view.terms) & {"standstill", "signing"}) == (LotStage.ACTIVE, set())


def test_a_withdrawn_complaint_holds_nothing(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complaint_id = complain(world, tender_id)
    accept(world, tender_id, complaint_id)
    about: dict[str, Any] = {"reason": "Settled", "zone": ALMATY}
    with pytest.raises(NotFound):
        world.do(complaints.withdraw_complaint, tender_id, complaint_id, actor=world.stranger, **about)
    world.do(complaints.withdraw_complaint, tender_id, complaint_id, actor=world.supplier, **about)
    assert world.stage(tender_id) is TenderStage.STANDSTILL
    assert stage_of(world, complaint_id) is ComplaintStage.WITHDRAWN


def test_only_the_review_body_refuses_and_says_why(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    complaint_id = complain(world, tender_id)
    about: dict[str, Any] = {"code": "late", "reason": "Too late"}
    with pytest.raises(NotAllowed):
        world.do(complaints.refuse_complaint, tender_id, complaint_id, actor=world.officer, **about)
    with pytest.raises(Invalid):
        world.do(complaints.refuse_complaint, tender_id, complaint_id, actor=world.review_body, code="late", reason=" ")
    assert stage_of(world, complaint_id) is ComplaintStage.WAITING
    world.do(complaints.refuse_complaint, tender_id, complaint_id, actor=world.review_body, **about)
    assert stage_of(world, complaint_id) is ComplaintStage.INADMISSIBLE
    assert world.stage(tender_id) is TenderStage.STANDSTILL


@pytest.mark.parametrize(
    ("said", "stage"),
    [
        ([], ComplaintStage.WAITING),
        ([Said("refused")], ComplaintStage.INADMISSIBLE),
        ([Said("accepted")], ComplaintStage.ACCEPTED),
        ([Said("accepted"), Said("withdrawn")], ComplaintStage.WITHDRAWN),
        ([Said("accepted"), Said("decided", "declined")], ComplaintStage.DECLINED),
        ([Said("accepted"), Said("decided", "partly")], ComplaintStage.TO_BE_EXECUTED),
        ([Said("accepted"), Said("decided", "satisfied"), Said("executed")], ComplaintStage.EXECUTED),
    ],
)
def test_where_a_complaint_stands(said: list[Said], stage: ComplaintStage) -> None:
    assert complaint_stage(said) is stage
