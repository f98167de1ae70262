"""The pages from the award to the contract, as browsers see them."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from webauthn.helpers import base64url_to_bytes

from schoolmeals.actors import Actor
from schoolmeals.identity import Site
from schoolmeals.procurement.queries import complaints as complaint_queries
from schoolmeals.procurement.queries import contracts as contract_queries
from schoolmeals.procurement.rules.complaints import ComplaintStage
from schoolmeals.procurement.rules.stages import TenderStage
from tests.canteen.pages import send
from tests.factories.awards import evaluate
from tests.factories.contracts import Authenticator, in_force, make
from tests.factories.identity import RoleGrantFactory, signed_in
from tests.factories.procurement import Procurement
from tests.procurement.test_awards import lot_of, standing

LOCAL = Site("School meals", "http://localhost")


def browser(app: Flask, actor: Actor) -> FlaskClient:
    assert actor.id is not None
    return signed_in(app, actor.id)


def body(answer: Any) -> str:
    text: str = answer.get_data(as_text=True)
    return text


def post(client: FlaskClient, path: str, *, data: Any = None) -> Any:
    return send(client, path, data or {}, shown_at="/contracts")


def post_json(client: FlaskClient, path: str, sent: Any) -> Any:
    token = hidden(body(client.get("/contracts")), "csrf_token")
    return client.post(path, json=sent, headers={"X-CSRFToken": token})


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found is not None, name
    return found.group(1)


def test_everybody_sees_the_award_and_until_when_it_can_be_contested(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    page = app.test_client().get(f"/tenders/{tender_id}/award")
    assert page.status_code == 200
    text = body(page)
    assert 'class="big"' in text
    assert f"/tenders/{tender_id}/complain" in text
    assert app.test_client().get(f"/tenders/{world.draft()}/award").status_code == 404


def test_the_chair_signs_on_a_page_for_those_who_are_present(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.AWARDING)
    for part in ("chair", "member"):
        person_id = world.seat(tender_id, part).person_id
        RoleGrantFactory.create(person_id=person_id, role="commission-member", organisation_id=world.city_id)
    chair = browser(app, world.chair(tender_id))
    page = f"/commission/{tender_id}/award"
    assert 'name="present"' in body(chair.get(page))
    refused = post(chair, page, data={"present": [str(world.voters(tender_id)[0])]})
    assert refused.status_code == 409
    assert standing(world, tender_id) == []
    member = browser(app, world.holder(world.seat(tender_id, "member")))
    assert 'name="present"' not in body(member.get(page))
    everybody = [str(one) for one in world.voters(tender_id)]
    assert post(chair, page, data={"present": everybody}).status_code == 303
    assert world.stage(tender_id) is TenderStage.STANDSTILL


def test_a_complaint_goes_from_the_form_to_the_decision(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.STANDSTILL)
    author, reviewer = browser(app, world.supplier), browser(app, world.review_body)
    form = body(author.get(f"/tenders/{tender_id}/complain"))
    data = {"complaint_id": hidden(form, "complaint_id"), "about": "award", "language": "kk"}
    short = post(author, f"/tenders/{tender_id}/complain", data=data)
    assert (short.status_code, "f-text" in body(short)) == (422, True)
    sent = post(author, f"/tenders/{tender_id}/complain", data={**data, "text": "Дипломы жоқ", "remedy": "Күшін жою"})
    assert sent.status_code == 303
    (found,) = world.look(complaint_queries.complaints_of, tender_id)
    page = f"/complaints/{found.id}"
    assert "Дипломы жоқ" in body(reviewer.get(page))
    assert "Дипломы жоқ" not in body(app.test_client().get(page))
    assert f"{page}" in body(reviewer.get("/complaints"))
    assert post(reviewer, f"{page}/accept").status_code == 303
    assert world.stage(tender_id) is TenderStage.SUSPENDED
    assert post(reviewer, f"{page}/decide", data={"outcome": "declined"}).status_code == 422
    orders = {"outcome": "satisfied", "reasons": "Расында жоқ", "remedies": "end-award"}
    orders["lot_id"] = str(lot_of(world, tender_id))
    assert post(reviewer, f"{page}/decide", data=orders).status_code == 303
    officer = browser(app, world.officer)
    assert post(officer, f"{page}/execute", data={"report": "Келесіге берілді"}).status_code == 303
    assert [one.rank for one in standing(world, tender_id)] == [2]
    assert world.look(complaint_queries.stage_of, found.id) is ComplaintStage.EXECUTED


def test_an_officer_decides_on_one_page(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    officer, page = browser(app, world.officer), f"/procurement/tenders/{tender_id}/decisions"
    text = body(officer.get(page))
    contract_id, lot_id = hidden(text, "contract_id"), str(lot_of(world, tender_id))
    data = {"contract_id": contract_id, "lot_id": lot_id, "buffet": "Шай; кесе"}
    wrong = post(officer, f"{page}/contract", data=data)
    assert (wrong.status_code, "f-buffet" in body(wrong)) == (422, True)
    made = post(
        officer,
        f"{page}/contract",
        data={**data, "buffet": "Шай; Чай; Tea; кесе; 100,50\nТоқаш\tБулочка\tBun\tдана\t150"},
    )
    assert made.status_code == 303
    # What is made is not offered again.
    assert "Make a contract of an award" in text
    assert "Make a contract of an award" not in body(officer.get(page))
    found = world.look(contract_queries.contract, UUID(contract_id))
    prices = [item["price_minor"] for item in found.text["items"] if item["kind"] == "buffet"]
    assert prices == [100_50, 150_00]
    names = [item["name"] for item in found.text["items"] if item["kind"] == "buffet"]
    assert names[1] == {"kk": "Тоқаш", "ru": "Булочка", "en": "Bun"}, "typed, or pasted from a table"
    held = {"cause": "court", "cause_id": "2-18", "reason": "Сот ұйғарымы"}
    assert post(officer, f"{page}/suspend", data=held).status_code == 303
    assert world.stage(tender_id) is TenderStage.SUSPENDED
    assert post(officer, f"{page}/resume", data={"cause_id": "2-18", "reason": "Аяқталды"}).status_code == 303
    assert post(officer, f"{page}/cancel", data={"reason_code": "", "reason": ""}).status_code == 422
    assert browser(app, world.supplier).get(page).status_code == 403


def test_both_sides_sign_in_their_browsers(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id = make(world, tender_id)
    page = f"/contracts/{contract_id}/sign"
    for actor in (world.supplier, world.buyer):
        client = browser(app, actor)
        assert post_json(client, f"{page}/options", {}).status_code == 409
        without = body(client.get(page))
        assert "You have no passkey yet" in without
        assert "sign-contract" not in without
        device = Authenticator(actor, LOCAL)
        shown = body(client.get(page))
        assert "sign-contract" in shown
        assert "This browser cannot use passkeys" in shown
        assert "I sign with a program of my own" in shown
        options = post_json(client, f"{page}/options", {}).get_json()
        digest = world.look(contract_queries.digest_to_sign, contract_id, actor=actor)
        assert base64url_to_bytes(options["challenge"]) == digest
        wrong = post_json(client, page, {"credential": device.sign(bytes(32))})
        assert (wrong.status_code, wrong.get_json()["code"]) == (422, "not-signed")
        signed = post_json(client, page, {"credential": device.sign(digest)})
        assert (signed.status_code, signed.get_json()["next"]) == (200, f"/contracts/{contract_id}")
    assert str(contract_id) in body(app.test_client().get("/contracts"))
    assert browser(app, world.stranger).get(page).status_code == 403


def test_everybody_reads_a_contract_and_its_sides_work_on_it(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, _supplier, _buyer = in_force(world, tender_id)
    page, public = f"/contracts/{contract_id}", app.test_client()
    assert 'name="reason"' not in body(public.get(page))
    assert public.get(f"{page}/text.json").get_json()["contract_id"] == str(contract_id)
    supplier, office = browser(app, world.supplier), browser(app, world.buyer)
    text = body(supplier.get(page))
    data = {"change_id": hidden(text, "change_id"), "kind": "price-index", "reason": "Инфляция", "index": "8,5"}
    bad = post(supplier, f"{page}/propose", data=data)
    assert (bad.status_code, "f-source" in body(bad)) == (422, True)
    good = {**data, "source": "stat.gov.kz", "from_on": "2027-04-01"}
    assert post(supplier, f"{page}/propose", data=good).status_code == 303
    change = world.look(contract_queries.contract, contract_id).changes[0]
    assert change.content["index_permille"] == 85
    assert office.get(f"{page}/sign?change={change.id}").status_code == 200
    refused = {"change_id": str(change.id), "reason": "Жоқ"}
    assert post(office, f"{page}/refuse", data=refused).status_code == 303
    assert post(office, f"{page}/terminate", data={"fault": "", "reason": ""}).status_code == 422
    assert post(office, f"{page}/terminate", data={"fault": "supplier", "reason": "Тамақ әкелмеді"}).status_code == 303
    assert "Тамақ әкелмеді" in body(public.get(page))


@pytest.mark.parametrize("path", ["/contracts", "/complaints", "/contracts/mine"])
def test_empty_lists_say_what_comes(app: Flask, world: Procurement, path: str) -> None:
    page = browser(app, world.supplier).get(path)
    assert (page.status_code, 'class="empty"' in body(page)) == (200, True)


def test_the_standstill_page_counts_no_more_once_it_is_over(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    world.clock.move(timedelta(minutes=1))
    assert 'class="big"' not in body(app.test_client().get(f"/tenders/{tender_id}/award"))


def test_an_officer_contracts_a_failed_lot_directly_on_the_same_page(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.EVALUATION)
    evaluate(world, tender_id, [])
    lot_id = lot_of(world, tender_id)
    officer, page = browser(app, world.officer), f"/procurement/tenders/{tender_id}/decisions"
    given_up = post(officer, f"{page}/unsuccessful", data={"lot_id": str(lot_id), "reason": "Өтінім болмады"})
    assert given_up.status_code == 303
    text = body(officer.get(page))
    prices = dict.fromkeys(re.findall(r'name="(price\.[0-9a-f-]+)"', text), "790,50")
    data = {
        "lot_id": str(lot_id),
        "contract_id": hidden(text, "contract_id"),
        "supplier_id": str(world.supplier_id),
        "starts_on": "2027-01-11",
        "ends_on": "2027-03-10",
        "reason": "Балалар тамақсыз қалмауы керек",
        **prices,
    }
    wrong = post(officer, f"{page}/direct", data={**data, "starts_on": ""})
    assert (wrong.status_code, "f-starts_on" in body(wrong)) == (422, True)
    assert post(officer, f"{page}/direct", data=data).status_code == 303
    (line,) = world.look(contract_queries.contracts_of_tender, tender_id)
    assert (line.is_direct, line.value_minor) == (True, 790_50 * 540)


def test_a_contract_is_ordered_as_a_paper(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.CONTRACTING)
    contract_id, *_ = in_force(world, tender_id)
    ordered = post(browser(app, world.supplier), f"/contracts/{contract_id}/paper")
    assert (ordered.status_code, "/file/" in ordered.headers["Location"]) == (303, True)
