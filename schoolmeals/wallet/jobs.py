"""What the worker does by itself for the wallet. Here the network is asked, outside of any transaction."""

from dataclasses import dataclass, field
from uuid import UUID

from schoolmeals.actors import SYSTEM
from schoolmeals.clock import Clock
from schoolmeals.database import reading, transaction
from schoolmeals.jobs import Task
from schoolmeals.wallet.actions import fail_top_up, settle_top_up
from schoolmeals.wallet.payments import PaymentNotFound, PaymentProvider, PaymentState, PaymentsUnavailable
from schoolmeals.wallet.queries import lost_top_ups
from schoolmeals.wallet.rules import PaymentOutcome, TopUpFacts
from schoolmeals.web import frame


@dataclass(slots=True)
class Reconciliation:
    """What looking up lost top-ups came to: their ids by outcome, and those that the provider did not answer for."""

    settled: list[UUID] = field(default_factory=list)
    failed: list[UUID] = field(default_factory=list)
    pending: list[UUID] = field(default_factory=list)
    unanswered: list[UUID] = field(default_factory=list)
    differing: list[UUID] = field(default_factory=list)
    """Paid with another sum, or under another top-up's name: somebody has to look."""


def reconcile_top_ups(payments: PaymentProvider, clock: Clock, *, provider: str = "stripe") -> Reconciliation:
    """Ask the provider about every pending top-up that is older than ten minutes, and do what the webhook should have.

    Needs an app context; call it every ten minutes. Running it twice at once, or beside the webhooks, changes nothing.
    """
    with reading(SYSTEM, clock()) as look:
        lost = lost_top_ups(look)
    found = Reconciliation()
    for top_up in lost:
        if top_up.provider_reference is None:
            _drop_unopened(top_up, clock, found)
            continue
        try:
            state = payments.fetch(top_up.provider_reference)
        except (PaymentsUnavailable, PaymentNotFound):
            found.unanswered.append(top_up.id)
            continue
        _note(found, top_up, state, clock, provider)
    return found


def _drop_unopened(top_up: TopUpFacts, clock: Clock, found: Reconciliation) -> None:
    """A top-up whose page was never shown to anybody cannot be paid once its page may no longer be asked for."""
    if top_up.may_still_be_opened(clock()):
        found.pending.append(top_up.id)
        return
    with transaction(SYSTEM, clock()) as work:
        fail_top_up(work, top_up.school_id, top_up.id, code="expired")
    found.failed.append(top_up.id)


def _note(found: Reconciliation, top_up: TopUpFacts, state: PaymentState, clock: Clock, provider: str) -> None:
    with transaction(SYSTEM, clock()) as work:
        outcome = settle_top_up(work, provider, state)
    ids = {
        PaymentOutcome.SETTLED: found.settled,
        PaymentOutcome.FAILED: found.failed,
        PaymentOutcome.IGNORED: found.pending,
        PaymentOutcome.AMOUNT_DIFFERS: found.differing,
        PaymentOutcome.UNKNOWN_TOP_UP: found.differing,
    }
    ids[outcome].append(top_up.id)


def reconcile() -> None:
    """Look up what webhooks may have missed, where the installation takes money by a hosted page."""
    here = frame()
    if here.payments is not None:
        reconcile_top_ups(here.payments, here.clock)


TASKS: tuple[Task, ...] = (Task("wallet.reconcile", reconcile, every="*/10 * * * *"),)
