"""The pages of admission and evaluation: at the commission's table, a supplier's answers, and what everybody reads."""

import hashlib
import json
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from schoolmeals.actors import SYSTEM, Actor, Role
from schoolmeals.database import Work
from schoolmeals.mail import Letter, Words, letters_key, words_of
from schoolmeals.procurement.actions import admission, evaluation
from schoolmeals.procurement.asking_suppliers import ask_supplier
from schoolmeals.procurement.models import Protocol, Supplier
from schoolmeals.procurement.rules.sheet import first_difference
from schoolmeals.procurement.rules.stages import TenderStage
from tests.canteen.pages import send
from tests.factories.evaluation import JUDGED, Table, goods_table, open_price, plant, work_done
from tests.factories.identity import RoleGrantFactory, signed_in
from tests.factories.procurement import ALMATY, Procurement

LONG_AGO = work_done(date(2019, 1, 1), date(2024, 12, 31))


@pytest.fixture
def table(world: Procurement) -> Table:
    return with_roles(Table(world, world.tender_in(TenderStage.ADMISSION)))


def with_roles(table: Table) -> Table:
    """The members have the role that lets them through the doors."""
    for seat in table.seats:
        role = Role.COMMISSION_MEMBER.value
        RoleGrantFactory.create(person_id=seat.person_id, role=role, organisation_id=table.world.city_id)
    return table


def browser(app: Flask, actor: Actor) -> FlaskClient:
    assert actor.id is not None
    return signed_in(app, actor.id)


def page(client: FlaskClient, table: Table, place: str, status: int = 200) -> str:
    answer = client.get(f"/commission/{table.tender_id}/{place}")
    assert answer.status_code == status, answer.text
    return answer.text


def post(client: FlaskClient, table: Table, place: str, form: dict[str, Any], shown_at: str = "") -> TestResponse:
    base = f"/commission/{table.tender_id}"
    return send(client, f"{base}/{place}", form, shown_at=f"{base}/{shown_at or place}")


