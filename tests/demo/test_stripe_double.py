"""The double as Stripe's stand-in: what it checks, keeps, replays and sends."""

import multiprocessing
import stat
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
import stripe
from werkzeug.test import Client, TestResponse

from schoolmeals.clock import MovableClock
from schoolmeals.demo.stripe_double import Chaos, Double, create_double, demo_payments, to_application
from schoolmeals.demo.stripe_double.api import CALLS
from schoolmeals.demo.stripe_double.deliveries import MOST_TRIES
from schoolmeals.wallet.stripe_gateway import API_VERSION
from tests.factories import payments as factory
from tests.factories.payments import DoubleBench

SESSION = {
    "mode": "payment",
    "success_url": "http://shop.test/back",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "kzt",
    "line_items[0][price_data][unit_amount]": "500000",
    "line_items[0][price_data][product_data][name]": "School meals",
}


@pytest.fixture
def bench() -> Iterator[DoubleBench]:
    with factory.in_process() as double:
        yield double


def call(double: Double, path: str, data: Mapping[str, str] | None = None, **headers: str) -> TestResponse:
    """One call of the API with the right key, as a POST where there is ``data``."""
    own = {"Authorization": f"Bearer {double.premises.api_key}"}
    own |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(double).open(f"/v1{path}", method="POST" if data is not None else "GET", data=data, headers=own)


def error(answer: TestResponse) -> tuple[int, str, str | None, str | None]:
    told = answer.get_json()["error"]
    return answer.status_code, told["type"], told.get("code"), told.get("param")


# Who calls, and with which parameters


def test_another_key_or_version_is_refused(bench: DoubleBench) -> None:
    assert call(bench.double, "/events", Authorization="Bearer sk_test_other").status_code == 401
    assert call(bench.double, "/events", Authorization="Bearer é").status_code == 401
    assert call(bench.double, "/events", Stripe_Version="2017-08-15").status_code == 400
    assert call(bench.double, "/events", Stripe_Version=API_VERSION).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"lokale": "ru"}, "parameter_unknown", "lokale"),
        (
            {"line_items[0][price_data][currncy]": "kzt"},
            "parameter_unknown",
            "line_items[0][price_data][currncy]",
        ),
        ({"locale": "kk"}, None, "locale"),
        ({"mode": "gift"}, None, "mode"),
        ({"expires_at": "soon"}, None, "expires_at"),
        ({"metadata": "x"}, None, "metadata"),
        ({"metadata[a][b]": "x"}, None, "metadata"),
        ({"line_items[1][quantity]": "many"}, None, "line_items[1][quantity]"),
        ({"line_items[7][quantity]": "1"}, None, "line_items"),
        ({"line_items[0][price_data][unit_amount]": "5.5"}, None, "line_items[0][price_data][unit_amount]"),
        ({"payment_intent_data[setup_future_usage]": "sometimes"}, None, "payment_intent_data[setup_future_usage]"),
        ({"idempotency_key": "x"}, "parameter_unknown", "idempotency_key"),
        ({"phone_number_collection[enabled]": "true"}, None, "phone_number_collection"),
        ({"customer": "cus_unknown"}, "resource_missing", "customer"),
        ({"expires_at": "1795417200"}, None, "expires_at"),
        ({"line_items[0][price_data][unit_amount]": "24999"}, "amount_too_small", "line_items"),
        ({"line_items[0][price_data][unit_amount]": "100000000"}, "amount_too_large", "line_items"),
        ({"line_items[0][price_data][currency]": "xxx"}, None, "currency"),
        ({"success_url": ""}, "parameter_missing", "success_url"),
    ],
)
def test_wrong_parameters_are_refused(
    bench: DoubleBench, changes: dict[str, str], code: str | None, param: str
) -> None:
    answer = call(bench.double, "/checkout/sessions", {**SESSION, **changes})
    assert error(answer) == (404 if code == "resource_missing" else 400, "invalid_request_error", code, param)
    assert call(bench.double, "/events").get_json()["data"] == []


def test_missing_parameters_are_refused(bench: DoubleBench) -> None:
    answer = call(bench.double, "/payment_intents", {"amount": "500000"})
    assert error(answer) == (400, "invalid_request_error", "parameter_missing", "currency")


