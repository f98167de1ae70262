"""The wallet's pages and the webhook, by browser and with the double of the payment provider behind them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import Client, TestResponse

from schoolmeals import ledger, pupils, wallet
from schoolmeals.audit import AuditEvent
from schoolmeals.clock import MovableClock
from schoolmeals.money import Money
from schoolmeals.wallet.jobs import Reconciliation, reconcile_top_ups
from schoolmeals.wallet.models import PaymentEventSeen, TopUp
from schoolmeals.wallet.payments import Checkout, CheckoutIntent, PaymentsUnavailable
from tests.factories.identity import signed_in
from tests.factories.payments import PAYS, DoubleBench
from tests.factories.wallet import (
    CASH,
    Do,
    Family,
    count,
    csrf_token,
    eat,
    money_of,
    new_family,
    paid,
    put_in,
    start,
)

ID = UUID("01985e1e-0000-7000-8000-000000000001")


def page_of(family: Family, rest: str = "top-up") -> str:
    return f"/pupil/{family.school_id}/{family.pupil_id}/{rest}"


def desk_of(family: Family, rest: str = "") -> str:
    return f"/school/{family.school_id}/cash-desk{rest}"


def send(client: FlaskClient, path: str, form: Mapping[str, object], *, shown_at: str = "") -> TestResponse:
    """A form, sent with the token of the page that shows it."""
    token = csrf_token(client, shown_at or path)
    return client.post(path, data={"csrf_token": token, **form})


def top_up(parent: FlaskClient, family: Family, **changes: object) -> TestResponse:
    return send(parent, page_of(family), {"id": ID, "amount": "500000", **changes})


def refused_webhooks(do: Do) -> int:
    wanted = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "wallet.refuse_webhook")
    found: int = do(lambda work: work.session.scalar(wanted))
    return found


def pay_on(bank: DoubleBench, url: str, number: str = PAYS) -> None:
    """Choose a card on the hosted page."""
    Client(bank.double).post(urlsplit(url).path, data={"card": number})


# Topping up


def test_the_form_offers_round_sums_and_says_that_there_is_no_fee(
    bank: DoubleBench, parent: FlaskClient, family: Family
) -> None:
    answer = parent.get(page_of(family))
    assert answer.status_code == 200
    assert re.findall(r'name="amount" value="(\w+)"', answer.text) == ["200000", "500000", "1000000", "other"]
    assert re.search(r'value="500000"[^>]* checked', answer.text)
    assert "No fee" in answer.text


def test_without_a_provider_the_page_leads_to_the_cash_desk(parent: FlaskClient, family: Family) -> None:
    assert "Paying by card is not open here yet" in parent.get(page_of(family)).text


def test_a_top_up_from_chip_to_purse(
    do: Do, bank: DoubleBench, parent: FlaskClient, family: Family, clock: MovableClock
) -> None:
    answer = top_up(parent, family)
    assert answer.status_code == 303
    assert answer.location.startswith("http://bank.test/")
    pay_on(bank, answer.location)

    back = parent.get(page_of(family, f"top-up/{ID}?back=paid"))
    assert "The payment is being processed" in back.text
    assert back.headers["Refresh"] == f"4; url={page_of(family, f'top-up/{ID}?back=paid&look=1')}"
    assert money_of(do, family) == (0, 0)

    bank.double.deliver_due()
    back = parent.get(page_of(family, f"top-up/{ID}?back=paid"))
    assert "The money is in the purse" in back.text
    assert "Refresh" not in back.headers
    assert money_of(do, family) == (5_000_00, 0)
    assert "5,000\u00a0₸" in parent.get(page_of(family, "statement")).text


def test_a_pending_page_stops_looking_by_itself(do: Do, parent: FlaskClient, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    assert "Refresh" in parent.get(page_of(family, f"top-up/{ID}?back=paid&look=14")).headers
    assert "Refresh" not in parent.get(page_of(family, f"top-up/{ID}?back=paid&look=15")).headers


def test_who_left_the_banks_page_can_go_on(bank: DoubleBench, parent: FlaskClient, family: Family) -> None:
    url = top_up(parent, family).location
    back = parent.get(page_of(family, f"top-up/{ID}?back=left"))
    assert "Nothing has been paid yet" in back.text
    assert f'href="{url}"' in back.text


def test_another_sum_is_typed_in_tenge(do: Do, bank: DoubleBench, parent: FlaskClient, family: Family) -> None:
    assert top_up(parent, family, amount="other", other="7 300").status_code == 303
    assert top_up(parent, family, id=uuid4(), amount="500000", other="7 400").status_code == 303
    found = do(wallet.top_ups_of, family.school_id, family.pupil_id)
    assert {one.amount for one in found} == {Money(7_300_00), Money(7_400_00)}


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"amount": "other", "other": ""}, "Write the sum in digits"),
        ({"amount": "other", "other": "много"}, "Write the sum in digits"),
        ({"amount": "other", "other": "7350"}, "multiple of 100"),
        ({"amount": "10000"}, "The smallest top-up is 500"),
        ({"amount": "100000000000"}, "The largest top-up is 100\u00a0000"),
        ({"amount": "-500000"}, "Choose a sum."),
        ({"amount": ""}, "Choose a sum."),
    ],
)
def test_a_useless_sum_is_refused_and_what_was_typed_is_kept(
    do: Do, bank: DoubleBench, parent: FlaskClient, family: Family, form: dict[str, str], message: str
) -> None:
    answer = top_up(parent, family, **form)
    assert answer.status_code == 422
    assert message in answer.text
    assert f'value="{ID}"' in answer.text
    if form.get("other"):
        assert f'value="{form["other"]}"' in answer.text
        assert 'href="#f-other"' in answer.text
    assert count(do, TopUp) == 0


def test_a_double_click_leads_to_the_same_page(do: Do, bank: DoubleBench, parent: FlaskClient, family: Family) -> None:
    assert top_up(parent, family).location == top_up(parent, family).location
    assert count(do, TopUp) == 1


def test_another_sum_under_the_same_id_is_a_conflict(
    do: Do, bank: DoubleBench, parent: FlaskClient, family: Family
) -> None:
    top_up(parent, family)
    answer = top_up(parent, family, amount="200000")
    assert (answer.status_code, "top-up-differs" in answer.text) == (409, True)
    assert [one.amount_minor for one in do(wallet.top_ups_of, family.school_id, family.pupil_id)] == [5_000_00]


@pytest.mark.parametrize("is_made", [False, True])
def test_a_fall_between_the_wish_and_its_page_is_mended_by_sending_it_again(
    app: Flask,
    do: Do,
    bank: DoubleBench,
    parent: FlaskClient,
    family: Family,
    clock: MovableClock,
    is_made: bool,
) -> None:
    frame = app.extensions["schoolmeals"]

    class Falling:
        """The provider's answer gets lost, before or after it made the page."""

        def checkout(self, intent: CheckoutIntent) -> Checkout:
            if is_made:
                bank.payments.checkout(intent)
            raise PaymentsUnavailable

    app.extensions["schoolmeals"] = replace(frame, payments=Falling())
    answer = top_up(parent, family)
    assert answer.status_code == 503
    assert "No money was credited" in answer.text
    assert f'value="{ID}"' in answer.text
    assert count(do, TopUp) == 1
    app.extensions["schoolmeals"] = frame
    clock.move(timedelta(minutes=10))
    again = top_up(parent, family)
    assert again.status_code == 303
    pay_on(bank, again.location)
    bank.double.deliver_due()
    assert (money_of(do, family), count(do, TopUp)) == ((5_000_00, 0), 1)


