"""The facts of a batch: gathered with a fixed number of statements, then kept up while its orders are decided.

Every statement takes the whole batch. What belongs to a pupil's money is read only after the purses are locked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals import pupils, wallet
from schoolmeals.asking import Chosen, Question, array_of, nothing
from schoolmeals.canteen.offers import Offer, Offers
from schoolmeals.canteen.orders import Answer, AnswerItem, Order, PupilAtTill
from schoolmeals.canteen.rules import (
    CLOCK_TOLERANCE,
    ENJOY,
    MAX_QUANTITY,
    SAME_CARD_ELSEWHERE,
    SENTENCES,
    ItemFacts,
    TapFacts,
    age_group_of,
    nearest_age_group,
    refusal_of,
)
from schoolmeals.clock import in_utc

_QUEUE_AT_TILL: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%(till)s, 0))"

_KNOWN: Final = """
    SELECT id, seq, content_hash, verdict, code, facts, warnings, declined, pupil_id, recorded_at,
           (SELECT jsonb_agg(jsonb_build_array(line.menu_item_id, line.quantity, line.is_set_meal) ORDER BY line.line)
              FROM sale_line AS line WHERE line.school_id = sale.school_id AND line.sale_id = sale.id) AS served
      FROM sale
     WHERE school_id = %(school_id)s AND (id = ANY(CAST(%(ids)s AS uuid[])) OR (device_id = %(device_id)s AND seq =
     ANY(CAST(%(seqs)s AS bigint[]))))
"""

_EATEN: Final = """
    SELECT sale.pupil_id, sale.service_day, sale.sitting_id, sale.card_id, sale.device_id, sale.tapped_at,
           coalesce(sum(line.quantity) FILTER (WHERE line.is_set_meal), 0)::bigint AS set_meals,
           coalesce(sum(line.quantity * line.price_minor) FILTER (WHERE NOT line.is_set_meal), 0)::bigint AS buffet
      FROM sale
      JOIN sale_line AS line ON line.school_id = sale.school_id AND line.sale_id = sale.id
     WHERE sale.school_id = %(school_id)s AND sale.pupil_id = ANY(ARRAY({chosen}))
       AND sale.service_day = ANY(CAST(%(days)s AS date[]))
       AND sale.verdict = 'served'
       AND NOT EXISTS (SELECT FROM sale_undo AS undo WHERE undo.school_id = sale.school_id AND undo.sale_id = sale.id)
     GROUP BY sale.school_id, sale.id
"""


@dataclass(frozen=True, slots=True)
class KnownSale:
    """A tap that was answered before."""

    content_hash: bytes
    answer: Answer
    pupil_id: UUID | None


@dataclass(slots=True)
class Known:
    """What the school already knows of a batch's ids, and of the numbers that its device has counted."""

    sales: dict[UUID, KnownSale] = field(default_factory=dict)
    tap_of_seq: dict[int, UUID] = field(default_factory=dict)


@dataclass(slots=True)
class PurseBook:
    """A purse while a batch spends from it."""

    state: wallet.PurseState
    money_minor: int
    grace_left_minor: int


@dataclass(frozen=True, slots=True)
class Eaten:
    """A sale that stands, as far as later ones are decided by it."""

    day: date
    sitting_id: UUID
    card_id: UUID | None
    device_id: UUID
    tapped_at: datetime
    set_meals: int
    buffet_minor: int


