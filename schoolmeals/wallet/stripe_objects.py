"""Stripe's JSON objects read as ours. Pure: no network, and Stripe's SDK is not loaded."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from schoolmeals.money import MINOR_DIGITS, Money
from schoolmeals.wallet.payments import (
    EventKind,
    PaymentEvent,
    PaymentState,
    PaymentStatus,
    RefundStatus,
    SavedCard,
    SavedCharge,
)

_SESSION_STATUS: Final = {
    ("open", "unpaid"): PaymentStatus.OPEN,
    ("complete", "unpaid"): PaymentStatus.PROCESSING,
    ("complete", "paid"): PaymentStatus.PAID,
    ("expired", "unpaid"): PaymentStatus.EXPIRED,
}
_PAYMENT_STATUS: Final = {
    "succeeded": PaymentStatus.PAID,
    "processing": PaymentStatus.PROCESSING,
    "requires_capture": PaymentStatus.PROCESSING,
    "canceled": PaymentStatus.FAILED,
    "requires_payment_method": PaymentStatus.FAILED,
    "requires_action": PaymentStatus.FAILED,
}
REFUND_STATUS: Final = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.REFUNDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


def state_of_session(session: Mapping[str, Any]) -> PaymentState:
    """``session`` with its payment_intent expanded. An asynchronous failure shows only in the payment."""
    payment = session.get("payment_intent")
    status = _SESSION_STATUS.get((session["status"], session["payment_status"]), PaymentStatus.OPEN)
    if status is PaymentStatus.PROCESSING and payment and payment["status"] in ("requires_payment_method", "canceled"):
        status = PaymentStatus.FAILED
    minor = session["amount_total"]
    if status is PaymentStatus.PAID and payment:
        minor = payment["amount_received"]
    return PaymentState(
        session_id=session["id"],
        status=status,
        amount=money_of(minor, session["currency"]),
        top_up_id=_top_up_id(session),
        payment_ref=payment["id"] if payment else None,
        card=_card(payment) if payment else None,
    )


def state_of_payment(payment: Mapping[str, Any]) -> PaymentState:
    """A payment alone. On a page, a declined card is not the end: the payer may try another one."""
    status = _PAYMENT_STATUS.get(payment["status"], PaymentStatus.OPEN)
    if status is PaymentStatus.FAILED and _way(payment) == "checkout" and payment["status"] != "canceled":
        status = PaymentStatus.OPEN
    paid = status is PaymentStatus.PAID
    return PaymentState(
        session_id=payment["id"],
        status=status,
        amount=money_of(payment["amount_received"] if paid else payment["amount"], payment["currency"]),
        top_up_id=_top_up_id(payment),
        payment_ref=payment["id"],
        reason=_reason(payment.get("last_payment_error") or {}) if status is PaymentStatus.FAILED else "",
        card=_card(payment),
    )


def state_of_declined(charge: SavedCharge, answer: Any) -> PaymentState:
    """The failed payment that a declined card leaves behind, from the JSON of the error."""
    problem = (answer or {}).get("error", {})
    payment = problem.get("payment_intent") or {}
    return PaymentState(
        session_id=payment.get("id", ""),
        status=PaymentStatus.FAILED,
        amount=charge.amount,
        top_up_id=charge.top_up_id,
        payment_ref=payment.get("id"),
        reason=_reason(problem),
    )


def _reason(problem: Mapping[str, Any]) -> str:
    """The narrower of Stripe's two codes, in our spelling."""
    code = problem.get("decline_code") or problem.get("code") or "card-declined"
    if code == "generic_decline":
        code = "card_declined"
    return str(code).replace("_", "-")


def _card(payment: Mapping[str, Any]) -> SavedCard | None:
    if payment.get("setup_future_usage") != "off_session" or payment["status"] != "succeeded":
        return None
    payer, card = payment.get("customer"), payment.get("payment_method")
    return SavedCard(payer_ref=payer, card_ref=card) if payer and card else None


def event_of(event: Mapping[str, Any]) -> PaymentEvent:
    """A verified snapshot event. Raises the errors of a missing or odd field where it is not one."""
    if event["object"] != "event":
        raise ValueError("not a snapshot event")
    thing = event["data"]["object"]
    kind = _kind(event["type"], thing)
    read = _READERS.get(thing.get("object"), _no_ids) if kind is not EventKind.OTHER else _no_ids
    session_id, payment_ref, refund_ref, minor = read(thing)
    known = minor is not None and str(thing["currency"]).upper() in MINOR_DIGITS
    return PaymentEvent(
        id=event["id"],
        kind=kind,
        provider_type=event["type"],
        session_id=session_id,
        payment_ref=payment_ref,
        refund_ref=refund_ref,
        amount=money_of(minor, thing["currency"]) if minor is not None and known else None,
        top_up_id=_top_up_id(thing),
        occurred_at=instant_of(event["created"]),
    )


def _kind(event_type: str, thing: Mapping[str, Any]) -> EventKind:
    match event_type:
        case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
            return EventKind.PAID if thing["payment_status"] == "paid" else EventKind.OTHER
        case "checkout.session.async_payment_failed":
            return EventKind.FAILED
        case "checkout.session.expired":
            return EventKind.EXPIRED
        case "payment_intent.succeeded":
            return EventKind.PAID
        case "payment_intent.payment_failed" | "payment_intent.canceled" if _way(thing) == "saved":
            return EventKind.FAILED
        case "refund.created" | "refund.updated" if thing["status"] == "succeeded":
            return EventKind.REFUNDED
        case "refund.failed":
            return EventKind.REFUND_FAILED
        case _:
            return EventKind.OTHER


_Ids = tuple[str | None, str | None, str | None, int | None]


def _session_ids(session: Mapping[str, Any]) -> _Ids:
    return session["id"], session.get("payment_intent"), None, session["amount_total"]


def _payment_ids(payment: Mapping[str, Any]) -> _Ids:
    paid = payment["status"] == "succeeded"
    return payment["id"], payment["id"], None, payment["amount_received"] if paid else payment["amount"]


def _refund_ids(refund: Mapping[str, Any]) -> _Ids:
    return refund["payment_intent"], refund["payment_intent"], refund["id"], refund["amount"]


def _no_ids(_: Mapping[str, Any]) -> _Ids:
    return None, None, None, None


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], _Ids]]] = {
    "checkout.session": _session_ids,
    "payment_intent": _payment_ids,
    "refund": _refund_ids,
}


def _way(thing: Mapping[str, Any]) -> str:
    return str((thing.get("metadata") or {}).get("way", ""))


def _top_up_id(thing: Mapping[str, Any]) -> UUID | None:
    """Our own id on Stripe's object; None where somebody else made it, e.g. by hand in the dashboard."""
    written = (thing.get("metadata") or {}).get("top_up_id") or thing.get("client_reference_id")
    try:
        return UUID(written) if written else None
    except ValueError:
        return None


def money_of(minor: int | None, currency: str | None) -> Money:
    """Stripe's amount and lower-case currency. Stripe counts our currencies in the minor units of ISO 4217."""
    return Money(minor or 0, (currency or "").upper())


def instant_of(epoch_s: int) -> datetime:
    """Stripe's time, whole seconds since 1970, in UTC."""
    return datetime.fromtimestamp(epoch_s, UTC)
