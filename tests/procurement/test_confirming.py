"""Who acts for a supplier: it sends a paper, an officer confirms or returns it, and everybody sees how it stands."""

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.actors import SYSTEM, Actor
from schoolmeals.errors import Invalid, NotAllowed, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement import arriving, profiles
from schoolmeals.procurement.actions import bidding, confirming
from schoolmeals.procurement.confirmed import Standing, standings
from schoolmeals.procurement.profiles import Profile, ProfileError
from schoolmeals.procurement.queries import confirmations
from schoolmeals.procurement.rules.bids import asked_by
from schoolmeals.procurement.rules.stages import TenderStage
from tests.canteen.pages import send
from tests.factories.bids import make_bid
from tests.factories.contracts import make
from tests.factories.identity import OrganisationFactory, signed_in
from tests.factories.procurement import Procurement
from tests.factories.suppliers import new_proof
from tests.procurement.test_bids_amended import HOW
from tests.procurement.test_suppliers import KEY

PDF = b"%PDF-1.7 certificate of registration"


def send_proof(world: Procurement, content: bytes = PDF, kind: str = "registration") -> UUID:
    world.clock.now += timedelta(seconds=1)
    about: dict[str, Any] = {"kind": kind, "file_name": "../Справка.exe", "key": KEY, "actor": world.supplier}
    made: UUID = world.do(confirming.add_proof, world.supplier_id, new_id(world.clock()), content, **about)
    return made


def judge(world: Procurement, seen: UUID | None, outcome: str, reason: str = "", **about: Any) -> None:
    world.clock.now += timedelta(seconds=1)
    said = {"seen": seen, "outcome": outcome, "reason": reason, "by_organisation_id": world.city_id}
    world.do(confirming.judge_supplier, world.supplier_id, **{**said, "actor": world.officer, **about})


def state(world: Procurement) -> Standing:
    found: Standing = world.look(standings, [world.supplier_id], actor=SYSTEM)[world.supplier_id].state
    return found


def test_a_paper_is_sent_returned_sent_again_and_confirmed(world: Procurement) -> None:
    assert state(world) is Standing.UNCONFIRMED
    first = send_proof(world)
    assert state(world) is Standing.WAITING
    judge(world, first, "returned", "The second page is missing")
    assert state(world) is Standing.RETURNED
    second = send_proof(world, kind="power-of-attorney")
    assert state(world) is Standing.WAITING
    judge(world, second, "confirmed")
    standing = world.look(standings, [world.supplier_id], actor=SYSTEM)[world.supplier_id]
    assert (standing.state, standing.by_organisation_id, standing.reason) == (Standing.CONFIRMED, world.city_id, "")
    send_proof(world)
    assert state(world) is Standing.CONFIRMED, "a further paper takes nothing away"


def test_an_officer_answers_what_was_read(world: Procurement) -> None:
    with pytest.raises(NotNow) as nothing:
        judge(world, None, "confirmed")
    assert nothing.value.code == "no-proof"
    first, _second = send_proof(world), send_proof(world)
    with pytest.raises(NotNow) as newer:
        judge(world, first, "confirmed")
    assert newer.value.code == "newer-proof"
    with pytest.raises(Invalid) as unexplained:
        judge(world, first, "returned", " ")
    assert set(unexplained.value.fields) == {"reason"}
    with pytest.raises(Invalid) as unknown:
        judge(world, first, "perhaps")
    assert set(unknown.value.fields) == {"outcome"}
    assert state(world) is Standing.WAITING


def test_nobody_confirms_themselves_and_strangers_read_nothing(world: Procurement) -> None:
    proof_id = send_proof(world)
    for who in (world.supplier, world.stranger, world.buyer):
        with pytest.raises(NotAllowed):
            judge(world, proof_id, "confirmed", actor=who)
    with pytest.raises((NotAllowed, NotFound)):
        world.do(
            confirming.add_proof,
            world.supplier_id,
            new_id(),
            PDF,
            kind="registration",
            file_name="a.pdf",
            key=KEY,
            actor=world.stranger,
        )
    for who in (world.stranger, world.buyer):
        with pytest.raises(NotFound):
            world.look(confirmations.proof_content, world.supplier_id, proof_id, key=KEY, actor=who)
        with pytest.raises(NotFound):
            world.look(confirmations.suppliers_to_confirm, actor=who)
    assert state(world) is Standing.WAITING


def test_the_id_of_somebody_elses_paper_is_not_taken(world: Procurement) -> None:
    theirs = new_proof(OrganisationFactory.create(kind="supplier").id, world.clock())
    about: dict[str, Any] = {"kind": "registration", "file_name": "a.pdf", "key": KEY, "actor": world.supplier}
    with pytest.raises(NotFound):
        world.do(confirming.add_proof, world.supplier_id, theirs, PDF, **about)
    assert state(world) is Standing.UNCONFIRMED