def test_every_call_names_a_shape_of_the_sdk_and_parameters_in_it() -> None:
    for one in CALLS:
        shape: Any = stripe.params
        for name in one.shape.split("."):
            shape = getattr(shape, name)
        assert one.understood <= set(shape.__annotations__), one.path


def test_an_unknown_address_is_not_found(bench: DoubleBench) -> None:
    assert error(call(bench.double, "/disputes"))[:2] == (404, "invalid_request_error")
    assert error(call(bench.double, "/refunds/re_unknown")) == (404, "invalid_request_error", "resource_missing", "id")


# Idempotency


def test_a_key_replays_its_answer_and_only_for_the_same_call(bench: DoubleBench) -> None:
    first = call(bench.double, "/checkout/sessions", SESSION, Idempotency_Key="k")
    again = call(bench.double, "/checkout/sessions", SESSION, Idempotency_Key="k")
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.get_json() == first.get_json()
    other = call(bench.double, "/checkout/sessions", {**SESSION, "locale": "en"}, Idempotency_Key="k")
    assert error(other)[:2] == (400, "idempotency_error")
    elsewhere = call(bench.double, "/customers", SESSION, Idempotency_Key="k")
    assert error(elsewhere)[:2] == (400, "idempotency_error")


def test_a_malformed_call_leaves_its_key_free(bench: DoubleBench) -> None:
    assert call(bench.double, "/checkout/sessions", {**SESSION, "x": "y"}, Idempotency_Key="k").status_code == 400
    assert call(bench.double, "/checkout/sessions", SESSION, Idempotency_Key="k").status_code == 200


def test_a_key_is_kept_for_a_day(bench: DoubleBench) -> None:
    first = call(bench.double, "/customers", {}, Idempotency_Key="k").get_json()
    bench.clock.move(timedelta(hours=24))
    assert call(bench.double, "/customers", {}, Idempotency_Key="k").get_json() == first
    bench.clock.move(timedelta(seconds=1))
    assert call(bench.double, "/customers", {}, Idempotency_Key="k").get_json() != first


def test_a_key_has_at_most_255_characters(bench: DoubleBench) -> None:
    assert error(call(bench.double, "/customers", {}, Idempotency_Key="k" * 256))[1] == "idempotency_error"


# What it answers


def test_objects_have_only_fields_that_the_sdk_knows(bench: DoubleBench) -> None:
    checkout = bench.payments.checkout(bench.intent(save_card=True))
    bench.pay(checkout)
    session = bench.client.v1.checkout.sessions.retrieve(checkout.session_id, {"expand": ["payment_intent"]}).to_dict()
    payment = session["payment_intent"]
    refund = bench.client.v1.refunds.create({"payment_intent": payment["id"]}).to_dict()
    customer = bench.client.v1.customers.retrieve(session["customer"]).to_dict()
    events = bench.client.v1.events.list({"limit": 100}).to_dict()["data"]
    charges = [event["data"]["object"] for event in events if event["type"] == "charge.succeeded"]
    for thing, kind in [
        (session, stripe.checkout.Session),
        (payment, stripe.PaymentIntent),
        (refund, stripe.Refund),
        (customer, stripe.Customer),
        (events[0], stripe.Event),
        *((charge, stripe.Charge) for charge in charges),
    ]:
        assert set(thing) <= set(kind.__annotations__), kind


def test_only_the_payment_can_be_expanded(bench: DoubleBench) -> None:
    checkout = bench.payments.checkout(bench.intent())
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        bench.client.v1.checkout.sessions.retrieve(checkout.session_id, {"expand": ["customer"]})


def test_a_session_can_be_expired_once_and_then_not_paid(bench: DoubleBench) -> None:
    asked = bench.intent()
    checkout = bench.payments.checkout(asked)
    assert bench.client.v1.checkout.sessions.expire(checkout.session_id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="only an open one"):
        bench.client.v1.checkout.sessions.expire(checkout.session_id)
    bench.pay(checkout)
    assert bench.told(asked.top_up_id) == ["expired"]


