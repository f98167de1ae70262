"""What the demo's tenders ask for: the sections of a notice and of its lot, in three languages."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from schoolmeals import identity
from schoolmeals.demo.families import OFFICER
from schoolmeals.procurement.rules.need import AGE_GROUPS

CEILINGS_MINOR: Final[Mapping[str, Mapping[str, int]]] = {
    "lunch": dict(zip(AGE_GROUPS, (845_00, 934_00, 991_00), strict=True)),
    "breakfast": dict(zip(AGE_GROUPS, (664_00, 719_00, 777_00), strict=True)),
}
"""The most that a meal may cost, by meal and age group. Who wins is 4 % under it, and asks what the menus of the demo
say (``dishes.LUNCH_PRICES``).
"""
HOURS: Final = {"lunch": ("11:00", "14:30"), "breakfast": ("07:45", "08:45")}
MEAL_NAMES: Final = {
    "lunch": ("түскі ас", "обеды", "lunches"),
    "breakfast": ("таңғы ас", "завтраки", "breakfasts"),
}
DISHES: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "lunch": (
        ("Борщ, палау, компот", "Борщ, плов, компот", "Borscht, pilaf, fruit drink"),
        ("Тауық сорпасы, қарақұмық, шай", "Куриный суп, гречка, чай", "Chicken soup, buckwheat, tea"),
        ("Көже, котлет пен картоп езбесі, сүт", "Суп, котлета с пюре, молоко", "Soup, cutlet with mash, milk"),
        ("Бұршақ көже, балық пен күріш, шырын", "Гороховый суп, рыба с рисом, сок", "Pea soup, fish with rice, juice"),
        ("Кеспе көже, қуырдақ, шай", "Суп-лапша, куырдак, чай", "Noodle soup, kuyrdak, tea"),
    ),
    "breakfast": (
        ("Сұлы ботқасы, май, шай", "Овсяная каша, масло, чай", "Oat porridge, butter, tea"),
        ("Сүзбе күлшесі, қаймақ, какао", "Сырники, сметана, какао", "Curd pancakes, sour cream, cocoa"),
        ("Омлет, нан, шай", "Омлет, хлеб, чай", "Omelette, bread, tea"),
        ("Күріш ботқасы, жеміс, сүт", "Рисовая каша, фрукты, молоко", "Rice porridge, fruit, milk"),
    ),
}
POSTS: Final = (
    {"post": "head-cook", "count": 1, "fte_percent": 100, "grade": 5},
    {"post": "cook", "count": 2, "fte_percent": 100, "grade": 4},
    {"post": "kitchen-worker", "count": 2, "fte_percent": 100},
)
BIDDING_DAYS: Final = 30


def texts(kk: str, ru: str, en: str) -> dict[str, str]:
    """A text in each language."""
    return {"kk": kk, "ru": ru, "en": en}


def title_of(school: identity.OrganisationFacts, meal: str, first: date) -> dict[str, str]:
    """What a tender for a school's meals is called."""
    kk, ru, en = MEAL_NAMES[meal]
    return texts(
        f"{school.name_kk}: {first.year} жылғы {kk}",
        f"{school.name_ru}: {ru} на {first.year} год",
        f"{school.name_en}: {en} in {first.year}",
    )


def tender_sections(title: Mapping[str, str], first: date, last: date) -> dict[str, dict[str, Any]]:
    """The sections that are about the whole tender."""
    return {
        "notice": {
            "title": dict(title),
            "description": texts(
                "Барлық сыныптың оқушыларына мектепте әзірленген ыстық тамақ.",
                "Горячее питание, приготовленное в школе, для учеников всех классов.",
                "Hot meals, cooked at the school, for the pupils of all classes.",
            ),
            "contact_name": OFFICER.name,
            "contact_phone": "+7 700 000 00 00",
            "contact_email": OFFICER.email,
        },
        "period": {"starts_on": first.isoformat(), "ends_on": last.isoformat()},
        "terms": {"bidding_days": BIDDING_DAYS, "payment_days": 10, "penalty_permille_day": 1},
    }


def lot_sections(meal: str, days: int) -> dict[str, dict[str, Any]]:
    """The sections of the lot: one school, ``days`` school days."""
    opens_at, closes_at = HOURS[meal]
    return {
        "meals": {"planned_days": days, "meals": [{"age_group": group, "meal": meal} for group in AGE_GROUPS]},
        "kitchen": {
            "kitchen": "cook-on-site",
            "capacity_day": 600,
            "seats": 180,
            "shifts": 2,
            "address": texts("Мектептің асханасы", "Столовая школы", "The school's canteen"),
        },
        "serving": {"times": [{"meal": meal, "shift": 1, "opens_at": opens_at, "closes_at": closes_at}]},
        "lease": {"area_m2": 120, "rent_minor_month": 241_000_00},
        "staff": {"posts": [dict(post) for post in POSTS]},
        "menu": {"season": "winter-spring", "days": _menu(meal)},
        "diets": {"diets": [{"diet": "gluten-free", "pupils": 2}, {"diet": "diabetes", "pupils": 1}]},
        "origin": {"domestic_percent": 60},
    }


def _menu(meal: str) -> list[dict[str, Any]]:
    dishes = DISHES[meal]
    return [
        {
            "week": week,
            "weekday": weekday,
            "meal": meal,
            "dishes": texts(*dishes[(week + weekday) % len(dishes)]),
            "kcal": 480 + 10 * ((week + weekday) % len(dishes)) + (200 if meal == "lunch" else 0),
        }
        for week in range(1, 5)
        for weekday in range(1, 6)
    ]
