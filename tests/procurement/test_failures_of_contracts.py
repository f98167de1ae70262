"""More documented failures, those that come after the evaluation: each is impossible here, or is seen at once."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from flask import Flask

from schoolmeals.actors import PUBLIC, SYSTEM
from schoolmeals.database import Work
from schoolmeals.errors import NotNow
from schoolmeals.identity.models import Organisation
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import acts_of
from schoolmeals.procurement.actions import changes, contracts
from schoolmeals.procurement.actions.changes import NewChange
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.contracts import BuffetItem, ContractStage, LeaseState, length_refused
from schoolmeals.procurement.rules.stages import TenderStage
from schoolmeals.verdicts import Refused
from tests.factories.awards import two_ranked
from tests.factories.contracts import ALMATY, TEA, Authenticator, in_force, make, sign
from tests.factories.procurement import Procurement
from tests.procurement.test_awards import sign as sign_award
from tests.procurement.test_awards import standing
from tests.procurement.test_registers import BIN, HEAD, bring

BAD_FAITH: Final = f"{HEAD}{BIN};Дәм;2026-01-01;;court decision;7-26\r\n"


def known_as(world: Procurement, organisation_id: UUID) -> None:
    """Give a supplier the number that the register names."""

    def name(work: Work) -> None:
        row = work.session.get_one(Organisation, organisation_id)
        row.identifier_scheme, row.identifier = "KZ-BIN", BIN

    world.do(name, actor=SYSTEM)


def test_f2_who_became_a_bad_faith_supplier_before_the_protocol_does_not_win(world: Procurement) -> None:
    """Shieli, 2025: the winner had been in the register for a week when the protocol was signed."""
    tender_id = world.tender_in(TenderStage.EVALUATION)
    _best, second, rival = two_ranked(world, tender_id)
    known_as(world, world.supplier_id)
    bring(world, BAD_FAITH)
    signed = sign_award(world, tender_id)
    (award,) = standing(world, tender_id)
    assert (award.bid_id, award.supplier_id, award.rank) == (second, rival, 2)
    assert [len(bids) for bids in signed.passed_over.values()] == [1]
    looked = [act for act in world.look(acts_of, tender_id, actor=SYSTEM) if act.kind is ActKind.RECHECKED]
    assert [one["code"] for act in looked for one in act.payload["findings"]] == ["register"]
    assert all(act.payload["imports"]["bad-faith"]["id"] for act in looked), "the import is named"


def test_f2_holds_between_midnight_here_and_midnight_in_greenwich(world: Procurement) -> None:
    """The entry begins today; in UTC it is still yesterday."""
    tender_id = world.tender_in(TenderStage.EVALUATION)
    _best, second, _rival = two_ranked(world, tender_id)
    known_as(world, world.supplier_id)
    world.clock.now = world.clock().replace(hour=19, minute=30) + timedelta(days=1)
    today = world.clock().astimezone(ALMATY).date()
    assert today > world.clock().date()
    bring(world, BAD_FAITH.replace("2026-01-01", today.isoformat()))
    sign_award(world, tender_id)
    (award,) = standing(world, tender_id)
    assert award.bid_id == second


def test_f2_who_became_one_before_the_contract_does_not_sign(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id = make(world, tender_id)
    known_as(world, world.supplier_id)
    bring(world, BAD_FAITH)
    answer = sign(world, tender_id, contract_id, Authenticator(world.supplier))
    assert isinstance(answer, Refused)
    assert answer.code == "speaks-against"
    found = world.look(contract_queries.contract, contract_id, actor=PUBLIC)
    assert (found.line.stage, found.signatures) == (ContractStage.MADE, ())
    assert [one["reference"] for one in found.findings] == ["7-26"], "everybody sees why"


def test_f5_everything_is_published_here_and_nobody_is_charged_for_it(app: Flask, world: Procurement) -> None:
    """169 schools, 2023: suppliers had to pay a service for publishing what the law wants published."""
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *_ = in_force(world, tender_id)
    anybody = app.test_client()
    for path in (
        f"/tenders/{tender_id}",
        f"/tenders/{tender_id}/award",
        "/contracts",
        f"/contracts/{contract_id}",
        f"/contracts/{contract_id}/text.json",
    ):
        assert anybody.get(path).status_code == 200, path
    text = world.look(contract_queries.contract, contract_id).text
    keys = {*text, *(name for section in text["sections"].values() for name in section), *text["terms"]}
    assert not [name for name in keys if "fee" in name or "publication" in name or "subscription" in name]


def test_f6_a_lease_that_is_not_signed_in_fifteen_days_shows_on_every_page(app: Flask, world: Procurement) -> None:
    """The supplier worked for months in rooms that nobody had leased to it."""
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *_ = in_force(world, tender_id)

    def lease() -> LeaseState:
        state: LeaseState = world.look(contract_queries.contract, contract_id, actor=PUBLIC).line.lease
        return state

    due_on = world.look(contract_queries.contract, contract_id, actor=PUBLIC).line.lease_due_on
    assert (due_on - world.clock().date()).days >= 15
    assert lease() is LeaseState.WAITING
    world.clock.move(timedelta(days=20))
    assert lease() is LeaseState.OVERDUE
    assert 'class="tag bad"' in app.test_client().get("/contracts").get_data(as_text=True)
    about: dict[str, Any] = {"signed_on": world.clock().date(), "number": "12", "zone": ALMATY}
    world.do(contracts.sign_lease, tender_id, contract_id, **about)
    assert lease() is LeaseState.SIGNED_LATE


@pytest.mark.parametrize(("years", "refused"), [(1, False), (15, True), (20, True)])
def test_f7_no_contract_lasts_fifteen_years(years: int, refused: bool) -> None:
    """Schools were bound to one supplier for fifteen and twenty years."""
    ends_on = date(2027 + years, 1, 10)
    found = length_refused(date(2027, 1, 11), ends_on, 12)
    assert (found is not None) is refused


def test_f7_nor_does_an_extension_make_it_so(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *_ = in_force(world, tender_id)
    with pytest.raises(NotNow) as caught:
        world.do(
            changes.extend_contract, tender_id, contract_id, new_id(), ends_on=date(2042, 5, 25), reason="Ten more"
        )
    assert caught.value.code == "contract-too-long"


def test_f9_the_buffet_cannot_become_dearer_than_its_contract(world: Procurement) -> None:
    """2022: buffets sold half above the market; no contract had said at what price they may."""
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *_ = in_force(world, tender_id)
    day = date(2027, 2, 1)

    def ceilings() -> list[int]:
        found = world.look(contract_queries.contract_items_of, world.school_id, day, actor=PUBLIC)
        return [one.price_minor for one in found if one.kind == "buffet"]

    assert ceilings() == [TEA.ceiling_minor]
    dearer = BuffetItem({**TEA.name, "kk": "  ШАЙ "}, "cup", TEA.ceiling_minor + 1)
    new = NewChange(kind="buffet", reason="Prices rose", buffet=(dearer,))
    with pytest.raises(NotNow) as caught:
        world.do(changes.propose_change, tender_id, contract_id, new_id(), new, actor=world.supplier)
    assert caught.value.code == "buffet-ceiling-rises"
    assert ceilings() == [TEA.ceiling_minor]
