"""Checkout Sessions: one payment on a hosted page, from open to complete or expired."""

import secrets
from typing import Final

from schoolmeals.demo.stripe_double.bank import Bank, check_amount
from schoolmeals.demo.stripe_double.cards import CARD_BY_NUMBER, Outcome
from schoolmeals.demo.stripe_double.problems import ApiProblem
from schoolmeals.demo.stripe_double.shapes import Params
from schoolmeals.demo.stripe_double.store import Document

KIND: Final = "checkout.session"
_SHORTEST_S: Final = 30 * 60
_LONGEST_S: Final = 24 * 60 * 60


def create(bank: Bank, params: Params, page_url: str) -> Document:
    """Open a session. ``page_url`` is the address of the hosted pages, without a slash at its end."""
    if params.get("mode") != "payment" or params.get("ui_mode", "hosted_page") != "hosted_page":
        raise ApiProblem("The double only knows mode=payment and ui_mode=hosted_page", param="mode")
    if not params.get("success_url"):
        raise ApiProblem("Missing required param: success_url.", code="parameter_missing", param="success_url")
    expires_at = params.get("expires_at", bank.now_s + _LONGEST_S)
    if not bank.now_s + _SHORTEST_S <= expires_at <= bank.now_s + _LONGEST_S:
        raise ApiProblem("expires_at is not between 30 minutes and 24 hours from now.", param="expires_at")
    amount, currency = _total(params)
    if "customer" in params:
        bank.get("customer", params["customer"], "customer")
    session = bank.new(
        KIND,
        "cs_test",
        amount_subtotal=amount,
        amount_total=amount,
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        currency=currency,
        customer=params.get("customer"),
        customer_creation=params.get("customer_creation", "if_required"),
        expires_at=expires_at,
        locale=params.get("locale"),
        metadata=params.get("metadata", {}),
        mode="payment",
        payment_intent=None,
        payment_method_types=["card"],
        payment_status="unpaid",
        status="open",
        success_url=params["success_url"],
        ui_mode="hosted_page",
        _payment=params.get("payment_intent_data", {}),
        _title=params["line_items"][0]["price_data"]["product_data"]["name"],
    )
    # Whoever knows the id may pay, so it is as long as a password.
    session["id"] = f"cs_test_{secrets.token_urlsafe(32)}"
    session["url"] = f"{page_url}/{session['id']}"
    return bank.keep(session, due_s=expires_at)


def expire(bank: Bank, session: Document) -> Document:
    """Close an open session for good."""
    if session["status"] != "open":
        raise ApiProblem(f"This Session is {session['status']}; only an open one can be expired.", param="id")
    session.update(status="expired", url=None)
    bank.tell("checkout.session.expired", session)
    return bank.keep(session)


def expire_old(bank: Bank) -> None:
    """Close every session whose time is over."""
    for session in bank.shelf.due(KIND, bank.now_s):
        expire(bank, session)


def pay(bank: Bank, session: Document, number: str) -> ApiProblem | None:
    """Try a test card on an open session.

    None: paid, or else :func:`is_asking` now. A problem: declined, and another card may follow.
    """
    if session["status"] != "open":
        raise ApiProblem("This page is closed.", param="id")
    card = CARD_BY_NUMBER.get(number)
    if card is None:
        raise ApiProblem("Only test cards are known here.", code="incorrect_number", param="number")
    payment = _payment_of(bank, session)
    method = bank.keep(bank.new_method(card))
    if card.outcome is Outcome.DECLINES:
        problem = bank.decline(payment, method, card.decline_code)
        bank.keep(session, due_s=session["expires_at"])
        return problem
    if card.outcome in (Outcome.ASKS_ONCE, Outcome.ASKS_ALWAYS):
        payment.update(status="requires_action", payment_method=method["id"], next_action={"type": "use_stripe_sdk"})
        bank.tell("payment_intent.requires_action", payment)
        bank.keep(payment)
        bank.keep(session, due_s=session["expires_at"])
        return None
    _complete(bank, session, payment, method)
    return None


def is_asking(bank: Bank, session: Document) -> bool:
    """Whether the card's bank waits for the person to confirm (3-D Secure)."""
    if session["status"] != "open" or not session["payment_intent"]:
        return False
    return bool(bank.get("payment_intent", session["payment_intent"])["status"] == "requires_action")


def answer(bank: Bank, session: Document, *, confirmed: bool) -> ApiProblem | None:
    """The person's answer to the card's bank. A problem: not confirmed; another card may follow."""
    if not is_asking(bank, session):
        raise ApiProblem("Nothing is to be confirmed here.", param="id")
    payment = bank.get("payment_intent", session["payment_intent"])
    method = bank.get("payment_method", payment["payment_method"])
    if not confirmed:
        return bank.decline(payment, method, "payment_intent_authentication_failure")
    _complete(bank, session, payment, method)
    return None


def _complete(bank: Bank, session: Document, payment: Document, method: Document) -> None:
    if session["customer_creation"] == "always" and not session["customer"]:
        customer = bank.create_customer({})
        session["customer"] = payment["customer"] = customer["id"]
    bank.succeed(payment, method)
    session.update(status="complete", payment_status="paid", url=None)
    bank.tell("checkout.session.completed", session)
    bank.keep(session)


def _payment_of(bank: Bank, session: Document) -> Document:
    """The session's payment, made at the first attempt, as Stripe does."""
    if session["payment_intent"]:
        return bank.get("payment_intent", session["payment_intent"])
    asked = session["_payment"]
    payment = bank.new_payment(
        session["amount_total"],
        session["currency"],
        customer=session["customer"],
        description=asked.get("description"),
        metadata=asked.get("metadata", {}),
        setup_future_usage=asked.get("setup_future_usage"),
    )
    bank.tell("payment_intent.created", payment)
    session["payment_intent"] = payment["id"]
    return payment


def _total(params: Params) -> tuple[int, str]:
    """The sum and currency of the line items, which must name their prices themselves."""
    items = params.get("line_items") or []
    if not items:
        raise ApiProblem("You must provide line_items in payment mode.", code="parameter_missing", param="line_items")
    total = 0
    for index, item in enumerate(items):
        price = item.get("price_data", {})
        if "unit_amount" not in price or "name" not in price.get("product_data", {}):
            raise ApiProblem("The double only knows price_data", param=f"line_items[{index}][price_data]")
        total += price["unit_amount"] * item.get("quantity", 1)
    currencies = {item["price_data"]["currency"] for item in items}
    if len(currencies) != 1:
        raise ApiProblem("All prices must have the same currency.", param="line_items")
    check_amount(total, min(currencies), "line_items")
    return total, min(currencies)
