"""What the invented canteens cook: ten days of set meals, breakfasts, and the buffet.

Home cooking within the norm for schools: no sausages, no sweet drinks, nothing fried in deep fat. Prices are per age
group, as school contracts of Kazakh cities have them; the dearest lunch is 951 tenge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

AGE_GROUPS: Final = ("6-10", "11-14", "15-18")
LUNCH_PRICES: Final = {"6-10": 811_00, "11-14": 896_00, "15-18": 951_00}
BREAKFAST_PRICES: Final = {"6-10": 637_00, "11-14": 690_00, "15-18": 745_00}
PORTIONS: Final = {"6-10": 1.0, "11-14": 1.15, "15-18": 1.3}


@dataclass(frozen=True, slots=True)
class Dish:
    """Something to eat. ``look`` says how it is drawn; weights and energy are those of the youngest's portion."""

    kk: str
    ru: str
    en: str
    look: str
    colour: str
    grams: int
    kcal: int
    allergens: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """The names by language."""
        return {"kk": self.kk, "ru": self.ru, "en": self.en}


@dataclass(frozen=True, slots=True)
class BuffetItem:
    """A dish that is sold by itself, in minor units."""

    dish: Dish
    price_minor: int


SORPA: Final = Dish("Сорпа", "Сорпа", "Meat broth", "bowl", "#c9962f", 200, 110, ("celery",))
KESPE: Final = Dish("Кеспе көже", "Суп-лапша домашний", "Noodle soup", "bowl", "#d8b04a", 200, 130, ("gluten", "eggs"))
LENTIL: Final = Dish("Жасымық сорпасы", "Суп из чечевицы", "Lentil soup", "bowl", "#c97a2b", 200, 120)
BORSCH: Final = Dish("Борщ", "Борщ", "Beetroot soup", "bowl", "#a8323e", 200, 105, ("celery",))
PEAS: Final = Dish("Бұршақ сорпасы", "Суп гороховый", "Pea soup", "bowl", "#b9a23c", 200, 125)
RASSOLNIK: Final = Dish("Рассольник", "Рассольник", "Barley soup", "bowl", "#a9a15a", 200, 115, ("gluten", "milk"))
PALAU: Final = Dish("Палау", "Плов с говядиной", "Pilaf with beef", "plate", "#d0862c", 180, 330)
GOULASH: Final = Dish(
    "Гуляш қарақұмықпен", "Гуляш с гречкой", "Goulash with buckwheat", "plate", "#7c4a2a", 190, 310, ("gluten",)
)
CUTLET: Final = Dish(
    "Буға пісірілген котлет, картоп езбесі", "Котлета паровая с пюре", "Steamed cutlet, mash", "plate", "#e3c777", 200,
    320, ("gluten", "eggs", "milk"),
)  # fmt: skip
FISH: Final = Dish(
    "Бұқтырылған балық күрішпен", "Рыба тушёная с рисом", "Stewed fish with rice", "plate", "#dfd3b6", 190, 280,
    ("fish",),
)  # fmt: skip
CHICKEN: Final = Dish(
    "Тауық еті макаронмен", "Курица с макаронами", "Chicken with pasta", "plate", "#dcae57", 190, 325, ("gluten",)
)
KUYRDAK: Final = Dish("Қуырдақ көкөніспен", "Куырдак с овощами", "Kuyrdak, vegetables", "plate", "#8a5a34", 180, 335)
TEFTELI: Final = Dish(
    "Тефтели бидай жармасымен", "Тефтели с пшеничной кашей", "Meatballs with wheat", "plate", "#b5763f", 195, 315,
    ("gluten", "eggs"),
)  # fmt: skip
DYMDAMA: Final = Dish("Дымдама", "Дымдама", "Beef and vegetable stew", "plate", "#b4602f", 200, 300)
MANTY: Final = Dish("Буға піскен мәнті", "Манты", "Steamed dumplings", "plate", "#e9dcc1", 180, 340, ("gluten", "eggs"))
LAGMAN: Final = Dish("Лағман", "Лагман", "Lagman noodles", "bowl", "#bb5a2b", 220, 330, ("gluten", "eggs"))

CARROT: Final = Dish("Сәбіз салаты", "Салат из моркови", "Carrot salad", "salad", "#e38b2b", 60, 45)
CABBAGE: Final = Dish("Қырыққабат салаты", "Салат из капусты", "Cabbage salad", "salad", "#a9c36b", 60, 40)
BEET: Final = Dish("Қызылша салаты", "Салат из свёклы", "Beetroot salad", "salad", "#9b2f57", 60, 50)
FRESH: Final = Dish("Жас көкөніс", "Овощи свежие", "Fresh vegetables", "salad", "#6fae4a", 60, 20)
BREAD: Final = Dish("Қара бидай наны", "Хлеб ржано-пшеничный", "Rye bread", "bun", "#7a5231", 40, 90, ("gluten",))
COMPOTE: Final = Dish(
    "Кептірілген жеміс компоты", "Компот из сухофруктов", "Dried fruit drink", "glass", "#b5651d", 200, 60
)
KISSEL: Final = Dish("Жидек киселі", "Кисель ягодный", "Berry kissel", "glass", "#a83a5b", 200, 70)
ROSEHIP: Final = Dish("Итмұрын тұнбасы", "Настой шиповника", "Rosehip drink", "glass", "#c24d2c", 200, 40)
TEA: Final = Dish("Сүт қосылған шай", "Чай с молоком", "Tea with milk", "glass", "#c8a27a", 200, 45, ("milk",))

