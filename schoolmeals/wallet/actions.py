"""Deeds of the wallet: money on its way in, cash over the desk, a guardian's daily limit.

Everybody locks in one order: the top-up's row, the school's policy row, accounts of pupils, accounts of the school.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from schoolmeals import audit, identity, ledger, pupils
from schoolmeals.actors import Role
from schoolmeals.asking import Question, nothing
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict
from schoolmeals.ledger import Account
from schoolmeals.wallet.models import PaymentEventSeen, Purse
from schoolmeals.wallet.payments import PaymentEvent, PaymentState
from schoolmeals.wallet.purses import ensured_purses, lock_purses, locked_policy, school_accounts
from schoolmeals.wallet.rules import (
    PaymentOutcome,
    TopUpBounds,
    TopUpFacts,
    fill_movements,
    grace_used,
    named_top_up,
    payment_outcome,
    require_amount,
    require_grace_limit,
    require_limit,
    require_reversible,
)
from schoolmeals.wallet.top_ups import change, finding, lock_named, lock_top_up, write_once

_NEXT_RECEIPT: Final = "SELECT next_receipt_no FROM school_policy WHERE school_id = %(school_id)s FOR UPDATE"
_RECEIPT_GIVEN: Final = "UPDATE school_policy SET next_receipt_no = next_receipt_no + 1 WHERE school_id = %(school_id)s"


def start_top_up(
    work: Work,
    school_id: UUID,
    pupil_id: UUID,
    *,
    top_up_id: UUID,
    amount_minor: int,
    bounds: TopUpBounds,
    language: str,
) -> TopUpFacts:
    """Write down that a guardian wants to pay in ``amount_minor`` on the provider's page. No money moves.

    ``top_up_id`` is made by the caller: sent again with the same wish it gives what is stored, with another one it
    raises Conflict ``top-up-differs``. Raises NotFound for somebody else's pupil, Invalid for a sum out of bounds.
    """
    pupils.require_guardian(work, school_id, pupil_id)
    purse = ensured_purses(work, school_id, [pupil_id])[pupil_id]
    require_amount(amount_minor, bounds, purse.currency)
    is_new, top_up = write_once(
        work,
        school_id,
        top_up_id,
        purse_id=purse.id,
        amount_minor=amount_minor,
        currency=purse.currency,
        method="hosted-page",
        language=language,
    )
    _require_same_wish(top_up, pupil_id, amount_minor, "hosted-page")
    if is_new:
        _record(work, "wallet.start_top_up", top_up, {"amount": top_up.amount})
    return top_up


def keep_checkout(
    work: Work, school_id: UUID, top_up_id: UUID, *, provider: str, session_id: str, url: str
) -> TopUpFacts:
    """Store the page on which the provider lets a top-up be paid. The first page stays: raises Conflict for another."""
    top_up = lock_top_up(work, school_id, top_up_id)
    pupils.require_guardian(work, school_id, top_up.pupil_id)
    if top_up.provider_reference not in (None, session_id):
        raise Conflict("checkout-differs", N_("This payment already has a page of its own. Start a new one."))
    if top_up.checkout_url is None:
        change(work, top_up, provider=provider, provider_reference=session_id, checkout_url=url)
        _record(work, "wallet.keep_checkout", top_up, {"provider": provider, "provider_reference": session_id})
    return lock_top_up(work, school_id, top_up_id)


def settle_top_up(work: Work, provider: str, state: PaymentState) -> PaymentOutcome:
    """Do what the provider's answer about a payment calls for: fill the purse once, or note that the payment ended.

    ``state`` comes from the provider's API, never from an event. Any number of calls in any order come to the same.
    """
    top_up = named_top_up(lock_named(work, state.top_up_id), state)
    outcome = payment_outcome(top_up, state)
    if top_up is not None and outcome is PaymentOutcome.SETTLED:
        _settle(work, top_up, provider, state)
    elif top_up is not None and outcome is PaymentOutcome.FAILED:
        fail_top_up(work, top_up.school_id, top_up.id, code=state.reason or state.status.value)
    elif top_up is not None and outcome is PaymentOutcome.AMOUNT_DIFFERS:
        _record(work, "wallet.refuse_payment", top_up, {"wanted": top_up.amount, "paid": state.amount})
    return outcome


def record_payment_event(work: Work, provider: str, event: PaymentEvent, state: PaymentState | None) -> PaymentOutcome:
    """Hear an event of the provider, once. ``state`` is what its API answers about the event's payment, if it has one.

    Gives what came of it; for an event that was heard before, what came of it then.
    """
    outcome = settle_top_up(work, provider, state) if state is not None else PaymentOutcome.IGNORED
    top_up_id = state.top_up_id if state is not None else event.top_up_id
    stored = work.session.scalar(
        insert(PaymentEventSeen)
        .values(
            provider=provider,
            event_id=event.id,
            kind=event.kind.value,
            top_up_id=top_up_id,
            payload=_essentials(event),
            received_at=work.now,
            outcome=outcome.value,
        )
        .on_conflict_do_nothing()
        .returning(PaymentEventSeen.event_id)
    )
    if stored is None:
        known = select(PaymentEventSeen.outcome).where(
            PaymentEventSeen.provider == provider, PaymentEventSeen.event_id == event.id
        )
        return PaymentOutcome(work.session.scalars(known).one())
    audit.record(
        work,
        "wallet.record_payment_event",
        audit.Subject("top-up", top_up_id),
        {"provider": provider, "event_id": event.id, "kind": event.kind, "outcome": outcome},
    )
    return outcome


def refuse_webhook(work: Work, provider: str, code: str) -> None:
    """Note that somebody sent a webhook that the provider has not signed, or not lately. Nothing of it is kept."""
    audit.record(work, "wallet.refuse_webhook", audit.Subject("webhook"), {"provider": provider, "code": code})


def fail_top_up(work: Work, school_id: UUID, top_up_id: UUID, *, code: str) -> TopUpFacts:
    """Note that a top-up will not be paid, for the reason ``code``. One that has settled or failed stays as it is."""
    top_up = lock_top_up(work, school_id, top_up_id)
    if top_up.settled_at is not None or top_up.failed_at is not None:
        return top_up
    change(work, top_up, failed_at=work.now, failure_code=code)
    _record(work, "wallet.fail_top_up", top_up, {"code": code})
    return lock_top_up(work, school_id, top_up_id)


def take_cash(
    work: Work, school_id: UUID, pupil_id: UUID, *, top_up_id: UUID, amount_minor: int, bounds: TopUpBounds
) -> TopUpFacts:
    """Take cash over the school's desk and fill the purse at once, with the school's next receipt number.

    Numbers have no gaps: the policy row stays locked until the end of the deed. Same id and same wish give the same
    receipt; another wish raises Conflict ``top-up-differs``. Raises Invalid for a sum out of bounds.
    """
    identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE)
    pupils.pupil(work, school_id, pupil_id)
    receipt_no, known = _next_receipt(work, school_id, top_up_id)
    if known is not None:
        return _require_same_wish(known, pupil_id, amount_minor, "cash-desk")
    purse = lock_purses(work, school_id, [pupil_id])[pupil_id]
    require_amount(amount_minor, bounds, purse.money.currency)
    # The same id may be on its way in by the hosted page, which does not wait for this school's policy row.
    is_new, top_up = write_once(
        work,
        school_id,
        top_up_id,
        purse_id=purse.purse_id,
        amount_minor=amount_minor,
        currency=purse.money.currency,
        method="cash-desk",
        receipt_no=receipt_no,
        settled_at=work.now,
    )
    _require_same_wish(top_up, pupil_id, amount_minor, "cash-desk")
    assert is_new, "cash with this id was looked for under the lock"
    work.ask_last([Question(_RECEIPT_GIVEN, {"school_id": school_id}, nothing)])
    movements = fill_movements(purse, school_accounts(work, school_id).cash_desk, top_up.amount)
    ledger.post(work, school_id, [ledger.Entry(top_up_id, "cash-top-up", movements)])
    _record(work, "wallet.take_cash", top_up, {"amount": top_up.amount, "receipt_no": top_up.receipt_no})
    return top_up


def _next_receipt(work: Work, school_id: UUID, top_up_id: UUID) -> tuple[int, TopUpFacts | None]:
    """The school's next receipt number, locked, and the top-up with this id, if there is one already."""
    numbering = Question(_NEXT_RECEIPT, {"school_id": school_id}, lambda rows: rows[0][0] if rows else None)
    known = finding(school_id, top_up_id)
    work.ask(numbering, known)
    if numbering.answer is None:
        number = locked_policy(work, school_id).next_receipt_no
        work.ask(known)
        return number, known.answer
    return numbering.answer, known.answer


