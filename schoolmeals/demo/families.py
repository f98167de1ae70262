"""Who lives in the demo city: children with their habits, and the adults who answer for them. Plans only, no deeds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Final
from uuid import UUID

from schoolmeals.actors import Role
from schoolmeals.demo.chance import chance_of
from schoolmeals.demo.names import Family, FullName, new_family

LETTERS: Final = "АӘБВГҒДЕ"
CLASS_SIZE: Final = 18
DEMO: Final = "demo.example"
FAMILIES: Final = "families.example"
STAFF_DOMAIN: Final = "staff.example"
CASHIER_PIN: Final = "4719"
KNOWN_CARD: Final = "04A1B2C3D4E5{:02d}"
"""Numbers of the cards of the demo people's children: to be typed at a till that has no reader."""


@dataclass(slots=True)
class Adult:
    """Somebody who may sign in. ``relation`` is to the pupils of the household."""

    name: str
    email: str
    language: str
    relation: str = "mother"
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """How often a child eats and how the family pays; shares from 0 to 1, sums in minor units."""

    lunch: float
    breakfast: float
    buffet: float
    pays: str
    """``page`` (in time, on the hosted page), ``desk`` (in time, in cash) or ``late`` (once money has run out)."""
    top_up_minor: int
    limit_minor: int | None = None


@dataclass(slots=True)
class Child:
    """A pupil to be. ``id``, ``card_id`` and ``number_hash`` are known once the school has put them on its roll."""

    name: FullName
    is_girl: bool
    grade: int
    letter: str
    birth_date: date
    language: str
    habits: Habits
    adults: list[Adult]
    allergens: tuple[tuple[str, str], ...] = ()
    diet_note: str = ""
    card_number: str | None = None
    loses_card_on: int | None = None
    """The school day, counted from the first, on which the card is gone."""
    id: UUID | None = None
    card_id: UUID | None = None
    number_hash: bytes | None = None

    @property
    def key(self) -> UUID:
        """The id, of a child who is on the roll."""
        assert self.id is not None, "this child is on no roll yet"
        return self.id

    @property
    def class_name(self) -> str:
        return f"{self.grade} «{self.letter}»"


@dataclass(frozen=True, slots=True)
class DemoRole:
    """A demo person who works for the city or for a school."""

    name: str
    email: str
    language: str
    role: Role
    where: str
    """``school`` (the first one), ``city``, ``supplier`` or ``state``."""


CASHIER: Final = DemoRole("Жақсыбекова Гүлнар", f"cashier@{DEMO}", "kk", Role.CASHIER, "school")
OFFICE: Final = DemoRole("Соколова Марина", f"office@{DEMO}", "ru", Role.SCHOOL_OFFICE, "school")
OFFICER: Final = DemoRole("Әлімов Тимур", f"procurement@{DEMO}", "kk", Role.PROCUREMENT_OFFICER, "city")
REVIEWER: Final = DemoRole("Смағұлова Динара", f"reviewer@{DEMO}", "kk", Role.PROCUREMENT_OFFICER, "city")
"""Reads what the officer has written before it is published."""
SUPPLIER: Final = DemoRole("Дәрібаев Қанат", f"supplier@{DEMO}", "kk", Role.SUPPLIER, "supplier")
REVIEW_BODY: Final = DemoRole("Жүнісов Бекзат", f"review@{DEMO}", "kk", Role.AUDITOR, "state")
"""Decides on complaints; sees no drafts."""
STAFF: Final = (
    CASHIER,
    OFFICE,
    OFFICER,
    REVIEWER,
    DemoRole("Петренко Оксана", f"commission@{DEMO}", "ru", Role.COMMISSION_MEMBER, "city"),
    SUPPLIER,
    DemoRole("Bekova Aliya", f"auditor@{DEMO}", "en", Role.AUDITOR, "city"),
    REVIEW_BODY,
)
CITY_ADMIN: Final = DemoRole("Нұрпейісова Айнұр", f"city@{DEMO}", "kk", Role.CITY_ADMIN, "city")
"""The last to come into the city: where she is missing, the city was never finished."""