def test_admission_from_the_matrix_to_the_closed_list(app: Flask, table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    table.declare(bid)
    secretary = browser(app, table.world.secretary)
    shown = page(secretary, table, "admission")
    assert f"/admission/{bid.id}" in shown
    assert "Close the list of admitted bids" not in shown
    digest = table.board().row(bid.id).candidate.content_sha256
    for member in table.members[:4]:
        own = browser(app, member)
        for code in ("no-tax-debt", "not-bad-faith", "not-in-liquidation"):
            form = {"requirement": code, "met": "yes"}
            assert post(own, table, f"admission/{bid.id}/decide", form, f"admission/{bid.id}").status_code == 303
        reject = {"requirement": "resources", "met": "no", "reason_code": "staff-short", "reason": "No cooks"}
        answer = post(own, table, f"admission/{bid.id}/decide", {**reject, "evidence": digest}, f"admission/{bid.id}")
        assert answer.status_code == 303
        assert answer.headers["Location"].endswith("#r-resources")
    assert "No cooks" in page(secretary, table, f"admission/{bid.id}")
    assert post(secretary, table, "admission", {}).status_code == 303
    assert table.world.stage(table.tender_id) is TenderStage.EVALUATION
    assert "The list is closed" in page(secretary, table, "admission")


def test_a_rejection_without_a_reason_comes_back_with_what_was_typed(app: Flask, table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    table.declare(bid)
    own = browser(app, table.members[0])
    form = {"requirement": "resources", "met": "no", "reason": "Too few cooks"}
    answer = post(own, table, f"admission/{bid.id}/decide", form, f"admission/{bid.id}")
    assert answer.status_code == 422
    assert "Too few cooks" in answer.text
    assert 'href="#f-reason_code"' in answer.text
    assert 'id="f-reason_code"' in answer.text
    nothing = post(own, table, f"admission/{bid.id}/decide", {"requirement": "resources"}, f"admission/{bid.id}")
    assert 'href="#f-met"' in nothing.text
    assert table.cell(bid, "resources").votes == ()


def test_whoever_has_not_declared_is_led_to_it_and_decides_nothing(app: Flask, table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    own = browser(app, table.members[0])
    assert f"/commission/{table.tender_id}/declarations" in page(own, table, "admission")
    shown = page(own, table, f"admission/{bid.id}")
    assert f"/commission/{table.tender_id}/declarations" in shown
    assert "/decide" not in shown


def test_nobody_else_sees_the_table(app: Flask, table: Table) -> None:
    bid = plant(table.world, table.tender_id)
    supplier = browser(app, table.world.supplier)
    for place in ("admission", f"admission/{bid.id}", "scores"):
        assert supplier.get(f"/commission/{table.tender_id}/{place}").status_code == 403
    auditor = browser(app, table.world.auditor)
    assert page(auditor, table, "admission")
    assert page(auditor, table, "scores", 404)
    assert page(auditor, table, f"bids/{bid.id}/{'0' * 64}", 404)


def test_a_supplier_mends_a_bid_on_its_own_page(app: Flask, table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    place = f"/tenders/{table.tender_id}/bids/{bid.id}/mend"
    own = browser(app, bid.supplier)
    assert own.get(place).status_code == 404
    secretary = browser(app, table.world.secretary)
    asked = {"requirements": "resources", "text": "Send the diplomas"}
    assert post(secretary, table, f"admission/{bid.id}/mend", asked, f"admission/{bid.id}").status_code == 303
    shown = own.get(place).text
    assert "Send the diplomas" in shown
    assert browser(app, table.world.supplier).get(place).status_code == 404
    empty = send(own, place, {"answer_id": str(bid.id), "text": ""}, shown_at=place)
    assert empty.status_code == 422
    form = {
        "answer_id": str(bid.id),
        "text": "Here they are",
        "file-resources": (BytesIO(b"%PDF diploma"), "diploma.pdf", "application/pdf"),
    }
    assert send(own, place, form, shown_at=place).status_code == 303
    assert "diploma.pdf" in own.get(place).text
    shown = page(secretary, table, f"admission/{bid.id}")
    assert "Here they are" in shown
    file_id = shown.split("/mended/")[1].split('"')[0]
    answer = secretary.get(f"/commission/{table.tender_id}/mended/{file_id}")
    assert (answer.data, answer.headers["Content-Disposition"]) == (b"%PDF diploma", "attachment; filename=diploma.pdf")
    assert browser(app, table.world.supplier).get(answer.request.path).status_code == 404


def test_scores_stay_hidden_until_they_are_revealed_on_the_page(app: Flask, table: Table) -> None:
    one, other = plant(table.world, table.tender_id, experience=[LONG_AGO]), plant(table.world, table.tender_id)
    table.declare(one, other)
    table.admit(one, other)
    names = [f"s-{bid.id}-{JUDGED}" for bid in (one, other)]
    first, second, *rest = [browser(app, member) for member in table.members]
    answer = post(first, table, "scores/give", {names[0]: "2,875", names[1]: "1"}, "scores")
    assert answer.status_code == 303
    assert "2.875" in page(first, table, "scores")
    for client in (second, browser(app, table.world.secretary), browser(app, table.world.auditor)):
        assert "2.875" not in page(client, table, "scores")
        assert "2.875" not in page(client, table, f"scores/{one.id}")
    wrong = post(second, table, "scores/give", {names[0]: "3.5", names[1]: "x"}, "scores")
    assert wrong.status_code == 422
    assert all(f'href="#f-{name}"' in wrong.text for name in names)
    early = post(first, table, "scores/reveal", {}, "scores")
    assert early.status_code == 409
    for client in (second, *rest):
        assert post(client, table, "scores/give", {names[0]: "2", names[1]: "1"}, "scores").status_code == 303
    assert post(first, table, "scores/reveal", {}, "scores").status_code == 303
    # (2.875 + 4 * 2) / 5
    assert "2.175" in page(second, table, f"scores/{one.id}")


def test_contesting_evidence_on_the_page(app: Flask, table: Table) -> None:
    one, other = plant(table.world, table.tender_id, experience=[LONG_AGO]), plant(table.world, table.tender_id)
    table.declare(one, other)
    table.admit(one, other)
    form = {"sha256": LONG_AGO["evidence"][0], "reason_code": "not-genuine", "reason": "Another school's stamp"}
    place = f"scores/{one.id}"
    own = browser(app, table.members[0])
    for nth, member in enumerate(table.members[:3]):
        own = browser(app, member)
        assert "Counts no more" not in page(own, table, place)
        if nth == 0:
            assert post(own, table, f"{place}/contest", {**form, "reason": ""}, place).status_code == 422
        assert post(own, table, f"{place}/contest", form, place).status_code == 303
    assert "Counts no more" in page(own, table, place)


def test_the_result_is_there_for_everybody_with_the_file_that_proves_it(
    app: Flask, client: FlaskClient, table: Table
) -> None:
    one, other = plant(table.world, table.tender_id, experience=[LONG_AGO]), plant(table.world, table.tender_id)
    broken = plant(table.world, table.tender_id, unreadable="incomplete")
    table.declare(one, other, broken)
    table.admit(one, other)
    public = f"/tenders/{table.tender_id}/scores"
    assert client.get(public).status_code == client.get(f"{public}.json").status_code == 404
    table.score(one, other)
    secretary = browser(app, table.world.secretary)
    assert post(secretary, table, "scores/finish", {}, "scores").status_code == 303
    shown, file = client.get(public), client.get(f"{public}.json")
    assert shown.status_code == file.status_code == 200
    assert first_difference(json.loads(file.data)) is None
    assert hashlib.sha256(file.data).hexdigest() in shown.text
    assert LONG_AGO["evidence"][0] in shown.text
    assert "full-years" in shown.text
    for row in one.content["staff"]:
        assert row["name"] not in shown.text
    assert str(broken.id) not in shown.text


def test_a_lone_bid_asks_for_its_reason_beside_the_button(app: Flask, table: Table) -> None:
    one = plant(table.world, table.tender_id)
    table.declare(one)
    table.admit(one)
    table.score(one)
    secretary = browser(app, table.world.secretary)
    name = f"single-{one.lot_id}"
    answer = post(secretary, table, "scores/finish", {name: ""}, "scores")
    assert answer.status_code == 422
    assert f'href="#f-{name}"' in answer.text
    assert post(secretary, table, "scores/finish", {name: "A village"}, "scores").status_code == 303


def test_a_low_price_is_asked_explained_and_judged_on_pages(app: Flask, world: Procurement) -> None:
    table = with_roles(goods_table(world))
    bids = [plant(world, table.tender_id, envelopes=("qualification", "price")) for _ in range(2)]
    table.declare(*bids)
    for bid in bids:
        table.vote(bid, "resources", by=4)
    table.admit(*bids)
    for bid, price in zip(bids, (200_00, 400_00), strict=True):
        open_price(world, table.tender_id, bid, price)
    low = bids[0]
    secretary, own = browser(app, world.secretary), browser(app, low.supplier)
    place = f"/tenders/{table.tender_id}/bids/{low.id}/low-price"
    assert own.get(place).status_code == 404
    assert post(secretary, table, "scores/ask-price", {"bid_id": str(low.id)}, "scores").status_code == 303
    assert send(own, place, {"text": ""}, shown_at=place).status_code == 422
    assert send(own, place, {"text": "Our own cows"}, shown_at=place).status_code == 303
    assert "Our own cows" in own.get(place).text
    for member in table.members[:4]:
        form = {"bid_id": str(low.id), "accepted": "yes", "reason": "It adds up"}
        assert post(browser(app, member), table, "scores/judge-price", form, "scores").status_code == 303
    assert post(secretary, table, "scores/finish", {}, "scores").status_code == 303
    assert world.stage(table.tender_id) is TenderStage.AWARDING


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_protocols_of_admission_and_evaluation_can_be_read(
    app: Flask, client: FlaskClient, table: Table, language: str
) -> None:
    one = plant(table.world, table.tender_id)
    rejected = plant(table.world, table.tender_id, staff=[])
    table.declare(one, rejected)
    content = table.board().row(rejected.id).candidate.content_sha256
    why: dict[str, Any] = {"reason_code": "staff-short", "reason": "No cooks", "evidence": [content]}
    table.vote(rejected, "resources", met=False, **why)
    table.admit(one, rejected)
    table.score(one)
    table.world.do(
        evaluation.finish_evaluation,
        table.tender_id,
        zone=ALMATY,
        single_reasons={str(one.lot_id): "The other had no cooks"},
        actor=table.world.secretary,
    )
    for protocol in table.world.look(lambda work: list(work.session.scalars(select(Protocol)))):
        shown = client.get(f"/protocols/{protocol.sha256.hex()}?lang={language}")
        assert shown.status_code == 200
        if protocol.kind == "admission":
            assert "No cooks" in shown.text
        if protocol.kind == "evaluation":
            assert "The other had no cooks" in shown.text


def test_a_supplier_hears_of_what_is_asked_and_finds_it_on_the_tenders_page(app: Flask, table: Table) -> None:
    bid = plant(table.world, table.tender_id, staff=[])
    own = browser(app, bid.supplier)
    place, answer = f"/tenders/{table.tender_id}", f"/tenders/{table.tender_id}/bids/{bid.id}/mend"
    assert answer not in own.get(place).text
    about = (table.tender_id, bid.id, ["resources"], "Send the diplomas")
    table.world.do(admission.ask_fix, *about, zone=ALMATY, actor=table.world.secretary)
    assert answer in own.get(place).text
    assert answer not in browser(app, table.world.supplier).get(place).text
    promised = text("SELECT args FROM procrastinate_jobs WHERE task_name = 'procurement.ask_supplier'")
    told = table.world.look(lambda work: [row.args for row in work.session.execute(promised)])
    assert told == [{"bid_id": str(bid.id), "what": "mend"}]
    ask_supplier(**told[0])
    assert letters(app, table) == []
    table.world.do(write_supplier, bid.tenderer_id, actor=SYSTEM)
    ask_supplier(**told[0])
    (letter,) = letters(app, table)
    assert letter.to == "dam@example.kz"
    assert letter.params["address"].endswith(answer)


def write_supplier(work: Work, organisation_id: UUID) -> None:
    """A supplier that has left an address."""
    row = Supplier(
        organisation_id=organisation_id,
        addresses=[],
        phones=[],
        email="dam@example.kz",
        people=[],
        person_keys=[],
        founders=[],
        registered_by=None,
        registered_at=work.now,
        changed_at=work.now,
    )
    work.session.add(row)


def letters(app: Flask, table: Table) -> list[Words]:
    key = letters_key(app.extensions["schoolmeals"].settings.secret_key)
    return [words_of(one, key) for one in table.world.look(lambda work: list(work.session.scalars(select(Letter))))]
