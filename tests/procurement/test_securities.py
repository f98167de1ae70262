"""Securities of bids and contracts: worth enough, for long enough, written down once, and told to whom it concerns."""

import io
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from schoolmeals.actors import PUBLIC, SYSTEM, Actor
from schoolmeals.database import Work
from schoolmeals.errors import Conflict, Invalid, NotAllowed, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import securities as deeds
from schoolmeals.procurement.models import FrozenBid, Security
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.queries import securities as queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.securities import Secured
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.securities import NewSecurity, asked_minor, security_problems
from schoolmeals.procurement.rules.stages import TenderStage
from tests.canteen.pages import send
from tests.factories.awards import two_ranked
from tests.factories.contracts import in_force
from tests.factories.identity import signed_in
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_suppliers import KEY

PDF = b"%PDF-1.7 bank guarantee"
LAST = date(2027, 12, 31)


def guarantee(**about: Any) -> NewSecurity:
    said = {"kind": "bank-guarantee", "number": "BG-77", "issuer": "Halyk Bank", "amount_minor": 10**12}
    return NewSecurity(**{**said, "valid_until": LAST, "file_name": "guarantee.pdf", "content": PDF, **about})


class Signed:
    """A contract in force, which asks for a security."""

    def __init__(self, world: Procurement) -> None:
        self.world = world
        self.tender_id = world.tender_in(TenderStage.CONTRACTING)
        self.contract_id, *_ = in_force(world, self.tender_id)
        found = world.look(contract_queries.contract, self.contract_id)
        self.least, self.ends_on = found.security_minor, found.line.ends_on

    def record(self, *, security_id: UUID | None = None, actor: Actor | None = None, **about: Any) -> UUID:
        new = guarantee(**{"amount_minor": self.least, "valid_until": self.ends_on, **about})
        about_it = (self.tender_id, self.contract_id, security_id or new_id(self.world.clock()), new)
        made: UUID = self.world.do(
            deeds.record_contract_security, *about_it, key=KEY, actor=actor or self.world.officer
        )
        return made

    def end(self, security_id: UUID, outcome: str, reason_code: str, note: str = "", **about: Any) -> None:
        said: dict[str, Any] = {"outcome": outcome, "reason_code": reason_code, "note": note}
        self.world.do(deeds.end_security, self.tender_id, security_id, **said, **{"actor": self.world.officer, **about})

    def secured(self, actor: Actor) -> Secured:
        found: Secured = self.world.look(queries.contract_security, self.contract_id, actor=actor)
        return found

    def rows(self) -> int:
        def count(work: Work) -> int:
            return work.session.scalar(select(func.count()).select_from(Security)) or 0

        found: int = self.world.look(count, actor=SYSTEM)
        return found


@pytest.fixture
def signed(world: Procurement) -> Signed:
    return Signed(world)


def test_a_contract_waits_for_its_security_until_it_is_written_down(signed: Signed) -> None:
    assert signed.least > 0
    assert signed.secured(PUBLIC).waits
    security_id = signed.record()
    assert signed.record(security_id=security_id) == security_id, "the same form once more"
    whole = signed.secured(signed.world.supplier)
    assert not whole.waits
    (one,) = whole.given
    assert (one.number, one.issuer, one.amount_minor, one.valid_until) == (
        "BG-77",
        "Halyk Bank",
        signed.least,
        signed.ends_on,
    )
    assert one.recorded_by
    assert signed.rows() == 1
    (public,) = signed.secured(PUBLIC).given
    assert (public.kind, public.amount_minor, public.outcome) == ("bank-guarantee", signed.least, None)
    assert (public.number, public.issuer, public.recorded_by, public.note) == ("", "", "", "")
    told = signed.world.look(tender_queries.acts, signed.tender_id, actor=PUBLIC)
    assert ActKind.SECURITY_RECORDED not in {act.kind for act in told}


def test_it_is_worth_what_the_text_says_to_the_last_day(signed: Signed) -> None:
    for about, field in (
        ({"amount_minor": signed.least - 1}, "amount"),
        ({"valid_until": signed.ends_on - timedelta(days=1)}, "valid_until"),
        ({"kind": "promise"}, "kind"),
        ({"number": " "}, "number"),
        ({"issuer": ""}, "issuer"),
        ({"content": b"MZ"}, "file"),
    ):
        with pytest.raises(Invalid) as wrong:
            signed.record(**about)
        assert set(wrong.value.fields) == {field}
    assert signed.rows() == 0


def test_a_tiyn_too_little_is_found_by_the_rule_alone(signed: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deeds, "security_problems", lambda *_, **__: {})
    signed.record(amount_minor=signed.least - 1)
    assert signed.rows() == 1, "the planted bug takes any sum"


def test_it_is_returned_or_kept_once_with_a_reason(signed: Signed) -> None:
    security_id = signed.record()
    with pytest.raises(Conflict) as there:
        signed.record()
    assert there.value.code == "security-there"
    for outcome, code, note, field in (
        ("kept", "fulfilled", "x", "reason_code"),
        ("lost", "lost", "x", "reason_code"),
        ("kept", "contract-broken", " ", "note"),
        ("returned", "other", "", "note"),
    ):
        with pytest.raises(Invalid) as wrong:
            signed.end(security_id, outcome, code, note)
        assert set(wrong.value.fields) == {field}
    signed.end(security_id, "returned", "replaced")
    signed.world.clock.now += timedelta(seconds=1)
    with pytest.raises(Conflict) as ended:
        signed.end(security_id, "kept", "contract-broken", "A court's decision")
    assert ended.value.code == "security-ended"
    assert signed.secured(PUBLIC).waits, "the contract waits for the one that takes its place"
    signed.record(number="BG-78")
    assert [one.outcome for one in signed.secured(signed.world.officer).given] == [None, "returned"]