def reverse_cash(
    work: Work,
    school_id: UUID,
    top_up_id: UUID,
    *,
    reversal_id: UUID,
    reason: str,
    day_start: datetime,
    day_end: datetime,
) -> TopUpFacts:
    """Take a mistaken cash top-up back on the day it was taken (``day_start`` up to, without, ``day_end``).

    The receipt keeps its number. Raises Conflict ``already-reversed`` for another reversal, ``not-cash``, NotNow
    ``cash-day-over``, and Conflict ``top-up-spent`` where the money has been spent since.
    """
    identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE)
    top_up = lock_top_up(work, school_id, top_up_id)
    if top_up.reversal_id is not None:
        if (top_up.reversal_id, top_up.reversal_reason) == (reversal_id, reason):
            return top_up
        raise Conflict("already-reversed", N_("This cash top-up has already been taken back."))
    require_reversible(top_up, day_start=day_start, day_end=day_end)
    try:
        ledger.reverse(work, school_id, top_up_id, reversal_id=reversal_id, kind="cash-top-up-reversal")
    except Conflict as conflict:
        if conflict.code != "out-of-bounds":
            raise
        sentence = N_("The money has already been spent on meals, so the top-up cannot be taken back.")
        raise Conflict("top-up-spent", sentence) from conflict
    change(
        work,
        top_up,
        reversed_at=work.now,
        reversal_id=reversal_id,
        reversed_by=work.actor.id,
        reversal_reason=reason,
    )
    _record(work, "wallet.reverse_cash", top_up, {"reversal_id": reversal_id, "amount": top_up.amount}, reason=reason)
    return lock_top_up(work, school_id, top_up_id)


