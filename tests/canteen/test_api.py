"""The API's doors: signatures, shapes, statuses."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from schoolmeals import identity, pupils
from schoolmeals.actors import Role
from schoolmeals.canteen.api.till import CARD_NUMBERS
from schoolmeals.canteen.models import Sale
from schoolmeals.canteen.till_schemas import AnswersSchema, TapSchema, TillStateSchema
from schoolmeals.clock import MovableClock
from schoolmeals.identity.models import Device
from schoolmeals.ids import new_id
from schoolmeals.keys import derive_key
from tests.factories import saved, session
from tests.factories.canteen import GRACE_MINOR, LUNCH_MINOR, Canteen, new_card, new_eater
from tests.factories.identity import TILL_KEY, OrganisationFactory, PersonFactory, signed_in, signed_in_till
from tests.factories.pupils import GuardianshipFactory

CARD = "04A1B2C3D4E5F6"


@pytest.fixture
def till(app: Flask, canteen: Canteen) -> FlaskClient:
    """The canteen's till with an open shift."""
    cashier = PersonFactory.create(name="Гүлнар", roles=[(Role.CASHIER, canteen.school_id)])
    device = session().get_one(Device, canteen.device_id)
    device.cashier_id, device.shift_opened_at = cashier.id, canteen.now
    saved(device)
    return signed_in_till(app, canteen.device_id)


def signature(body: bytes) -> str:
    r, s = decode_dss_signature(TILL_KEY.sign(body, ec.ECDSA(hashes.SHA256())))
    return base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode().rstrip("=")


