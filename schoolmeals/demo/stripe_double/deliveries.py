"""How events leave the double: signed, tried again until they are taken, and, when told so, in bad order.

A delivery is claimed in one transaction, sent outside of any, and marked in another one; so the receiver may call the
double's API while it is being told, and several processes may send at the same time without sending the same delivery
twice by design.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from schoolmeals.clock import Clock
from schoolmeals.demo.stripe_double.bank import Bank
from schoolmeals.demo.stripe_double.store import Document, Shelf, Store

Deliver = Callable[[bytes, Mapping[str, str]], int]
"""Takes an event's body and headers to its receiver and gives the HTTP status; raises OSError where nobody is there."""

MOST_TRIES: Final = 12
_FIRST_WAIT_S: Final = 5
_LONGEST_WAIT_S: Final = 3_600
_LEASE_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """What may go wrong between Stripe and us, all of it allowed by Stripe's own documentation.

    ``drop_first`` attempts of each delivery are lost, and tried again later. The next ``fail_after_commit`` API calls
    that write are done, but answered with 500. ``stale_by_s`` signs with a time that long ago (negative: in the
    future).
    """

    duplicate: bool = False
    reorder: bool = False
    delay_s: int = 0
    drop_first: int = 0
    fail_after_commit: int = 0
    stale_by_s: int = 0


def chaos_of(shelf: Shelf) -> Chaos:
    """What goes wrong at the moment."""
    return Chaos(**(shelf.get("chaos", "now") or {}))


def set_chaos(shelf: Shelf, chaos: Chaos) -> None:
    """Let this go wrong from now on, in every process that shares the store."""
    shelf.put("chaos", "now", asdict(chaos))


def enqueue(bank: Bank) -> None:
    """Write a delivery for each event of this step."""
    chaos = chaos_of(bank.shelf)
    for event in reversed(bank.events) if chaos.reorder else bank.events:
        for copy in range(2 if chaos.duplicate else 1):
            delivery = {"id": f"{event['id']}:{copy}", "event": event["id"], "tries": 0, "drops": chaos.drop_first}
            bank.shelf.put("delivery", delivery["id"], delivery, due_s=bank.now_s + chaos.delay_s)


def send_due(store: Store, deliver: Deliver, clock: Clock, secret: str) -> int:
    """Send what is due. Gives how many deliveries were tried; those that failed are due again later."""
    tried = 0
    while claimed := _claim(store, clock().timestamp()):
        delivery, event, chaos = claimed
        is_taken = False
        if delivery["drops"] == 0:
            is_taken = _is_taken(deliver, event, clock(), secret, chaos)
        _mark(store, delivery, clock().timestamp(), is_taken=is_taken)
        tried += 1
    return tried


def _claim(store: Store, now_s: float) -> tuple[Document, Document, Chaos] | None:
    with store.working() as shelf:
        for delivery in shelf.due("delivery", now_s)[:1]:
            shelf.put("delivery", delivery["id"], delivery, due_s=now_s + _LEASE_S)
            event = shelf.get("event", delivery["event"])
            assert event is not None
            return delivery, event, chaos_of(shelf)
    return None


def _is_taken(deliver: Deliver, event: Document, now: datetime, secret: str, chaos: Chaos) -> bool:
    body = json.dumps(event, ensure_ascii=False)
    try:
        status = deliver(body.encode(), signed(body, secret, int(now.timestamp()) - chaos.stale_by_s))
    except OSError:
        return False
    return 200 <= status < 300


def signed(body: str, secret: str, timestamp_s: int) -> dict[str, str]:
    """The headers of a webhook with ``body``."""
    import stripe  # Half a second: only once there is something to sign.

    signature = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp_s)
    return {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}


def _mark(store: Store, delivery: Document, now_s: float, *, is_taken: bool) -> None:
    with store.working() as shelf:
        if is_taken:
            shelf.remove("delivery", delivery["id"])
            _note_arrival(shelf, delivery["event"])
            return
        wait_s = min(_FIRST_WAIT_S * 4 ** delivery["tries"], _LONGEST_WAIT_S)
        delivery.update(tries=delivery["tries"] + 1, drops=max(delivery["drops"] - 1, 0))
        is_given_up = delivery["tries"] >= MOST_TRIES
        shelf.put("delivery", delivery["id"], delivery, due_s=None if is_given_up else now_s + wait_s)


def _note_arrival(shelf: Shelf, event_id: str) -> None:
    event = shelf.get("event", event_id)
    assert event is not None
    shelf.put("event", event_id, {**event, "pending_webhooks": 0})
