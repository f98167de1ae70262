"""Founding the demo's schools: organisations, staff, tills, sittings, the roll with its cards, photos and guardians."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from schoolmeals import canteen, identity, pupils, wallet
from schoolmeals.actors import Actor, Grant, Role, device, person
from schoolmeals.database import Work, transaction
from schoolmeals.demo.dishes import Dish, pictured_dishes
from schoolmeals.demo.families import CASHIER_PIN, Adult, Child
from schoolmeals.demo.pictures import dish_picture, figure_picture
from schoolmeals.workdays import Calendar

DISTRICTS: Final = (
    ("Есіл ауданы", "Есильский район"),
    ("Алматы ауданы", "район Алматы"),
    ("Сарыарқа ауданы", "район Сарыарка"),
    ("Байқоңыр ауданы", "район Байконыр"),
)
FIGURES: Final = 36
SITTINGS: Final = {
    "breakfast": ("breakfast", 1, time(7, 45), time(8, 45)),
    "lunch-1": ("lunch", 1, time(11, 0), time(12, 15)),
    "lunch-2": ("lunch", 2, time(12, 30), time(14, 30)),
}
"""Meal, shift and hours; the younger eat first."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the doors derive from the installation's secret."""

    cards: bytes
    identity: identity.Keyring


@dataclass(slots=True)
class School:
    """A school of the demo and what is needed to let its days pass."""

    place: int
    id: UUID
    office: Actor
    till: Actor
    till_facts: identity.DeviceFacts
    calendar: Calendar
    children: list[Child]
    sittings: dict[str, UUID]
    photos: dict[Dish, UUID]
    next_seq: int = 1
    lost: dict[UUID, int] = field(default_factory=dict)
    """Pupils whose card is gone, and the day of the loss."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where and when the city is made."""

    now: datetime
    zone: ZoneInfo
    keys: Keys
    bounds: wallet.TopUpBounds
    cash_bounds: wallet.TopUpBounds
    check: Callable[[], None] = lambda: None
    """Raises Interrupted where nobody wants the city any more."""

    def at(self, day: date, local: time, seconds: float = 0) -> datetime:
        """The instant of a local time."""
        return datetime.combine(day, local, self.zone).astimezone(UTC) + timedelta(seconds=seconds)

    @contextmanager
    def deed(self, actor: Actor, at: datetime) -> Iterator[Work]:
        """One deed at its own instant. Raises Interrupted."""
        self.check()
        with transaction(actor, min(at, self.now)) as work:
            yield work


def office_of(school_id: UUID, person_id: UUID) -> Actor:
    """Somebody of the school office."""
    return person(person_id, [Grant(Role.SCHOOL_OFFICE, school_id)])


def guardian_of(school_id: UUID, adult: Adult) -> Actor:
    """A guardian, as one pupil's school knows them."""
    assert adult.id is not None
    return person(adult.id, [Grant(Role.PARENT, school_id)], adult.language)


def found_school(work: Work, place: int) -> UUID:
    """Add the organisation. Numbers from 301 on: no school of the real city has one."""
    number, (kk, ru) = 301 + place, DISTRICTS[place % len(DISTRICTS)]
    return identity.new_organisation(
        work,
        kind="school",
        name_kk=f"№ {number} мектеп-гимназия",
        name_ru=f"Школа-гимназия № {number}",
        name_en=f"School No. {number}",
        district=f"{kk} / {ru}",
    )


def equip_school(
    site: Site, place: int, school_id: UUID, office: Actor, cashier_id: UUID, children: list[Child], on: date
) -> School:
    """Give a school its tills, sittings, dish pictures and roll on the day ``on``."""
    with site.deed(office, site.at(on, time(9))) as work:
        identity.set_pin(work, school_id, cashier_id, CASHIER_PIN)
        device_id = _till_in_use(work, site, school_id)
        # The second one waits for a visitor's browser.
        identity.new_device(work, school_id, "2-касса", keys=site.keys.identity)
        facts = identity.device_of(work, device_id)
        sittings = {
            name: canteen.hold_sitting(work, school_id, meal=meal, shift=shift, opens_at=opens, closes_at=closes)
            for name, (meal, shift, opens, closes) in SITTINGS.items()
        }
        photos = {
            dish: pupils.keep_photo(work, school_id, dish_picture(dish.look, dish.colour)) for dish in pictured_dishes()
        }
        calendar = identity.calendar_of(work, school_id)
    till = device(device_id, school_id, cashier_id)
    school = School(place, school_id, office, till, facts, calendar, children, sittings, photos)
    _fill_roll(site, school, on)
    _register_guardians(site, school, on)
    return school


