"""What a till may sell, decided from facts alone. ``docs/rules-of-the-till.md`` explains every code to people.

The order of :data:`TILL_RULES` is the policy: what is wrong with the till comes before what is wrong with the card, the
pupil, the hour, the food and, last, the money. No rule here knows who pays, and none can refuse a first set meal for
money.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from schoolmeals.errors import N_
from schoolmeals.verdicts import Refused, first_refusal

AGE_GROUPS: Final = ("6-10", "11-14", "15-18")
MEALS: Final = ("breakfast", "lunch", "afternoon-snack", "dinner")
CLOCK_TOLERANCE: Final = timedelta(seconds=120)
OLDEST_TAP: Final = timedelta(hours=72)
"""The hard limit of offline work, as Kazakh fiscal tills have it (order 626 of the Minister of Finance)."""
SAME_CARD_ELSEWHERE: Final = timedelta(seconds=60)
UNDO_BY_CASHIER: Final = timedelta(minutes=5)
MAX_QUANTITY: Final = 20
NOT_KEPT: Final = frozenset({"E01", "E02", "E03", "E04"})
"""Codes of envelopes that could not be taken in: nothing is stored for them, so their ids are not burnt."""
SENTENCES: Final = {
    "E01": N_("Nothing was chosen, or too much at once. Choose a meal and tap again."),
    "E02": N_("This till is not known here. Ask the school office to enrol it again."),
    "E03": N_("This tap is out of order and waits for the school office. Tap the card once more."),
    "E04": N_("Another order was already sent under this number. Tap the card once more."),
    "E05": N_("This till's clock differs from ours, or the tap arrived late."),
    "C10": N_("We do not know this card. Find the child by class and name."),
    "C11": N_("This card was reported lost. Keep it, and find the child by class and name."),
    "C12": N_("This card is no longer valid. Find the child by class and name."),
    "C14": N_("This card was at another till a minute ago. Compare the child with the photo."),
    "P20": N_("This child is not on the school's roll today. Call the school office."),
    "M30": N_("It is not the time of this meal. Choose the right one, or let the latecomer eat."),
    "M31": N_("This is not on today's menu. Load the menu again and choose anew."),
    "M33": N_("This portion is meant for another age: %(portion)s years."),
    "A40": N_("Stop: medical allergy (%(allergens)s). Give another meal, or call the school office to the till."),
    "A41": N_("The child does not bear %(allergens)s. Take it off the tray, or answer for the set meal by name."),
    "A42": N_("Read the child's diet note, and confirm that this meal suits it."),
    "V53": N_("The child has already had this meal. Confirm if this is a second portion."),
    "L60": N_("Not this time: only the set meal today."),
    "F70": N_("Not this time: only the set meal today."),
}
"""What each code says to the cashier: what is the matter, and what to do."""
ENJOY: Final = N_("Enjoy your meal")
BUFFET_CODES: Final = frozenset({"L60", "F70"})
"""Codes that concern only what is bought beside the set meal."""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An item of the order as the menu has it; the price is of one, in minor units."""

    menu_item_id: UUID
    is_set_meal: bool
    age_group: str | None
    quantity: int
    price_minor: int
    allergens: frozenset[str] = frozenset()
    contract_item_id: UUID | None = None

    @property
    def total_minor(self) -> int:
        return self.price_minor * self.quantity

    def times(self, quantity: int) -> "ItemFacts":
        """The same item, ``quantity`` of it."""
        return self if quantity == self.quantity else replace(self, quantity=quantity)