def test_a_wish_of_long_ago_gets_no_page_any_more(
    do: Do, bank: DoubleBench, parent: FlaskClient, family: Family, clock: MovableClock
) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    clock.move(timedelta(minutes=26))
    answer = top_up(parent, family)
    assert (answer.status_code, "top-up-too-old" in answer.text) == (409, True)


def test_the_eleventh_top_up_in_ten_minutes_has_to_wait(
    do: Do, bank: DoubleBench, parent: FlaskClient, family: Family
) -> None:
    answers = [top_up(parent, family, id=uuid4()).status_code for _ in range(11)]
    assert answers == [303] * 10 + [429]
    assert count(do, TopUp) == 10


def test_strangers_learn_nothing_of_a_purse(app: Flask, do: Do, bank: DoubleBench, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    other = new_family()
    assert other.parent.id is not None
    stranger = signed_in(app, other.parent.id)
    for rest in ("top-up", f"top-up/{ID}", "statement", "statement.csv", "limit"):
        assert stranger.get(page_of(family, rest)).status_code == 404, rest
    assert stranger.get(f"/pupil/{other.school_id}/{other.pupil_id}/top-up/{ID}").status_code == 404
    form = {"id": uuid4(), "amount": "500000"}
    assert send(stranger, page_of(family), form, shown_at=page_of(other)).status_code == 404
    assert send(stranger, page_of(family, "limit"), {"limit": "0"}, shown_at=page_of(other)).status_code == 404
    assert count(do, TopUp) == 1


def test_a_top_up_is_shown_under_its_own_pupil_only(do: Do, parent: FlaskClient, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    assert parent.get(f"/pupil/{family.school_id}/{uuid4()}/top-up/{ID}").status_code == 404
    assert parent.get(page_of(family, f"top-up/{uuid4()}")).status_code == 404


# Webhooks


def signed_event(bank: DoubleBench, parent: FlaskClient, family: Family) -> tuple[bytes, Mapping[str, str]]:
    """A paid top-up's first webhook, kept back."""
    kept: list[tuple[bytes, Mapping[str, str]]] = []

    def keep(body: bytes, headers: Mapping[str, str]) -> int:
        kept.append((body, headers))
        return 200

    bank.double.deliver = keep
    pay_on(bank, top_up(parent, family).location)
    bank.double.deliver_due()
    return next((body, headers) for body, headers in kept if b"checkout.session.completed" in body)


def test_a_webhook_is_heard_once(
    do: Do, bank: DoubleBench, client: FlaskClient, parent: FlaskClient, family: Family
) -> None:
    body, headers = signed_event(bank, parent, family)
    answers = [client.post("/webhooks/stripe", data=body, headers=headers) for _ in range(3)]
    assert [(answer.status_code, answer.json) for answer in answers] == [
        (200, {"outcome": "settled"}),
        (200, {"outcome": "known"}),
        (200, {"outcome": "known"}),
    ]
    assert (money_of(do, family), count(do, PaymentEventSeen), count(do, ledger.JournalEntry)) == ((5_000_00, 0), 1, 1)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda bank, body, headers: (body.replace(b"500000", b"900000"), headers), "webhook-signature-bad"),
        (
            lambda bank, body, headers: (body, bank.sign(body.decode(), secret="whsec_of_another")),
            "webhook-signature-bad",
        ),
        (lambda bank, body, headers: (body, {}), "webhook-signature-bad"),
        (
            lambda bank, body, headers: (body, bank.sign(body.decode(), at=bank.clock() - timedelta(seconds=301))),
            "webhook-not-fresh",
        ),
        (
            lambda bank, body, headers: (body, bank.sign(body.decode(), at=bank.clock() + timedelta(seconds=301))),
            "webhook-not-fresh",
        ),
        (lambda bank, body, headers: (b"[1", bank.sign("[1")), "webhook-unreadable"),
    ],
)
def test_a_forged_or_old_webhook_is_refused_and_only_that_is_noted(
    do: Do, bank: DoubleBench, client: FlaskClient, parent: FlaskClient, family: Family, spoil: Any, code: str
) -> None:
    body, headers = spoil(bank, *signed_event(bank, parent, family))
    answer = client.post("/webhooks/stripe", data=body, headers=headers)
    assert (answer.status_code, answer.json) == (400, {"code": code})
    assert (money_of(do, family), count(do, PaymentEventSeen), refused_webhooks(do)) == ((0, 0), 0, 1)


