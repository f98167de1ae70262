"""The double's API: the calls of Stripe's that we use, with their keys, versions, idempotency and errors."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from flask import Blueprint, Response, request

from schoolmeals.demo.stripe_double import deliveries, sessions
from schoolmeals.demo.stripe_double.bank import Bank, public
from schoolmeals.demo.stripe_double.premises import Premises
from schoolmeals.demo.stripe_double.problems import ApiProblem
from schoolmeals.demo.stripe_double.shapes import Params, checked, params_of
from schoolmeals.demo.stripe_double.store import Document, Shelf

KEYS_LAST_S: Final = 24 * 60 * 60
_LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON body; ``is_replayed`` says that the body was kept from an earlier call."""

    status: int
    body: Document
    is_replayed: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a deed gets: where it happens, checked parameters, and the id in the address, if any."""

    premises: Premises
    bank: Bank
    params: Params
    object_id: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its method and path, the SDK's TypedDict of its parameters, which of these the double acts on, and the
    deed.

    A parameter that the SDK knows and the double does not is refused aloud, so that no test passes because of silence.
    """

    method: str
    path: str
    shape: str
    understood: frozenset[str]
    do: Callable[[Asked], Document]


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


CALLS: Final = (
    Call(
        "POST",
        "/v1/checkout/sessions",
        "checkout.SessionCreateParams",
        _words(
            "allowed_payment_method_types cancel_url client_reference_id customer customer_creation expand expires_at "
            "line_items locale metadata mode payment_intent_data success_url ui_mode"
        ),
        lambda asked: sessions.create(asked.bank, asked.params, asked.premises.page_url),
    ),
    Call(
        "GET",
        "/v1/checkout/sessions/<object_id>",
        "checkout.SessionRetrieveParams",
        _words("expand"),
        lambda asked: asked.bank.get(sessions.KIND, asked.object_id),
    ),
    Call(
        "POST",
        "/v1/checkout/sessions/<object_id>/expire",
        "checkout.SessionExpireParams",
        _words("expand"),
        lambda asked: sessions.expire(asked.bank, asked.bank.get(sessions.KIND, asked.object_id)),
    ),
    Call(
        "POST",
        "/v1/payment_intents",
        "PaymentIntentCreateParams",
        _words(
            "allowed_payment_method_types amount confirm currency customer description expand metadata off_session "
            "payment_method"
        ),
        lambda asked: asked.bank.create_payment(asked.params),
    ),
    Call(
        "GET",
        "/v1/payment_intents/<object_id>",
        "PaymentIntentRetrieveParams",
        _words("expand"),
        lambda asked: asked.bank.get("payment_intent", asked.object_id),
    ),
    Call(
        "POST",
        "/v1/customers",
        "CustomerCreateParams",
        _words("email expand metadata payment_method"),
        lambda asked: asked.bank.create_customer(asked.params),
    ),
    Call(
        "GET",
        "/v1/customers/<object_id>",
        "CustomerRetrieveParams",
        _words("expand"),
        lambda asked: asked.bank.get("customer", asked.object_id),
    ),
    Call(
        "GET",
        "/v1/customers/<object_id>/payment_methods",
        "CustomerPaymentMethodListParams",
        frozenset(),
        lambda asked: asked.bank.list_methods(asked.object_id),
    ),
    Call(
        "POST",
        "/v1/refunds",
        "RefundCreateParams",
        _words("amount expand metadata payment_intent reason"),
        lambda asked: asked.bank.create_refund(asked.params),
    ),
    Call(
        "GET",
        "/v1/refunds/<object_id>",
        "RefundRetrieveParams",
        _words("expand"),
        lambda asked: asked.bank.get("refund", asked.object_id),
    ),
    Call(
        "GET",
        "/v1/events",
        "EventListParams",
        _words("created delivery_success limit starting_after type"),
        lambda asked: asked.bank.list_events(asked.params),
    ),
    Call(
        "GET",
        "/v1/events/<object_id>",
        "EventRetrieveParams",
        frozenset(),
        lambda asked: asked.bank.get("event", asked.object_id),
    ),
)


def blueprint(premises: Premises) -> Blueprint:
    """The routes of :data:`CALLS` on this premises."""
    api = Blueprint("api", __name__)
    for call in CALLS:
        api.add_url_rule(call.path, f"{call.method} {call.path}", _view(premises, call), methods=[call.method])
    return api


