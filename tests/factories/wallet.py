"""Purses and money for tests. ``do`` is the fixture that runs one deed in a transaction of its own."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask.testing import FlaskClient
from sqlalchemy import func, select

from schoolmeals import ledger, wallet
from schoolmeals.actors import Actor, Role
from schoolmeals.database import Work
from schoolmeals.money import Money
from schoolmeals.wallet import TopUpBounds, TopUpFacts
from schoolmeals.wallet.payments import EventKind, PaymentEvent, PaymentState, PaymentStatus
from tests.factories.identity import OrganisationFactory, PersonFactory, actor_of
from tests.factories.pupils import GuardianshipFactory, PupilFactory

Do = Callable[..., Any]
"""The fixture ``do``."""
SCHOOL: Final = UUID(int=1)
OTHER_SCHOOL: Final = UUID(int=2)
KZT: Final = "KZT"
BOUNDS: Final = TopUpBounds(500_00, 100_000_00, 100_00)
CASH: Final = TopUpBounds(1_00, 100_000_00, 1_00)


def new_pupil(school_id: UUID = SCHOOL, **facts: Any) -> UUID:
    """The id of a pupil on the roll of a school, without a class, a card, a guardian or a purse."""
    pupil_id: UUID = PupilFactory.create(school_id=school_id, **facts).id
    return pupil_id


def pupil_with(work: Work, money_minor: int = 0, *, school_id: UUID = SCHOOL) -> UUID:
    """A new pupil whose purse holds ``money_minor``."""
    pupil_id = new_pupil(school_id)
    put_in(work, pupil_id, money_minor, school_id=school_id)
    return pupil_id


def put_in(work: Work, pupil_id: UUID, amount_minor: int, *, school_id: UUID = SCHOOL) -> None:
    """Put cash into a purse by the books alone, without a receipt and without repaying anything."""
    purse = wallet.lock_purses(work, school_id, [pupil_id])[pupil_id]
    accounts = wallet.school_accounts(work, school_id)
    if amount_minor:
        movement = ledger.Movement(accounts.cash_desk, purse.money.id, Money(amount_minor, KZT))
        ledger.post(work, school_id, [ledger.Entry(uuid4(), "top-up", (movement,))])


def balances(work: Work, pupil_id: UUID, *, school_id: UUID = SCHOOL) -> tuple[int, int]:
    """What is in the purse, and what grace has lent, in minor units."""
    purse = wallet.lock_purses(work, school_id, [pupil_id])[pupil_id]
    return purse.money.balance_minor, purse.grace.balance_minor


def eat(
    work: Work, pupil_id: UUID, total_minor: int, *, school_id: UUID = SCHOOL, entry_id: UUID | None = None
) -> UUID:
    """Pay a set meal from purse, grace and courtesy fund, as the till does, and give the entry's id."""
    purse = wallet.lock_purses(work, school_id, [pupil_id])[pupil_id]
    accounts = wallet.school_accounts(work, school_id)
    shares = wallet.waterfall(
        total_minor,
        money_minor=purse.money.balance_minor,
        grace_left_minor=purse.grace_left_minor,
        may_use_grace=True,
    )
    assert shares is not None
    entry = ledger.Entry(entry_id or uuid4(), "sale", wallet.charge_movements(shares, purse, accounts, KZT))
    ledger.post(work, school_id, [entry])
    return entry.id


@dataclass(frozen=True, slots=True)
class Family:
    """A pupil with a guardian, and somebody in the office of the pupil's school."""

    school_id: UUID
    pupil_id: UUID
    parent: Actor
    office: Actor


def money_of(do: Do, family: Family) -> tuple[int, int]:
    """What is in the family's purse, and what grace has lent, in minor units."""
    found: tuple[int, int] = do(balances, family.pupil_id, school_id=family.school_id)
    return found


def count(do: Do, model: Any) -> int:
    """How many rows a table has."""
    found: int = do(lambda work: work.session.scalar(select(func.count()).select_from(model)))
    return found


def new_family() -> Family:
    """A school of its own with one pupil, one guardian and one person in the office."""
    school_id = OrganisationFactory.create().id
    pupil_id = new_pupil(school_id)
    parent = PersonFactory.create(roles=[(Role.PARENT, school_id)])
    office = PersonFactory.create(roles=[(Role.SCHOOL_OFFICE, school_id)])
    GuardianshipFactory.create(school_id=school_id, pupil_id=pupil_id, person_id=parent.id)
    return Family(
        school_id,
        pupil_id,
        actor_of(parent.id, (Role.PARENT, school_id)),
        actor_of(office.id, (Role.SCHOOL_OFFICE, school_id)),
    )


def start(work: Work, family: Family, *, top_up_id: UUID, amount_minor: int = 5_000_00) -> TopUpFacts:
    """A top-up by the provider's page that its guardian has asked for."""
    return wallet.start_top_up(
        work,
        family.school_id,
        family.pupil_id,
        top_up_id=top_up_id,
        amount_minor=amount_minor,
        bounds=BOUNDS,
        language="kk",
    )


def paid(top_up_id: UUID | None, amount_minor: int = 5_000_00, **changes: Any) -> PaymentState:
    """What the provider answers about a payment that came in."""
    state = PaymentState(
        session_id="cs_1",
        status=PaymentStatus.PAID,
        amount=Money(amount_minor, KZT),
        top_up_id=top_up_id,
        payment_ref="pi_1",
    )
    return replace(state, **changes)


def event(number: int, top_up_id: UUID | None, kind: EventKind = EventKind.PAID, **changes: Any) -> PaymentEvent:
    """An event of the provider about a top-up."""
    heard = PaymentEvent(
        id=f"evt_{number}",
        kind=kind,
        provider_type="checkout.session.completed",
        session_id="cs_1",
        payment_ref="pi_1",
        refund_ref=None,
        amount=Money(5_000_00, KZT),
        top_up_id=top_up_id,
        occurred_at=datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
    )
    return replace(heard, **changes)


def csrf_token(client: FlaskClient, path: str) -> str:
    """The token that the forms of a page carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None, f"{path} has no form"
    return found[1]