def test_whoever_forges_without_end_does_not_fill_the_log(do: Do, bank: DoubleBench, client: FlaskClient) -> None:
    assert {client.post("/webhooks/stripe", data=b"{}").status_code for _ in range(15)} == {400}
    assert refused_webhooks(do) == 10


def test_a_replayed_webhook_of_a_settled_top_up_changes_nothing(
    do: Do, bank: DoubleBench, client: FlaskClient, parent: FlaskClient, family: Family, clock: MovableClock
) -> None:
    body, headers = signed_event(bank, parent, family)
    client.post("/webhooks/stripe", data=body, headers=headers)
    do(eat, family.pupil_id, 850_00, school_id=family.school_id)
    clock.move(timedelta(hours=1))
    assert client.post("/webhooks/stripe", data=body, headers=headers).status_code == 400
    assert client.post("/webhooks/stripe", data=body, headers=bank.sign(body.decode())).json == {"outcome": "known"}
    assert money_of(do, family) == (4_150_00, 0)


def test_there_is_no_other_provider(client: FlaskClient, app: Flask, do: Do, bank: DoubleBench) -> None:
    assert client.post("/webhooks/kaspi", data=b"{}").status_code == 404
    frame = app.extensions["schoolmeals"]
    app.extensions["schoolmeals"] = replace(frame, payments=None)
    assert client.post("/webhooks/stripe", data=b"{}").status_code == 404


