"""School days in the demo: children come to eat, cards get lost, money runs out and comes in, and the day is closed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final
from uuid import UUID

from schoolmeals import canteen, pupils, wallet
from schoolmeals.actors import SYSTEM
from schoolmeals.canteen import NamedDecision, Order, OrderItem
from schoolmeals.database import reading
from schoolmeals.demo.chance import chance_of
from schoolmeals.demo.families import Adult, Child
from schoolmeals.demo.kitchen import BuffetLine, Offer, publish_day
from schoolmeals.demo.schools import School, Site, guardian_of, issue_cards_to
from schoolmeals.ids import new_id
from schoolmeals.money import Money
from schoolmeals.wallet.payments import PaymentState, PaymentStatus

BETWEEN_TAPS: Final = (0.8, 1.6)
"""Seconds: a queue that moves."""
BATCH_SPAN: Final = timedelta(seconds=115)
"""Taps of a batch lie no further apart: a till that is online sends them at once, and nobody warns of its clock."""
FIRST_SERVED: Final = {"breakfast": time(7, 50), "lunch-1": time(11, 5), "lunch-2": time(12, 35)}
PUBLISHED: Final = time(15, 30)
CLOSED: Final = time(16, 30)
DESK_QUEUE: Final = 10
LOW_MINOR: Final = 3_000_00
PROVIDER: Final = "stripe"
SWAPPED: Final = "Тағамы ауыстырылды"
READ: Final = "Ескертпе оқылды"
REASONS: Final = ("Қате басылған", "Тағам берілмеді", "Ошибка кассира")


@dataclass(frozen=True, slots=True)
class Visit:
    """One child at the till: what they want. ``by_name``: without a card."""

    at: datetime
    child: Child
    wants_meal: bool
    items: tuple[BuffetLine, ...]
    by_name: bool
    decisions: tuple[NamedDecision, ...] = ()


@dataclass(slots=True)
class Desk:
    """The school's desk: the money of ten who have come is written down together, each with a receipt of its own."""

    site: Site
    school: School
    waiting: list[tuple[datetime, Child]] = field(default_factory=list)

    def come(self, child: Child, at: datetime) -> None:
        """Bring cash for ``child``."""
        self.waiting.append((at, child))
        if len(self.waiting) == DESK_QUEUE:
            self.take()

    def take(self) -> None:
        """Take the money of all who wait, at the instant of the last."""
        if not self.waiting:
            return
        with self.site.deed(self.school.office, self.waiting[-1][0]) as work:
            for at, child in self.waiting:
                wallet.take_cash(
                    work, self.school.id, child.key, top_up_id=new_id(at), amount_minor=child.habits.top_up_minor,
                    bounds=self.site.cash_bounds,
                )  # fmt: skip
        self.waiting.clear()


def live_day(site: Site, school: School, day: date, number: int, offers: dict[str, Offer]) -> None:
    """Let ``day``, the ``number``-th of the demo, pass in one school, as far as it has passed at ``site.now``."""
    chance = chance_of("day", school.place, number)
    _cards_are_lost(site, school, day, number)
    for name in FIRST_SERVED:
        _serve(site, school, chance, day, name, offers[name], number)
    if site.at(day, CLOSED) <= site.now:
        with site.deed(school.office, site.at(day, CLOSED)) as work:
            canteen.close_day(work, school.id, day, zone=site.zone)
    _pay_in(site, school, chance, day)


def publish_next(site: Site, school: School, day: date, number: int, before: date) -> dict[str, Offer]:
    """Publish the menus of ``day`` on the afternoon of the day ``before``."""
    with site.deed(school.office, site.at(before, PUBLISHED)) as work:
        return publish_day(work, site, school, day, number)


def fill_purses(site: Site, school: School, on: date) -> None:
    """Before the first day most families pay in: on the page in the evening, at the desk in the afternoon."""
    chance = chance_of("first money", school.place)
    first = [child for child in school.children if child.habits.pays != "late" or chance.random() < 0.5]
    desk = Desk(site, school)
    for place, child in enumerate(first):
        _top_up(desk, child, site.at(on, time(15), place * 40), chance)
    desk.take()


