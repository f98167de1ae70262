"""A register that clears many is imported at two people's word, and both see before whom it drops."""

import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from schoolmeals.actors import Actor
from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work
from schoolmeals.errors import NotNow
from schoolmeals.identity import people
from schoolmeals.kz_id import is_bin
from schoolmeals.procurement import registers as port
from schoolmeals.procurement.actions.registers import import_register
from schoolmeals.procurement.models import RegisterImport
from schoolmeals.procurement.queries import registers as register_queries
from schoolmeals.procurement.registers import check
from schoolmeals.procurement.rules.identifiers import Identifier
from schoolmeals.procurement.rules.registers import ADDED_UP, REGISTERS, ImportWord, compared, needs_second_person
from tests.canteen.pages import send
from tests.factories.identity import signed_in
from tests.factories.procurement import Procurement
from tests.procurement.test_registers import HEAD, table

BINS = ("090840003425", "050540004455", "140840001232", "140840002250", "140840003279")


def bins(count: int, *, until: str = "") -> str:
    """A register of so many firms."""
    return HEAD + "".join(f"{one};Firm {one[-4:]};2026-01-01;{until};;\r\n" for one in BINS[:count])


def bring(world: Procurement, text: str, *, register: str = "bad-faith", **how: Any) -> Any:
    content = text.encode()
    about: dict[str, Any] = {"source": "portal", "as_of": world.clock(), "file_name": "r.csv", "content": content}
    return world.do(import_register, world.city_id, register, table(text, register), **(about | how))


def refused(world: Procurement, text: str, **how: Any) -> NotNow:
    before = world.look(register_queries.imports)
    with pytest.raises(NotNow) as told:
        bring(world, text, **how)
    assert told.value.code == "second-person-needed"
    assert world.look(register_queries.imports) == before
    return told.value


def is_listed(world: Procurement, number: str) -> bool:
    return bool(world.look(check, Identifier("KZ-BIN", number), world.clock()).hits)


def test_the_numbers_used_here_are_numbers() -> None:
    assert table(bins(len(BINS))).bad == ()


@pytest.mark.parametrize(
    ("register", "lines", "in_force", "dropped", "needed"),
    [
        ("bad-faith", 0, 0, 0, True),
        ("bad-faith", 0, 5, 5, True),
        ("bad-faith", 4, 5, 1, False),
        ("bad-faith", 3, 5, 2, True),
        ("bad-faith", 799, 1000, 201, True),
        ("bad-faith", 800, 1000, 200, False),
        ("bad-faith", 1, 0, 0, False),
        ("tax-debt", 500, 1000, 500, False),
        ("tax-debt", 499, 1000, 501, True),
    ],
)
def test_how_many_may_fall_out_at_one_word(
    register: str, lines: int, in_force: int, dropped: int, needed: bool
) -> None:
    assert needs_second_person(REGISTERS[register], lines=lines, in_force=in_force, dropped=dropped) is needed


def test_an_empty_file_clears_nobody_at_one_word(world: Procurement) -> None:
    assert refused(world, HEAD).params == {"dropped": 0, "count": 0}
    bring(world, bins(5))
    world.clock.move(timedelta(days=1))
    assert refused(world, HEAD).params == {"dropped": 5, "count": 5}
    assert refused(world, bins(3)).params == {"dropped": 2, "count": 5}
    assert refused(world, HEAD, wanted_by=world.editor.id).params == {"dropped": 5, "count": 5}, "not one's own word"
    assert all(is_listed(world, one) for one in BINS)
    bring(world, bins(4))
    assert [is_listed(world, one) for one in BINS] == [True, True, True, True, False]


def test_two_people_may(world: Procurement) -> None:
    bring(world, bins(5))
    world.clock.move(timedelta(days=1))
    made = bring(world, HEAD, wanted_by=world.editor.id, actor=world.city_admin)
    assert not any(is_listed(world, one) for one in BINS)
    event = world.look(_event_of, made)
    assert (event["dropped"], event["wanted_by"]) == (5, str(world.editor.id))
    assert world.look(register_queries.register_import, made).wanted_by == world.editor.id


def test_an_entry_that_the_file_ends_is_dropped_and_one_that_has_ended_is_not(world: Procurement) -> None:
    bring(world, bins(5, until="2026-11-30"))
    assert refused(world, bins(5, until="2026-11-20")).params == {"dropped": 5, "count": 5}
    world.clock.move(timedelta(days=14))
    assert world.clock().date().isoformat() > "2026-11-30"
    bring(world, bins(1))


