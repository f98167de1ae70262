"""The pages of suppliers and of registers, as a browser without scripts uses them."""

import io
from typing import Any, Final
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.procurement.models import SupplierStaff
from schoolmeals.procurement.queries import registers as register_queries
from schoolmeals.procurement.queries import suppliers as supplier_queries
from schoolmeals.procurement.rules.stages import TenderStage
from tests.canteen.pages import send
from tests.factories.identity import signed_in
from tests.factories.procurement import Procurement

DETAILS: Final = {
    "addresses": "Астана, Абай 12\r\nАстана, Сарыарқа 1",
    "phones": "+7 701 555 00 00",
    "head_surname": "Ахметов",
    "head_given_name": "Ерлан",
    "head_number": "950217400083",
    "founder0_surname": "Ким",
    "founder0_given_name": "Вера",
    "founders": "050540004455",
}
NEW: Final = {
    "name_kk": "«Дәм» ЖШС",
    "name_ru": "ТОО «Дәм»",
    "scheme": "KZ-BIN",
    "number": "0908 4000 3425",
    "position": "Директор",
    "basis": "Жарғы",
    **DETAILS,
}
COOK: Final = {
    "name": "Серікова Айгүл",
    "scheme": "KZ-IIN",
    "number": "950217400083",
    "post": "cook",
    "grade": "5",
    "education": "college",
    "fte_percent": "100",
    "started_on": "2025-01-10",
}


@pytest.fixture
def client(app: Flask, world: Procurement) -> FlaskClient:
    """The supplier's browser."""
    assert world.supplier.id is not None
    return signed_in(app, world.supplier.id)


def page(world: Procurement, rest: str = "") -> str:
    return f"/supplier/{world.supplier_id}{rest}"


def ledger(world: Procurement) -> supplier_queries.Ledger:
    found: supplier_queries.Ledger = world.look(supplier_queries.ledger, world.supplier_id, actor=world.supplier)
    return found


def test_somebody_registers_a_supplier(app: Flask, world: Procurement) -> None:
    assert world.stranger.id is not None
    client = signed_in(app, world.stranger.id)
    wrong = send(client, "/supplier/register", NEW | {"number": "090840003424", "basis": ""})
    assert wrong.status_code == 422
    assert 'href="#f-number"' in wrong.text
    assert 'value="Ахметов"' in wrong.text
    made = send(client, "/supplier/register", NEW)
    assert made.status_code == 303
    own = client.get(made.location)
    assert "ТОО «Дәм»" in own.text or "«Дәм» ЖШС" in own.text
    assert client.get("/supplier").location == made.location
    details = client.get(f"{made.location}/details").text
    assert "Сарыарқа 1" in details
    assert "950217400083" not in details


def test_a_supplier_describes_itself(world: Procurement, client: FlaskClient) -> None:
    assert client.get(page(world, "/details")).status_code == 200
    assert send(client, page(world, "/details"), DETAILS | {"head_number": "1"}).status_code == 422
    assert send(client, page(world, "/details"), DETAILS).status_code == 303
    found = world.look(supplier_queries.supplier, world.supplier_id, actor=world.supplier).details
    assert found.addresses == ["Астана, Абай 12", "Астана, Сарыарқа 1"]
    assert [(one["part"], one["surname"]) for one in found.people] == [("head", "Ахметов"), ("founder", "Ким")]
    assert (len(found.person_keys), found.founders) == (1, ["050540004455"])


def test_papers_come_and_go(world: Procurement, client: FlaskClient) -> None:
    form: dict[str, Any] = {"kind": "diploma", "title": "Диплом", "valid_until": "2026-01-01"}
    assert send(client, page(world, "/evidence"), {**form, "file": (io.BytesIO(b"MZ"), "a.pdf")}).status_code == 422
    sent = send(client, page(world, "/evidence"), {**form, "file": (io.BytesIO(b"%PDF-1"), "a.pdf")})
    assert sent.status_code == 303
    (paper,) = ledger(world).evidence
    shown = client.get(page(world, "/evidence")).text
    assert "Диплом" in shown
    assert "Not valid any more" in shown
    file = client.get(page(world, f"/evidence/{paper.sha256}"))
    assert (file.data, file.mimetype, file.headers["Cache-Control"]) == (
        b"%PDF-1",
        "application/pdf",
        "private, no-store",
    )
    assert file.headers["Content-Disposition"] == "attachment; filename=a.pdf"
    assert send(client, page(world, f"/evidence/{paper.sha256}/remove"), {}, shown_at="/tenders").status_code == 303
    assert client.get(page(world, f"/evidence/{paper.sha256}")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "form", "wrong"),
    [
        ("staff", COOK, {"number": "950217400084"}),
        ("staff", COOK, {"fte_percent": "all"}),
        ("staff", COOK, {"started_on": ""}),
        ("equipment", {"name": "Пеш", "count": "2", "owned": "yes"}, {"count": "-1"}),
        (
            "experience",
            {
                "customer": "«Ас»",
                "public": "no",
                "subject": "Түскі ас",
                "starts_on": "2022-01-01",
                "ends_on": "31.12.2023",
            },
            {"ends_on": "2021-01-01"},
        ),
        ("taxes", {"year": "2025", "region": "Астана"}, {"year": "soon"}),
    ],
)
def test_lines_come_and_go(
    world: Procurement, client: FlaskClient, kind: str, form: dict[str, str], wrong: dict[str, str]
) -> None:
    refused = send(client, page(world, f"/{kind}"), form | wrong)
    assert refused.status_code == 422
    assert f'href="#f-{next(iter(wrong))}"' in refused.text
    assert getattr(ledger(world), kind) == ()
    assert send(client, page(world, f"/{kind}"), form).status_code == 303
    (line,) = getattr(ledger(world), kind)
    id = line.facts.id if kind == "staff" else line.id
    assert next(iter(form.values())) in client.get(page(world, f"/{kind}")).text
    assert send(client, page(world, f"/{kind}/{id}/end"), {}, shown_at=page(world, f"/{kind}")).status_code == 303
    assert getattr(ledger(world), kind) == ()


