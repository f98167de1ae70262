"""A school's roll: classes, pupils, what they must not eat, their cards, photos and guardians."""

from datetime import UTC, date, datetime
from uuid import UUID

import factory

from schoolmeals.ids import new_id
from schoolmeals.pupils.models import Card, Guardianship, ListedGuardian, Photo, Pupil, PupilAllergen, SchoolClass
from schoolmeals.pupils.rules import sort_key
from tests.factories import RowFactory

SOME_SCHOOL = UUID(int=1)
LONG_AGO = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
SURNAMES = ("Әбенов", "Жұмабек", "Иванова", "Қасымова", "Нұрланұлы", "Оспанова", "Сейітқали", "Төлегенова")
GIVEN_NAMES = ("Айгерім", "Дәулет", "Ерасыл", "Мария", "Нұрасыл", "Томирис", "Іңкәр", "Ясмин")


class SchoolClassFactory(RowFactory[SchoolClass]):
    """A class of the fifth grade."""

    class Meta:
        model = SchoolClass

    school_id = SOME_SCHOOL
    id = factory.LazyFunction(new_id)
    sourced_id = factory.Sequence(lambda n: f"class-{n}")
    name = factory.Sequence(lambda n: f"5 «{'АӘБВГҒД'[n % 7]}»")
    sort_key = factory.LazyAttribute(lambda one: sort_key(one.name))
    grade = 5
    shift = 1


class PupilFactory(RowFactory[Pupil]):
    """A pupil on the roll since 1 September 2026, in no class unless ``class_id`` names one."""

    class Meta:
        model = Pupil

    school_id = SOME_SCHOOL
    id = factory.LazyFunction(new_id)
    sourced_id = factory.Sequence(lambda n: f"pupil-{n}")
    surname = factory.Sequence(lambda n: SURNAMES[n % len(SURNAMES)])
    given_name = factory.Sequence(lambda n: GIVEN_NAMES[n % len(GIVEN_NAMES)])
    patronymic = ""
    sort_key = factory.LazyAttribute(lambda pupil: sort_key(f"{pupil.surname} {pupil.given_name}"))
    birth_date = date(2015, 5, 1)
    class_id = None
    photo_id = None
    diet_note = ""
    joined_on = date(2026, 9, 1)
    left_on = None


class PupilAllergenFactory(RowFactory[PupilAllergen]):
    """Nuts, certified by a doctor. Needs ``pupil_id``."""

    class Meta:
        model = PupilAllergen

    school_id = SOME_SCHOOL
    allergen = "nuts"
    severity = "certified"
    noted_by = None
    noted_at = LONG_AGO


class PhotoFactory(RowFactory[Photo]):
    """A picture that is no picture: its bytes are never decoded by those who only serve it."""

    class Meta:
        model = Photo

    school_id = SOME_SCHOOL
    id = factory.LazyFunction(new_id)
    media_type = "image/webp"
    content = b"RIFF....WEBP"
    sha256 = b"\x01" * 32
    added_at = LONG_AGO


class CardFactory(RowFactory[Card]):
    """A card that opens. Needs ``pupil_id``."""

    class Meta:
        model = Card

    school_id = SOME_SCHOOL
    id = factory.LazyFunction(new_id)
    kind = "iso14443"
    number_hash = factory.Sequence(lambda n: n.to_bytes(32, "big"))
    label = "…4F21"
    issued_at = LONG_AGO
    issued_by = None
    expires_on = None
    blocked_at = None
    blocked_by = None
    block_reason = None
    replaced_at = None


class GuardianshipFactory(RowFactory[Guardianship]):
    """A mother's tie. Needs ``pupil_id`` and ``person_id``."""

    class Meta:
        model = Guardianship

    school_id = SOME_SCHOOL
    id = factory.LazyFunction(new_id)
    relation = "mother"
    since = LONG_AGO
    ended_at = None


class ListedGuardianFactory(RowFactory[ListedGuardian]):
    """A parent whom the school's list names, without phone and e-mail. Needs ``pupil_id``."""

    class Meta:
        model = ListedGuardian

    school_id = SOME_SCHOOL
    id = factory.LazyFunction(new_id)
    sourced_id = factory.Sequence(lambda n: f"guardian-{n}")
    name = "Абай Сәуле"
    relation = "parent"
    email = ""
    phone = ""
    listed_at = LONG_AGO
    unlisted_at = None