@dataclass(slots=True)
class Ground:
    """What orders are decided on. Purses and meals change as the batch goes on."""

    school_id: UUID
    device_id: UUID
    now: datetime
    zone: ZoneInfo
    is_till_known: bool
    may_decide_medically: bool
    people: pupils.TillFacts
    accounts: wallet.SchoolAccounts
    offers: Offers
    purses: dict[UUID, PurseBook] = field(default_factory=dict)
    eaten: dict[UUID, list[Eaten]] = field(default_factory=dict)

    def service_day(self, order: Order) -> date:
        """See :func:`service_day`."""
        return service_day(order, self.now, self.zone)

    def pupil_of(self, order: Order) -> pupils.PupilFacts | None:
        """Whose card it is, or who was found by name."""
        card = self.people.cards.get(order.number_hash) if order.number_hash is not None else None
        pupil_id = order.pupil_id if card is None else card.pupil_id
        return None if pupil_id is None else self.people.pupils.get(pupil_id)

    def meet(self, order: Order) -> "Tap":
        """The order with whom and what it is about."""
        card = self.people.cards.get(order.number_hash) if order.number_hash is not None else None
        day = self.service_day(order)
        by_day = self.offers.get(order.sitting_id, {})
        return Tap(order, day, card, self.pupil_of(order), by_day.get(day) or by_day.get(None))


@dataclass(frozen=True, slots=True)
class Tap:
    """An order beside the day that it belongs to, its card, its pupil and what is sold there and then."""

    order: Order
    day: date
    card: pupils.CardFacts | None
    pupil: pupils.PupilFacts | None
    offer: Offer | None


def service_day(order: Order, now: datetime, zone: ZoneInfo) -> date:
    """The school's day on which the device says that it served; never later than today."""
    return min(order.tapped_at, now).astimezone(zone).date()


def queue_at_till(device_id: UUID) -> Question[None]:
    """Wait until no other request of the same till is being answered: what it sends twice at once comes one by one."""
    return Question(_QUEUE_AT_TILL, {"till": str(device_id)}, nothing)


def known_taps(school_id: UUID, device_id: UUID, orders: Sequence[Order]) -> Question[Known]:
    """The stored answers of those orders that were sent before, and the taps that took their numbers."""
    parameters = {
        "school_id": school_id,
        "device_id": device_id,
        "ids": array_of(order.id for order in orders),
        "seqs": array_of(order.seq for order in orders),
    }

    def read(rows: list[Any]) -> Known:
        return Known(
            {row.id: KnownSale(row.content_hash, _stored_answer(row), row.pupil_id) for row in rows},
            {row.seq: row.id for row in rows},
        )

    return Question(_KNOWN, parameters, read)


def eaten_by(school_id: UUID, eaters: Chosen, days: Iterable[date]) -> Question[dict[UUID, list[Eaten]]]:
    """What pupils had on ``days``, without what was undone."""

    def read(rows: list[Any]) -> dict[UUID, list[Eaten]]:
        eaten: dict[UUID, list[Eaten]] = {}
        for row in rows:
            eaten.setdefault(row.pupil_id, []).append(Eaten(*row[1:]))
        return eaten

    parameters = {"school_id": school_id, "days": array_of(set(days)), **eaters.parameters}
    return Question(_eaten_by(eaters.statement), parameters, read)


@lru_cache(maxsize=32)
def _eaten_by(eaters: str) -> str:
    return _EATEN.format(chosen=eaters)


def facts_of(ground: Ground, tap: Tap, *, is_sequence_free: bool) -> TapFacts:
    """What the rules may know of ``tap`` at this point of the batch."""
    order, day, card, pupil, offer = tap.order, tap.day, tap.card, tap.pupil, tap.offer
    meals = ground.eaten.get(pupil.id, []) if pupil else []
    purse = ground.purses.get(pupil.id) if pupil else None
    age_group = age_group_of(pupil.grade) if pupil else None
    items = _items_of(order, offer, age_group)
    return TapFacts(
        items=items or (),
        age_of_tap=ground.now - order.tapped_at,
        decisions=frozenset(one.code for one in order.decisions),
        asks_for_something=_asks_for_something(order),
        is_till_known=ground.is_till_known,
        is_sequence_free=is_sequence_free,
        is_card_known=pupil is not None,
        is_card_blocked=card is not None and card.blocked_at is not None,
        has_card_ended=card is not None and _has_ended(card, day),
        was_card_just_elsewhere=card is not None and _was_elsewhere(meals, order, card.id, ground.device_id),
        is_enrolled=pupil is not None and _is_enrolled(pupil, day),
        age_group=age_group,
        has_diet_note=pupil is not None and bool(pupil.diet_note),
        allergens=tuple((one.code, one.severity) for one in pupil.allergens) if pupil else (),
        may_decide_medically=ground.may_decide_medically,
        is_sitting_open=offer is not None and _is_open(offer, order, ground, day),
        is_on_menu=items is not None,
        set_meals_before=sum(m.set_meals for m in meals if m.day == day and m.sitting_id == order.sitting_id),
        limit_left_minor=_limit_left(purse, meals, day),
        money_minor=purse.money_minor if purse else 0,
    )


