"""The double's payments, cards, payers and refunds: Stripe's state machines, as far as we use them.

A :class:`Bank` lives inside one transaction of the store. Its methods take parameters that :mod:`.shapes` has checked
and give Stripe's JSON objects; they raise ApiProblem. Each change writes the events that Stripe would send.
"""

import json
import secrets
from datetime import datetime
from typing import Any, Final

from schoolmeals.demo.stripe_double.cards import CARD_BY_NUMBER, CARD_BY_TOKEN, Outcome, TestCard
from schoolmeals.demo.stripe_double.problems import ApiProblem, missing
from schoolmeals.demo.stripe_double.shapes import Params
from schoolmeals.demo.stripe_double.store import Document, Shelf

LEAST_MINOR: Final = {"kzt": 25_000}
"""About half a US dollar, which is Stripe's least charge. Real: that of the settlement currency on the day."""
MOST_MINOR: Final = 99_999_999
CURRENCIES: Final = frozenset({"kzt", "usd", "eur", "gbp", "kgs", "uzs", "jpy"})

_DECLINES: Final = {
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "generic_decline": ("card_declined", "Your card was declined."),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
    "payment_intent_authentication_failure": (
        "payment_intent_authentication_failure",
        "We are unable to authenticate your payment method.",
    ),
}