def test_what_is_written_down_is_never_rewritten(signed: Signed) -> None:
    security_id = signed.record()

    def rewrite(work: Work) -> None:
        work.session.get_one(Security, security_id).amount_minor = 1
        work.session.flush()

    with pytest.raises(DBAPIError):
        signed.world.do(rewrite, actor=SYSTEM)


def test_only_the_organiser_writes_and_only_those_concerned_read_the_paper(signed: Signed) -> None:
    world = signed.world
    for who in (world.supplier, world.buyer, world.city_admin, world.stranger):
        with pytest.raises(NotAllowed):
            signed.record(actor=who)
    assert signed.rows() == 0
    security_id = signed.record()
    for who in (world.supplier, world.buyer, world.officer, world.city_admin):
        row, content = world.look(queries.security_paper, security_id, key=KEY, actor=who)
        assert content == PDF
        assert PDF not in row.content
    with pytest.raises(NotFound):
        world.look(queries.security_paper, security_id, key=KEY, actor=world.stranger)
    with pytest.raises(NotFound):
        world.look(queries.securities, signed.tender_id, actor=world.supplier)


def test_a_bids_security_is_written_down_after_the_opening_alone(world: Procurement) -> None:
    sealed = world.tender_in(TenderStage.BIDDING)
    about: dict[str, Any] = {"key": KEY, "zone": ALMATY, "actor": world.officer}
    with pytest.raises(NotNow) as early:
        world.do(deeds.record_bid_security, sealed, new_id(), new_id(), guarantee(), **about)
    assert early.value.code == "tender-is-bidding"
    assert world.look(queries.securities, sealed) == []
    tender_id = world.tender_in(TenderStage.EVALUATION)
    two_ranked(world, tender_id)
    bids = [one for one in world.look(queries.securities, tender_id) if one.purpose == "bid"]
    assert len(bids) == 2
    first = bids[0]
    assert first.waits
    for change, field in (
        ({"amount_minor": first.asked_minor - 1}, "amount"),
        ({"valid_until": date(2026, 1, 1)}, "valid_until"),
    ):
        with pytest.raises(Invalid) as wrong:
            world.do(deeds.record_bid_security, tender_id, first.about_id, new_id(), guarantee(**change), **about)
        assert set(wrong.value.fields) == {field}
    world.do(deeds.record_bid_security, tender_id, first.about_id, new_id(), guarantee(), **about)
    after = {one.about_id: one.waits for one in world.look(queries.securities, tender_id)}
    assert (after[first.about_id], after[bids[1].about_id]) == (False, True)
    with pytest.raises(NotFound):
        world.do(
            deeds.record_bid_security, sealed_bids(world, tender_id), first.about_id, new_id(), guarantee(), **about
        )


def sealed_bids(world: Procurement, tender_id: UUID) -> UUID:
    """Another tender that is as far as this one; the bid is none of its own."""
    other: UUID = world.tender_in(TenderStage.EVALUATION)
    assert world.look(lambda work: work.session.scalars(select(FrozenBid.tender_id)).all(), actor=SYSTEM)
    assert other != tender_id
    return other


def test_sums_are_rounded_up() -> None:
    assert [asked_minor(value, 30) for value in (0, 1, 100, 101, 10_000)] == [0, 1, 3, 4, 300]
    said = security_problems(guarantee(amount_minor=299), least_minor=300, least_until=LAST)
    assert {name: [one.code for one in found] for name, found in said.items()} == {"amount": ["security-too-low"]}
    assert security_problems(guarantee(amount_minor=300), least_minor=300, least_until=LAST) == {}


def test_the_officer_writes_it_down_on_a_page_and_all_see_it(app: Flask, signed: Signed) -> None:
    world, contract = signed.world, f"/contracts/{signed.contract_id}"
    officer, supplier = browser(app, world.officer), browser(app, world.supplier)
    page = f"/procurement/tenders/{signed.tender_id}/securities"
    assert "Bring the organiser a bank guarantee" in shown(supplier, contract)
    assert "Not given yet" in shown(app.test_client(), contract)
    assert page in shown(officer, contract)
    assert "Contract security" in shown(officer, page)
    form = {"about": str(signed.contract_id), "security_id": str(new_id()), "kind": "deposit", "number": "PP-1"}
    form |= {"issuer": "Halyk Bank", "amount": "1", "valid_until": signed.ends_on.isoformat()}
    poor = send(officer, f"{page}/contract", {**form, "file": (io.BytesIO(PDF), "p.pdf")}, shown_at=page)
    assert poor.status_code == 422
    assert "PP-1" in poor.text
    enough = {**form, "amount": str(-(-signed.least // 100)), "file": (io.BytesIO(PDF), "p.pdf")}
    assert send(officer, f"{page}/contract", enough, shown_at=page).status_code == 303
    assert "PP-1" in shown(supplier, contract)
    public = shown(app.test_client(), contract)
    assert "PP-1" not in public
    assert "Halyk" not in public
    assert "Not given yet" not in public
    security_id = signed.secured(world.officer).given[0].id
    assert supplier.get(f"/securities/{security_id}").data == PDF
    about = {"about": str(security_id), "outcome": "kept.contract-broken"}
    assert send(officer, f"{page}/end", about, shown_at=page).status_code == 422
    assert send(officer, f"{page}/end", {**about, "note": "Court, 3 May"}, shown_at=page).status_code == 303
    assert "Court, 3 May" in shown(supplier, contract)
    assert send(officer, f"{page}/nothing", about, shown_at=page).status_code == 404


def browser(app: Flask, who: Actor) -> FlaskClient:
    assert who.id is not None
    return signed_in(app, who.id)


def shown(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)
