"""Sending a parent to the provider's page: what the page's door and the API's door have in common.

First the wish is committed, then the provider is asked, outside of any transaction and with the top-up's id as its
idempotency key, then the page's address is committed. Whoever falls over in between goes on by sending the same again.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask import url_for

from schoolmeals import identity
from schoolmeals.actors import SYSTEM
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, NotFound, NotNow, Unavailable
from schoolmeals.keys import derive_key, keyed_hash
from schoolmeals.wallet.actions import (
    fail_top_up,
    keep_checkout,
    record_payment_event,
    refuse_webhook,
    start_top_up,
)
from schoolmeals.wallet.payments import (
    AmountRefused,
    BadSignature,
    CheckoutIntent,
    EventUnreadable,
    NotFresh,
    PaymentEvent,
    PaymentIdReused,
    PaymentNotFound,
    PaymentProvider,
    PaymentState,
)
from schoolmeals.wallet.queries import is_event_known
from schoolmeals.wallet.rules import CHECKOUT_SPAN, PaymentOutcome, TopUpBounds, TopUpFacts, TopUpStage
from schoolmeals.web import actor, caller_address, frame, language, now, public_base, settings

PROVIDER: Final = "stripe"
_DESCRIPTIONS: Final = {"kk": "Мектеп асы", "ru": "Школьное питание", "en": "School meals"}
"""In the language of the page, not of whoever retries."""
_TRIES: Final = 10
_PER: Final = timedelta(minutes=10)
_BLOCK: Final = timedelta(minutes=10)


def payments() -> PaymentProvider:
    """The provider of this installation. Raises Unavailable where only the cash desk takes money."""
    provider: PaymentProvider | None = frame().payments
    if provider is None:
        raise Unavailable(
            "card-top-up-off", N_("Paying by card is not open here yet. Top up at the school's cash desk.")
        )
    return provider


def bounds() -> TopUpBounds:
    """Which sums this installation lets parents pay in."""
    here = settings()
    return TopUpBounds(here.top_up_min_minor, here.top_up_max_minor, here.top_up_step_minor)


def cash_bounds() -> TopUpBounds:
    """Which sums the cash desk takes: whole tenge, up to the same most."""
    return TopUpBounds(100, settings().top_up_max_minor, 100)


def send_to_checkout(school_id: UUID, pupil_id: UUID, *, top_up_id: UUID, amount_minor: int) -> TopUpFacts:
    """The top-up with its page at the provider, made once for each id. Raises TooMany, and whatever the wish, the
    provider or the rules refuse it for.
    """
    with transaction(actor(), now()) as work:
        refused = identity.spend_attempt(
            work, "top-up", _limit_key("top-up", actor().id), limit=_TRIES, per=_PER, block=_BLOCK
        )
        top_up = None
        if refused is None:
            top_up = start_top_up(
                work,
                school_id,
                pupil_id,
                top_up_id=top_up_id,
                amount_minor=amount_minor,
                bounds=bounds(),
                language=language(),
            )
        # Only now, so that a stranger learns nothing but that there is no such pupil; nothing is committed.
        provider = payments()
    if refused is not None:
        raise identity.too_many(refused)
    assert top_up is not None
    if top_up.checkout_url is not None or top_up.stage is not TopUpStage.PENDING:
        return top_up
    return _open_page(provider, top_up)


def receive_webhook(provider_name: str, body: bytes, headers: dict[str, str]) -> PaymentOutcome | None:
    """Hear a webhook: verify it, ask the provider how the payment stands, then do what that calls for, once.

    Gives None for an event that was heard before. Raises BadSignature, NotFresh and EventUnreadable, of which the audit
    log keeps no more than that they came, and PaymentsUnavailable, so that the provider sends the event again.
    """
    if provider_name != PROVIDER or frame().payments is None:
        raise NotFound
    provider = payments()
    try:
        event = provider.parse_webhook(body, headers, now())
    except (BadSignature, NotFresh, EventUnreadable) as refusal:
        _note_refused(provider_name, refusal.code)
        raise
    with reading(SYSTEM, now()) as look:
        if is_event_known(look, provider_name, event.id):
            return None
    state = _state_of(provider, event)
    with transaction(SYSTEM, now()) as work:
        return record_payment_event(work, provider_name, event, state)


def _note_refused(provider_name: str, code: str) -> None:
    """Whoever knocks without end is noted now and then, so that nobody can fill the log from outside."""
    with transaction(actor(), now()) as work:
        key = _limit_key("webhook", caller_address())
        if identity.spend_attempt(work, "webhook", key, limit=_TRIES, per=_PER, block=_BLOCK) is None:
            refuse_webhook(work, provider_name, code)


def _open_page(provider: PaymentProvider, top_up: TopUpFacts) -> TopUpFacts:
    if not top_up.may_still_be_opened(now()):
        raise NotNow("top-up-too-old", N_("This payment was started too long ago. Start a new one."))
    try:
        checkout = provider.checkout(_intent(top_up))
    except (AmountRefused, PaymentIdReused) as refusal:
        with transaction(actor(), now()) as work:
            fail_top_up(work, top_up.school_id, top_up.id, code=refusal.code)
        raise
    with transaction(actor(), now()) as work:
        return keep_checkout(
            work,
            top_up.school_id,
            top_up.id,
            provider=PROVIDER,
            session_id=checkout.session_id,
            url=checkout.url,
        )


def _intent(top_up: TopUpFacts) -> CheckoutIntent:
    """Made of what is stored alone, so that a retry asks for the very same page. It names no child."""
    path = url_for("wallet.show_top_up", school_id=top_up.school_id, pupil_id=top_up.pupil_id, top_up_id=top_up.id)
    back = public_base() + path
    return CheckoutIntent(
        top_up_id=top_up.id,
        amount=top_up.amount,
        description=_DESCRIPTIONS.get(top_up.language or "", _DESCRIPTIONS["en"]),
        language=top_up.language or "en",
        return_url=f"{back}?back=paid",
        cancel_url=f"{back}?back=left",
        expires_at=_whole_seconds(top_up.intended_at) + CHECKOUT_SPAN,
    )


def hosted_page(url: str) -> str:
    """Where to send the payer. The demo's own bank stands on this very site, whatever name it is reached by."""
    own = settings().base_url.rstrip("/")
    return url.removeprefix(own) if settings().demo and url.startswith(f"{own}/") else url


def _whole_seconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)


def _state_of(provider: PaymentProvider, event: PaymentEvent) -> PaymentState | None:
    if event.session_id is None:
        return None
    try:
        return provider.fetch(event.session_id)
    except PaymentNotFound:
        return None


def _limit_key(purpose: str, who: object) -> bytes:
    return keyed_hash(derive_key(settings().secret_key, "attempts"), f"{purpose} {who}")