class Bank:
    """The books of the double within one transaction. ``events`` gathers what was written to be sent."""

    def __init__(
        self, shelf: Shelf, now: datetime, *, api_version: str, request_id: str | None = None, key: str | None = None
    ) -> None:
        self.shelf = shelf
        self.now_s = int(now.timestamp())
        self.events: list[Document] = []
        self._api_version = api_version
        self._cause = {"id": request_id, "idempotency_key": key}

    def new(self, kind: str, prefix: str, **fields: Any) -> Document:
        """A new object with what every object of Stripe's has."""
        return {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": self.now_s,
            "livemode": False,
            **fields,
        }

    def keep(self, thing: Document, *, due_s: float | None = None) -> Document:
        """Write an object down as it is now."""
        self.shelf.put(thing["object"], thing["id"], thing, due_s=due_s)
        return thing

    def get(self, kind: str, object_id: str, param: str = "id") -> Document:
        """An object, or ApiProblem 404."""
        found = self.shelf.get(kind, object_id)
        if found is None:
            raise missing(kind, object_id, param)
        return found

    def tell(self, event_type: str, thing: Document) -> None:
        """Write an event with a snapshot of ``thing``."""
        event = self.new("event", "evt", type=event_type, api_version=self._api_version, pending_webhooks=1)
        event["request"] = self._cause
        event["data"] = {"object": json.loads(json.dumps(public(thing)))}
        self.events.append(self.keep(event))

    def create_customer(self, params: Params) -> Document:
        customer = self.new("customer", "cus", email=params.get("email"), metadata=params.get("metadata", {}))
        if "payment_method" in params:
            method = self.method(params["payment_method"])
            card = CARD_BY_NUMBER[method["_number"]]
            if not card.can_be_saved:
                raise declined(card.decline_code, {})
            self.keep({**method, "customer": customer["id"]})
        self.tell("customer.created", customer)
        return self.keep(customer)

    def list_methods(self, customer_id: str) -> Document:
        """The cards that a payer has let be saved."""
        self.get("customer", customer_id)
        cards = [public(card) for card in self.shelf.newest("payment_method") if card["customer"] == customer_id]
        url = f"/v1/customers/{customer_id}/payment_methods"
        return {"object": "list", "url": url, "data": cards, "has_more": False}

    def method(self, method_id: str) -> Document:
        """A payment method by its id, or a new one by the name of a ready-made one."""
        if method_id in CARD_BY_TOKEN:
            return self.keep(self.new_method(CARD_BY_TOKEN[method_id]))
        return self.get("payment_method", method_id, "payment_method")

    def new_method(self, card: TestCard) -> Document:
        """A payment method of a test card; not kept yet."""
        shown = {"brand": "visa", "last4": card.last4}
        return self.new("payment_method", "pm", type="card", card=shown, customer=None, _number=card.number)

    def create_payment(self, params: Params) -> Document:
        """A PaymentIntent, confirmed at once from a saved card: the one way in which we make them ourselves."""
        if not (params.get("confirm") and params.get("off_session") is True):
            raise ApiProblem("The double only knows payments with confirm=true and off_session=true", param="confirm")
        check_amount(params["amount"], params["currency"], "amount")
        customer = self.get("customer", params.get("customer", ""), "customer")
        method = self.method(params.get("payment_method", ""))
        if method["customer"] != customer["id"]:
            raise ApiProblem("The payment method does not belong to the customer.", param="payment_method")
        payment = self.new_payment(
            params["amount"],
            params["currency"],
            customer=customer["id"],
            description=params.get("description"),
            metadata=params.get("metadata", {}),
        )
        self.tell("payment_intent.created", payment)
        problem = _refusal_without_person(CARD_BY_NUMBER[method["_number"]], was_set_up=bool(method.get("_is_set_up")))
        if problem:
            raise self.decline(payment, method, problem)
        return self.succeed(payment, method)

    def new_payment(self, amount: int, currency: str, **fields: Any) -> Document:
        """A PaymentIntent that waits for a card; not kept yet."""
        payment = self.new(
            "payment_intent",
            "pi",
            amount=amount,
            amount_capturable=0,
            amount_received=0,
            canceled_at=None,
            capture_method="automatic_async",
            confirmation_method="automatic",
            currency=currency,
            last_payment_error=None,
            latest_charge=None,
            next_action=None,
            payment_method=None,
            payment_method_types=["card"],
            setup_future_usage=None,
            status="requires_payment_method",
        )
        payment["client_secret"] = f"{payment['id']}_secret_{secrets.token_hex(12)}"
        return {**payment, **fields}

    def succeed(self, payment: Document, method: Document) -> Document:
        """The money is there: a charge, and the payment has succeeded."""
        charge = self._charge(payment, method, status="succeeded")
        payment.update(
            status="succeeded",
            amount_received=payment["amount"],
            latest_charge=charge["id"],
            payment_method=method["id"],
            last_payment_error=None,
            next_action=None,
        )
        if payment["setup_future_usage"] == "off_session" and payment["customer"]:
            self.keep({**method, "customer": payment["customer"], "_is_set_up": True})
        self.tell("charge.succeeded", charge)
        self.tell("payment_intent.succeeded", payment)
        return self.keep(payment)

    def decline(self, payment: Document, method: Document, decline_code: str) -> ApiProblem:
        """The card is refused: a failed charge, and the payment wants another card. Gives the problem to answer."""
        code, message = _DECLINES[decline_code]
        charge = self._charge(payment, method, status="failed", failure_code=code, failure_message=message)
        payment.update(
            status="requires_payment_method",
            latest_charge=charge["id"],
            payment_method=None,
            next_action=None,
            last_payment_error={
                "type": "card_error",
                "code": code,
                "decline_code": decline_code,
                "message": message,
                "payment_method": public(method),
            },
        )
        self.keep(payment)
        self.tell("charge.failed", charge)
        self.tell("payment_intent.payment_failed", payment)
        return declined(decline_code, {"payment_intent": public(payment), "charge": charge["id"]})

    def create_refund(self, params: Params) -> Document:
        """Money back from a payment, up to what is left of it."""
        payment = self.get("payment_intent", params.get("payment_intent", ""), "payment_intent")
        if payment["status"] != "succeeded":
            raise ApiProblem("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
        charge = self.get("charge", payment["latest_charge"])
        left = charge["amount"] - charge["amount_refunded"]
        if left == 0:
            raise ApiProblem(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        amount = params.get("amount", left)
        if amount < 1:
            raise ApiProblem("Invalid positive integer", code="parameter_invalid_integer", param="amount")
        if amount > left:
            raise ApiProblem(
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
            )
        charge.update(amount_refunded=charge["amount_refunded"] + amount, refunded=amount == left)
        self.keep(charge)
        refund = self.new(
            "refund",
            "re",
            amount=amount,
            charge=charge["id"],
            currency=charge["currency"],
            metadata=params.get("metadata", {}),
            payment_intent=payment["id"],
            reason=params.get("reason"),
            status="succeeded",
        )
        # Alone among the objects, a refund does not say whether it is real money.
        del refund["livemode"]
        self.tell("charge.refunded", charge)
        self.tell("refund.created", refund)
        return self.keep(refund)

    def list_events(self, params: Params) -> Document:
        """The newest events first; ``delivery_success`` tells those that arrived from those that did not."""
        since = params.get("created", {})
        since = since if isinstance(since, dict) else {"gte": since, "lte": since}
        wanted = [event for event in self.shelf.newest("event") if _matches(event, params, since)]
        ids = [event["id"] for event in wanted]
        start = ids.index(params["starting_after"]) + 1 if params.get("starting_after") in ids else 0
        limit = min(max(params.get("limit", 10), 1), 100)
        page = wanted[start : start + limit]
        return {"object": "list", "url": "/v1/events", "data": page, "has_more": start + limit < len(wanted)}

    def _charge(self, payment: Document, method: Document, **fields: Any) -> Document:
        is_paid = fields["status"] == "succeeded"
        charge = self.new(
            "charge",
            "ch",
            amount=payment["amount"],
            amount_captured=payment["amount"] if is_paid else 0,
            amount_refunded=0,
            captured=is_paid,
            currency=payment["currency"],
            customer=payment["customer"],
            description=payment.get("description"),
            metadata=payment["metadata"],
            paid=is_paid,
            payment_intent=payment["id"],
            payment_method=method["id"],
            payment_method_details={"type": "card", "card": method["card"]},
            refunded=False,
            **fields,
        )
        return self.keep(charge)


def public(thing: Document) -> Document:
    """An object without the double's own notes, whose names begin with an underscore."""
    return {name: value for name, value in thing.items() if not name.startswith("_")}


def declined(decline_code: str, extra: Document) -> ApiProblem:
    """Stripe's card error, which it keeps under the idempotency key."""
    code, message = _DECLINES[decline_code]
    told = {**extra, "decline_code": decline_code}
    return ApiProblem(message, status=402, kind="card_error", code=code, is_kept=True, extra=told)


def check_amount(amount: int, currency: str, param: str) -> None:
    """Raise ApiProblem where Stripe would not take such a sum."""
    if currency not in CURRENCIES:
        raise ApiProblem(f"Invalid currency: {currency}", param="currency")
    if amount < LEAST_MINOR.get(currency, 50):
        raise ApiProblem("The amount is below the least that can be charged.", code="amount_too_small", param=param)
    if amount > MOST_MINOR:
        raise ApiProblem("The amount has more than eight digits.", code="amount_too_large", param=param)


def _refusal_without_person(card: TestCard, *, was_set_up: bool) -> str:
    """The decline code of a charge from a saved card while nobody is there to confirm it; empty: it goes through."""
    if card.outcome is Outcome.DECLINES:
        return card.decline_code
    if card.outcome is Outcome.ASKS_ALWAYS or (card.outcome is Outcome.ASKS_ONCE and not was_set_up):
        return "authentication_required"
    return ""


def _matches(event: Document, params: Params, since: Params) -> bool:
    created: int = event["created"]
    return bool(
        created >= since.get("gte", created)
        and created > since.get("gt", created - 1)
        and created <= since.get("lte", created)
        and created < since.get("lt", created + 1)
        and params.get("type", event["type"]) == event["type"]
        and params.get("delivery_success", event["pending_webhooks"] == 0) == (event["pending_webhooks"] == 0)
    )