def _till_in_use(work: Work, site: Site, school_id: UUID) -> UUID:
    """A till with a key that nobody keeps: the past was rung up on it."""
    device_id, code = identity.new_device(work, school_id, "1-касса", keys=site.keys.identity)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    public_key = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    identity.enrol_device(work, keys=site.keys.identity, code=code, public_key=public_key, address="127.0.0.1")
    return device_id


def _fill_roll(site: Site, school: School, on: date) -> None:
    with site.deed(school.office, site.at(on, time(10))) as work:
        names = dict.fromkeys(sorted((child.grade, child.class_name) for child in school.children))
        classes = {
            name: pupils.open_class(work, school.id, name, shift=1 if grade <= 5 else 2) for grade, name in names
        }
        new = [
            pupils.NewPupil(
                surname=child.name.surname,
                given_name=child.name.given,
                patronymic=child.name.patronymic,
                birth_date=child.birth_date,
                class_id=classes[child.class_name],
                diet_note=child.diet_note,
            )
            for child in school.children
        ]
        for child, pupil_id in zip(school.children, pupils.enrol_pupils(work, school.id, new), strict=True):
            child.id = pupil_id
        wallet.lock_purses(work, school.id, [child.key for child in school.children])
    with site.deed(school.office, site.at(on, time(11))) as work:
        issue_cards_to(work, site, school, [child for child in school.children if child.card_number])
        for child in school.children:
            if child.allergens:
                facts = [pupils.AllergenFact(code, severity) for code, severity in child.allergens]
                pupils.set_allergens(work, school.id, child.key, facts)
    for first in range(0, len(school.children), 50):
        with site.deed(school.office, site.at(on, time(12), first * 60)) as work:
            for place, child in enumerate(school.children[first : first + 50], first):
                # Half of the families have not sent a picture yet.
                if place % 2 == 0:
                    photo = figure_picture((school.place * 11 + place) % FIGURES, is_girl=child.is_girl)
                    pupils.set_photo(work, school.id, child.key, photo)


def issue_cards_to(work: Work, site: Site, school: School, children: list[Child], *, again: bool = False) -> None:
    """Issue each child the card of their ``card_number``; ``again``: in place of the one they had."""
    for child in children:
        assert child.card_number is not None
        child.number_hash = pupils.number_hash(site.keys.cards, child.card_number)
    cards = [_new_card(child) for child in children]
    issue = pupils.reissue_cards if again else pupils.issue_cards
    for child, card_id in zip(children, issue(work, school.id, cards), strict=True):
        child.card_id = card_id


def _new_card(child: Child) -> pupils.NewCard:
    assert child.card_number is not None
    assert child.number_hash is not None
    number = pupils.card_number(child.card_number)
    return pupils.NewCard(child.key, child.number_hash, number.kind, number.label)


def _register_guardians(site: Site, school: School, on: date) -> None:
    """Let the school office note who answers for whom; who is new to the city signs up first."""
    families = [child for child in school.children if child.adults]
    for first in range(0, len(families), 50):
        with site.deed(school.office, site.at(on, time(14), first * 60)) as work:
            for child in families[first : first + 50]:
                for adult in child.adults:
                    if adult.id is None:
                        adult.id = identity.new_person(
                            work, name=adult.name, email=adult.email, language=adult.language
                        )
                    pupils.add_guardian(work, school.id, child.key, adult.id, adult.relation)
    limited = [child for child in families if child.habits.limit_minor is not None]
    for place, child in enumerate(limited):
        with site.deed(guardian_of(school.id, child.adults[0]), site.at(on, time(18), place * 60)) as work:
            wallet.set_limit(work, school.id, child.key, child.habits.limit_minor)
