"""The log keeps what happened, canonically, and lets what names a person be erased."""

import hashlib
import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from schoolmeals import audit
from schoolmeals.actors import Actor, ActorKind, Role, person
from schoolmeals.audit.actions import canonical
from schoolmeals.database import Work
from schoolmeals.money import Money

SUBJECT = audit.Subject("pupil", UUID(int=5))


def events(work: Work) -> list[audit.AuditEvent]:
    return list(work.session.scalars(select(audit.AuditEvent).order_by(audit.AuditEvent.id)))


def test_an_event_says_what_who_and_when(do: Any, clock: Any) -> None:
    who = person(uuid4())
    do(audit.record, "pupils.enrol", SUBJECT, {"class": "5 Ә", "price": Money(850_00)}, actor=who)
    (event,) = do(events)
    assert (event.action, event.subject_kind, event.subject_id) == ("pupils.enrol", "pupil", UUID(int=5))
    assert (event.actor_kind, event.actor_id, event.at) == ("person", who.id, clock())
    assert json.loads(event.payload) == {
        "action": "pupils.enrol",
        "at": "2026-11-23T07:00:00Z",
        "class": "5 Ә",
        "price": {"currency": "KZT", "minor": 85000},
    }
    assert len(event.salt) == 32
    assert event.personal_commitment is None


def test_the_personal_part_can_be_erased_and_its_commitment_stays(do: Any) -> None:
    do(audit.record, "pupils.enrol", SUBJECT, {}, personal={"name": "Айару"})
    (event,) = do(events)
    personal = do(lambda work: work.session.get(audit.AuditPersonal, event.id))
    assert event.personal_commitment == hashlib.sha256(personal.salt + personal.payload.encode()).digest()
    assert "Айару" not in event.payload
    do(lambda work: work.session.execute(text("DELETE FROM audit_personal")))
    assert do(events)[0].personal_commitment == event.personal_commitment


def test_a_deed_that_is_rolled_back_leaves_no_event(do: Any) -> None:
    def fail(work: Work) -> None:
        audit.record(work, "pupils.enrol", SUBJECT, {})
        raise RuntimeError("something else went wrong")

    with pytest.raises(RuntimeError):
        do(fail)
    assert do(events) == []


def test_many_events_are_written_with_one_statement(do: Any, count_statements: Any) -> None:
    many = [audit.NewEvent("canteen.ring_up", SUBJECT, {"n": n}, personal={"n": n}) for n in range(100)]

    def record(work: Work) -> int:
        with count_statements(work.session) as counted:
            audit.record_many(work, many)
            assert work.session.is_active, "and has been sent what was kept"
        return int(counted.count)

    assert do(record) == 1
    assert len(do(events)) == 100


def test_the_same_payload_is_written_the_same_way() -> None:
    one = canonical(
        {"b": [1, {"z": None, "a": True}], "a": date(2026, 11, 23), "role": Role.PARENT, "kind": ActorKind.PERSON}
    )
    other = canonical({"kind": "person", "role": "parent", "a": "2026-11-23", "b": (1, {"a": True, "z": None})})
    assert one == other == '{"a":"2026-11-23","b":[1,{"a":true,"z":null}],"kind":"person","role":"parent"}'


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="Actor"):
        canonical({"actor": Actor(ActorKind.SYSTEM)})


@pytest.mark.parametrize("payload", [{"n": 1.5}, {"n": [2, 1e300]}, {"a": [0.25]}, {"n": -0.0}])
def test_a_number_that_is_not_whole_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="float"):
        canonical(payload)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_09", max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abcXYZ_09", max_size=5), values, max_size=5))
def test_the_log_is_written_as_the_rfc_wants_it(payload: dict[str, Any]) -> None:
    assert canonical(payload).encode() == rfc8785.dumps(payload)


def test_a_number_that_json_cannot_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly"):
        canonical({"n": 2**53})
