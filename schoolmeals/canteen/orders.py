"""What a till asks and what it is answered. Plain frozen values; no rule, no session."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from schoolmeals.verdicts import Refused

SERVED = "served"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class OrderItem:
    """Something of the menu, ``quantity`` times."""

    menu_item_id: UUID
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class NamedDecision:
    """What the cashier decided about one code, e.g. ``A41``, with a reason where the rule wants one."""

    code: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One tap. Its id is made by the till (UUIDv7), so that sending it twice is selling once.

    Either ``number_hash`` (of the card that was tapped) or ``pupil_id`` (found by name) says who eats. With
    ``wants_set_meal`` the server chooses the set meal of the pupil's age group; ``items`` are chosen by the cashier.
    """

    id: UUID
    seq: int
    """Counted by the device, from 1."""
    tapped_at: datetime
    """By the device's clock; aware."""
    sitting_id: UUID
    number_hash: bytes | None = None
    pupil_id: UUID | None = None
    wants_set_meal: bool = False
    items: tuple[OrderItem, ...] = ()
    decisions: tuple[NamedDecision, ...] = ()

    def __post_init__(self) -> None:
        if (self.number_hash is None) == (self.pupil_id is None):
            raise ValueError("an order names a card or a pupil, one of the two")
        if self.tapped_at.tzinfo is None:
            raise ValueError("a time without a zone is refused")

    def content_hash(self, device_id: UUID) -> bytes:
        """SHA-256 over everything but the id: equal exactly where the same device asks for the same thing."""
        who = self.number_hash.hex() if self.number_hash is not None else str(self.pupil_id)
        lines = [str(device_id), str(self.seq), self.tapped_at.astimezone(UTC).isoformat(), str(self.sitting_id), who]
        lines.append(str(self.wants_set_meal))
        lines += [f"item {item.menu_item_id} {item.quantity}" for item in self.items]
        lines += [f"decision {len(one.reason)} {one.code} {one.reason}" for one in self.decisions]
        return hashlib.sha256("\n".join(lines).encode()).digest()


@dataclass(frozen=True, slots=True)
class PupilAtTill:
    """What the till shows of a pupil. No money, and nothing from which it could be guessed."""

    id: UUID
    name: str
    class_name: str
    photo_id: UUID | None
    diet_note: str
    allergens: tuple[tuple[str, str], ...]
    """Code and severity."""


@dataclass(frozen=True, slots=True)
class AnswerItem:
    """An item as it was served or declined."""

    menu_item_id: UUID
    quantity: int
    is_set_meal: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the till is told about one order. The same for a pupil with money, on grace and on courtesy."""

    tap_id: UUID
    verdict: str
    """``served`` or ``refused``."""
    code: str | None
    sentence: str
    """An English message id, translated where it is shown."""
    recorded_at: datetime
    pupil: PupilAtTill | None = None
    items: tuple[AnswerItem, ...] = ()
    declined: tuple[AnswerItem, ...] = ()
    """Buffet items that were left out of a meal that was served; ``warnings`` say why."""
    warnings: tuple[Refused, ...] = ()
    facts: dict[str, object] = field(default_factory=dict)
    """Parameters of ``sentence``."""
    replayed: bool = False

    @property
    def is_served(self) -> bool:
        return self.verdict == SERVED

    def shown_with(self, pupil: PupilAtTill) -> "Answer":
        """The same answer with the pupil as the roll has them now."""
        return replace(self, pupil=pupil)

    def again(self) -> "Answer":
        """The same answer, given once more."""
        return replace(self, replayed=True)