def _view(premises: Premises, call: Call) -> Callable[..., Response]:
    def view(object_id: str = "") -> Response:
        request_id = f"req_{secrets.token_hex(7)}"
        try:
            _check_caller(premises)
            answer = _run(premises, call, object_id, request_id)
        except ApiProblem as problem:
            answer = Answer(problem.status, problem.body)
        return _response(answer, request_id)

    return view


def _check_caller(premises: Premises) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), premises.api_key.encode()):
        raise ApiProblem("Invalid API Key provided", status=401)
    if request.headers.get("Stripe-Version", premises.api_version) != premises.api_version:
        raise ApiProblem(f"The double only speaks API version {premises.api_version}")


def _run(premises: Premises, call: Call, object_id: str, request_id: str) -> Answer:
    encoded = request.get_data(as_text=True) if call.method == "POST" else request.query_string.decode()
    key = request.headers.get("Idempotency-Key") if call.method == "POST" else None
    if key and len(key) > _LONGEST_KEY:
        raise ApiProblem("The idempotency key is too long.", kind="idempotency_error")
    print_of_call = hashlib.sha256(f"{call.method} {request.path}\n{encoded}".encode()).hexdigest()
    with premises.store.working() as shelf:
        now = premises.clock()
        kept = _kept(shelf, key, print_of_call, now.timestamp()) if key else None
        if kept is not None:
            return kept
        params = _understood(call, checked(params_of(encoded), call.shape))
        bank = Bank(shelf, now, api_version=premises.api_version, request_id=request_id, key=key)
        sessions.expire_old(bank)
        answer = _do(call, Asked(premises, bank, params, object_id))
        deliveries.enqueue(bank)
        if key:
            kept_body = {"print": print_of_call, "status": answer.status, "body": answer.body, "at_s": bank.now_s}
            shelf.put("key", key, kept_body)
        is_lost = call.method == "POST" and _loses_this_answer(shelf)
    if is_lost:
        return Answer(500, {"error": {"type": "api_error", "message": "The answer was lost on its way"}})
    return answer


def _kept(shelf: Shelf, key: str, print_of_call: str, now_s: float) -> Answer | None:
    """The answer that was given to this key before. Another call under the same key is refused."""
    kept = shelf.get("key", key)
    if kept is None or now_s - kept["at_s"] > KEYS_LAST_S:
        return None
    if kept["print"] != print_of_call:
        raise ApiProblem(
            "Keys for idempotent requests can only be used with the same parameters they were first used with.",
            kind="idempotency_error",
        )
    return Answer(kept["status"], kept["body"], is_replayed=True)


def _understood(call: Call, params: Params) -> Params:
    for name in params.keys() - call.understood:
        raise ApiProblem(f"The double does not act on {name}; teach it before you use it", param=name)
    return params


def _do(call: Call, asked: Asked) -> Answer:
    try:
        done = call.do(asked)
    except ApiProblem as problem:
        # A declined card is an outcome: it stays written. Everything else undoes the step.
        if not problem.is_kept:
            raise
        return Answer(problem.status, problem.body)
    return Answer(200, _expanded(asked.bank, public(done), asked.params.get("expand", [])))


def _expanded(bank: Bank, thing: Document, names: list[str]) -> Document:
    for name in names:
        if name != "payment_intent" or name not in thing:
            raise ApiProblem(f"This property cannot be expanded ({name}).", param="expand")
        if thing[name] is not None:
            thing = {**thing, name: public(bank.get("payment_intent", thing[name]))}
    return thing


def _loses_this_answer(shelf: Shelf) -> bool:
    chaos = deliveries.chaos_of(shelf)
    if chaos.fail_after_commit:
        deliveries.set_chaos(shelf, replace(chaos, fail_after_commit=chaos.fail_after_commit - 1))
    return chaos.fail_after_commit > 0


def _response(answer: Answer, request_id: str) -> Response:
    response = Response(json.dumps(answer.body, ensure_ascii=False), answer.status, mimetype="application/json")
    response.headers["Request-Id"] = request_id
    key = request.headers.get("Idempotency-Key")
    if key:
        response.headers["Idempotency-Key"] = key
    if answer.is_replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response