def set_limit(work: Work, school_id: UUID, pupil_id: UUID, limit_minor_day: int | None) -> None:
    """Let the pupil spend at most ``limit_minor_day`` on buffet items in a day; None for no limit. Set meals are always
    served. Raises NotFound for somebody else's pupil, Invalid for a limit that makes no sense.
    """
    pupils.require_guardian(work, school_id, pupil_id)
    require_limit(limit_minor_day)
    purse = lock_purses(work, school_id, [pupil_id])[pupil_id]
    work.session.execute(
        update(Purse)
        .where(Purse.school_id == school_id, Purse.id == purse.purse_id)
        .values(limit_minor_day=limit_minor_day)
    )
    audit.record(
        work,
        "wallet.set_limit",
        audit.Subject("purse", purse.purse_id),
        {"before_minor": purse.limit_minor_day, "after_minor": limit_minor_day},
        school_id=school_id,
        personal={"pupil_id": pupil_id},
    )


def set_grace_limit(work: Work, school_id: UUID, limit_minor: int, *, currency: str) -> None:
    """Let each pupil of a school have set meals of ``limit_minor`` in all that are paid later, from now on.

    For the city. The same number of statements however many purses there are. Where the school has no purse yet, it
    keeps its money in ``currency`` from now on. Raises Invalid for a limit that makes no sense, and Conflict
    ``grace-used`` where pupils have used more than that already: nothing is changed then.
    """
    identity.require_role_in(work, school_id, Role.CITY_ADMIN)
    require_grace_limit(limit_minor)
    # Who opens a purse locks the policy first, so there is no new one with the old limit.
    policy = locked_policy(work, school_id)
    before_minor = policy.grace_limit_minor
    try:
        ledger.set_bounds(work, school_id, "grace", floor_minor=None, ceiling_minor=limit_minor)
    except Conflict as conflict:
        raise grace_used(conflict.params, policy.currency) from conflict
    has_accounts = select(Account.id).where(Account.school_id == school_id).limit(1)
    if work.session.scalar(has_accounts) is None:
        policy.currency = currency
    policy.grace_limit_minor = limit_minor
    policy.changed_at = work.now
    work.session.flush()
    audit.record(
        work,
        "wallet.set_grace_limit",
        audit.Subject("school", school_id),
        {"before_minor": before_minor, "after_minor": limit_minor, "currency": policy.currency},
        school_id=school_id,
    )


def _settle(work: Work, top_up: TopUpFacts, provider: str, state: PaymentState) -> None:
    purse = lock_purses(work, top_up.school_id, [top_up.pupil_id])[top_up.pupil_id]
    clearing = school_accounts(work, top_up.school_id).provider_clearing
    entry = ledger.Entry(top_up.id, "top-up", fill_movements(purse, clearing, top_up.amount))
    ledger.post(work, top_up.school_id, [entry])
    change(work, top_up, settled_at=work.now, provider=provider, provider_reference=state.session_id)
    _record(
        work,
        "wallet.settle_top_up",
        top_up,
        {"amount": top_up.amount, "provider": provider, "payment_ref": state.payment_ref},
    )


def _require_same_wish(top_up: TopUpFacts, pupil_id: UUID, amount_minor: int, method: str) -> TopUpFacts:
    if not top_up.is_same_wish(pupil_id, amount_minor, method):
        raise Conflict("top-up-differs", N_("This top-up was already recorded with other details. Start a new one."))
    return top_up


def _record(work: Work, action: str, top_up: TopUpFacts, payload: dict[str, Any], **personal: object) -> None:
    audit.record(
        work,
        action,
        audit.Subject("top-up", top_up.id),
        payload,
        school_id=top_up.school_id,
        personal={"pupil_id": top_up.pupil_id, **personal},
    )


def _essentials(event: PaymentEvent) -> dict[str, Any]:
    """What is kept of an event: where it points and what it claims, nothing about the payer."""
    return {
        "type": event.provider_type,
        "session_id": event.session_id,
        "payment_ref": event.payment_ref,
        "refund_ref": event.refund_ref,
        "amount_minor": event.amount.minor if event.amount is not None else None,
        "currency": event.amount.currency if event.amount is not None else None,
        "occurred_at": event.occurred_at.isoformat(),
    }
