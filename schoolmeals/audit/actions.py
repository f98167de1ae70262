"""Recording. ``record`` is called at the end of every action, ``record_many`` by deeds that come in batches."""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, NamedTuple
from uuid import UUID

from schoolmeals.asking import Question
from schoolmeals.audit.models import AuditEvent, AuditPersonal
from schoolmeals.database import Work, insertion, rows_of
from schoolmeals.ids import new_id
from schoolmeals.money import Money

SALT_BYTES = 32
LARGEST_INTEGER: Final = 2**53 - 1
_EVENT: Final = (
    "id",
    "school_id",
    "action",
    "subject_kind",
    "subject_id",
    "payload",
    "salt",
    "personal_commitment",
)
"""What differs from event to event of one deed."""


class Subject(NamedTuple):
    """What a deed was done to, e.g. ``Subject("top-up", top_up.id)``."""

    kind: str
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be recorded. ``action`` is ``room.verb``; ``personal`` holds whatever could name a person."""

    action: str
    subject: Subject
    payload: Mapping[str, Any]
    school_id: UUID | None = None
    personal: Mapping[str, Any] | None = None


def record(
    work: Work,
    action: str,
    subject: Subject,
    payload: Mapping[str, Any],
    *,
    school_id: UUID | None = None,
    personal: Mapping[str, Any] | None = None,
) -> None:
    """Record one deed of ``work.actor`` at ``work.now``."""
    record_many(work, [NewEvent(action, subject, payload, school_id, personal)])


def record_many(work: Work, events: Sequence[NewEvent]) -> None:
    """Record deeds with one statement, whatever their number and whether they have personal parts: it goes with what
    the deed asks next, or with its commit.
    """
    work.ask_last(recording(work, events))


def recording(work: Work, events: Sequence[NewEvent]) -> tuple[Question[None], ...]:
    """What ``record_many`` sends, to be sent with other questions; nothing for no events."""
    rows, personal_rows = [], []
    salts = secrets.token_bytes(SALT_BYTES * len(events))
    for place, event in enumerate(events):
        event_id = new_id(work.now)
        commitment = None
        if event.personal is not None:
            text, salt = canonical(event.personal), secrets.token_bytes(SALT_BYTES)
            commitment = hashlib.sha256(salt + text.encode()).digest()
            personal_rows.append((event_id, text, salt))
        payload = canonical({"action": event.action, "at": work.now, **event.payload})
        salt = salts[place * SALT_BYTES : (place + 1) * SALT_BYTES]
        subject = event.subject
        rows.append((event_id, event.school_id, event.action, subject.kind, subject.id, payload, salt, commitment))
    same = {"at": work.now, "actor_kind": work.actor.kind.value, "actor_id": work.actor.id}
    personal = rows_of(AuditPersonal, ("event_id", "payload", "salt"), personal_rows, {})
    return insertion([rows_of(AuditEvent, _EVENT, rows, same), personal])


def canonical(payload: Mapping[str, Any]) -> str:
    """``payload`` as RFC 8785 JSON, with ids, times, sums and enums as text.

    For what we allow in it (text, whole numbers up to 2^53, truth values, lists and mappings with ASCII names) the
    standard encoder writes the very same bytes as the RFC's own, and many times faster; a test compares the two. Only
    what may hold a number or a name out of these bounds is looked at piece by piece first.
    """
    try:
        text = _ENCODER.encode(payload)
    except TypeError:
        # A name that is no text, or something that has no place in the log.
        return _ENCODER.encode(_checked(payload))
    return text if text.isascii() and not _DOUBTFUL.search(text) else _ENCODER.encode(_checked(payload))


def _as_json(value: Any) -> Any:
    """What JSON does not know, in the words of the log."""
    match value:
        case Enum():
            return value.value
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Money():
            return {"currency": value.currency, "minor": value.minor}
        case set() | frozenset():
            return sorted(value)
        case Mapping():
            return dict(value)
        case Sequence():
            return list(value)
    raise TypeError(f"{type(value).__name__} does not go into the audit log")


def _checked(value: Any) -> Any:
    match value:
        case str() | bool() | None:
            return value
        case int():
            if abs(value) > LARGEST_INTEGER:
                raise ValueError(f"{value} is more than JSON can carry exactly")
            return value
        case Mapping():
            assert all(key.isascii() for key in value), "names are ours, and ASCII sorts the same everywhere"
            return {key: _checked(one) for key, one in value.items()}
        case list() | tuple():
            return [_checked(one) for one in value]
    return _checked(_as_json(value))


_DOUBTFUL: Final = re.compile(r'[0-9]{16}|(?:":|[,\[])-?[0-9]+[.eE]')
"""Perhaps a whole number that JSON cannot carry exactly, or one that is not whole."""
_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_as_json
)