def test_while_the_provider_does_not_answer_it_has_to_send_again(
    app: Flask, do: Do, bank: DoubleBench, client: FlaskClient, parent: FlaskClient, family: Family
) -> None:
    body, headers = signed_event(bank, parent, family)
    frame = app.extensions["schoolmeals"]

    class Away:
        """Verifies, but cannot be asked."""

        parse_webhook = bank.payments.parse_webhook

        def fetch(self, session_id: str) -> None:
            raise PaymentsUnavailable

    app.extensions["schoolmeals"] = replace(frame, payments=Away())
    assert client.post("/webhooks/stripe", data=body, headers=headers).status_code == 503
    assert count(do, PaymentEventSeen) == 0
    app.extensions["schoolmeals"] = frame
    assert client.post("/webhooks/stripe", data=body, headers=headers).json == {"outcome": "settled"}


# Lost webhooks


def test_a_lost_webhook_is_made_up_for(
    do: Do, bank: DoubleBench, parent: FlaskClient, family: Family, clock: MovableClock
) -> None:
    signed_event(bank, parent, family)
    assert reconcile_top_ups(bank.payments, clock) == Reconciliation()
    clock.move(timedelta(minutes=10))
    assert reconcile_top_ups(bank.payments, clock) == Reconciliation(settled=[ID])
    assert reconcile_top_ups(bank.payments, clock) == Reconciliation()
    assert money_of(do, family) == (5_000_00, 0)


def test_reconciling_leaves_what_is_open_and_ends_what_is_over(
    do: Do, bank: DoubleBench, parent: FlaskClient, family: Family, clock: MovableClock
) -> None:
    top_up(parent, family)
    unopened, at_start = uuid4(), clock()
    do(start, family, top_up_id=unopened, actor=family.parent)
    clock.move(timedelta(minutes=20))
    assert reconcile_top_ups(bank.payments, clock) == Reconciliation(pending=sorted([ID, unopened]))
    clock.move(timedelta(minutes=10))
    assert reconcile_top_ups(bank.payments, clock) == Reconciliation(pending=[ID], failed=[unopened])
    clock.move(timedelta(minutes=31))
    assert reconcile_top_ups(bank.payments, clock) == Reconciliation(failed=[ID])
    assert {one.stage.value for one in do(wallet.top_ups_of, family.school_id, family.pupil_id)} == {"expired"}
    assert (money_of(do, family), clock() - at_start) == ((0, 0), timedelta(minutes=61))