def test_of_a_person_only_the_hash_is_kept(world: Procurement, client: FlaskClient) -> None:
    send(client, page(world, "/staff"), COOK)
    row = world.look(lambda work: work.session.query(SupplierStaff).one())
    assert COOK["number"] not in str([getattr(row, column.key) for column in row.__table__.columns])
    assert COOK["number"] not in client.get(page(world, "/staff")).text


def test_people_are_invited(world: Procurement, client: FlaskClient) -> None:
    form = {"name": "Болат Ким", "position": "Заңгер", "basis": "№ 5 сенімхат"}
    assert send(client, page(world, "/people"), form | {"basis": ""}).status_code == 422
    answer = send(client, page(world, "/people"), form)
    assert answer.status_code == 200
    assert "shown only once" in answer.text
    (waiting,) = [
        one
        for one in world.look(supplier_queries.representatives, world.supplier_id, actor=world.supplier)
        if one.waits
    ]
    own = world.supplier.id
    ended = page(world, f"/people/{own}/end")
    assert send(client, ended, {}, shown_at=page(world, "/people")).status_code == 403
    taken = send(client, page(world, f"/people/{waiting.id}/end"), {}, shown_at=page(world, "/people"))
    assert taken.status_code == 303


def test_the_law_is_told_with_what_is_not_checked(world: Procurement, client: FlaskClient) -> None:
    text = client.get(page(world)).text
    assert "not checked in the law yet" in text
    assert "Not in the bad-faith register" in text


def upload(client: FlaskClient, text: str, **changes: str) -> Any:
    form: dict[str, Any] = {"register": "bad-faith", "source": "portal", "day": "2026-11-22", "time": "09:00"}
    file = (io.BytesIO(text.encode()), "register.csv")
    return send(client, "/procurement/registers", {**form, **changes, "file": file})


def test_a_register_is_looked_at_and_imported(app: Flask, world: Procurement) -> None:
    assert world.editor.id is not None
    client = signed_in(app, world.editor.id)
    assert "Never imported" in client.get("/procurement/registers").text
    assert "Number;Name;From" in client.get("/procurement/registers/template.csv").data.decode("utf-8-sig")
    good = "Number;Name;From;Until;Reason;Decision\r\n090840003425;«Дәм»;2026-01-01;;уклонение;№ 7\r\n"
    for wrong in ({"register": "x"}, {"source": " "}, {"day": ""}, {"day": "2026-11-24"}):
        assert upload(client, good, **wrong).status_code == 422
    assert upload(client, "").status_code == 422
    bad = client.get(upload(client, good + "090840003424;X;2026-01-01;;;\r\n").location)
    assert "This is not a BIN" in bad.text
    assert "Import it" not in bad.text
    preview = upload(client, good).location
    assert "Import it" in client.get(preview).text
    assert world.look(register_queries.imports) == []
    for _ in range(2):
        assert send(client, preview, {}, shown_at=preview).status_code == 303
    (found,) = world.look(register_queries.imports)
    assert (found.register, found.entries, found.source) == ("bad-faith", 1, "portal")
    entries = f"/procurement/registers/{found.id}"
    assert "№ 7" in client.get(entries).text
    assert "№ 7" in client.get(f"{entries}?text=090840003425").text
    assert "Nobody is found" in client.get(f"{entries}?text=other").text
    dropped = upload(client, good).location
    assert send(client, f"{dropped}/drop", {}, shown_at="/procurement/registers").status_code == 303
    assert client.get(dropped).status_code == 404


def test_a_table_with_holes_is_refused_at_the_door_too(app: Flask, world: Procurement) -> None:
    assert world.editor.id is not None
    client = signed_in(app, world.editor.id)
    preview = upload(client, "Number;From\r\n1;2026-01-01\r\n").location
    assert send(client, preview, {}, shown_at=preview).status_code == 422
    assert world.look(register_queries.imports) == []


def test_a_stranger_sees_nothing(app: Flask, world: Procurement, client: FlaskClient) -> None:
    other = UUID(int=7)
    for rest in ("", "/details", "/staff", "/evidence", "/people", f"/evidence/{'a' * 64}"):
        assert client.get(f"/supplier/{other}{rest}").status_code == 404


def test_a_tender_leads_suppliers_to_their_bid_and_others_to_registering(app: Flask, world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    assert world.supplier.id is not None
    client = signed_in(app, world.supplier.id)
    assert f'href="/tenders/{tender_id}/bid"' in client.get(f"/tenders/{tender_id}").text
    room = client.get(f"/tenders/{tender_id}/bid").text
    # Nothing that is typed there has a form around it that could send it.
    typed = room.split('id="bid-room"', 1)[1].split("</main>", 1)[0]
    assert "<form" not in typed
    assert 'href="/supplier/register"' in app.test_client().get(f"/tenders/{tender_id}").text
