"""The room's codes as words in the reader's language: meals, age groups, allergens, verdict codes, accounts."""

from collections.abc import Iterable
from datetime import time
from typing import Protocol

from flask_babel import gettext

from schoolmeals.canteen.menus import OTHER_ALLERGEN
from schoolmeals.errors import N_

MEALS = {
    "breakfast": N_("Breakfast"),
    "lunch": N_("Lunch"),
    "afternoon-snack": N_("Afternoon snack"),
    "dinner": N_("Dinner"),
}
AGE_GROUPS = {"6-10": N_("Ages 6–10"), "11-14": N_("Ages 11–14"), "15-18": N_("Ages 15–18")}
ALLERGENS = {
    "gluten": N_("cereals with gluten"),
    "crustaceans": N_("crustaceans"),
    "eggs": N_("eggs"),
    "fish": N_("fish"),
    "peanuts": N_("peanuts"),
    "soybeans": N_("soya"),
    "milk": N_("milk"),
    "nuts": N_("nuts"),
    "celery": N_("celery"),
    "mustard": N_("mustard"),
    "sesame": N_("sesame"),
    "sulphites": N_("sulphites"),
    "lupin": N_("lupin"),
    "molluscs": N_("molluscs"),
}
ACCOUNTS = {
    "purse": N_("Pupils' purses"),
    "grace": N_("Meals to be paid later"),
    "meals-sold": N_("Meals sold"),
    "courtesy-meals": N_("Paid by the school's courtesy fund"),
    "cash-desk": N_("Cash at the cash desk"),
    "provider-clearing": N_("On its way from the bank"),
}
CODES = {
    "C10": N_("Card not known"),
    "C11": N_("Card reported lost"),
    "C12": N_("Card no longer valid"),
    "P20": N_("Not on the roll"),
    "M30": N_("Outside the time of the meal"),
    "M31": N_("Not on the menu"),
    "A40": N_("Medical allergy"),
    "A41": N_("Intolerance"),
    "A42": N_("Diet note to be read"),
    "V53": N_("Second portion to be confirmed"),
    "L60": N_("Daily limit"),
    "F70": N_("Buffet not covered by the purse"),
}


class Sitting(Protocol):
    """Whatever says which sitting it belongs to."""

    @property
    def meal(self) -> str: ...
    @property
    def shift(self) -> int: ...


class Held(Protocol):
    """Whatever has a sitting's hours."""

    @property
    def opens_at(self) -> time: ...
    @property
    def closes_at(self) -> time: ...


def sitting_name(sitting: Sitting, others: Iterable[Sitting] = ()) -> str:
    """``Lunch``; ``Lunch, shift 1`` where ``others`` serve the same meal in another shift."""
    name = gettext(MEALS[sitting.meal])
    if sitting.shift == 1 and all(one.meal != sitting.meal or one.shift == 1 for one in others):
        return str(name)
    meal, comma, shift = str(gettext("%(meal)s, shift %(shift)s", meal=name, shift=sitting.shift)).partition(", ")
    # The number of a shift does not begin a line.
    return meal + comma + shift.replace(" ", "\N{NO-BREAK SPACE}")


def hours(sitting: Held) -> str:
    """``12:00–12:40``."""
    return f"{sitting.opens_at:%H:%M}–{sitting.closes_at:%H:%M}"


def allergen_words(codes: Iterable[str]) -> str:
    """Allergens by name, with commas; free words as they were written."""
    return ", ".join(
        code.removeprefix(OTHER_ALLERGEN) if code not in ALLERGENS else str(gettext(ALLERGENS[code])) for code in codes
    )


def age_group_name(group: str | None) -> str:
    """``Ages 6–10``, or nothing for what is for all."""
    return str(gettext(AGE_GROUPS[group])) if group in AGE_GROUPS else ""


def account_name(purpose: str) -> str:
    """An account's purpose in words; as it is stored where it has none."""
    return str(gettext(ACCOUNTS[purpose])) if purpose in ACCOUNTS else purpose


def code_name(code: str) -> str:
    """A refusal's code in a few words."""
    return str(gettext(CODES[code])) if code in CODES else code
