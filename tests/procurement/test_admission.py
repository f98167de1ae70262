"""Admission: who decides on a bid, what must be said with it, what may be mended, and what the list comes to."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from schoolmeals.database import Work
from schoolmeals.errors import Invalid, NotFound, NotNow, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import admission, commission
from schoolmeals.procurement.actions.admission import MendingFile
from schoolmeals.procurement.models import FixFile, OpenedBid, RequirementDecision, TenderAct
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.evaluation import Planted, Table, digest, person, plant
from tests.factories.procurement import ALMATY, Procurement

REJECT: dict[str, Any] = {"met": False, "reason_code": "staff-short", "reason": "There are not enough cooks"}


@pytest.fixture
def table(world: Procurement) -> Table:
    return Table(world, world.tender_in(TenderStage.ADMISSION))


def written(work: Work) -> tuple[int, int]:
    counts = [select(func.count()).select_from(one).scalar_subquery() for one in (RequirementDecision, TenderAct)]
    decisions, acts = work.session.execute(select(*counts)).one()
    return decisions, acts


def refused(table: Table, deed: Any, *args: Any, **kwargs: Any) -> Refusal:
    """The refusal of a deed, after which nothing is written that was not there."""
    before = table.world.look(written)
    with pytest.raises(Refusal) as caught:
        table.world.do(deed, table.tender_id, *args, **kwargs)
    assert table.world.look(written) == before
    return caught.value


def payload(table: Table, kind: ActKind) -> dict[str, Any]:
    def look(work: Work) -> dict[str, Any]:
        found = select(TenderAct.payload).where(TenderAct.tender_id == table.tender_id, TenderAct.kind == kind.value)
        said: dict[str, Any] | None = work.session.scalar(found.order_by(TenderAct.number.desc()).limit(1))
        assert said is not None
        return said

    found: dict[str, Any] = table.world.look(look)
    return found


def test_a_bid_that_proves_everything_is_admitted(table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    table.declare(bid)
    assert table.admit(bid) == {str(bid.lot_id): {"admitted": [str(bid.id)], "rejected": []}}
    assert table.world.stage(table.tender_id) is TenderStage.EVALUATION
    said = payload(table, ActKind.ADMITTED)
    assert said["voters"] == [str(seat.id) for seat in table.seats]
    assert set(said["terms"]) == {"evaluation"}


def test_nobody_decides_before_declaring(table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    member = table.members[0]
    refusal = refused(table, admission.decide_requirement, bid.id, "resources", met=True, zone=ALMATY, actor=member)
    assert (type(refusal), refusal.code) == (NotNow, "declare-first")


def test_who_has_an_interest_decides_nothing(table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    member = table.members[0]
    said = {"has_interest": True, "nature": "relative"}
    table.world.do(commission.declare_interest, table.tender_id, bid.tenderer_id, **said, actor=member)
    refusal = refused(table, admission.decide_requirement, bid.id, "resources", met=True, zone=ALMATY, actor=member)
    assert refusal.code == "not-your-part"


def test_a_rejection_says_why_and_names_its_evidence(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    table.declare(bid)
    about = {"zone": ALMATY, "actor": table.members[0]}
    refusal = refused(table, admission.decide_requirement, bid.id, "resources", met=False, **about)
    assert isinstance(refusal, Invalid)
    assert set(refusal.fields) == {"reason_code", "reason", "evidence"}
    strange = refused(table, admission.decide_requirement, bid.id, "resources", **REJECT, evidence=["0" * 64], **about)
    assert isinstance(strange, Invalid)
    assert set(strange.fields) == {"evidence"}


def test_what_is_not_there_cannot_be_decided(table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    broken = plant(table.world, table.tender_id, unreadable="incomplete")
    about = {"met": True, "zone": ALMATY, "actor": table.members[0]}
    for bid_id, code in ((bid.id, "no-such"), (new_id(), "resources"), (broken.id, "resources")):
        assert isinstance(refused(table, admission.decide_requirement, bid_id, code, **about), NotFound)


def test_a_bid_without_staff_is_rejected_by_the_majority_and_not_flagged(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    table.declare(bid)
    table.vote(bid, "resources", **REJECT, evidence=[content_digest(table, bid)])
    assert table.admit(bid)[str(bid.lot_id)] == {"admitted": [], "rejected": [str(bid.id)]}
    assert flags(table) == []


def test_admission_waits_for_a_quorum(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    table.declare(bid)
    for code in ("no-tax-debt", "not-bad-faith", "not-in-liquidation"):
        table.vote(bid, code, by=4)
    table.vote(bid, "resources", by=3)
    refusal = refused(table, admission.finish_admission, zone=ALMATY, actor=table.world.secretary)
    assert (refusal.code, refusal.params) == ("requirements-undecided", {"count": 1})
    table.vote(bid, "resources", by=4)
    assert table.finish_admission()[str(bid.lot_id)]["admitted"] == [str(bid.id)]


def test_an_unreadable_bid_is_rejected_without_a_vote(table: Table) -> None:
    bid = plant(table.world, table.tender_id, unreadable="incomplete")
    table.declare(bid)
    assert table.finish_admission()[str(bid.lot_id)] == {"admitted": [], "rejected": [str(bid.id)]}


def test_a_digest_without_its_file_proves_nothing(table: Table) -> None:
    bid = plant(table.world, table.tender_id, without_files=True)
    table.declare(bid)
    for code in ("no-tax-debt", "not-bad-faith", "not-in-liquidation"):
        table.vote(bid, code, by=4)
    refusal = refused(table, admission.finish_admission, zone=ALMATY, actor=table.world.secretary)
    assert refusal.params == {"count": 3}


def test_whoever_has_left_the_commission_is_not_counted(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    table.declare(bid)
    for code in ("no-tax-debt", "not-bad-faith", "not-in-liquidation", "resources"):
        table.vote(bid, code, by=4)
    first = table.seats[0]
    table.world.do(commission.recuse, table.tender_id, first.id, "ill", actor=table.world.holder(first))
    refusal = refused(table, admission.finish_admission, zone=ALMATY, actor=table.world.secretary)
    assert (refusal.code, refusal.params) == ("requirements-undecided", {"count": 4})


# Mending.


def ask(table: Table, bid: Planted, *codes: str) -> Any:
    about = (table.tender_id, bid.id, codes, "Send the cooks' diplomas")
    return table.world.do(admission.ask_fix, *about, zone=ALMATY, actor=table.world.secretary)


def answer(table: Table, bid: Planted, *, answer_id: Any = None, **about: Any) -> None:
    files = [MendingFile("resources", "diploma.pdf", "application/pdf", b"%PDF diploma")]
    said = {"answer_id": answer_id or new_id(), "actor": bid.supplier, **about}
    table.world.do(admission.give_fix, table.tender_id, bid.id, "Here they are", said.pop("files", files), **said)


def test_a_supplier_mends_a_bid_once_within_a_day(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    table.declare(bid)
    table.vote(bid, "resources", **REJECT, evidence=[content_digest(table, bid)])
    ask(table, bid, "resources")
    term = payload(table, ActKind.FIX_ASKED)["terms"][f"fix:{bid.id}"]
    assert (term["length"], term["unit"]) == (24, "hours")
    waiting = refused(table, admission.finish_admission, zone=ALMATY, actor=table.world.secretary)
    assert waiting.code == "fix-running"
    answer(table, bid)
    # The votes from before count no more: the commission looks at what came.
    table.world.clock.move(timedelta(seconds=1))
    table.vote(bid, "resources")
    assert table.admit(bid)[str(bid.lot_id)]["admitted"] == [str(bid.id)]
    kept = table.world.look(lambda work: list(work.session.scalars(select(FixFile.sha256))))
    assert kept == [digest("%PDF diploma")]


def test_the_same_answer_again_changes_nothing(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    ask(table, bid, "resources")
    same = new_id()
    answer(table, bid, answer_id=same)
    before = table.world.look(written)
    answer(table, bid, answer_id=same)
    assert table.world.look(written) == before
    with pytest.raises(NotNow, match="fix-given"):
        answer(table, bid)


def test_mending_is_asked_once_and_only_for_what_may_be_mended(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    about = {"zone": ALMATY, "actor": table.world.secretary}
    for codes, expected in (
        (["not-bad-faith"], "not-fixable"),
        (["legal-capacity"], "nothing-to-fix"),
        ([], "invalid"),
        (["no-such"], "not-found"),
    ):
        assert refused(table, admission.ask_fix, bid.id, codes, "x", **about).code == expected
    ask(table, bid, "resources")
    assert refused(table, admission.ask_fix, bid.id, ["resources"], "x", **about).code == "fixed-before"


def test_nobody_answers_late_unasked_or_for_another(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    said = {"answer_id": new_id(), "actor": bid.supplier}
    assert refused(table, admission.give_fix, bid.id, "x", [], **said).code == "fix-not-asked"
    ask(table, bid, "resources")
    other = plant(table.world, table.tender_id)
    stranger = {"answer_id": new_id(), "actor": other.supplier}
    assert isinstance(refused(table, admission.give_fix, bid.id, "x", [], **stranger), NotFound)
    wrong = [MendingFile("no-tax-debt", "x.pdf", "application/pdf", b"x")]
    assert isinstance(refused(table, admission.give_fix, bid.id, "x", wrong, **said), Invalid)
    empty = [MendingFile("resources", "x.pdf", "application/pdf", b"")]
    assert isinstance(refused(table, admission.give_fix, bid.id, "x", empty, **said), Invalid)
    table.world.clock.move(timedelta(hours=24, microseconds=1))
    assert refused(table, admission.give_fix, bid.id, "x", [], **said).code == "fix-late"


def test_an_answer_that_never_comes_holds_nobody_up(table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    table.declare(bid)
    ask(table, bid, "resources")
    table.world.clock.move(timedelta(hours=24, microseconds=1))
    table.vote(bid, "resources", **REJECT, evidence=[content_digest(table, bid)])
    assert table.admit(bid)[str(bid.lot_id)]["rejected"] == [str(bid.id)]


def test_a_cook_in_two_bids_is_found_in_both(table: Table) -> None:
    one = plant(table.world, table.tender_id, staff=[person("Айша"), person("Болат")])
    other = plant(table.world, table.tender_id, staff=[person("Айша"), person("Дана")])
    table.declare(one, other)
    for code in ("no-tax-debt", "not-bad-faith", "not-in-liquidation"):
        table.vote(one, code, by=4)
        table.vote(other, code, by=4)
    refusal = refused(table, admission.finish_admission, zone=ALMATY, actor=table.world.secretary)
    # In each bid: the same person twice, and so a post without anybody.
    assert (refusal.code, refusal.params) == ("requirements-undecided", {"count": 4})


def content_digest(table: Table, bid: Planted) -> str:
    def look(work: Work) -> str:
        return work.session.get_one(OpenedBid, (bid.id, "qualification")).plaintext_sha256 or ""

    found: str = table.world.look(look)
    return found


def flags(table: Table) -> list[str]:
    def look(work: Work) -> list[str]:
        found = select(RequirementDecision.flag).where(RequirementDecision.flag != "")
        return list(work.session.scalars(found))

    found: list[str] = table.world.look(look)
    return found
