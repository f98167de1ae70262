"""The port through which money comes in from a payment provider.

Words: a *checkout* is a page of the provider's on which a parent pays one top-up; a *charge* takes the money from a
card that the parent has saved; an *event* is what the provider tells us by webhook; a *state* is what its API answers
when asked. Every amount that is credited comes from a state, never from an event: an event only says where to look.

Here are no flask, no database and no provider: an adapter such as :mod:`schoolmeals.wallet.stripe_gateway` fills in
:class:`PaymentProvider`, and ``tests/wallet/test_payments_contract.py`` holds every adapter to what is promised here.

What a provider is told is kept small: no child's name, class or diet belongs in a ``description``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from schoolmeals.errors import N_, Conflict, Invalid, NotAllowed, NotFound, Unavailable
from schoolmeals.money import Money


class PaymentStatus(StrEnum):
    """How a payment stands at the provider. PAID, FAILED and EXPIRED are final."""

    OPEN = "open"
    """Nobody has paid yet; the page is still there."""
    PROCESSING = "processing"
    """The payer has done their part; the money is not certain yet."""
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


class EventKind(StrEnum):
    """What an event is about. OTHER is to be stored and answered with success, and needs nothing done."""

    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund-failed"
    OTHER = "other"


class RefundStatus(StrEnum):
    """How a refund stands. A pending one is settled by a later event."""

    PENDING = "pending"
    REFUNDED = "refunded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card kept at the provider, by the provider's own ids. We never see its number."""

    payer_ref: str
    card_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutIntent:
    """One top-up to be paid on the provider's page.

    ``top_up_id`` is the idempotency key, so all the other fields must come from the stored top-up and not from the
    clock of the retry. ``language`` is ``kk``, ``ru`` or ``en``. ``expires_at`` is between 30 minutes and 24 hours from
    now; leave some minutes for a retry. In ``return_url`` the provider may replace ``{CHECKOUT_SESSION_ID}``.
    ``payer_ref`` names a payer whom the provider knows from a :class:`SavedCard`.
    """

    top_up_id: UUID
    amount: Money
    description: str
    language: str
    return_url: str
    cancel_url: str
    expires_at: datetime
    save_card: bool = False
    payer_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A page that waits for a payer until ``expires_at`` (UTC)."""

    session_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCharge:
    """One top-up to be taken from a saved card without the payer being there. ``top_up_id`` is the idempotency key."""

    top_up_id: UUID
    amount: Money
    card: SavedCard
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentState:
    """What the provider's API says about one payment at this moment.

    ``amount`` is what was asked for while nothing is paid, and what was received once ``status`` is PAID.
    ``payment_ref`` is what :class:`RefundOrder` wants. ``reason`` is a kebab-case code where a charge failed, e.g.
    ``insufficient-funds`` or ``authentication-required`` (send the parent to a checkout), else empty. ``card`` is set
    when the payer let it be saved.
    """

    session_id: str
    status: PaymentStatus
    amount: Money
    top_up_id: UUID | None
    payment_ref: str | None
    reason: str = ""
    card: SavedCard | None = None

    def pays(self, top_up_id: UUID, amount: Money) -> bool:
        """Whether this is the whole payment of that top-up: the one question to ask before crediting."""
        return self.status is PaymentStatus.PAID and self.top_up_id == top_up_id and self.amount == amount


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Money to be sent back. ``refund_id`` is made by us and is the idempotency key."""

    refund_id: UUID
    payment_ref: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund as the provider keeps it."""

    refund_ref: str
    payment_ref: str
    status: RefundStatus
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvent:
    """A verified message from the provider. It may come twice, late, in any order, or not at all.

    ``id`` is the provider's and unique: store it, and a second copy is known. ``session_id`` is what to hand to
    :meth:`PaymentProvider.fetch`; it is set for PAID, FAILED, EXPIRED and the refund kinds. ``amount`` is what the
    event claims: good for a log, not for the ledger. ``top_up_id`` is None where the payment is not one of ours.
    """

    id: str
    kind: EventKind
    provider_type: str
    session_id: str | None
    payment_ref: str | None
    refund_ref: str | None
    amount: Money | None
    top_up_id: UUID | None
    occurred_at: datetime


class PaymentProvider(Protocol):
    """Five deeds. All but ``parse_webhook`` use the network: never call them inside a database transaction.

    Each may raise :class:`PaymentsUnavailable` (try again later with the same id) and :class:`PaymentIdReused`.
    """

    def checkout(self, intent: CheckoutIntent) -> Checkout:
        """Open a page for ``intent``. The same intent again gives the same checkout. Raises AmountRefused."""

    def charge_saved(self, charge: SavedCharge) -> PaymentState:
        """Take the money from a saved card. A declined card is a FAILED state with a reason, not an error.

        Raises AmountRefused, and PaymentNotFound where the provider no longer keeps the card.
        """

    def refund(self, order: RefundOrder) -> Refund:
        """Send money back. Raises RefundTooLarge beyond what is left of the payment, and PaymentNotFound."""

    def parse_webhook(self, body: bytes, headers: Mapping[str, str], now: datetime) -> PaymentEvent:
        """Verify and read a webhook's raw ``body``. Raises BadSignature, NotFresh and EventUnreadable.

        ``now`` may differ from the time of signing by 300 seconds, to either side.
        """

    def fetch(self, session_id: str) -> PaymentState:
        """Ask how the payment stands, by the ``session_id`` of a Checkout, PaymentState or PaymentEvent. Raises
        PaymentNotFound."""


class PaymentsUnavailable(Unavailable):
    """The provider did not answer, or not sensibly. What was asked may or may not have happened there; ask again with
    the same id."""

    def __init__(self, code: str = "payments-unavailable") -> None:
        super().__init__(
            code, N_("The payment service is not answering. No money was credited; try again in a few minutes.")
        )


class PaymentIdReused(Conflict):
    """The same id was sent before with other content."""

    def __init__(self) -> None:
        super().__init__(
            "payment-id-reused", N_("This payment was already started with other details. Start a new one.")
        )


class AmountRefused(Invalid):
    """The provider does not take such a sum."""

    def __init__(self) -> None:
        super().__init__(
            "payment-amount-refused", N_("The payment service does not take this sum. Choose another one.")
        )


class PaymentNotFound(NotFound):
    """The provider does not know such a payment, payer or card."""

    def __init__(self) -> None:
        super().__init__("payment-not-found", N_("The payment service does not know this payment. Start a new one."))


class RefundTooLarge(Conflict):
    """More than is left of the payment."""

    def __init__(self) -> None:
        super().__init__("refund-too-large", N_("This is more than is left of the payment. Choose a smaller sum."))


class BadSignature(NotAllowed):
    """A webhook that the provider did not sign with our secret."""

    def __init__(self) -> None:
        super().__init__("webhook-signature-bad", N_("The message is not signed with the secret that we share."))


class NotFresh(NotAllowed):
    """A webhook that was signed too long ago, or in the future: perhaps a replay, perhaps a wrong clock."""

    def __init__(self) -> None:
        super().__init__(
            "webhook-not-fresh", N_("The message was signed at another time. Check the clock and send it again.")
        )


class EventUnreadable(Invalid):
    """A webhook that is signed, but is not an event that we can read."""

    def __init__(self) -> None:
        super().__init__("webhook-unreadable", N_("The message is not an event of the kind that we expect."))