def test_a_refund_leaves_the_rest_refundable_and_no_more(bench: DoubleBench) -> None:
    ref = bench.payments.charge_saved(factory.charge(bench.saved_card())).payment_ref
    assert ref is not None
    bench.client.v1.refunds.create({"payment_intent": ref, "amount": 499_999})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        bench.client.v1.refunds.create({"payment_intent": ref, "amount": 2})
    assert bench.client.v1.refunds.create({"payment_intent": ref}).amount == 1
    with pytest.raises(stripe.InvalidRequestError) as refused:
        bench.client.v1.refunds.create({"payment_intent": ref})
    assert refused.value.code == "charge_already_refunded"


def test_a_declined_payment_has_nothing_to_refund(bench: DoubleBench) -> None:
    state = bench.payments.charge_saved(factory.charge(bench.saved_card("pm_card_chargeCustomerFail")))
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        bench.client.v1.refunds.create({"payment_intent": state.session_id})


def test_a_card_that_declines_at_once_cannot_be_saved(bench: DoubleBench) -> None:
    with pytest.raises(stripe.CardError) as declined:
        bench.saved_card("pm_card_visa_chargeDeclined")
    assert declined.value.code == "card_declined"


def test_a_card_of_another_payer_is_refused(bench: DoubleBench) -> None:
    card, other = bench.saved_card(), bench.saved_card()
    with pytest.raises(stripe.InvalidRequestError, match="does not belong"):
        bench.client.v1.payment_intents.create(
            {
                "amount": 500_000,
                "currency": "kzt",
                "customer": other.payer_ref,
                "payment_method": card.card_ref,
                "confirm": True,
                "off_session": True,
            }
        )


# Events


def test_events_are_those_that_stripe_has_and_know_their_cause(bench: DoubleBench) -> None:
    known = get_args(get_type_hints(stripe.Event)["type"])
    asked = factory.charge(bench.saved_card())
    bench.payments.charge_saved(asked)
    events = bench.client.v1.events.list().data
    assert {event.type for event in events} <= set(known)
    newest = events[0]
    assert (newest.type, newest.api_version, newest.pending_webhooks) == ("payment_intent.succeeded", API_VERSION, 1)
    assert newest.request is not None
    assert newest.request.idempotency_key == str(asked.top_up_id)


def test_events_can_be_listed_by_page_type_time_and_arrival(bench: DoubleBench) -> None:
    for _ in range(3):
        bench.client.v1.customers.create({})
        bench.clock.move(timedelta(seconds=10))
    events = bench.client.v1.events
    newest, middle, oldest = [event.id for event in events.list().data]
    assert [event.id for event in events.list({"limit": 1}).auto_paging_iter()] == [newest, middle, oldest]
    made_s = int(factory.A_MOMENT.timestamp())
    assert [event.id for event in events.list({"created": {"gt": made_s, "lt": made_s + 20}}).data] == [middle]
    assert [event.id for event in events.list({"created": made_s}).data] == [oldest]
    assert events.list({"type": "refund.created"}).data == []
    assert len(events.list({"delivery_success": False}).data) == 3
    bench.double.deliver_due()
    assert events.list({"delivery_success": False}).data == []
    assert events.retrieve(oldest).pending_webhooks == 0


def _types(bench: DoubleBench) -> list[str]:
    return [event.provider_type for event in bench.events()]


PAID_TYPES = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


@pytest.mark.parametrize(
    ("chaos", "expected"),
    [
        (Chaos(), PAID_TYPES),
        (Chaos(reorder=True), PAID_TYPES[::-1]),
        (Chaos(duplicate=True), [one for one in PAID_TYPES for _ in range(2)]),
        (Chaos(delay_s=1), []),
        (Chaos(drop_first=1), []),
    ],
)
def test_events_arrive_as_the_chaos_has_it(bench: DoubleBench, chaos: Chaos, expected: list[str]) -> None:
    bench.double.let_go_wrong(chaos)
    bench.pay(bench.payments.checkout(bench.intent()))
    assert _types(bench) == expected
    bench.clock.move(timedelta(seconds=5))
    assert sorted(set(_types(bench))) == sorted(PAID_TYPES)


