"""Ringing up. A tap is a batch of one: the live till, the offline till and a storm of replays go the same way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals import audit, identity, ledger, pupils, wallet
from schoolmeals.actors import Role
from schoolmeals.asking import Question, these
from schoolmeals.canteen.gathering import (
    Eaten,
    Ground,
    Known,
    KnownSale,
    PurseBook,
    Tap,
    eaten_by,
    facts_of,
    known_taps,
    queue_at_till,
    service_day,
    shown,
)
from schoolmeals.canteen.models import Sale, SaleLine
from schoolmeals.canteen.offers import OfferLooking
from schoolmeals.canteen.orders import REFUSED, SERVED, Answer, AnswerItem, Order
from schoolmeals.canteen.rules import ENJOY, NOT_KEPT, Decision, ItemFacts, TapFacts, decide, refusal_of
from schoolmeals.database import Work, insertion, rows_of
from schoolmeals.errors import NotFound
from schoolmeals.verdicts import Refused

MAX_ORDERS: Final = 200
_SALE: Final = (
    "id",
    "seq",
    "pupil_id",
    "card_id",
    "sitting_id",
    "menu_version",
    "service_day",
    "tapped_at",
    "verdict",
    "code",
    "facts",
    "warnings",
    "decisions",
    "declined",
    "total_minor",
    "money_minor",
    "grace_minor",
    "courtesy_minor",
    "currency",
    "entry_id",
    "content_hash",
)
_LINE: Final = ("sale_id", "line", "menu_item_id", "is_set_meal", "quantity", "price_minor", "contract_item_id")
ALMATY: Final = ZoneInfo("Asia/Almaty")
"""Kazakhstan has had one time zone since 1 March 2024."""


@dataclass(slots=True)
class _Plan:
    """What a batch will write."""

    entries: list[ledger.Entry] = field(default_factory=list)
    sales: list[tuple[Any, ...]] = field(default_factory=list)
    lines: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[audit.NewEvent] = field(default_factory=list)


def ring_up(
    work: Work,
    orders: Sequence[Order],
    *,
    device: identity.DeviceFacts | None = None,
    zone: ZoneInfo = ALMATY,
    standing: Question[bool] | None = None,
) -> list[Answer]:
    """Answer up to 200 orders of one till, each in its turn, and write what was sold and what was refused.

    The actor is the till's device. The number of SQL statements does not depend on the number of orders. An order whose
    id is known gets its stored answer again (``replayed``), also a refused one; with other content it gets ``E04`` and
    nothing changes. Orders never stop each other. ``zone`` is where school days begin and end. ``standing`` is asked
    beside everything else where ``device`` was remembered; raises TillChanged where that is no longer true.
    """
    assert 0 < len(orders) <= MAX_ORDERS, "a batch has 1 to 200 orders"
    if (device_id := work.actor.id) is None:
        raise NotFound
    till = device or identity.device_of(work, device_id)
    ground, known = _ground(work, till, orders, zone, standing)
    plan = _Plan()
    answers = [_answer(ground, plan, known, order) for order in orders]
    _write(work, ground, plan)
    return answers


def _ground(
    work: Work,
    till: identity.DeviceFacts,
    orders: Sequence[Order],
    zone: ZoneInfo,
    standing: Question[bool] | None,
) -> tuple[Ground, Known]:
    """One round trip: behind the till's queue what stands still, then the purses, and what is known under their locks.

    Only under the locks is it certain what the purses hold and what their pupils have had.
    """
    days = {service_day(order, work.now, zone) for order in orders}
    look = _Look(work, orders, days)
    work.ask(*([standing] if standing else ()), *look.questions)
    if standing is not None and not standing.answer:
        raise identity.TillChanged
    ground = look.ground(work, till, zone)
    known = look.known.answer
    fresh = [order for order in orders if order.id not in known.sales]
    ground.may_decide_medically = _may_decide_medically(work, till, fresh)
    _look_under_locks(work, ground, look, fresh, days)
    _remember_eaters(work, ground, known)
    return ground, known


class _Look:
    """Everything that a batch asks before it is decided, in the order in which it is asked."""

    def __init__(self, work: Work, orders: Sequence[Order], days: set[date]) -> None:
        school_id, device_id = work.actor.school_id, work.actor.id
        if school_id is None or device_id is None:
            raise NotFound
        self.school_id, self.device_id = school_id, device_id
        numbers = [order.number_hash for order in orders if order.number_hash is not None]
        ids = [order.pupil_id for order in orders if order.pupil_id is not None]
        self.accounts = wallet.school_accounts(work, school_id, queue_at_till(device_id))
        self.known = known_taps(school_id, device_id, orders)
        self.cards, self.people = pupils.till_questions(school_id, numbers, ids)
        self.offers = OfferLooking(school_id, {order.sitting_id for order in orders}, days)
        self.purses = wallet.PurseLocking(school_id, pupils.NAMED)
        self.eaten = eaten_by(school_id, pupils.NAMED, days)

    @property
    def questions(self) -> tuple[Question[Any], ...]:
        """All of them."""
        still = (self.known, self.cards, self.people, self.offers.question)
        return (queue_at_till(self.device_id), *still, *self.purses.questions, self.eaten)

    def ground(self, work: Work, till: identity.DeviceFacts, zone: ZoneInfo) -> Ground:
        """What was found, but for the purses."""
        return Ground(
            self.school_id,
            self.device_id,
            work.now,
            zone,
            is_till_known=till.school_id == self.school_id and till.revoked_at is None,
            may_decide_medically=False,
            people=pupils.TillFacts(self.cards.answer, self.people.answer),
            accounts=self.accounts,
            offers=self.offers.offers(work),
        )


def _look_under_locks(work: Work, ground: Ground, look: _Look, fresh: Sequence[Order], days: set[date]) -> None:
    """The purses and what their pupils have had. Asked once more where a purse must be opened first, or a card has
    changed hands since it was looked up.
    """
    eaters = {pupil.id for order in fresh if (pupil := ground.pupil_of(order)) is not None}
    purses, eaten = look.purses.answer, look.eaten
    if not eaters <= purses.keys():
        eaten = eaten_by(ground.school_id, these(eaters), days)
        purses = wallet.lock_purses_and(work, ground.school_id, eaters, eaten)
    ground.purses = {
        id: PurseBook(state, state.money.balance_minor, state.grace_left_minor) for id, state in purses.items()
    }
    ground.eaten = eaten.answer


def _remember_eaters(work: Work, ground: Ground, known: Known) -> None:
    """Who ate in what was answered before is shown again, also where the order does not name them any more."""
    missing = {sale.pupil_id for sale in known.sales.values() if sale.pupil_id} - ground.people.pupils.keys()
    if missing:
        more = pupils.till_facts(work, ground.school_id, number_hashes=[], pupil_ids=sorted(missing))
        ground.people = pupils.TillFacts(ground.people.cards, {**ground.people.pupils, **more.pupils})


def _may_decide_medically(work: Work, till: identity.DeviceFacts, orders: Sequence[Order]) -> bool:
    """Whether the person at the till belongs to the school office; asked only where somebody so decides."""
    wanted = any(one.code == "A40" for order in orders for one in order.decisions)
    if not wanted or till.cashier_id is None:
        return False
    return identity.holds_role(work, till.cashier_id, till.school_id, Role.SCHOOL_OFFICE)


def _answer(ground: Ground, plan: _Plan, known: Known, order: Order) -> Answer:
    content_hash = order.content_hash(ground.device_id)
    if (before := known.sales.get(order.id)) is not None:
        return _answer_again(ground, plan, before, content_hash)
    tap = ground.meet(order)
    facts = facts_of(ground, tap, is_sequence_free=order.seq not in known.tap_of_seq)
    decision = decide(facts)
    answer = _told(ground, tap, decision)
    if decision.refused is not None and decision.refused.code in NOT_KEPT:
        return answer
    shares = _charge(ground, plan, tap, facts, decision)
    _keep(ground, plan, tap, decision, answer, shares, content_hash)
    known.sales[order.id] = KnownSale(content_hash, answer, answer.pupil.id if answer.pupil else None)
    known.tap_of_seq[order.seq] = order.id
    return answer


def _answer_again(ground: Ground, plan: _Plan, before: KnownSale, content_hash: bytes) -> Answer:
    answer = before.answer.again()
    if before.content_hash != content_hash:
        subject = audit.Subject("sale", answer.tap_id)
        told = {"device_id": ground.device_id}
        plan.events.append(audit.NewEvent("canteen.refuse_other_content", subject, told, ground.school_id))
        refused = refusal_of("E04", {})
        return Answer(answer.tap_id, REFUSED, refused.code, refused.sentence, ground.now)
    pupil = ground.people.pupils.get(before.pupil_id) if before.pupil_id else None
    return answer.shown_with(shown(pupil)) if pupil and answer.pupil is None else answer


def _told(ground: Ground, tap: Tap, decision: Decision) -> Answer:
    refused = decision.refused
    return Answer(
        tap_id=tap.order.id,
        verdict=SERVED if refused is None else REFUSED,
        code=None if refused is None else refused.code,
        sentence=ENJOY if refused is None else refused.sentence,
        recorded_at=ground.now,
        pupil=shown(tap.pupil) if tap.pupil and ground.is_till_known else None,
        items=_as_answered(decision.served),
        declined=_as_answered(decision.declined),
        warnings=decision.warnings,
        facts={} if refused is None else dict(refused.facts),
    )


def _as_answered(items: Sequence[ItemFacts]) -> tuple[AnswerItem, ...]:
    return tuple(AnswerItem(item.menu_item_id, item.quantity, item.is_set_meal) for item in items)


def _charge(ground: Ground, plan: _Plan, tap: Tap, facts: TapFacts, decision: Decision) -> wallet.Shares:
    """Take what was served from the purse, grace and the courtesy fund, and remember that it was eaten."""
    order, pupil = tap.order, tap.pupil
    if decision.refused is not None or pupil is None:
        return wallet.Shares(0)
    book = ground.purses[pupil.id]
    shares = _shares(book, facts, decision)
    book.money_minor -= shares.money_minor
    book.grace_left_minor -= shares.grace_minor
    movements = wallet.charge_movements(shares, book.state, ground.accounts, book.state.money.currency)
    if movements:
        plan.entries.append(ledger.Entry(order.id, "sale", movements))
    ground.eaten.setdefault(pupil.id, []).append(
        Eaten(
            tap.day,
            order.sitting_id,
            tap.card.id if tap.card else None,
            ground.device_id,
            order.tapped_at,
            sum(item.quantity for item in decision.served if item.is_set_meal),
            sum(item.total_minor for item in decision.served if not item.is_set_meal),
        )
    )
    return shares


def _shares(book: PurseBook, facts: TapFacts, decision: Decision) -> wallet.Shares:
    """Who pays: for the first set meal purse, grace, courtesy; for the rest the purse, as the rules made sure."""
    first = facts.first_portion
    meal = wallet.waterfall(
        first.price_minor if first else 0,
        money_minor=book.money_minor,
        grace_left_minor=book.grace_left_minor,
        may_use_grace=True,
    )
    assert meal is not None, "a set meal is always paid by somebody"
    extras = sum(item.total_minor for item in decision.served) - (first.price_minor if first else 0)
    return wallet.Shares(meal.money_minor + extras, meal.grace_minor, meal.courtesy_minor)


def _keep(
    ground: Ground,
    plan: _Plan,
    tap: Tap,
    decision: Decision,
    answer: Answer,
    shares: wallet.Shares,
    content_hash: bytes,
) -> None:
    plan.sales.append(_sale_row(ground, tap, answer, shares, content_hash))
    plan.lines += [_line_row(tap.order.id, line, item) for line, item in enumerate(decision.served)]
    plan.events.append(_event(ground.school_id, tap.order, answer, shares))


def _sale_row(ground: Ground, tap: Tap, answer: Answer, shares: wallet.Shares, content_hash: bytes) -> tuple[Any, ...]:
    order, pupil, card, offer = tap.order, tap.pupil, tap.card, tap.offer
    return (
        order.id,
        order.seq,
        pupil.id if pupil else None,
        card.id if card else None,
        order.sitting_id,
        offer.version if offer else None,
        tap.day,
        order.tapped_at,
        answer.verdict,
        answer.code,
        answer.facts,
        [_as_stored(one) for one in answer.warnings],
        [{"code": one.code, "reason": one.reason} for one in order.decisions],
        [[str(one.menu_item_id), one.quantity, one.is_set_meal] for one in answer.declined],
        shares.total_minor,
        shares.money_minor,
        shares.grace_minor,
        shares.courtesy_minor,
        ground.purses[pupil.id].state.money.currency if pupil else "KZT",
        order.id if shares.total_minor > 0 else None,
        content_hash,
    )


def _line_row(sale_id: UUID, line: int, item: ItemFacts) -> tuple[Any, ...]:
    price, contract_item_id = item.price_minor, item.contract_item_id
    return sale_id, line, item.menu_item_id, item.is_set_meal, item.quantity, price, contract_item_id


def _event(school_id: UUID, order: Order, answer: Answer, shares: wallet.Shares) -> audit.NewEvent:
    """What the log keeps. Who ate stands in the sale alone; reasons may name people and go into the erasable part."""
    payload = {
        "verdict": answer.verdict,
        "code": answer.code,
        "money_minor": shares.money_minor,
        "grace_minor": shares.grace_minor,
        "courtesy_minor": shares.courtesy_minor,
        "items": [[str(item.menu_item_id), item.quantity] for item in answer.items],
    }
    personal = {one.code: one.reason for one in order.decisions} or None
    return audit.NewEvent("canteen.ring_up", audit.Subject("sale", order.id), payload, school_id, personal)


def _as_stored(warning: Refused) -> dict[str, Any]:
    return {"code": warning.code, "facts": dict(warning.facts)}


def _write(work: Work, ground: Ground, plan: _Plan) -> None:
    school_id = ground.school_id
    same = {
        "school_id": school_id,
        "device_id": work.actor.id,
        "cashier_id": work.actor.cashier_id,
        "recorded_at": work.now,
    }

    def in_turn() -> Iterator[Question[None]]:
        lines = rows_of(SaleLine, _LINE, plan.lines, {"school_id": school_id})
        yield from insertion([rows_of(Sale, _SALE, plan.sales, same), lines])
        yield from audit.recording(work, plan.events)
        # The books come last: from here to the commit every other tap of the school waits for its accounts.
        yield from ledger.posting(work, school_id, plan.entries)

    work.ask_last(in_turn())
