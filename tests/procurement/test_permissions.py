"""Every deed, at every stage, by everybody: allowed, or refused exactly as the table says, with nothing changed."""

import ast
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from schoolmeals.actors import Actor
from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work
from schoolmeals.errors import NotAllowed, NotFound, NotNow, Refusal
from schoolmeals.procurement import actions
from schoolmeals.procurement.acting import at_hand, lock_tender
from schoolmeals.procurement.actions import commission
from schoolmeals.procurement.models import Tender, TenderAct
from schoolmeals.procurement.rules.permissions import DEEDS, Party, decide
from schoolmeals.procurement.rules.stages import UNPUBLISHED, TenderStage
from tests.factories.procurement import Procurement, rehearsal
from tests.procurement.deeds import RECIPES

FOLDER = Path(actions.__file__).parent
ON_TENDERS = {deed for deed, permit in DEEDS.items() if permit.stages is not None}


def named_actions() -> set[str]:
    """The public actions of the room."""
    return {
        node.name
        for path in FOLDER.glob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name not in STEPS_OF_DEEDS
    }


STEPS_OF_DEEDS = {
    "keep_version": "publishing and amending keep what they publish by it",
    "published_by": "an act, read as what it published",
}


def test_every_action_has_its_row_and_every_row_its_action() -> None:
    assert named_actions() == set(DEEDS)


def test_every_deed_on_a_tender_is_rehearsed() -> None:
    assert set(RECIPES) == ON_TENDERS


def test_an_action_without_a_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(DEEDS, "approve_tender")
    assert named_actions() - set(DEEDS) == {"approve_tender"}


@pytest.mark.parametrize("stage", list(TenderStage))
def test_who_may_do_what(world: Procurement, stage: TenderStage) -> None:
    tender_id = world.tender_in(stage)
    world.remember(tender_id)
    before = state(world, tender_id)
    so_far = world.look(written)
    wrong = []
    for name, actor in world.actors(tender_id).items():
        parties = parties_of(world, tender_id, actor)
        for deed, recipe in RECIPES.items():
            expected = decide(deed, stage, parties)
            refusal = rehearsed(world, recipe, tender_id, actor, so_far)
            if not agree(expected, refusal):
                wrong.append((deed, name, told(expected), told(refusal)))
    assert wrong == []
    assert state(world, tender_id) == before


def agree(expected: Refusal | None, refusal: Refusal | None) -> bool:
    """Whether a deed ended as the table says. A permitted deed may still fail by a rule of its own."""
    if expected is not None:
        return told(refusal) == told(expected)
    return refusal is None or not is_of_the_table(refusal)


def is_of_the_table(refusal: Refusal) -> bool:
    return refusal.code == "not-your-part" or refusal.code.startswith("tender-is-")


def told(refusal: Refusal | None) -> tuple[type[Refusal], str] | None:
    return (type(refusal), refusal.code) if refusal is not None else None


def rehearsed(world: Procurement, recipe: Any, tender_id: Any, actor: Actor, so_far: tuple[int, int]) -> Refusal | None:
    """Do a deed and take it back; its refusal, where it was refused. A refused deed has written nothing by then."""
    refused: Refusal | None = None
    with rehearsal(actor, world.clock()) as work:
        try:
            recipe(world, work, tender_id)
        except Refusal as refusal:
            refused = refusal
        if refused is not None:
            assert list(work.session.new) + list(work.session.dirty) == []
            assert written(work) == so_far, f"{refused.code} came after something was written"
    return refused


def written(work: Work) -> tuple[int, int]:
    """How many acts and events there are."""
    counts = [select(func.count()).select_from(table).scalar_subquery() for table in (TenderAct, AuditEvent)]
    acts, events = work.session.execute(select(*counts)).one()
    return acts, events


def state(world: Procurement, tender_id: Any) -> tuple[Any, ...]:
    """The tender's row, all of it, and how much was ever written."""

    def look(work: Work) -> tuple[Any, ...]:
        row = work.session.execute(select(Tender.__table__).where(Tender.id == tender_id)).one()
        return (*row, *written(work))

    found: tuple[Any, ...] = world.look(look)
    return found


def parties_of(world: Procurement, tender_id: Any, actor: Actor) -> frozenset[Party]:
    def look(work: Work) -> frozenset[Party]:
        return at_hand(work, lock_tender(work, tender_id), work.now).parties

    found: frozenset[Party] = world.do(look, actor=actor)
    return found