def test_a_paper_is_kept_sealed_under_a_plain_name(world: Procurement) -> None:
    proof_id = send_proof(world)
    for who in (world.supplier, world.officer, world.city_admin):
        row, content = world.look(confirmations.proof_content, world.supplier_id, proof_id, key=KEY, actor=who)
        assert (content, row.file_name) == (PDF, "Справка.pdf")
        assert PDF not in row.content
    for content, kind, field in ((b"MZ", "registration", "file"), (PDF, "letter", "kind")):
        with pytest.raises(Invalid) as wrong:
            send_proof(world, content, kind)
        assert set(wrong.value.fields) == {field}


def strict(world: Procurement, tender_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tender whose procedure takes bids of confirmed suppliers alone."""

    def asked(text: str) -> Any:
        document = text.replace('"unconfirmed_may_bid":true', '"unconfirmed_may_bid":false')
        assert document != text, "the published text says so"
        return asked_by(document)

    monkeypatch.setattr(arriving, "asked_by", asked)
    arriving._asked.clear()


def submit(world: Procurement, tender_id: UUID) -> Any:
    bid = make_bid(world, tender_id)
    return world.do(bidding.submit_bid, tender_id, world.supplier_id, bid.manifest, actor=world.supplier, **HOW)


def test_a_procedure_may_ask_for_confirmed_suppliers(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    strict(world, tender_id, monkeypatch)
    with pytest.raises(NotNow) as told:
        submit(world, tender_id)
    assert told.value.code == "not-confirmed"
    judge(world, send_proof(world), "confirmed")
    assert submit(world, tender_id).digest
    arriving._asked.clear()


def test_a_forgotten_question_lets_them_in(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    strict(world, tender_id, monkeypatch)
    monkeypatch.setattr(bidding, "require_confirmed", lambda *_: None)
    assert submit(world, tender_id).digest, "the planted bug asks nobody"
    arriving._asked.clear()


def test_the_shipped_procedures_take_bids_of_all_and_flag_them() -> None:
    for code in profiles.codes():
        assert profiles.load(code).unconfirmed_may_bid
        document = {**profiles.load(code).json, "unconfirmed_may_bid": False}
        assert not Profile.from_json(document).unconfirmed_may_bid
        with pytest.raises(ProfileError):
            Profile.from_json({**document, "unconfirmed_may_bid": "no"})
        old = {name: value for name, value in document.items() if name != "unconfirmed_may_bid"}
        assert Profile.from_json(old).unconfirmed_may_bid, "tenders published before say nothing of it"


def test_the_pages_lead_from_the_paper_to_the_answer(app: Flask, world: Procurement) -> None:
    contract_id = make(world, world.tender_in(TenderStage.CONTRACTING))
    supplier, officer = browser(app, world.supplier), browser(app, world.officer)
    page, desk = f"/supplier/{world.supplier_id}/proof", f"/procurement/suppliers/{world.supplier_id}"
    assert page in shown(supplier, f"/supplier/{world.supplier_id}")
    assert "Who acts for it is not confirmed" in shown(app.test_client(), f"/contracts/{contract_id}")
    form = {"proof_id": str(new_id()), "kind": "registration", "file": (io.BytesIO(PDF), "certificate.pdf")}
    assert send(supplier, page, form, shown_at=page).status_code == 303
    assert send(supplier, page, {"proof_id": str(new_id())}, shown_at=page).status_code == 422
    assert desk in shown(officer, "/procurement/suppliers")
    seen = world.look(confirmations.proofs, world.supplier_id, actor=world.officer).papers[0].id
    assert str(seen) in shown(officer, desk)
    answer = officer.get(f"{desk}/proofs/{seen}")
    assert (answer.data, answer.headers["Content-Disposition"]) == (PDF, "attachment; filename=certificate.pdf")
    assert send(officer, desk, {"seen": str(seen), "outcome": "returned"}, shown_at=desk).status_code == 422
    about = {"seen": str(seen), "outcome": "returned", "reason": "No stamp"}
    assert send(officer, desk, about, shown_at=desk).status_code == 303
    assert "No stamp" in shown(supplier, page)
    assert "No stamp" not in shown(app.test_client(), f"/contracts/{contract_id}")
    world.clock.now += timedelta(seconds=1)
    assert send(officer, desk, {"seen": str(seen), "outcome": "confirmed"}, shown_at=desk).status_code == 303
    assert "Who acts for it was confirmed on" in shown(app.test_client(), f"/contracts/{contract_id}")


def browser(app: Flask, who: Actor) -> FlaskClient:
    assert who.id is not None
    return signed_in(app, who.id)


def shown(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)