def _serve(site: Site, school: School, chance: Random, day: date, sitting: str, offer: Offer, number: int) -> None:
    visits = _queue(site, school, chance, day, sitting, offer, number)
    for batch in _batches(visit for visit in visits if visit.at <= site.now):
        orders = [_order(school, sitting, visit, seq) for seq, visit in enumerate(batch, school.next_seq)]
        school.next_seq += len(orders)
        with site.deed(school.till, batch[-1].at + timedelta(milliseconds=400)) as work:
            answers = canteen.ring_up(work, orders, device=school.till_facts, zone=site.zone)
        served = [order for order, answer in zip(orders, answers, strict=True) if answer.is_served]
        if served and chance.random() < 0.03:
            _undo(site, school, chance, chance.choice(served), batch[-1].at)


def _undo(site: Site, school: School, chance: Random, order: Order, at: datetime) -> None:
    """The cashier sees a slip at once, or the office hears of it in the afternoon."""
    is_seen_at_once = chance.random() < 0.7
    actor, late = (school.till, timedelta(seconds=70)) if is_seen_at_once else (school.office, timedelta(hours=1))
    if at + late > site.now:
        return
    with site.deed(actor, at + late) as work:
        reason = "" if is_seen_at_once else chance.choice(REASONS)
        canteen.undo_sale(work, school.id, order.id, undo_id=new_id(work.now), reason=reason)


def _queue(
    site: Site, school: School, chance: Random, day: date, sitting: str, offer: Offer, number: int
) -> list[Visit]:
    """Who comes to a sitting, in the order of the queue."""
    at = site.at(day, FIRST_SERVED[sitting], chance.randint(0, 240))
    visits = []
    for child in _hungry(school, chance, sitting):
        at += timedelta(seconds=chance.uniform(*BETWEEN_TAPS))
        visits += _visits(school, chance, child, at, offer, number)
    return visits


def _hungry(school: School, chance: Random, sitting: str) -> list[Child]:
    if sitting == "breakfast":
        return [child for child in school.children if chance.random() < child.habits.breakfast]
    comes = [child for child in school.children if (child.grade <= 5) == (sitting == "lunch-1")]
    # Classes come one after the other, and within a class anyhow.
    mixed = sorted(comes, key=lambda child: (child.class_name, chance.random()))
    return [child for child in mixed if chance.random() < max(child.habits.lunch, child.habits.buffet)]


def _visits(school: School, chance: Random, child: Child, at: datetime, offer: Offer, number: int) -> list[Visit]:
    """What one child does at the till: usually one tap; with a lost card first that one, then the name."""
    certified = {code for code, severity in child.allergens if severity == "certified"}
    others = {code for code, severity in child.allergens if severity != "certified"}
    wants_meal = not certified & offer.allergens or chance.random() < 0.1
    items = _buffet(chance, child, offer, certified | others)
    if not wants_meal and not items:
        return []
    wants_meal = wants_meal and (not items or chance.random() < 0.75)
    decisions = []
    if wants_meal and others & offer.allergens:
        decisions.append(NamedDecision("A41", SWAPPED))
    if child.diet_note or any(severity == "wish" for _code, severity in child.allergens):
        decisions.append(NamedDecision("A42", READ))
    gone_since = school.lost.get(child.key)
    by_name = child.number_hash is None or gone_since is not None
    visit = Visit(at, child, wants_meal, items, by_name, tuple(decisions))
    if gone_since == number and child.number_hash is not None:
        found = Visit(at - timedelta(seconds=1), child, wants_meal, items, False, tuple(decisions))
        return [found, visit]
    return [visit]


def _buffet(chance: Random, child: Child, offer: Offer, avoided: set[str]) -> tuple[BuffetLine, ...]:
    if not offer.buffet or chance.random() >= child.habits.buffet:
        return ()
    good = [line for line in offer.buffet if not avoided & line.allergens]
    return tuple(chance.sample(good, min(len(good), chance.choice((1, 1, 1, 2)))))


