"""Taps as JSON, read and answered by hand: a batch of 200 is read in the time that a schema would take for ten of them.

The same shapes stand in ``schemas.py`` for the API's documentation. What cannot be read is answered with ``E01`` by
itself, so that one bad tap never holds up a queue.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from schoolmeals import pupils
from schoolmeals.canteen.orders import REFUSED, Answer, AnswerItem, NamedDecision, Order, OrderItem
from schoolmeals.canteen.rules import MAX_QUANTITY, SENTENCES
from schoolmeals.errors import N_, FieldProblem, Invalid
from schoolmeals.keys import keyed_hash
from schoolmeals.verdicts import Refused

MOST_TAPS: Final = 200
MOST_ITEMS: Final = 20
MOST_DECISIONS: Final = 5
LONGEST_REASON: Final = 200
LONGEST_CARD: Final = 200
LARGEST_SEQ: Final = 2**53 - 1
DECIDABLE: Final = frozenset({"M30", "A40", "A41", "A42", "V53"})
"""Codes about which a cashier may decide."""
_NEEDED: Final = frozenset({"id", "seq", "tapped_at", "sitting_id"})
_KNOWN: Final = _NEEDED | {"card_number", "pupil_id", "wants_set_meal", "items", "decisions"}

Speak = Callable[[str, Mapping[str, object]], str]
"""Turns a message id and its parameters into a sentence of the reader's language."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A tap that could not be read; its id where at least that could be."""

    tap_id: UUID | None


def read_taps(body: Any, card_key: bytes) -> list[Order | Unreadable]:
    """The taps of a request, ``{"taps": [...]}`` with 1 to 200 of them. Raises Invalid for anything else."""
    taps = body.get("taps") if isinstance(body, dict) and set(body) == {"taps"} else None
    if not isinstance(taps, list) or not 1 <= len(taps) <= MOST_TAPS:
        problem = FieldProblem.of("taps", N_("Send between 1 and 200 taps at once, and nothing else."))
        raise Invalid("taps-unreadable", fields={"taps": [problem]})
    return [read_tap(tap, card_key) for tap in taps]


def read_tap(tap: Any, card_key: bytes) -> Order | Unreadable:
    """One tap, strictly: unknown fields, other types and lengths make it unreadable."""
    try:
        return _tap(tap, card_key)
    except (ValueError, TypeError, KeyError, OverflowError):
        return Unreadable(_id_of(tap))


def answers_json(answers: Iterable[Answer | Unreadable], now: datetime, photo_url: Any, speak: Speak) -> dict[str, Any]:
    """The answers in the order of the taps. ``photo_url`` makes an address of a photo's id."""
    written = [
        _unreadable_json(one, now, speak) if isinstance(one, Unreadable) else answer_json(one, photo_url, speak)
        for one in answers
    ]
    return {"answers": written}


def answer_json(answer: Answer, photo_url: Any, speak: Speak) -> dict[str, Any]:
    """One answer. Nothing in it tells who pays."""
    pupil = answer.pupil
    return {
        "tap_id": str(answer.tap_id),
        "verdict": answer.verdict,
        "code": answer.code,
        "sentence": speak(answer.sentence, answer.facts),
        "allergens": answer.facts.get("allergens", []),
        "recorded_at": instant(answer.recorded_at),
        "replayed": answer.replayed,
        "pupil": pupil
        and {
            "id": str(pupil.id),
            "name": pupil.name,
            "class_name": pupil.class_name,
            "photo_url": photo_url(pupil.photo_id) if pupil.photo_id else None,
            "diet_note": pupil.diet_note,
            "allergens": [{"code": code, "severity": severity} for code, severity in pupil.allergens],
        },
        "items": [_item_json(item) for item in answer.items],
        "declined": [_item_json(item) for item in answer.declined],
        "warnings": [_warning_json(one, speak) for one in answer.warnings],
    }


def instant(moment: datetime) -> str:
    """An instant as RFC 3339 in UTC with Z, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _tap(tap: Any, card_key: bytes) -> Order:
    if not isinstance(tap, dict) or not _NEEDED <= tap.keys() <= _KNOWN:
        raise ValueError("fields")
    tapped_at = datetime.fromisoformat(_text(tap["tapped_at"], 40))
    pupil_id, card = tap.get("pupil_id"), tap.get("card_number")
    if not 2000 < tapped_at.year < 2200:
        raise ValueError("a time of this age of the world")
    return Order(
        id=_uuid(tap["id"]),
        seq=_whole(tap["seq"], 1, LARGEST_SEQ),
        tapped_at=tapped_at,
        sitting_id=_uuid(tap["sitting_id"]),
        number_hash=None if card is None else _number_hash(card_key, _text(card, LONGEST_CARD)),
        pupil_id=None if pupil_id is None else _uuid(pupil_id),
        wants_set_meal=_truth(tap.get("wants_set_meal", False)),
        items=tuple(_item(item) for item in _list(tap.get("items", []), MOST_ITEMS)),
        decisions=tuple(_decision(one) for one in _list(tap.get("decisions", []), MOST_DECISIONS)),
    )


def _item(item: Any) -> OrderItem:
    if not isinstance(item, dict) or not {"menu_item_id"} <= item.keys() <= {"menu_item_id", "quantity"}:
        raise ValueError("item")
    return OrderItem(_uuid(item["menu_item_id"]), _whole(item.get("quantity", 1), 1, MAX_QUANTITY))


def _decision(one: Any) -> NamedDecision:
    if not isinstance(one, dict) or not {"code"} <= one.keys() <= {"code", "reason"} or one["code"] not in DECIDABLE:
        raise ValueError("decision")
    return NamedDecision(one["code"], _text(one.get("reason", ""), LONGEST_REASON))


def _number_hash(key: bytes, number: str) -> bytes:
    """The hash under which the card is kept; of what is no card's number, a hash that no card has."""
    try:
        return pupils.number_hash(key, number)
    except Invalid:
        return keyed_hash(key, f"no card: {number}")


def _id_of(tap: Any) -> UUID | None:
    try:
        return _uuid(tap["id"])
    except (ValueError, TypeError, KeyError):
        return None


def _uuid(value: Any) -> UUID:
    if type(value) is not str or len(value) != 36:
        raise ValueError("id")
    return UUID(value)


def _whole(value: Any, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError("number")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("truth")
    return value


def _text(value: Any, most: int) -> str:
    # PostgreSQL keeps neither NUL nor half of a surrogate pair.
    if type(value) is not str or len(value) > most or "\0" in value:
        raise ValueError("text")
    value.encode()
    return value


def _list(value: Any, most: int) -> list[Any]:
    if type(value) is not list or len(value) > most:
        raise ValueError("list")
    return value


def _item_json(item: AnswerItem) -> dict[str, Any]:
    return {"menu_item_id": str(item.menu_item_id), "quantity": item.quantity, "is_set_meal": item.is_set_meal}


def _warning_json(warning: Refused, speak: Speak) -> dict[str, Any]:
    return {"code": warning.code, "sentence": speak(warning.sentence, warning.facts)}


def _unreadable_json(one: Unreadable, now: datetime, speak: Speak) -> dict[str, Any]:
    return {
        "tap_id": str(one.tap_id) if one.tap_id else None,
        "verdict": REFUSED,
        "code": "E01",
        "sentence": speak(SENTENCES["E01"], {}),
        "allergens": [],
        "recorded_at": instant(now),
        "replayed": False,
        "pupil": None,
        "items": [],
        "declined": [],
        "warnings": [],
    }
