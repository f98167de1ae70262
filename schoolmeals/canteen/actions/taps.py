"""Ringing up. A tap is a batch of one: the live till, the offline till and a storm of replays go the same way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals import audit, identity, ledger, pupils, wallet
from schoolmeals.actors import Role
from schoolmeals.asking import Question, ask_in_turn, ask_together
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
    offers_for,
    queue_at_till,
    service_day,
    shown,
)
from schoolmeals.canteen.models import Sale, SaleLine
from schoolmeals.canteen.orders import REFUSED, SERVED, Answer, AnswerItem, Order
from schoolmeals.canteen.rules import ENJOY, NOT_KEPT, Decision, ItemFacts, TapFacts, decide, refusal_of
from schoolmeals.database import Work, insertion
from schoolmeals.errors import NotFound
from schoolmeals.verdicts import Refused

MAX_ORDERS: Final = 200
ALMATY: Final = ZoneInfo("Asia/Almaty")
"""Kazakhstan has had one time zone since 1 March 2024."""


@dataclass(slots=True)
class _Plan:
    """What a batch will write."""

    entries: list[ledger.Entry] = field(default_factory=list)
    sales: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    events: list[audit.NewEvent] = field(default_factory=list)


def ring_up(
    work: Work, orders: Sequence[Order], *, device: identity.DeviceFacts | None = None, zone: ZoneInfo = ALMATY
) -> list[Answer]:
    """Answer up to 200 orders of one till, each in its turn, and write what was sold and what was refused.

    The actor is the till's device. The number of SQL statements does not depend on the number of orders. An order whose
    id is known gets its stored answer again (``replayed``), also a refused one; with other content it gets ``E04`` and
    nothing changes. Orders never stop each other. ``zone`` is where school days begin and end.
    """
    assert 0 < len(orders) <= MAX_ORDERS, "a batch has 1 to 200 orders"
    if (device_id := work.actor.id) is None:
        raise NotFound
    till = device or identity.device_of(work, device_id)
    ground, known = _ground(work, till, orders, zone)
    plan = _Plan()
    answers = [_answer(ground, plan, known, order) for order in orders]
    _write(work, ground, plan)
    return answers


def _ground(work: Work, till: identity.DeviceFacts, orders: Sequence[Order], zone: ZoneInfo) -> tuple[Ground, Known]:
    """Two round trips: one for what stands still, behind the till's queue, one for the purses and under their locks."""
    days = {service_day(order, work.now, zone) for order in orders}
    ground, known = _still_facts(work, till, orders, days, zone)
    fresh = [order for order in orders if order.id not in known.sales]
    ground.may_decide_medically = _may_decide_medically(work, till, fresh)
    _look_under_locks(work, ground, fresh, days)
    _remember_eaters(work, ground, known)
    return ground, known


def _still_facts(
    work: Work, till: identity.DeviceFacts, orders: Sequence[Order], days: set[date], zone: ZoneInfo
) -> tuple[Ground, Known]:
    school_id, device_id = work.actor.school_id, work.actor.id
    if school_id is None or device_id is None:
        raise NotFound
    accounts, known = wallet.school_accounts_question(school_id), known_taps(school_id, device_id, orders)
    numbers = [order.number_hash for order in orders if order.number_hash is not None]
    cards, people = pupils.till_questions(school_id, numbers, [one.pupil_id for one in orders if one.pupil_id])
    offers = offers_for(school_id, {order.sitting_id for order in orders}, days)
    ask_together(work.session, queue_at_till(device_id), known, accounts, cards, people, offers)
    ground = Ground(
        school_id,
        device_id,
        work.now,
        zone,
        is_till_known=till.school_id == school_id and till.revoked_at is None,
        may_decide_medically=False,
        people=pupils.TillFacts(cards.answer, people.answer),
        accounts=accounts.answer or wallet.opened_school_accounts(work, school_id),
        offers=offers.answer,
    )
    return ground, known.answer


def _look_under_locks(work: Work, ground: Ground, fresh: Sequence[Order], days: set[date]) -> None:
    """Only under the locks is it certain what the purses hold and what their pupils have had."""
    eaters = {pupil.id for order in fresh if (pupil := ground.pupil_of(order)) is not None}
    if not eaters:
        return
    eaten = eaten_by(ground.school_id, eaters, days)
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


def _sale_row(ground: Ground, tap: Tap, answer: Answer, shares: wallet.Shares, content_hash: bytes) -> dict[str, Any]:
    order, pupil, card, offer = tap.order, tap.pupil, tap.card, tap.offer
    return {
        "id": order.id,
        "seq": order.seq,
        "pupil_id": pupil.id if pupil else None,
        "card_id": card.id if card else None,
        "sitting_id": order.sitting_id,
        "menu_version": offer.version if offer else None,
        "service_day": tap.day,
        "tapped_at": order.tapped_at,
        "verdict": answer.verdict,
        "code": answer.code,
        "facts": answer.facts,
        "warnings": [_as_stored(one) for one in answer.warnings],
        "decisions": [{"code": one.code, "reason": one.reason} for one in order.decisions],
        "declined": [[str(one.menu_item_id), one.quantity, one.is_set_meal] for one in answer.declined],
        "total_minor": shares.total_minor,
        "money_minor": shares.money_minor,
        "grace_minor": shares.grace_minor,
        "courtesy_minor": shares.courtesy_minor,
        "currency": ground.purses[pupil.id].state.money.currency if pupil else "KZT",
        "entry_id": order.id if shares.total_minor > 0 else None,
        "content_hash": content_hash,
    }


def _line_row(sale_id: UUID, line: int, item: ItemFacts) -> dict[str, Any]:
    return {
        "sale_id": sale_id,
        "line": line,
        "menu_item_id": item.menu_item_id,
        "is_set_meal": item.is_set_meal,
        "quantity": item.quantity,
        "price_minor": item.price_minor,
        "contract_item_id": item.contract_item_id,
    }


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
    common = {
        "school_id": school_id,
        "device_id": work.actor.id,
        "cashier_id": work.actor.cashier_id,
        "recorded_at": work.now,
    }

    def in_turn() -> Iterator[Question[None]]:
        yield from insertion(
            [
                (Sale, [{**common, **sale} for sale in plan.sales]),
                (SaleLine, [{"school_id": school_id, **line} for line in plan.lines]),
            ]
        )
        yield from audit.recording(work, plan.events)

    if not plan.entries:
        ask_in_turn(work.session, in_turn())
        return
    held = {state.id: state for book in ground.purses.values() for state in (book.state.money, book.state.grace)}
    # The books come last: from here to the commit every other tap of the school waits for its accounts.
    ledger.post(work, school_id, plan.entries, known_new=True, held=held, before=in_turn())