def test_reconciling_goes_on_where_the_provider_does_not_answer(
    do: Do, bank: DoubleBench, parent: FlaskClient, family: Family, clock: MovableClock
) -> None:
    top_up(parent, family)
    unknown = uuid4()
    do(start, family, top_up_id=unknown, actor=family.parent)
    page = {"provider": "stripe", "session_id": "cs_unknown", "url": "u"}
    do(wallet.keep_checkout, family.school_id, unknown, actor=family.parent, **page)
    clock.move(timedelta(minutes=20))
    assert reconcile_top_ups(bank.payments, clock) == Reconciliation(pending=[ID], unanswered=[unknown])


# Statement and limit


def test_the_statement_shows_lines_sums_and_offers_a_csv(
    do: Do, parent: FlaskClient, office: FlaskClient, family: Family
) -> None:
    do(put_in, family.pupil_id, 1_000_00, school_id=family.school_id)
    do(eat, family.pupil_id, 850_50, school_id=family.school_id)
    for client in (parent, office):
        page = client.get(page_of(family, "statement"))
        assert page.status_code == 200
        assert "850.50\u00a0₸" in page.text
        assert "149.50\u00a0₸" in page.text
    csv = parent.get(page_of(family, "statement.csv?since=2026-11-01&until=2026-11-30"))
    assert csv.headers["Content-Disposition"] == 'attachment; filename="statement-2026-11-01-2026-11-30.csv"'
    assert csv.text.startswith("\ufeffDate and time;What;")
    assert ";Meal;" in csv.text
    assert csv.text.endswith(";Balance after;;1000,00;850,50;149,50\r\n")


@pytest.mark.parametrize("query", ["since=yesterday", "since=2026-11-30&until=2026-11-01", "until=9999-12-31"])
def test_an_unusable_period_is_refused(parent: FlaskClient, family: Family, query: str) -> None:
    page = parent.get(page_of(family, f"statement?{query}"))
    assert (page.status_code, "There is a problem" in page.text) == (422, True)
    assert parent.get(page_of(family, f"statement.csv?{query}")).status_code == 422


def test_a_limit_is_kept_and_lifted(do: Do, parent: FlaskClient, family: Family) -> None:
    for typed, kept in (("1 500", 1_500_00), ("0", 0), ("700,50", 700_50), ("", None)):
        assert send(parent, page_of(family, "limit"), {"limit": typed}).status_code == 303
        assert do(wallet.purse_of, family.school_id, family.pupil_id).limit_minor_day == kept
    assert "The limit is saved" in parent.get(page_of(family, "limit?kept=1")).text


@pytest.mark.parametrize("typed", ["abc", "-5", "100001", "1e3"])
def test_a_limit_that_makes_no_sense_is_refused(do: Do, parent: FlaskClient, family: Family, typed: str) -> None:
    answer = send(parent, page_of(family, "limit"), {"limit": typed})
    assert (answer.status_code, f'value="{typed}"' in answer.text) == (422, True)
    assert do(wallet.purse_of, family.school_id, family.pupil_id).limit_minor_day is None


# The cash desk


def take(office: FlaskClient, family: Family, **changes: object) -> TestResponse:
    form = {"id": ID, "pupil": family.pupil_id, "amount": "3 000", **changes}
    return send(office, desk_of(family), form)


def test_the_office_finds_a_pupil_takes_cash_and_prints_a_receipt(do: Do, office: FlaskClient, family: Family) -> None:
    assert office.get("/cash-desk").location == desk_of(family)
    name = do(lambda work: _name(work, family))
    found = office.get(desk_of(family, f"?search={name.split()[0][:4]}"))
    assert f"pupil={family.pupil_id}" in found.text
    assert "Take the money and give a receipt" in office.get(desk_of(family, f"?pupil={family.pupil_id}")).text
    answer = take(office, family)
    assert (answer.status_code, answer.location) == (303, desk_of(family, f"/{ID}"))
    receipt = office.get(answer.location).text
    assert "№ 1" in receipt
    assert "3,000\u00a0₸" in receipt
    assert name in receipt
    assert money_of(do, family) == (3_000_00, 0)
    today = office.get(desk_of(family)).text
    assert "№ 1" in today
    assert re.search(r"<tfoot[^>]*>.*3,000\u00a0₸", today, re.DOTALL)