AKHMETOV: Final = Family("kk", "Ахметов", ("Ерлан", "Ерланұлы", "Ерланқызы"), "Сәуле")
LEBEDEV: Final = Family("ru", "Лебедев", ("Андрей", "Андреевич", "Андреевна"), "Ольга")
SAULE: Final = Adult("Ахметова Сәуле", f"saule@{DEMO}", "kk")
OLGA: Final = Adult("Лебедева Ольга", f"olga@{DEMO}", "ru")
ERLAN: Final = Adult("Akhmetov Yerlan", f"yerlan@{DEMO}", "en", "father")
GRANDMOTHER: Final = Adult("Ахметова Бибігүл", f"bibigul@{DEMO}", "kk", "relative")
DEMO_GUARDIANS: Final = (SAULE, OLGA, ERLAN, GRANDMOTHER)


@dataclass(slots=True)
class Town:
    """The children of each school, in the order of the schools."""

    children: list[list[Child]] = field(default_factory=list)


def staff_of_school(place: int) -> tuple[DemoRole, DemoRole]:
    """The office and the cashier of a school that nobody is sent to by the sign-in page."""
    chance = chance_of("staff", place)
    office, cashier = (new_family(chance).parent(is_mother=True) for _ in range(2))
    return (
        DemoRole(office, f"office.{place}@{STAFF_DOMAIN}", "kk", Role.SCHOOL_OFFICE, "school"),
        DemoRole(cashier, f"cashier.{place}@{STAFF_DOMAIN}", "kk", Role.CASHIER, "school"),
    )