OATS: Final = Dish("Сұлы ботқасы", "Каша овсяная", "Oat porridge", "bowl", "#e4d6b0", 180, 210, ("gluten", "milk"))
TARY: Final = Dish("Тары ботқасы", "Каша пшённая", "Millet porridge", "bowl", "#e8c95c", 180, 215, ("milk",))
RICE: Final = Dish("Күріш ботқасы", "Каша рисовая", "Rice porridge", "bowl", "#f0e8d2", 180, 205, ("milk",))
QARAQUMYQ: Final = Dish(
    "Қарақұмық ботқасы", "Каша гречневая", "Buckwheat porridge", "bowl", "#9a6b3f", 180, 220, ("milk",)
)
SYRNIKI: Final = Dish(
    "Сырники қаймақпен", "Сырники со сметаной", "Curd pancakes", "plate", "#e9b95c", 130, 260,
    ("gluten", "eggs", "milk"),
)  # fmt: skip
OMELETTE: Final = Dish("Омлет", "Омлет", "Omelette", "plate", "#f0cf4e", 120, 200, ("eggs", "milk"))
CHEESE: Final = Dish(
    "Ірімшік пен нан", "Хлеб с сыром", "Bread and cheese", "bun", "#e2b13c", 50, 120, ("gluten", "milk")
)

LUNCHES: Final = (
    (SORPA, PALAU, CARROT, BREAD, COMPOTE),
    (BORSCH, CHICKEN, FRESH, BREAD, ROSEHIP),
    (LENTIL, CUTLET, BEET, BREAD, KISSEL),
    (KESPE, DYMDAMA, CABBAGE, BREAD, COMPOTE),
    (PEAS, FISH, CARROT, BREAD, TEA),
    (SORPA, MANTY, FRESH, BREAD, ROSEHIP),
    (RASSOLNIK, GOULASH, CABBAGE, BREAD, COMPOTE),
    (LENTIL, KUYRDAK, FRESH, BREAD, KISSEL),
    (BORSCH, TEFTELI, CARROT, BREAD, TEA),
    (PEAS, LAGMAN, BEET, BREAD, COMPOTE),
)
BREAKFASTS: Final = (
    (OATS, CHEESE, TEA),
    (SYRNIKI, TEA),
    (TARY, CHEESE, TEA),
    (OMELETTE, BREAD, TEA),
    (QARAQUMYQ, CHEESE, TEA),
    (RICE, CHEESE, TEA),
)
APPLE: Final = Dish("Алма", "Яблоко", "Apple", "fruit", "#c8372d", 120, 60)
BANANA: Final = Dish("Банан", "Банан", "Banana", "fruit", "#e5c33b", 130, 115)
AYRAN: Final = Dish("Айран", "Айран", "Ayran", "glass", "#eef0ea", 200, 80, ("milk",))
WATER: Final = Dish("Ауыз су, 0,5 л", "Вода питьевая, 0,5 л", "Drinking water, 0.5 l", "glass", "#bfd9e6", 500, 0)
CURD_BUN: Final = Dish(
    "Ірімшік қосылған тоқаш", "Ватрушка с творогом", "Curd bun", "bun", "#d9a24b", 75, 230, ("gluten", "eggs", "milk")
)
SAMSA: Final = Dish(
    "Картоп самсасы", "Самса с картофелем", "Potato samsa", "bun", "#c88a3d", 90, 240, ("gluten", "eggs")
)
YOGHURT: Final = Dish("Табиғи йогурт", "Йогурт натуральный", "Plain yoghurt", "glass", "#f4efe6", 125, 95, ("milk",))
NUTS: Final = Dish("Жаңғақ пен мейіз", "Орехи с изюмом", "Nuts and raisins", "fruit", "#8c5a33", 40, 190, ("nuts",))
BUFFET: Final = (
    BuffetItem(APPLE, 120_00),
    BuffetItem(BANANA, 190_00),
    BuffetItem(AYRAN, 180_00),
    BuffetItem(WATER, 150_00),
    BuffetItem(CURD_BUN, 220_00),
    BuffetItem(SAMSA, 260_00),
    BuffetItem(YOGHURT, 240_00),
    BuffetItem(NUTS, 320_00),
)


def main_dish(meal: Sequence[Dish]) -> Dish:
    """The dish that a set meal is called after."""
    return max(meal, key=lambda dish: dish.kcal)


def pictured_dishes() -> tuple[Dish, ...]:
    """Those that menus show a picture of, each once."""
    mains = [main_dish(meal) for meal in (*LUNCHES, *BREAKFASTS)]
    return tuple(dict.fromkeys([*mains, *(item.dish for item in BUFFET)]))