@pytest.mark.parametrize("stage", [TenderStage.OPENING, TenderStage.ADMISSION, TenderStage.EVALUATION])
def test_whoever_left_the_commission_may_hand_in_a_share_and_nothing_else(
    world: Procurement, stage: TenderStage
) -> None:
    tender_id = world.tender_in(stage)
    world.remember(tender_id)
    seat = world.seat(tender_id, "member")
    world.do(commission.recuse, tender_id, seat.id, "ill", actor=world.holder(seat))
    actor, so_far = world.holder(seat), world.look(written)
    parties = parties_of(world, tender_id, actor)
    assert parties == {Party.KEY_HOLDER, Party.PERSON, Party.PUBLIC}
    wrong = []
    for deed, recipe in RECIPES.items():
        expected, refusal = decide(deed, stage, parties), rehearsed(world, recipe, tender_id, actor, so_far)
        if not agree(expected, refusal):
            wrong.append((deed, told(expected), told(refusal)))
    assert wrong == []


@pytest.mark.parametrize(
    ("deed", "stage", "parties", "expected"),
    [
        ("edit_section", TenderStage.DRAFT, {Party.OFFICER}, None),
        ("edit_section", TenderStage.DRAFT, {Party.PERSON, Party.PUBLIC}, (NotFound, "not-found")),
        ("edit_section", TenderStage.DRAFT, {Party.SUPPLIER, Party.PERSON}, (NotFound, "not-found")),
        ("edit_section", TenderStage.DRAFT, {Party.AUDITOR}, (NotAllowed, "not-your-part")),
        ("edit_section", TenderStage.UNDER_REVIEW, {Party.OFFICER}, (NotNow, "tender-is-under-review")),
        ("edit_section", TenderStage.CLOSED, {Party.OFFICER}, (NotNow, "tender-is-closed")),
        ("edit_section", TenderStage.CLOSED, {Party.SUPPLIER}, (NotAllowed, "not-your-part")),
        ("approve_tender", TenderStage.UNDER_REVIEW, {Party.CITY_ADMIN}, None),
        ("approve_tender", TenderStage.UNDER_REVIEW, {Party.CHAIR, Party.MEMBER}, (NotAllowed, "not-your-part")),
        ("publish_tender", TenderStage.UNDER_REVIEW, {Party.OFFICER}, (NotNow, "tender-is-under-review")),
        ("publish_tender", TenderStage.APPROVED, {Party.OFFICER}, None),
        ("publish_tender", TenderStage.SUSPENDED, {Party.OFFICER}, (NotNow, "tender-is-suspended")),
        ("publish_key", TenderStage.BIDDING, {Party.MEMBER}, (NotNow, "tender-is-bidding")),
        ("declare_interest", TenderStage.ADMISSION, {Party.MEMBER}, None),
        ("declare_interest", TenderStage.EVALUATION, {Party.MEMBER}, None),
        ("declare_interest", TenderStage.AWARDING, {Party.MEMBER}, None),
        ("declare_interest", TenderStage.STANDSTILL, {Party.MEMBER}, (NotNow, "tender-is-standstill")),
        ("decide_requirement", TenderStage.ADMISSION, {Party.MEMBER}, None),
        ("decide_requirement", TenderStage.ADMISSION, {Party.SECRETARY}, (NotAllowed, "not-your-part")),
        ("give_score", TenderStage.EVALUATION, {Party.OFFICER}, (NotAllowed, "not-your-part")),
        ("finish_evaluation", TenderStage.EVALUATION, {Party.SECRETARY}, None),
        ("recuse", TenderStage.STANDSTILL, {Party.MEMBER}, None),
        ("recuse", TenderStage.COMPLETE, {Party.MEMBER}, (NotNow, "tender-is-complete")),
        ("give_shares", TenderStage.OPENING, {Party.KEY_HOLDER}, None),
        ("give_shares", TenderStage.ADMISSION, {Party.KEY_HOLDER}, (NotNow, "tender-is-admission")),
        ("give_score", TenderStage.EVALUATION, {Party.KEY_HOLDER}, (NotAllowed, "not-your-part")),
        ("adjourn_opening", TenderStage.EVALUATION, {Party.SECRETARY}, None),
        ("adjourn_opening", TenderStage.ADMISSION, {Party.CHAIR}, (NotNow, "tender-is-admission")),
        ("finish_opening", TenderStage.EVALUATION, {Party.CHAIR}, None),
        ("note_served_meals", TenderStage.COMPLETE, {Party.SYSTEM}, None),
        ("note_served_meals", TenderStage.COMPLETE, {Party.CITY_ADMIN}, (NotAllowed, "not-your-part")),
    ],
)
def test_the_table_says(deed: str, stage: TenderStage, parties: set[Party], expected: Any) -> None:
    assert told(decide(deed, stage, frozenset(parties))) == expected


@pytest.mark.parametrize("stage", sorted(UNPUBLISHED))
@pytest.mark.parametrize("deed", sorted(DEEDS))
def test_strangers_never_learn_of_a_draft(deed: str, stage: TenderStage) -> None:
    strangers = frozenset({Party.PERSON, Party.PUBLIC, Party.SUPPLIER, Party.BUYER, Party.REVIEW_BODY})
    assert told(decide(deed, stage, strangers)) == (NotFound, "not-found")