@dataclass(frozen=True, slots=True)
class TapFacts:
    """Everything the rules may know about one order at the moment when it is decided. Sums in minor units."""

    items: tuple[ItemFacts, ...]
    age_of_tap: timedelta = timedelta(0)
    """How long ago the device says that it was; negative where its clock is ahead."""
    decisions: frozenset[str] = frozenset()
    """Codes about which the cashier has decided by name."""
    asks_for_something: bool = True
    is_till_known: bool = True
    is_sequence_free: bool = True
    is_card_known: bool = True
    is_card_blocked: bool = False
    has_card_ended: bool = False
    was_card_just_elsewhere: bool = False
    is_enrolled: bool = True
    age_group: str | None = None
    has_diet_note: bool = False
    allergens: tuple[tuple[str, str], ...] = ()
    """Code and severity: ``certified``, ``intolerance`` or ``wish``."""
    may_decide_medically: bool = False
    """Whether the person whose PIN opened the till belongs to the school office."""
    is_sitting_open: bool = True
    is_on_menu: bool = True
    set_meals_before: int = 0
    """Set meals that the pupil already had in this sitting."""
    limit_left_minor: int | None = None
    """What the guardian's daily limit still lets the pupil spend on buffet items; None: no limit."""
    money_minor: int = 0
    """In the purse, before this order."""

    @property
    def buffet_minor(self) -> int:
        return sum(item.total_minor for item in self.items if not item.is_set_meal)

    @property
    def total_minor(self) -> int:
        return sum(item.total_minor for item in self.items)

    @property
    def set_meals(self) -> int:
        return sum(item.quantity for item in self.items if item.is_set_meal)

    @property
    def first_portion(self) -> ItemFacts | None:
        """One portion of the set meal, where the pupil has had none in this sitting: the meal that is always served."""
        if self.set_meals_before:
            return None
        first = next((item for item in self.items if item.is_set_meal), None)
        return first and first.times(1)

    @property
    def extras_minor(self) -> int:
        """What everything beside the first set meal costs: the purse alone pays it."""
        first = self.first_portion
        return self.total_minor - (first.price_minor if first else 0)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an order: refused, or served, perhaps without what was beside the set meal."""

    refused: Refused | None
    served: tuple[ItemFacts, ...] = ()
    declined: tuple[ItemFacts, ...] = ()
    warnings: tuple[Refused, ...] = ()


TillRule = Callable[[TapFacts], Refused | None]


def decide(facts: TapFacts) -> Decision:
    """Apply :data:`TILL_RULES`, and what they do not stop, :data:`TILL_WARNINGS`.

    Where only the buffet items cannot be sold and the pupil has not eaten yet, the set meal is served without them.
    """
    refused = first_refusal(TILL_RULES, facts)
    if refused is None:
        return Decision(None, facts.items, (), _warnings(facts))
    first = facts.first_portion
    if refused.code not in BUFFET_CODES or first is None:
        return Decision(refused, (), (), _warnings(facts))
    warnings = _warnings(replace(facts, items=(first,)))
    return Decision(None, (first,), _rest(facts.items, first), (*warnings, refused))


def age_group_of(grade: int | None) -> str | None:
    """The age group whose portion a pupil of ``grade`` (0 pre-school to 12) gets; None where the grade is unknown."""
    if grade is None:
        return None
    if grade <= 4:
        return "6-10"
    return "11-14" if grade <= 9 else "15-18"


def nearest_age_group(wanted: str | None, offered: Collection[str]) -> str | None:
    """The offered group nearest to ``wanted``, the larger portion where two are as near; None where none is offered."""
    if wanted in offered:
        return wanted
    place = AGE_GROUPS.index(wanted) if wanted in AGE_GROUPS else 1
    groups = sorted(offered, key=lambda group: (abs(AGE_GROUPS.index(group) - place), -AGE_GROUPS.index(group)))
    return groups[0] if groups else None


def till_is_known(facts: TapFacts) -> Refused | None:
    """The device is enrolled in this school and nobody has revoked it."""
    if facts.is_till_known:
        return None
    return _refused("E02")


def order_asks_for_something(facts: TapFacts) -> Refused | None:
    """A set meal or at least one item, each once to twenty times."""
    if facts.asks_for_something:
        return None
    return _refused("E01")


def sequence_is_whole(facts: TapFacts) -> Refused | None:
    """The device never counted this number before, and the tap is not older than offline work may be."""
    if facts.is_sequence_free and facts.age_of_tap <= OLDEST_TAP:
        return None
    return _refused("E03")


# The card and the pupil


def card_is_known(facts: TapFacts) -> Refused | None:
    """The card, or the name, belongs to somebody of this school."""
    if facts.is_card_known:
        return None
    return _refused("C10")


def card_is_not_blocked(facts: TapFacts) -> Refused | None:
    """Nobody has reported the card lost. The child is still fed, by name."""
    if not facts.is_card_blocked:
        return None
    return _refused("C11")


def card_has_not_ended(facts: TapFacts) -> Refused | None:
    """The card is neither past its day nor replaced by another."""
    if not facts.has_card_ended:
        return None
    return _refused("C12")


def pupil_is_enrolled(facts: TapFacts) -> Refused | None:
    """The pupil is on the school's roll on that day."""
    if facts.is_enrolled:
        return None
    return _refused("P20")


# The hour and the menu


def sitting_is_open(facts: TapFacts) -> Refused | None:
    """The tap lies between the sitting's beginning and end, or the cashier lets a latecomer eat."""
    if facts.is_sitting_open or "M30" in facts.decisions:
        return None
    return _refused("M30")


def items_are_on_the_menu(facts: TapFacts) -> Refused | None:
    """Everything asked for is on the menu that is published for this day and sitting."""
    if facts.is_on_menu:
        return None
    return _refused("M31")


# What the child must not eat


