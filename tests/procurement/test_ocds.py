"""Open data: a release for each public act, the same for ever, in the standard's words, and never who asked."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from schoolmeals.actors import SYSTEM
from schoolmeals.ids import new_id
from schoolmeals.procurement import ocds
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import amending, enquiries
from schoolmeals.procurement.queries import ocds as queries
from schoolmeals.procurement.queries.drafts import lots_of
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.enquiries import NewEnquiry
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.awards import COOK_KEY, PRICE_MINOR, cook, plant_bid
from tests.factories.identity import OrganisationFactory
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.ocds_rules import wrong_in_package, wrong_in_release
from tests.procurement.test_amending import wanted, written

PREFIX = "ocds-213czf"


def record(client: FlaskClient, tender_id: UUID) -> dict[str, Any]:
    answer = client.get(f"/tenders/{tender_id}/ocds.json")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    package: dict[str, Any] = json.loads(answer.data)
    assert wrong_in_package(package) == []
    (found,) = package["records"]
    return dict(found)


def asked_and_amended(world: Procurement, tender_id: UUID) -> None:
    enquiry = NewEnquiry(id=new_id(world.clock()), kind="question", text="Қашан?", language="kk")
    world.do(enquiries.ask_enquiry, tender_id, enquiry, actor=world.supplier)
    world.clock.move(timedelta(minutes=1))
    world.do(enquiries.answer_enquiry, tender_id, enquiry.id, {"kk": "Түсте", "ru": "В полдень"})
    written(world, tender_id)
    world.clock.move(timedelta(minutes=1))
    seen = wanted(world, tender_id).seen
    act = {"act_id": new_id(world.clock()), "seen": seen, "zone": ALMATY, "clock": deed_clock}
    world.do(amending.publish_amendment, tender_id, **act, actor=world.officer)


def test_each_public_act_has_its_release(world: Procurement, client: FlaskClient) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    asked_and_amended(world, tender_id)
    found = record(client, tender_id)
    assert found["ocid"] == f"{PREFIX}-{tender_id}"
    assert [one["tag"] for one in found["releases"]] == [
        ["planning", "tender"],
        ["tenderUpdate"],
        ["tenderUpdate"],
        ["tenderAmendment"],
    ]
    first, question, answer, amended = (one["tender"] for one in found["releases"])
    assert (first["status"], first["title_ru"]) == ("active", "Школьное питание на 2027 год")
    assert first["value"] == {"amount": 850 * 540, "currency": "KZT"}
    assert [one["quantity"] for one in first["items"]] == [270, 180, 90]
    assert "enquiries" not in first
    assert [(one["description"], one.get("answer")) for one in question["enquiries"]] == [("Қашан?", None)]
    assert answer["enquiries"][0]["answer"] == "Түсте"
    assert amended["amendments"][0]["amendsReleaseID"] == found["releases"][0]["id"]
    assert amended["amendments"][0]["releaseID"] == found["releases"][3]["id"]
    assert found["compiledRelease"]["tag"] == ["compiled"]
    assert found["compiledRelease"]["tender"] == amended
    assert str(world.supplier.id) not in json.dumps(found), "who asked is nobody's business"
    assert str(world.supplier_id) not in json.dumps(found)


def test_a_release_never_changes(world: Procurement, client: FlaskClient) -> None:
    tender_id = world.tender_in(TenderStage.BIDDING)
    before = record(client, tender_id)["releases"]
    asked_and_amended(world, tender_id)
    world.clock.move(timedelta(days=60))
    assert record(client, tender_id)["releases"][: len(before)] == before


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        (TenderStage.DISCUSSION, "active"),
        (TenderStage.ADMISSION, "active"),
        (TenderStage.CANCELLED, "cancelled"),
        (TenderStage.SUSPENDED, "active"),
        (TenderStage.UNSUCCESSFUL, "unsuccessful"),
        (TenderStage.COMPLETE, "complete"),
    ],
)
def test_every_stage_is_told_in_the_standards_words(
    world: Procurement, client: FlaskClient, stage: TenderStage, status: str
) -> None:
    tender_id = world.tender_in(stage)
    found = record(client, tender_id)["compiledRelease"]
    assert found["tender"]["status"] == status
    is_opened = stage in (TenderStage.ADMISSION, TenderStage.UNSUCCESSFUL, TenderStage.COMPLETE)
    assert ("numberOfTenderers" in found["tender"]) is is_opened, "not before the bids are opened"


def test_bids_are_told_once_the_opening_is_over(world: Procurement, client: FlaskClient) -> None:
    tender_id, rival = world.tender_in(TenderStage.ADMISSION), OrganisationFactory.create(kind="supplier").id
    best = plant_bid(world, tender_id, world.supplier_id, staff=[cook()])
    worse = plant_bid(world, tender_id, rival, price_minor=PRICE_MINOR + 10_00)
    lot_id = world.look(lots_of, tender_id, actor=SYSTEM)[0].id
    world.clock.move(timedelta(minutes=1))
    decided = {"lots": {str(lot_id): {"admitted": [str(best)], "rejected": [str(worse)]}}}
    world.act(tender_id, ActKind.ADMITTED, decided)
    found = record(client, tender_id)
    sealed = [one for one in found["releases"] if "bids" not in one]
    assert {one["tag"][-1] for one in sealed} >= {"tender"}
    assert not any("numberOfTenderers" in one["tender"] for one in sealed), "nothing of bids before the opening is over"
    opened = next(one for one in found["releases"] if "bids" in one)
    assert {one["status"] for one in opened["bids"]["details"]} == {"pending"}
    last = found["compiledRelease"]
    told = {one["id"]: one for one in last["bids"]["details"]}
    assert (told[str(best)]["status"], told[str(worse)]["status"]) == ("valid", "disqualified")
    assert told[str(best)]["value"] == {"amount": 800 * 540, "currency": "KZT"}
    assert told[str(worse)]["tenderers"] == [{"id": str(rival)}]
    measures = {one["measure"]: one["value"] for one in last["bids"]["statistics"]}
    assert measures == {"bids": 2, "validBids": 1, "disqualifiedBids": 1, "withdrawnBids": 0}
    assert {one["id"] for one in last["tender"]["tenderers"]} == {str(world.supplier_id), str(rival)}
    assert {one["id"] for one in last["parties"] if one["roles"] == ["tenderer"]} == {
        str(world.supplier_id),
        str(rival),
    }
    text = json.dumps(found, ensure_ascii=False)
    assert "Айша" not in text, "the people whom a bid offers are nobody else's business"
    assert COOK_KEY not in text


def test_drafts_have_no_open_data(world: Procurement, client: FlaskClient) -> None:
    assert client.get(f"/tenders/{world.bare_draft()}/ocds.json").status_code == 404


def test_all_releases_come_in_pages(world: Procurement, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    monkeypatch.setattr(queries.public_acts, "__defaults__", (2,))
    ids = [world.tender_in(TenderStage.DISCUSSION) for _ in range(2)]
    asked_and_amended(world, ids[0])
    last = client.get("/ocds/releases.json").json
    assert last is not None
    assert len(last["releases"]) == 2, "what is younger than half a minute waits"
    world.clock.move(timedelta(seconds=31))
    seen: list[str] = []
    path = "/ocds/releases.json"
    while path:
        package = client.get(path).json
        assert package is not None
        assert wrong_in_package(package) == []
        seen += [one["id"] for one in package["releases"]]
        path = package.get("links", {}).get("next", "").split("://")[-1].partition("/")[2]
        path = f"/{path}" if path else ""
    assert len(seen) == len(set(seen)) == 5
    for cursor in ("x", str(new_id())):
        assert client.get(f"/ocds/releases.json?cursor={cursor}").status_code == 404


def test_money_is_written_as_it_is() -> None:
    assert json.dumps(ocds.amount(12_345_67, "KZT")) == '{"amount": 12345.67, "currency": "KZT"}'
    assert json.dumps(ocds.amount(12_345_05, "KZT")) == '{"amount": 12345.05, "currency": "KZT"}'
    assert ocds.amount(12_345_00, "KZT")["amount"] == 12_345
    assert ocds.amount(7, "JPY")["amount"] == 7


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        (lambda one: one.pop("ocid"), "release has no ocid"),
        (lambda one: one.update(tag=["news"]), "tag ['news']"),
        (lambda one: one.update(date="2026-11-23 07:00"), ".date: 2026-11-23 07:00"),
        (lambda one: one["tender"].update(status="open"), "tender.status open"),
        (lambda one: one["tender"]["lots"][0].update(id="x"), "no lot"),
        (lambda one: one["tender"]["items"].append(one["tender"]["items"][0]), "two items"),
        (lambda one: one.update(parties=[]), "no party"),
        (lambda one: one["tender"]["value"].update(amount="5"), "value"),
    ],
)
def test_the_rules_find_a_planted_mistake(world: Procurement, client: FlaskClient, planted: Any, found: str) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    data = world.look(queries.tender_data, tender_id, prefix=PREFIX, base="https://x.example", actor=SYSTEM)
    one = data.releases[0][1]
    assert wrong_in_release(one) == []
    planted(one)
    assert any(found in wrong for wrong in wrong_in_release(one))


def test_every_tag_is_of_a_public_act() -> None:
    assert {ActKind.PUBLISHED, ActKind.AMENDED, ActKind.CANCELLED} <= set(ocds.TAGS)