def _name(work: Any, family: Family) -> str:
    return pupils.pupil(work, family.school_id, family.pupil_id).name


def test_a_double_click_is_one_receipt(do: Do, office: FlaskClient, family: Family) -> None:
    assert take(office, family).location == take(office, family).location
    assert (count(do, TopUp), money_of(do, family)) == (1, (3_000_00, 0))


@pytest.mark.parametrize("typed", ["", "ten", "0", "-3", "0,5", "100001"])
def test_a_useless_sum_is_not_taken(do: Do, office: FlaskClient, family: Family, typed: str) -> None:
    answer = take(office, family, amount=typed)
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert count(do, TopUp) == 0


def test_cash_is_taken_back_with_a_reason(do: Do, office: FlaskClient, family: Family) -> None:
    take(office, family)
    receipt = desk_of(family, f"/{ID}")
    form = {"id": uuid4(), "reason": "wrong pupil"}
    refused = send(office, f"{receipt}/reversal", {**form, "reason": " "}, shown_at=receipt)
    assert (refused.status_code, money_of(do, family)) == (422, (3_000_00, 0))
    assert send(office, f"{receipt}/reversal", form, shown_at=receipt).location == receipt
    shown = office.get(receipt).text
    assert "This cash top-up was taken back: wrong pupil" in shown
    assert "Take the money back out" not in shown
    assert money_of(do, family) == (0, 0)
    assert re.search(r"<tfoot[^>]*>.*>0\u00a0₸", office.get(desk_of(family)).text, re.DOTALL)


def test_spent_cash_is_not_taken_back(do: Do, office: FlaskClient, family: Family) -> None:
    take(office, family)
    do(eat, family.pupil_id, 850_00, school_id=family.school_id)
    receipt = desk_of(family, f"/{ID}")
    answer = send(office, f"{receipt}/reversal", {"id": uuid4(), "reason": "wrong pupil"}, shown_at=receipt)
    assert answer.status_code == 409
    assert "already been spent" in answer.text
    assert money_of(do, family) == (2_150_00, 0)


def test_the_desk_of_another_school_is_not_there(app: Flask, do: Do, office: FlaskClient, family: Family) -> None:
    other = new_family()
    cash = {"bounds": CASH, "amount_minor": 700_00, "top_up_id": ID, "actor": other.office}
    do(wallet.take_cash, other.school_id, other.pupil_id, **cash)
    for rest in ("", f"/{ID}", f"?pupil={other.pupil_id}"):
        assert office.get(desk_of(other, rest)).status_code == 404
    form = {"id": uuid4(), "pupil": other.pupil_id, "amount": "500", "reason": "because"}
    for path in (desk_of(other), desk_of(other, f"/{ID}/reversal")):
        assert send(office, path, form, shown_at=desk_of(family)).status_code == 404
    assert (count(do, TopUp), money_of(do, other)) == (1, (700_00, 0))


def test_a_card_payment_has_no_cash_receipt(do: Do, office: FlaskClient, family: Family) -> None:
    do(start, family, top_up_id=ID, actor=family.parent)
    do(wallet.settle_top_up, "stripe", paid(ID))
    assert office.get(desk_of(family, f"/{ID}")).status_code == 404


# Languages


@pytest.mark.parametrize(("language", "words"), [("kk", "Ақша салу"), ("ru", "Пополнить"), ("en", "Top up")])
def test_pages_speak_the_readers_language(
    app: Flask, bank: DoubleBench, family: Family, language: str, words: str
) -> None:
    assert family.parent.id is not None
    parent = signed_in(app, family.parent.id)
    send(parent, f"/language/{language}", {"next": "/"}, shown_at=page_of(family))
    page = parent.get(page_of(family)).text
    assert f"<h1>{words}</h1>" in page
    assert f'<html lang="{language}">' in page
