"""What other rooms are told about pupils, cards and guardians: frozen, without a session behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID


class AllergenFact(NamedTuple):
    """One of the 14 codes or ``other:`` and free words, and ``certified``, ``intolerance`` or ``wish``."""

    code: str
    severity: str


@dataclass(frozen=True, slots=True)
class PupilFacts:
    """A pupil as lists and tills show them. ``left_on`` is set for somebody who is no longer on the roll."""

    school_id: UUID
    id: UUID
    surname: str
    given_name: str
    patronymic: str
    class_id: UUID | None
    class_name: str
    """Empty for a pupil in no class."""
    grade: int | None
    photo_id: UUID | None
    diet_note: str
    allergens: tuple[AllergenFact, ...]
    joined_on: date
    left_on: date | None
    birth_date: date | None = None
    sourced_id: str = ""

    @property
    def name(self) -> str:
        """Surname and given name."""
        return f"{self.surname} {self.given_name}".strip()


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A card as the till has to know it."""

    id: UUID
    pupil_id: UUID
    kind: str
    blocked_at: datetime | None
    block_reason: str | None
    expires_on: date | None
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as pages show it: what people see of its number, and since when it opens."""

    id: UUID
    pupil_id: UUID
    kind: str
    label: str
    issued_at: datetime
    expires_on: date | None
    blocked_at: datetime | None
    block_reason: str | None


@dataclass(frozen=True, slots=True)
class TillFacts:
    """Everything a batch of taps needs from this room: cards by the hash of their number, pupils by id."""

    cards: Mapping[bytes, CardFacts]
    pupils: Mapping[UUID, PupilFacts]


@dataclass(frozen=True, slots=True)
class GuardianFacts:
    """A person who answers for a pupil. ``relation`` is ``mother``, ``father``, ``guardian`` or ``relative``."""

    person_id: UUID
    relation: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedFacts:
    """Whom the school's list calls a pupil's guardian, and how far they have come. Only the office is told.

    ``invited_at`` and ``good_until`` are those of the code that they hold and have not used; ``has_joined`` where they
    are a guardian of the pupil now, known by the code that was theirs, or by the same address or number.
    """

    id: UUID
    pupil_id: UUID
    name: str
    relation: str
    """``parent``, ``guardian`` or ``relative``."""
    email: str
    phone: str
    invited_at: datetime | None = None
    good_until: datetime | None = None
    has_joined: bool = False


@dataclass(frozen=True, slots=True)
class DroppedFacts:
    """Somebody who still sees a pupil, and whom the school's list named as a guardian and names no more."""

    pupil_id: UUID
    pupil_name: str
    person_id: UUID
    name: str
    unlisted_at: datetime


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A class and how many are in it now."""

    school_id: UUID
    id: UUID
    name: str
    grade: int
    shift: int
    pupils: int


@dataclass(frozen=True, slots=True)
class PupilPage:
    """One page of a list, and how many there are in all."""

    pupils: tuple[PupilFacts, ...]
    total: int
    page: int
    per_page: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored photo."""

    id: UUID
    media_type: str
    content: bytes
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPupil:
    """Somebody to be put on the roll. ``sourced_id`` is their id in the system that the roll comes from, if any."""

    surname: str
    given_name: str
    patronymic: str = ""
    birth_date: date | None = None
    class_id: UUID | None = None
    diet_note: str = ""
    sourced_id: str | None = None
    id: UUID | None = None
    joined_on: date | None = None
    """None: the day of the deed."""