def post(till: Any, body: Any, path: str = "taps", signed: bytes | None = None) -> Any:
    """A signed request; ``signed`` puts the signature under other bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Device-Signature": signature(signed or content), "Content-Type": "application/json"}
    return till.post(f"/api/till/{path}", data=content, headers=headers)


def tap(canteen: Canteen, seq: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(new_id()),
        "seq": seq,
        "tapped_at": canteen.now.isoformat(),
        "sitting_id": str(canteen.sitting_id),
        "wants_set_meal": True,
        **changes,
    }


def sales(do: Any) -> int:
    return int(do(lambda work: work.session.scalar(select(func.count()).select_from(Sale))))


def test_a_tap_by_card_is_answered_with_the_childs_face_and_no_money(
    app: Flask, do: Any, canteen: Canteen, till: Any
) -> None:
    key = derive_key(app.extensions["schoolmeals"].settings.secret_key, CARD_NUMBERS)
    pupil_id = new_eater(canteen, do, money_minor=5_000_00, surname="Әбенов", given_name="Дәулет")
    new_card(canteen, pupil_id, number_hash=pupils.number_hash(key, CARD))
    answer = post(till, {"taps": [tap(canteen, card_number=CARD)]})
    assert answer.status_code == 200
    (told,) = answer.json["answers"]
    assert (told["verdict"], told["code"], told["replayed"]) == ("served", None, False)
    assert (told["pupil"]["id"], told["pupil"]["name"]) == (str(pupil_id), "Әбенов Дәулет")
    assert "minor" not in answer.text
    assert AnswersSchema().validate(answer.json) == {}


def test_the_answers_are_the_same_whoever_pays(app: Flask, do: Any, canteen: Canteen, till: Any) -> None:
    rich, poor, poorest = (
        new_eater(canteen, do, money_minor=money, surname="А", given_name="Б") for money in (5_000_00, 0, 0)
    )
    use_up_grace(do, canteen, poorest)
    bodies = []
    for seq, pupil_id in enumerate((rich, poor, poorest), start=1):
        wish = tap(canteen, seq, pupil_id=str(pupil_id))
        text = post(till, {"taps": [wish]}).text
        bodies.append(text.replace(wish["id"], "TAP").replace(str(pupil_id), "PUPIL"))
    assert bodies[0] == bodies[1] == bodies[2]
    shares = do(
        lambda work: work.session.execute(
            select(Sale.money_minor, Sale.grace_minor, Sale.courtesy_minor).order_by(Sale.seq)
        ).all()
    )
    assert [tuple(row) for row in shares] == [(LUNCH_MINOR, 0, 0), (0, LUNCH_MINOR, 0), (0, 0, LUNCH_MINOR)]


def test_a_remembered_till_sells_nothing_more_once_it_is_taken_out_of_use(do: Any, canteen: Canteen, till: Any) -> None:
    """Its door remembers it from tap to tap; each deed asks anew whether it still stands so."""
    pupil_id = str(new_eater(canteen, do, money_minor=5_000_00))
    assert post(till, {"taps": [tap(canteen, 1, pupil_id=pupil_id)]}).status_code == 200
    revoke(canteen)
    sold = sales(do)
    assert post(till, {"taps": [tap(canteen, 2, pupil_id=pupil_id)]}).status_code == 401
    assert post(till, {"taps": [{"id": "unreadable"}]}).status_code == 401
    assert sales(do) == sold


def test_without_that_question_a_remembered_till_would_go_on(
    do: Any, canteen: Canteen, till: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil_id = str(new_eater(canteen, do, money_minor=5_000_00))
    assert post(till, {"taps": [tap(canteen, 1, pupil_id=pupil_id)]}).status_code == 200
    revoke(canteen)
    monkeypatch.setattr(identity, "standing_question", lambda: None)
    assert post(till, {"taps": [tap(canteen, 2, pupil_id=pupil_id)]}).status_code == 200


def test_a_remembered_till_needs_its_cashier_again_after_the_shift(do: Any, canteen: Canteen, till: Any) -> None:
    pupil_id = str(new_eater(canteen, do, money_minor=5_000_00))
    assert post(till, {"taps": [tap(canteen, 1, pupil_id=pupil_id)]}).status_code == 200
    device = session().get_one(Device, canteen.device_id)
    device.cashier_id = device.shift_opened_at = None
    saved(device)
    answer = post(till, {"taps": [tap(canteen, 2, pupil_id=pupil_id)]})
    assert (answer.status_code, answer.json["code"]) == (403, "no-shift")


def revoke(canteen: Canteen) -> None:
    """The school office takes the till out of use."""
    device = session().get_one(Device, canteen.device_id)
    device.revoked_at = canteen.now
    saved(device)


def use_up_grace(do: Any, canteen: Canteen, pupil_id: Any) -> None:
    """Lend the pupil all that grace lends."""
    from tests.factories.wallet import eat

    do(eat, pupil_id, GRACE_MINOR, school_id=canteen.school_id)


def test_the_same_number_of_statements_whoever_pays(do: Any, canteen: Canteen, count_statements: Any) -> None:
    """No answer takes longer because of who pays: each takes the very same way."""
    from schoolmeals.canteen.actions.taps import ring_up

    pupils_of_three_kinds = [new_eater(canteen, do, money_minor=money) for money in (5_000_00, 0, 0)]
    use_up_grace(do, canteen, pupils_of_three_kinds[2])

    def counted(work: Any, order: Any) -> int:
        with count_statements(work.session) as counted:
            ring_up(work, [order])
            work.session.flush()  # sends what was kept for the last
        return int(counted.count)

    orders = [canteen.order(pupil_id, meal=True) for pupil_id in pupils_of_three_kinds]
    assert len({do(counted, order, actor=canteen.till) for order in orders}) == 1


def test_one_bad_tap_is_told_and_the_others_are_sold(do: Any, canteen: Canteen, till: Any) -> None:
    pupil_id = str(new_eater(canteen, do))
    good = tap(canteen, 1, pupil_id=pupil_id)
    bad: list[Any] = [
        {**tap(canteen, 2, pupil_id=pupil_id), "price_minor": 1},
        {**tap(canteen, 3), "pupil_id": None},
        tap(canteen, 4, pupil_id=pupil_id, card_number=CARD),
        tap(canteen, 0, pupil_id=pupil_id),
        tap(canteen, True, pupil_id=pupil_id),
        tap(canteen, 5, pupil_id=pupil_id, tapped_at="2026-11-23T12:00:00"),
        tap(canteen, 6, pupil_id=pupil_id, tapped_at="0001-01-01T00:00:00+14:00"),
        tap(canteen, 7, pupil_id=pupil_id, items=[{"menu_item_id": str(canteen.juice), "quantity": 21}]),
        tap(canteen, 8, pupil_id=pupil_id, decisions=[{"code": "F70"}]),
        tap(canteen, 9, pupil_id=pupil_id, decisions=[{"code": "V53", "reason": "\0"}]),
        tap(canteen, 10, pupil_id=pupil_id, decisions=[{"code": "V53", "reason": "\ud800"}]),
        "tap",
        {"id": "7"},
    ]
    answer = post(till, {"taps": [*bad, good]})
    assert [one["code"] for one in answer.json["answers"]] == ["E01"] * len(bad) + [None]
    assert [one["tap_id"] for one in answer.json["answers"]][:2] == [bad[0]["id"], bad[1]["id"]]
    assert answer.json["answers"][-2]["tap_id"] is None
    assert sales(do) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"taps":[]}', b'{"taps":{}}', b'{"taps":[{}],"more":1}', b"[" * 100_000]
)
def test_what_holds_no_taps_is_refused_whole(canteen: Canteen, till: Any, body: bytes) -> None:
    answer = post(till, body)
    assert (answer.status_code, answer.json["code"]) == (422, "taps-unreadable")


def test_two_hundred_taps_are_the_most(do: Any, canteen: Canteen, till: Any) -> None:
    assert post(till, {"taps": [{}] * 201}).status_code == 422
    assert len(post(till, {"taps": [{}] * 200}).json["answers"]) == 200


def test_a_signature_under_other_bytes_sells_nothing(do: Any, canteen: Canteen, till: Any) -> None:
    body = {"taps": [tap(canteen, pupil_id=str(new_eater(canteen, do)))]}
    for answer in (
        post(till, body, signed=b"something else"),
        till.post("/api/till/taps", json=body),
        till.post("/api/till/taps", json=body, headers={"X-Device-Signature": "?"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "signature-wrong")
    assert sales(do) == 0


def test_without_a_shift_a_till_sells_nothing(app: Flask, do: Any, canteen: Canteen) -> None:
    closed = signed_in_till(app, canteen.device_id)
    answer = post(closed, {"taps": [tap(canteen, pupil_id=str(new_eater(canteen, do)))]})
    assert (answer.status_code, answer.json["code"]) == (403, "no-shift")


def test_the_state_is_asked_again_and_again_but_sent_once(
    do: Any, canteen: Canteen, till: Any, clock: MovableClock
) -> None:
    answer = till.get("/api/till/state")
    assert TillStateSchema().validate(answer.json) == {}
    assert (answer.json["last_seq"], answer.json["cashier_name"], answer.json["is_office"]) == (0, "Гүлнар", False)
    (sitting,) = answer.json["sittings"]
    assert (sitting["is_open"], sitting["count"], len(sitting["items"])) == (True, 0, 4)
    clock.move(timedelta(seconds=15))
    etag = answer.headers["ETag"]
    assert till.get("/api/till/state", headers={"If-None-Match": etag}).status_code == 304
    post(till, {"taps": [tap(canteen, 3, pupil_id=str(new_eater(canteen, do)))]})
    later = till.get("/api/till/state", headers={"If-None-Match": etag})
    assert later.status_code == 200
    assert (later.json["last_seq"], later.json["sittings"][0]["count"], len(later.json["sales"])) == (3, 1, 1)


def test_the_till_finds_children_by_class(do: Any, canteen: Canteen, till: Any) -> None:
    new_eater(canteen, do, surname="Әбенов", given_name="Дәулет", allergens=[("milk", "certified")])
    (of_class,) = till.get("/api/till/pupils").json["classes"]
    (child,) = of_class["pupils"]
    assert child["name"] == "Әбенов Дәулет"
    assert child["allergens"] == [{"code": "milk", "severity": "certified"}]


def test_the_till_takes_a_sale_back(do: Any, canteen: Canteen, till: Any) -> None:
    wish = tap(canteen, pupil_id=str(new_eater(canteen, do)))
    post(till, {"taps": [wish]})
    undo = {"sale_id": wish["id"], "undo_id": str(new_id())}
    first, second = (post(till, undo, "undo") for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json == second.json == {**undo, "undone_at": "2026-11-23T07:00:00.000Z"}
    other = post(till, {**undo, "undo_id": str(new_id())}, "undo")
    assert (other.status_code, other.json["code"]) == (409, "already-undone")


def test_guardians_read_their_own_childs_meals(app: Flask, do: Any, canteen: Canteen, ring: Any) -> None:
    pupil_id = new_eater(canteen, do, money_minor=100_00)
    ring(canteen.order(pupil_id, meal=True))
    mother, stranger = (PersonFactory.create(roles=[(Role.PARENT, canteen.school_id)]) for _ in range(2))
    GuardianshipFactory.create(school_id=canteen.school_id, pupil_id=pupil_id, person_id=mother.id)
    path = f"/api/meals/{canteen.school_id}/{pupil_id}"
    own: Any = signed_in(app, mother.id)
    (meal,) = own.get(path).json["meals"]
    assert (meal["total_minor"], meal["money_minor"], meal["grace_minor"]) == (LUNCH_MINOR, 100_00, 750_00)
    assert signed_in(app, stranger.id).get(path).status_code == 404
    assert own.get(f"{path}?since=2026-01-01&until=2020-01-01").status_code == 422


def test_the_office_reads_its_day_and_the_city_all_of_them(app: Flask, do: Any, canteen: Canteen, ring: Any) -> None:
    ring(canteen.order(new_eater(canteen, do), meal=True))
    office: Any = signed_in(app, PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, canteen.school_id)]).id)
    day = f"/api/schools/{canteen.school_id}/days/2026-11-23"
    assert office.get(day).json["set_meals"] == 1
    assert len(office.get(f"{day}/sales").json["meals"]) == 1
    assert office.get(f"{day}/closing").status_code == 404
    assert office.get(f"/api/schools/{uuid4()}/days/2026-11-23").status_code == 404
    assert office.get(f"/api/schools/{canteen.school_id}/days/yesterday").status_code == 422
    city: Any = signed_in(
        app, PersonFactory.create(roles=[(Role.CITY_ADMIN, OrganisationFactory.create(kind="city").id)]).id
    )
    (school,) = city.get("/api/city/days/2026-11-23").json["schools"]
    assert school["counts"]["fed"] == 1


def test_every_field_that_is_read_is_documented() -> None:
    from schoolmeals.canteen import till_json

    assert set(TapSchema().fields) == till_json._KNOWN
    assert {name for name, field in TapSchema().fields.items() if field.required} == till_json._NEEDED
    assert till_json.instant(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