def no_certified_allergen(facts: TapFacts) -> Refused | None:
    """No item holds what a doctor has certified. Only the school office, at this till, may decide otherwise."""
    found = _matching(facts, "certified", facts.items)
    if not found or ("A40" in facts.decisions and facts.may_decide_medically):
        return None
    return _refused("A40", allergens=found)


def no_intolerance(facts: TapFacts) -> Refused | None:
    """No item holds what the pupil does not bear; a named decision may serve the set meal, nothing from the buffet."""
    found = _matching(facts, "intolerance", facts.items)
    buffet = _matching(facts, "intolerance", (item for item in facts.items if not item.is_set_meal))
    if not found or ("A41" in facts.decisions and not buffet):
        return None
    return _refused("A41", allergens=found)


def notes_are_read(facts: TapFacts) -> Refused | None:
    """The cashier has read the diet note, and what no machine can compare with the menu."""
    if "A42" in facts.decisions:
        return None
    wished = _matching(facts, "wish", facts.items)
    in_words = any(code.startswith("other:") for code, _severity in facts.allergens)
    if not wished and not in_words and not facts.has_diet_note:
        return None
    return _refused("A42", allergens=wished)


def second_portion_is_meant(facts: TapFacts) -> Refused | None:
    """One set meal in a sitting; a second one only where the cashier means it."""
    if facts.set_meals_before + facts.set_meals <= 1 or not facts.set_meals or "V53" in facts.decisions:
        return None
    return _refused("V53")


# The money, for what is beside the first set meal


def day_limit_allows_it(facts: TapFacts) -> Refused | None:
    """The guardian's daily limit leaves room for the buffet items. Set meals never count."""
    if not facts.buffet_minor or facts.limit_left_minor is None or facts.buffet_minor <= facts.limit_left_minor:
        return None
    return _refused("L60")


def purse_covers_it(facts: TapFacts) -> Refused | None:
    """The purse pays for everything beside the first set meal, after it has paid that."""
    first = facts.first_portion
    left = max(0, facts.money_minor - (first.price_minor if first else 0))
    if facts.extras_minor <= left:
        return None
    return _refused("F70")


TILL_RULES: Final[tuple[TillRule, ...]] = (
    order_asks_for_something,
    till_is_known,
    sequence_is_whole,
    card_is_known,
    card_is_not_blocked,
    card_has_not_ended,
    pupil_is_enrolled,
    sitting_is_open,
    items_are_on_the_menu,
    no_certified_allergen,
    no_intolerance,
    notes_are_read,
    second_portion_is_meant,
    day_limit_allows_it,
    purse_covers_it,
)


def clock_is_right(facts: TapFacts) -> Refused | None:
    """The device's clock and ours differ by two minutes at most, or the tap arrived late."""
    if abs(facts.age_of_tap) <= CLOCK_TOLERANCE:
        return None
    return _refused("E05")


def card_was_not_just_elsewhere(facts: TapFacts) -> Refused | None:
    """The same card was not at another till within the same minute."""
    if not facts.was_card_just_elsewhere:
        return None
    return _refused("C14")


def portion_fits_age(facts: TapFacts) -> Refused | None:
    """The set meal is that of the pupil's age group."""
    wrong = {item.age_group for item in facts.items if item.is_set_meal} - {facts.age_group}
    if not wrong or facts.age_group is None:
        return None
    return _refused("M33", portion=min(str(group) for group in wrong))


TILL_WARNINGS: Final[tuple[TillRule, ...]] = (clock_is_right, card_was_not_just_elsewhere, portion_fits_age)


def refusal_of(code: str, facts: Mapping[str, object]) -> Refused:
    """The refusal or warning of ``code`` as it was once given, from what was stored of it."""
    return Refused(code, SENTENCES[code], facts)


def _refused(code: str, **facts: object) -> Refused:
    return refusal_of(code, facts)


def _warnings(facts: TapFacts) -> tuple[Refused, ...]:
    return tuple(found for rule in TILL_WARNINGS if (found := rule(facts)) is not None)


def _matching(facts: TapFacts, severity: str, items: Iterable[ItemFacts]) -> list[str]:
    avoided = {code for code, how in facts.allergens if how == severity}
    return sorted(avoided.intersection(*[frozenset().union(*(item.allergens for item in items))])) if avoided else []


def _rest(items: tuple[ItemFacts, ...], first: ItemFacts) -> tuple[ItemFacts, ...]:
    """``items`` without one portion of ``first``."""
    rest, taken = [], False
    for item in items:
        if not taken and item.menu_item_id == first.menu_item_id:
            taken = True
            item = item.times(item.quantity - 1)
        if item.quantity:
            rest.append(item)
    return tuple(rest)