def test_a_delivery_that_is_not_taken_comes_again_later_and_not_for_ever(bench: DoubleBench) -> None:
    tries: list[float] = []

    def refuse(_body: bytes, _headers: Mapping[str, str]) -> int:
        tries.append(bench.clock().timestamp())
        return 500

    bench.double.deliver = refuse
    bench.client.v1.customers.create({})
    for _ in range(40):
        bench.double.deliver_due()
        bench.clock.move(timedelta(hours=1))
    assert len(tries) == MOST_TRIES
    assert bench.client.v1.events.list({"delivery_success": False}).data[0].pending_webhooks == 1


def test_a_receiver_that_is_away_is_tried_again(bench: DoubleBench) -> None:
    def nobody(_body: bytes, _headers: Mapping[str, str]) -> int:
        raise ConnectionRefusedError

    bench.double.deliver = nobody
    bench.client.v1.customers.create({})
    assert bench.double.deliver_due() == 1
    bench.double.deliver = bench.receive
    assert _types(bench) == []
    bench.clock.move(timedelta(seconds=5))
    assert _types(bench) == ["customer.created"]


def test_a_receiver_may_call_the_double_while_it_is_told(bench: DoubleBench) -> None:
    depth, deepest = 0, 0

    def curious(_body: bytes, _headers: Mapping[str, str]) -> int:
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)
        bench.client.v1.events.list()
        bench.double.deliver_due()
        depth -= 1
        return 200

    bench.double.deliver = curious
    bench.pay(bench.payments.checkout(bench.intent()))
    assert bench.double.deliver_due() == 4
    assert deepest == 1


def test_in_the_demo_a_payer_comes_back_after_the_event() -> None:
    heard: list[str] = []

    def shop(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        size = int(environ["CONTENT_LENGTH"])
        body, headers = environ["wsgi.input"].read(size), {"Stripe-Signature": environ["HTTP_STRIPE_SIGNATURE"]}
        heard.append(payments.parse_webhook(body, headers, double.premises.clock()).provider_type)
        # Busy at first; the deliverer tries again at once.
        start_response("500 busy" if len(heard) == 1 else "200 OK", [])
        return [b""]

    double = create_double(
        None,
        public_url="http://shop.test/demo-bank/",
        secret="only for tests",
        deliver=to_application(shop, "/webhooks/stripe"),
        delivers_at_once=True,
    )
    payments = demo_payments(double)
    checkout = payments.checkout(factory.intent(double.premises.clock()))
    assert checkout.url == f"http://shop.test/demo-bank/pay/{checkout.session_id}"
    Client(double).post(f"/pay/{checkout.session_id}", data={"card": factory.PAYS})
    assert heard == ["payment_intent.created", *PAID_TYPES]
    double.close()


# What it remembers


def _check_out(folder: Path, top_up_id: UUID) -> str:
    """In a process of its own: open the same folder and ask for the same top-up."""
    double = create_double(folder, public_url="http://bank.test", secret="s", clock=MovableClock(factory.A_MOMENT))
    intent = factory.intent(factory.A_MOMENT, top_up_id=top_up_id)
    return demo_payments(double).checkout(intent).session_id


def test_processes_share_a_folder(tmp_path: Path) -> None:
    folder, top_up_id = tmp_path / "bank", UUID(int=7)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        opened = pool.starmap(_check_out, [(folder, top_up_id)] * 6, chunksize=1)
        pool.close()
        pool.join()
    assert set(opened) == {_check_out(folder, top_up_id)}


def test_the_folder_is_ours_alone_and_one_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    create_double(tmp_path / "new", public_url="http://bank.test", secret="s")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new" / "stripe-double.sqlite").stat().st_mode) == 0o600
    (tmp_path / "old").mkdir(mode=0o755)
    create_double(tmp_path / "old", public_url="http://bank.test", secret="s")
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o755


def test_what_fails_half_way_leaves_nothing(bench: DoubleBench) -> None:
    def fail_half_way() -> None:
        with bench.double.premises.store.working() as shelf:
            shelf.put("customer", "cus_half", {"id": "cus_half"})
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        bench.client.v1.customers.retrieve("cus_half")