def shown(pupil: pupils.PupilFacts) -> PupilAtTill:
    """What the till shows of a pupil."""
    allergens = tuple((one.code, one.severity) for one in pupil.allergens)
    return PupilAtTill(pupil.id, pupil.name, pupil.class_name or "", pupil.photo_id, pupil.diet_note, allergens)


def _stored_answer(row: Any) -> Answer:
    return Answer(
        tap_id=row.id,
        verdict=row.verdict,
        code=row.code,
        sentence=SENTENCES[row.code] if row.code else ENJOY,
        recorded_at=in_utc(row.recorded_at),
        items=tuple(AnswerItem(UUID(id), quantity, is_set) for id, quantity, is_set in row.served or ()),
        declined=tuple(AnswerItem(UUID(id), quantity, is_set) for id, quantity, is_set in row.declined),
        warnings=tuple(refusal_of(one["code"], one["facts"]) for one in row.warnings),
        facts=row.facts,
        replayed=True,
    )


def _items_of(order: Order, offer: Offer | None, age_group: str | None) -> tuple[ItemFacts, ...] | None:
    """The order's items as the menu has them; None where one is not on it."""
    if offer is None:
        return None
    items, set_meal_of = (offer.assortment.items, offer.assortment.set_meal_of) if offer.assortment else ({}, {})
    wanted: list[tuple[UUID, int]] = []
    if order.wants_set_meal:
        group = nearest_age_group(age_group, set_meal_of)
        if group is None:
            return None
        wanted.append((set_meal_of[group], 1))
    wanted += [(item.menu_item_id, item.quantity) for item in order.items]
    found = []
    for menu_item_id, quantity in wanted:
        item = items.get(menu_item_id)
        if item is None:
            return None
        found.append(item.times(quantity))
    return tuple(found)


def _asks_for_something(order: Order) -> bool:
    in_bounds = all(1 <= item.quantity <= MAX_QUANTITY for item in order.items)
    return in_bounds and (order.wants_set_meal or bool(order.items))


def _has_ended(card: pupils.CardFacts, day: date) -> bool:
    return card.replaced_at is not None or (card.expires_on is not None and card.expires_on < day)


def _is_enrolled(pupil: pupils.PupilFacts, day: date) -> bool:
    return pupil.joined_on <= day and (pupil.left_on is None or day < pupil.left_on)


def _was_elsewhere(meals: Sequence[Eaten], order: Order, card_id: UUID, device_id: UUID) -> bool:
    return any(
        meal.card_id == card_id
        and meal.device_id != device_id
        and abs(order.tapped_at - meal.tapped_at) < SAME_CARD_ELSEWHERE
        for meal in meals
    )


def _is_open(offer: Offer, order: Order, ground: Ground, day: date) -> bool:
    """By the device's clock; by ours, where the device's runs ahead of it."""
    ahead = order.tapped_at - ground.now > CLOCK_TOLERANCE
    local = (ground.now if ahead else order.tapped_at).astimezone(ground.zone).time()
    is_held = offer.ended_on is None or day < offer.ended_on
    return is_held and offer.opens_at <= local <= offer.closes_at


def _limit_left(purse: PurseBook | None, meals: Sequence[Eaten], day: date) -> int | None:
    if purse is None or purse.state.limit_minor_day is None:
        return None
    spent = sum(meal.buffet_minor for meal in meals if meal.day == day)
    return max(0, purse.state.limit_minor_day - spent)