def test_an_import_that_asks_nobody_is_found(world: Procurement, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: one officer's empty file clears everybody."""
    bring(world, bins(5))
    world.clock.move(timedelta(days=1))
    monkeypatch.setattr(port, "needs_second_person", lambda *_, **__: False)
    bring(world, HEAD)
    assert not any(is_listed(world, one) for one in BINS)


def numbers(count: int, *, first: int = 0) -> list[str]:
    """So many BINs with right check digits."""
    tried = (f"140140{body:05}{digit}" for body in range(first, 90_000) for digit in range(10))
    return list(islice((one for one in tried if is_bin(one)), count))


def firms(listed: Iterable[str]) -> str:
    return HEAD + "".join(f"{one};Firm {one[-4:]};2026-01-01;;;\r\n" for one in listed)


def test_nobody_clears_a_register_alone_in_small_steps(world: Procurement) -> None:
    listed = numbers(20)
    bring(world, firms(listed))
    bring(world, firms(listed[:18]), as_of=later(world))
    bring(world, firms(listed[:16]), as_of=later(world))
    assert refused(world, firms(listed[:15]), as_of=later(world)).params == {"dropped": 5, "count": 20}
    as_two: dict[str, Any] = {"wanted_by": world.editor.id, "actor": world.city_admin}
    bring(world, firms(listed[:15]), as_of=later(world), **as_two)
    bring(world, firms(listed[:12]), as_of=later(world))
    assert refused(world, firms(listed[:11]), as_of=later(world)).params == {"dropped": 4, "count": 15}


def test_one_who_puts_a_file_before_oneself_is_one_person(world: Procurement) -> None:
    listed = numbers(10)
    bring(world, firms(listed))
    bring(world, firms(listed[:8]), as_of=later(world), wanted_by=world.editor.id)
    assert refused(world, firms(listed[:7]), as_of=later(world)).params == {"dropped": 3, "count": 10}


def test_nobody_clears_a_register_alone_by_filling_it_first(world: Procurement) -> None:
    listed, others = numbers(5), numbers(40, first=100)
    bring(world, firms(listed))
    bring(world, firms([*listed, *others]), as_of=later(world))
    assert refused(world, firms(others), as_of=later(world)).params == {"dropped": 5, "count": 5}


def test_a_month_later_the_register_is_compared_with_what_it_was_then(world: Procurement) -> None:
    listed = numbers(20)
    bring(world, firms(listed))
    bring(world, firms(listed[:16]), as_of=later(world))
    world.clock.move(ADDED_UP)
    bring(world, firms(listed[:13]))
    assert refused(world, firms(listed[:12]), as_of=later(world)).params == {"dropped": 4, "count": 16}


def later(world: Procurement) -> datetime:
    """An hour on: registers come one after the other."""
    world.clock.move(timedelta(hours=1))
    return world.clock()


@pytest.mark.parametrize(
    "test",
    [test_nobody_clears_a_register_alone_in_small_steps, test_nobody_clears_a_register_alone_by_filling_it_first],
)
def test_steps_that_nobody_adds_up_are_found(world: Procurement, monkeypatch: pytest.MonkeyPatch, test: Any) -> None:
    """The planted bug: a file is compared with the one before it alone."""
    monkeypatch.setattr(port, "compared", lambda imports, _now: tuple(imports[:1]))
    with pytest.raises(pytest.fail.Exception):
        test(world)


def accepted(steps: list[set[int]], gaps: list[int], compare: Any) -> list[tuple[datetime, set[int]]]:
    """The files that one person gets through, one after the other, with their moments."""
    history: list[tuple[ImportWord, set[int]]] = []
    now = datetime(2026, 11, 1, tzinfo=UTC)
    for place, (entries, gap) in enumerate(zip(steps, gaps, strict=False)):
        now += timedelta(days=gap)
        held = dict(history)
        looked = [(len(held[one]), len(held[one] - entries)) for one in compare([*reversed(held)], now)]
        asked = [
            needs_second_person(REGISTERS["bad-faith"], lines=len(entries), in_force=count, dropped=gone)
            for count, gone in looked
        ]
        if not any(asked):
            history.append((ImportWord(UUID(int=place), now, UUID(int=99), None), entries))
    return [(word.at, entries) for word, entries in history]


def clears_too_many(files: list[tuple[datetime, set[int]]]) -> bool:
    """Whether a file lacks more than a fifth of those who stood a month before it, or at the beginning."""
    for place, (at, entries) in enumerate(files):
        earlier = [known for then, known in files[:place] if then <= at - ADDED_UP]
        stood = earlier[-1] if earlier else files[0][1]
        if len(stood - entries) * 5 > len(stood):
            return True
    return False


@given(
    steps=st.lists(st.sets(st.integers(0, 30), min_size=1), min_size=1, max_size=9),
    gaps=st.lists(st.integers(0, 12), min_size=9, max_size=9),
)
def test_one_person_drops_no_more_than_the_share_in_a_month(steps: list[set[int]], gaps: list[int]) -> None:
    assert not clears_too_many(accepted(steps, gaps, compared))


def test_small_steps_that_are_not_added_up_are_too_many() -> None:
    """The planted bug of the same property."""
    steps = [set(range(left)) for left in (20, 16, 13, 11)]
    assert clears_too_many(accepted(steps, [1] * 4, lambda imports, _now: imports[:1]))
    assert [len(one) for _, one in accepted(steps, [1] * 4, compared)] == [20, 16]


def client_of(app: Flask, actor: Actor) -> FlaskClient:
    assert actor.id is not None
    return signed_in(app, actor.id)


def upload(client: FlaskClient, text: str) -> str:
    form: dict[str, Any] = {"register": "bad-faith", "source": "letter 5", "day": "2026-11-23", "time": "11:30"}
    file = (io.BytesIO(text.encode()), "register.csv")
    answer = send(client, "/procurement/registers", {**form, "file": file})
    assert answer.status_code == 303
    return str(answer.location)


@pytest.fixture
def offered(app: Flask, world: Procurement) -> str:
    """The page of a file that clears everybody, which the editor has put before a second person."""
    bring(world, bins(5), as_of=world.clock() - timedelta(days=3))
    editor = client_of(app, world.editor)
    way = upload(editor, HEAD)
    shown = editor.get(way).text
    assert all(f"Firm {one[-4:]}" in shown for one in BINS), "who would be dropped is told before"
    assert "Import it" not in shown
    assert "Ask a second person" in shown
    assert send(editor, way, {}, shown_at=way).status_code == 409
    assert send(editor, f"{way}/offer", {}, shown_at=way).status_code == 303
    assert len(imports(world)) == 1
    return way


def imports(world: Procurement) -> list[Any]:
    found: list[Any] = world.look(register_queries.imports)
    return found


def test_who_asked_cannot_answer(app: Flask, world: Procurement, offered: str) -> None:
    editor = client_of(app, world.editor)
    shown = editor.get(offered).text
    assert "waits for a second person until" in shown
    assert "Import it" not in shown
    assert send(editor, offered, {}, shown_at="/procurement/registers").status_code == 409
    assert len(imports(world)) == 1


def test_a_second_person_sees_the_same_and_imports_it_once(app: Flask, world: Procurement, offered: str) -> None:
    admin = client_of(app, world.city_admin)
    assert world.editor.id is not None
    asker = world.look(people, [world.editor.id])[world.editor.id].name
    assert asker in admin.get(offered).text
    assert offered in admin.get("/procurement/registers").text
    shown = admin.get(offered).text
    assert all(f"Firm {one[-4:]}" in shown for one in BINS)
    for _ in range(2):
        assert send(admin, offered, {}, shown_at="/procurement/registers").status_code == 303
    assert len(imports(world)) == 2
    assert asker in admin.get(f"/procurement/registers/{imports(world)[0].id}").text, "both are named"
    assert offered not in admin.get("/procurement/registers").text
    assert not any(is_listed(world, one) for one in BINS)


def test_a_second_person_can_say_no(app: Flask, world: Procurement, offered: str) -> None:
    admin = client_of(app, world.city_admin)
    assert send(admin, f"{offered}/drop", {}, shown_at="/procurement/registers").status_code == 303
    assert client_of(app, world.editor).get(offered).status_code == 404
    assert len(imports(world)) == 1


def test_nobody_else_is_asked(app: Flask, world: Procurement, offered: str) -> None:
    for actor in (world.supplier, world.stranger, world.auditor):
        client = client_of(app, actor)
        assert client.get(offered).status_code == 403
        assert send(client, offered, {}, shown_at="/me").status_code == 403
    assert offered not in client_of(app, world.auditor).get("/procurement/registers").text
    assert len(imports(world)) == 1


def test_what_is_not_offered_is_its_owners_alone(app: Flask, world: Procurement) -> None:
    way = upload(client_of(app, world.editor), bins(2))
    admin = client_of(app, world.city_admin)
    assert admin.get(way).status_code == 404
    for rest in ("", "/offer", "/drop"):
        assert send(admin, way + rest, {}, shown_at="/procurement/registers").status_code == 404
    assert way not in admin.get("/procurement/registers").text


def _event_of(work: Work, import_id: UUID) -> dict[str, Any]:
    assert work.session.get(RegisterImport, import_id) is not None
    found = work.session.query(AuditEvent).filter(AuditEvent.action == "procurement.import-register").all()
    payload: dict[str, Any] = json.loads(next(one.payload for one in found if one.subject_id == import_id))
    return payload
