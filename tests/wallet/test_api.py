"""The wallet's JSON API: the same deeds as the pages, told to programs."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from schoolmeals import wallet
from schoolmeals.clock import MovableClock
from schoolmeals.ids import spoken_number
from schoolmeals.keys import token_hash
from schoolmeals.wallet.models import TopUp
from tests.factories.identity import SessionFactory
from tests.factories.payments import PAYS, DoubleBench
from tests.factories.wallet import Do, Family, count, eat, money_of, new_family, put_in

Send = Callable[..., Any]
ID = UUID("01985e1e-0000-7000-8000-000000000001")


def program_of(app: Flask, person_id: UUID | None) -> Send:
    """A program that has signed in as somebody."""
    token = secrets.token_urlsafe(32)
    now = app.extensions["schoolmeals"].clock()
    SessionFactory.create(token_hash=token_hash(token), person_id=person_id, created_at=now, carried_by="bearer")
    client = app.test_client()

    def send(method: str, path: str, **sent: Any) -> TestResponse:
        return client.open(f"/api{path}", method=method, headers={"Authorization": f"Bearer {token}"}, **sent)

    return send


@pytest.fixture
def parent_program(app: Flask, family: Family) -> Send:
    return program_of(app, family.parent.id)


@pytest.fixture
def office_program(app: Flask, family: Family) -> Send:
    return program_of(app, family.office.id)


def wish(family: Family, **changes: object) -> dict[str, Any]:
    sent = {"id": ID, "school_id": family.school_id, "pupil_id": family.pupil_id, "amount_minor": 500_000, **changes}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in sent.items()}


def told(answer: Any) -> tuple[int, str]:
    """The status and the code of a problem."""
    assert answer.mimetype == "application/problem+json"
    return answer.status_code, answer.json["code"]


def test_a_top_up_by_a_program(do: Do, bank: DoubleBench, parent_program: Send, family: Family) -> None:
    answer = parent_program("POST", "/top-ups", json=wish(family))
    assert answer.status_code == 201
    url = answer.json["checkout_url"]
    assert answer.json == {
        "id": str(ID),
        "school_id": str(family.school_id),
        "pupil_id": str(family.pupil_id),
        "amount_minor": 500_000,
        "currency": "KZT",
        "method": "hosted-page",
        "stage": "pending",
        "checkout_url": url,
        "receipt_no": None,
        "intended_at": "2026-11-23T07:00:00Z",
        "settled_at": None,
        "failed_at": None,
        "failure_code": None,
        "reversed_at": None,
        "reversal_reason": None,
    }
    assert parent_program("POST", "/top-ups", json=wish(family)).json == answer.json
    Client(bank.double).post(urlsplit(url).path, data={"card": PAYS})
    bank.double.deliver_due()
    found = parent_program("GET", f"/top-ups/{family.school_id}/{ID}")
    assert (found.status_code, found.json["stage"], found.json["settled_at"]) == (
        200,
        "settled",
        "2026-11-23T07:00:00Z",
    )
    assert parent_program("GET", f"/purses/{family.school_id}/{family.pupil_id}").json == {
        "pupil_id": str(family.pupil_id),
        "balance_minor": 500_000,
        "money_minor": 500_000,
        "grace_minor": 0,
        "limit_minor_day": None,
        "currency": "KZT",
        "as_of": "2026-11-23T07:00:00Z",
    }
    listed = parent_program("GET", f"/purses/{family.school_id}/{family.pupil_id}/top-ups").json
    assert [one["id"] for one in listed["top_ups"]] == [str(ID)]


def test_what_contradicts_or_does_not_fit_is_told_with_a_code(
    do: Do, bank: DoubleBench, parent_program: Send, family: Family
) -> None:
    parent_program("POST", "/top-ups", json=wish(family))
    assert told(parent_program("POST", "/top-ups", json=wish(family, amount_minor=600_000))) == (409, "top-up-differs")
    small = parent_program("POST", "/top-ups", json=wish(family, id=uuid4(), amount_minor=100))
    assert told(small) == (422, "amount-too-small")
    assert list(small.json["errors"]) == ["amount"]
    assert count(do, TopUp) == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        {"amount_minor": "5000"},
        {"amount_minor": 5000.5},
        {"amount_minor": -1},
        {"amount_minor": 10**20},
        {"id": "1"},
        {"receipt_no": 7},
        {"settled_at": "2026-11-23T07:00:00Z"},
    ],
)
def test_only_the_offered_fields_are_taken_and_only_whole_sums(
    do: Do, bank: DoubleBench, parent_program: Send, family: Family, spoilt: dict[str, Any]
) -> None:
    answer = parent_program("POST", "/top-ups", json=wish(family, **spoilt))
    assert told(answer) == (422, "invalid")
    assert list(answer.json["errors"]) == list(spoilt)
    assert count(do, TopUp) == 0


def test_without_a_provider_there_is_only_the_cash_desk(do: Do, parent_program: Send, family: Family) -> None:
    assert told(parent_program("POST", "/top-ups", json=wish(family))) == (503, "card-top-up-off")
    assert told(parent_program("POST", "/top-ups", json=wish(new_family()))) == (404, "not-found")
    assert count(do, TopUp) == 0


def test_a_limit_by_a_program(do: Do, parent_program: Send, family: Family) -> None:
    path = f"/purses/{family.school_id}/{family.pupil_id}/limit"
    answer = parent_program("PUT", path, json={"limit_minor_day": 70_000})
    assert (answer.status_code, answer.json["limit_minor_day"]) == (200, 70_000)
    assert told(parent_program("PUT", path, json={"limit_minor_day": 10**9})) == (422, "limit-out-of-range")
    assert told(parent_program("PUT", path, json={})) == (422, "invalid")
    assert do(wallet.purse_of, family.school_id, family.pupil_id).limit_minor_day == 70_000
    assert parent_program("PUT", path, json={"limit_minor_day": None}).json["limit_minor_day"] is None


def test_a_statement_by_a_program(app: Flask, do: Do, family: Family, clock: MovableClock) -> None:
    do(put_in, family.pupil_id, 100_000, school_id=family.school_id)
    clock.move(timedelta(days=1))
    parent_program = program_of(app, family.parent.id)
    sale = do(eat, family.pupil_id, 85_000, school_id=family.school_id)
    path = f"/purses/{family.school_id}/{family.pupil_id}/statement"
    assert parent_program("GET", f"{path}?since=2026-11-24&until=2026-11-24").json == {
        "school_id": str(family.school_id),
        "pupil_id": str(family.pupil_id),
        "currency": "KZT",
        "since": "2026-11-23T19:00:00Z",
        "until": "2026-11-24T19:00:00Z",
        "as_of": "2026-11-24T07:00:00Z",
        "opening_minor": 100_000,
        "in_minor": 0,
        "out_minor": 85_000,
        "closing_minor": 15_000,
        "lines": [
            {
                "entry_id": str(sale),
                "kind": "sale",
                "at": "2026-11-24T07:00:00Z",
                "in_minor": 0,
                "out_minor": 85_000,
                "balance_after_minor": 15_000,
                "receipt": spoken_number(sale),
                "reverses_id": None,
            }
        ],
    }
    assert parent_program("GET", path).json["in_minor"] == 100_000
    assert told(parent_program("GET", f"{path}?since=2026-11-24&until=2026-11-23")) == (422, "period-unusable")
    assert told(parent_program("GET", f"{path}?since=soon")) == (422, "invalid")


def test_cash_by_a_program(app: Flask, do: Do, office_program: Send, family: Family, clock: MovableClock) -> None:
    taken = office_program("POST", "/cash-top-ups", json=wish(family, amount_minor=123_400))
    assert (taken.status_code, taken.json["receipt_no"], taken.json["stage"]) == (201, 1, "settled")
    assert office_program("POST", "/cash-top-ups", json=wish(family, amount_minor=123_400)).json == taken.json
    second = uuid4()
    office_program("POST", "/cash-top-ups", json=wish(family, id=second, amount_minor=50_000))
    path = f"/cash-top-ups/{family.school_id}"
    day = office_program("GET", path).json
    assert (day["day"], day["total_minor"], [one["receipt_no"] for one in day["top_ups"]]) == (
        "2026-11-23",
        173_400,
        [1, 2],
    )
    reversal = {"id": str(uuid4()), "reason": "wrong pupil"}
    back = office_program("POST", f"{path}/{second}/reversal", json=reversal)
    assert (back.status_code, back.json["stage"], back.json["reversal_reason"]) == (201, "reversed", "wrong pupil")
    assert office_program("POST", f"{path}/{second}/reversal", json=reversal).json == back.json
    again = office_program("POST", f"{path}/{second}/reversal", json={**reversal, "id": str(uuid4())})
    assert told(again) == (409, "already-reversed")
    assert (office_program("GET", path).json["total_minor"], money_of(do, family)) == (123_400, (123_400, 0))
    clock.move(timedelta(days=1))
    office_program = program_of(app, family.office.id)
    assert told(office_program("POST", f"{path}/{ID}/reversal", json=reversal)) == (409, "cash-day-over")
    assert office_program("GET", path).json["top_ups"] == []
    assert len(office_program("GET", f"{path}?day=2026-11-23").json["top_ups"]) == 2


def test_a_program_reaches_nothing_that_is_not_its_persons(
    app: Flask, do: Do, bank: DoubleBench, family: Family
) -> None:
    other = new_family()
    parent, office = program_of(app, other.parent.id), program_of(app, other.office.id)
    do(put_in, family.pupil_id, 1_000, school_id=family.school_id)
    purse = f"/purses/{family.school_id}/{family.pupil_id}"
    for program in (parent, office):
        for path in (purse, f"{purse}/top-ups", f"{purse}/statement", f"/top-ups/{family.school_id}/{ID}"):
            assert told(program("GET", path)) == (404, "not-found"), path
    assert told(parent("POST", "/top-ups", json=wish(family))) == (404, "not-found")
    assert told(parent("PUT", f"{purse}/limit", json={"limit_minor_day": 0})) == (404, "not-found")
    assert told(office("POST", "/cash-top-ups", json=wish(family))) == (404, "not-found")
    assert told(office("GET", f"/cash-top-ups/{family.school_id}")) == (404, "not-found")
    assert told(parent("GET", f"/cash-top-ups/{family.school_id}")) == (403, "not-allowed")
    assert told(office("POST", "/top-ups", json=wish(other))) == (403, "not-allowed")
    assert (count(do, TopUp), money_of(do, family)) == (0, (1_000, 0))


def test_nobody_is_told_to_sign_in(app: Flask, family: Family) -> None:
    answer = app.test_client().get(f"/api/purses/{family.school_id}/{family.pupil_id}")
    assert told(answer) == (401, "sign-in-needed")