def _batches(visits: Iterable[Visit]) -> list[list[Visit]]:
    batches: list[list[Visit]] = []
    for visit in visits:
        if not batches or visit.at - batches[-1][0].at > BATCH_SPAN:
            batches.append([])
        batches[-1].append(visit)
    return batches


def _order(school: School, sitting: str, visit: Visit, seq: int) -> Order:
    return Order(
        id=new_id(visit.at),
        seq=seq,
        tapped_at=visit.at,
        sitting_id=school.sittings[sitting],
        number_hash=None if visit.by_name else visit.child.number_hash,
        pupil_id=visit.child.key if visit.by_name else None,
        wants_set_meal=visit.wants_meal,
        items=tuple(OrderItem(line.id) for line in visit.items),
        decisions=visit.decisions,
    )


def _cards_are_lost(site: Site, school: School, day: date, number: int) -> None:
    """Block what was lost the evening before; after three days the office gives out new cards."""
    for child in school.children:
        if child.loses_card_on == number and child.card_id is not None:
            actor = guardian_of(school.id, child.adults[0]) if child.adults else school.office
            with site.deed(actor, site.at(day, time(7, 10), school.next_seq % 60)) as work:
                pupils.block_card(work, school.id, child.card_id, "lost")
            school.lost[child.key] = number
    found = [child for child in school.children if school.lost.get(child.key, number) <= number - 3]
    if found:
        with site.deed(school.office, site.at(day, time(7, 30))) as work:
            for child in found:
                child.card_number = f"04{child.key.int % 16**12:012X}"
                del school.lost[child.key]
            issue_cards_to(work, site, school, found, again=True)


def _pay_in(site: Site, school: School, chance: Random, day: date) -> None:
    """In the evening those pay whose purse is low; who pays late waits until it is empty."""
    with reading(SYSTEM, site.now) as look:
        purses = wallet.purses_of(look, school.id, [child.key for child in school.children])
    at, desk = site.at(day, time(17, 30)), Desk(site, school)
    for child in school.children:
        balance = purses[child.key].balance_minor
        pays_late = child.habits.pays == "late"
        is_due = balance < -800_00 if pays_late else balance < LOW_MINOR
        if is_due and chance.random() < (0.35 if pays_late else 0.7):
            at += timedelta(seconds=chance.randint(20, 60))
            _top_up(desk, child, at, chance)
    desk.take()


def _top_up(desk: Desk, child: Child, at: datetime, chance: Random) -> None:
    site, school = desk.site, desk.school
    if at > site.now:
        return
    if not child.adults:
        desk.come(child, at)
        return
    top_up_id, amount = new_id(at), child.habits.top_up_minor
    adult = chance.choice(_payers(child))
    with site.deed(guardian_of(school.id, adult), at) as work:
        wallet.start_top_up(
            work, school.id, child.key, top_up_id=top_up_id, amount_minor=amount, bounds=site.bounds,
            language=adult.language,
        )  # fmt: skip
    is_paid = chance.random() < 0.97
    status = PaymentStatus.PAID if is_paid else PaymentStatus.EXPIRED
    with site.deed(SYSTEM, at + (timedelta(seconds=45) if is_paid else timedelta(hours=1))) as work:
        wallet.settle_top_up(work, PROVIDER, payment_state(top_up_id, amount, status))


def _payers(child: Child) -> list[Adult]:
    return [adult for adult in child.adults if adult.relation in ("mother", "father")] or child.adults


def payment_state(top_up_id: UUID, amount_minor: int, status: PaymentStatus) -> PaymentState:
    """What the payment provider would have answered."""
    reference = f"demo_{top_up_id.hex}"
    return PaymentState(
        session_id=f"cs_{reference}",
        status=status,
        amount=Money(amount_minor, "KZT"),
        top_up_id=top_up_id,
        payment_ref=f"pi_{reference}",
        reason="" if status is PaymentStatus.PAID else "expired",
    )