def plan_town(chance: Random, *, schools: int, pupils: int, today: date) -> Town:
    """Invent ``pupils`` children in ``schools`` schools. One family in twelve sends its children to two of them."""
    town = Town([[] for _ in range(schools)])
    shares = [pupils // schools + (place < pupils % schools) for place in range(schools)]
    _add_demo_families(chance, town, shares, today)
    for place, share in enumerate(shares):
        while len(town.children[place]) < share:
            other = (place + 1) % schools
            is_split = chance.random() < 0.08 and len(town.children[other]) < shares[other]
            _add_family(chance, town, place, other if is_split else place, shares, today)
    return town


def _add_family(chance: Random, town: Town, place: int, other: int, shares: Sequence[int], today: date) -> None:
    family = new_family(chance)
    number = chance.choices((1, 2, 3), (70, 24, 6))[0] if place == other else 2
    adults = _adults(chance, family, sum(map(len, town.children)))
    grades = chance.sample(range(1, 12), number)
    for nth, grade in enumerate(grades):
        at = other if nth else place
        if len(town.children[at]) < shares[at]:
            town.children[at].append(_child(chance, family, grade, adults, len(town.children[at]), shares[at], today))


def _adults(chance: Random, family: Family, number: int) -> list[Adult]:
    """Those of a family who have registered: in most families nobody yet, in one in twelve both parents apart."""
    if chance.random() < 0.6:
        return []
    mother = family.parent(is_mother=True)
    adults = [Adult(mother, f"mother.{number}@{FAMILIES}", family.language)]
    if chance.random() < 0.08:
        father = family.parent(is_mother=False)
        adults.append(Adult(father, f"father.{number}@{FAMILIES}", family.language, "father"))
    return adults


def _child(chance: Random, family: Family, grade: int, adults: list[Adult], place: int, of: int, today: date) -> Child:
    is_girl = chance.random() < 0.5
    allergens, note = _must_not_eat(chance, family.language)
    has_card = chance.random() < 0.97
    return Child(
        name=family.child(chance, is_girl=is_girl),
        is_girl=is_girl,
        grade=grade,
        letter=_letter(place, of),
        birth_date=_birth_date(chance, grade, today),
        language=family.language,
        habits=_habits(chance, grade, bool(adults)),
        adults=adults,
        allergens=allergens,
        diet_note=note,
        card_number=_card_number(chance) if has_card else None,
        loses_card_on=chance.randint(2, 28) if has_card and chance.random() < 0.025 else None,
    )


def _letter(place: int, of: int) -> str:
    """Which of the parallel classes: as many as the school's size calls for."""
    parallel = max(1, min(len(LETTERS), round(of / 11 / CLASS_SIZE)))
    # Even a small school has two classes of some years.
    return LETTERS[place % parallel] if parallel > 1 else LETTERS[place % 5 == 4]


def _birth_date(chance: Random, grade: int, today: date) -> date:
    school_year = today.year if today.month >= 9 else today.year - 1
    return date(school_year - 6 - grade, chance.randint(1, 12), chance.randint(1, 28))


def _habits(chance: Random, grade: int, has_adult: bool) -> Habits:
    in_time = "page" if has_adult else "desk"
    return Habits(
        lunch=chance.choice((0.95, 0.9, 0.85, 0.7, 0.4)),
        breakfast=chance.choice((0.4, 0.05, 0.0, 0.0, 0.0)),
        buffet=chance.choice((0.0, 0.05, 0.15, 0.3)) if grade > 2 else 0.04,
        pays=in_time if chance.random() < 0.85 else "late",
        # About a month of lunches: most families pay once a month.
        top_up_minor=chance.choice((20_000_00, 30_000_00, 30_000_00, 35_000_00, 40_000_00)),
        limit_minor=chance.choice((300_00, 500_00)) if has_adult and chance.random() < 0.12 else None,
    )


def _must_not_eat(chance: Random, language: str) -> tuple[tuple[tuple[str, str], ...], str]:
    fate = chance.random()
    if fate < 0.02:
        return ((chance.choice(("fish", "eggs", "milk", "nuts")), "certified"),), ""
    if fate < 0.05:
        return ((chance.choice(("milk", "celery", "eggs")), "intolerance"),), ""
    if fate < 0.06:
        return (("fish", "wish"),), ""
    if fate < 0.07:
        return (), "Тұзы аз тағам" if language == "kk" else "Меньше соли"
    return (), ""


def _card_number(chance: Random) -> str:
    """The UID of a transport card, or now and then a QR card of the school's own."""
    if chance.random() < 0.8:
        return f"04{chance.getrandbits(48):012X}"
    return "sm1:" + "".join(chance.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(26))


def _add_demo_families(chance: Random, town: Town, shares: Sequence[int], today: date) -> None:
    """The children of the demo people: one with two households and a grandmother, and three in two schools."""
    second = min(1, len(town.children) - 1)
    steady = Habits(lunch=1.0, breakfast=0.4, buffet=0.35, pays="page", top_up_minor=10_000_00, limit_minor=500_00)
    hungry = Habits(lunch=0.95, breakfast=0.0, buffet=0.3, pays="late", top_up_minor=10_000_00)
    family_of = {id(AKHMETOV): [SAULE, ERLAN, GRANDMOTHER], id(LEBEDEV): [OLGA]}
    wanted = (
        (0, AKHMETOV, "Аяла", True, 5, "Ә", steady, (("nuts", "certified"),)),
        (0, LEBEDEV, "Мария", True, 2, "А", steady, ()),
        (0, LEBEDEV, "Тимофей", False, 8, "А", hungry, (("milk", "intolerance"),)),
        (second, LEBEDEV, "Кирилл", False, 11, "А", steady, ()),
    )
    adults_of = {key: [_again(adult) for adult in adults] for key, adults in family_of.items()}
    for number, (place, family, given, is_girl, grade, letter, habits, allergens) in enumerate(wanted, 1):
        assert shares[place] >= len(wanted), "a demo school has room for the demo families"
        name = FullName(family.surname_for(is_girl), given, family.father[2 if is_girl else 1])
        town.children[place].append(
            Child(
                name=name,
                is_girl=is_girl,
                grade=grade,
                letter=letter,
                birth_date=_birth_date(chance, grade, today),
                language=family.language,
                habits=habits,
                adults=adults_of[id(family)],
                allergens=allergens,
                card_number=KNOWN_CARD.format(number),
            )
        )


def _again(adult: Adult) -> Adult:
    """A copy that this city may give an id."""
    return Adult(adult.name, adult.email, adult.language, adult.relation)
