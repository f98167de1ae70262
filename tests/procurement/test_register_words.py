"""A register that clears many is imported at two people's word, and both see before whom it drops."""

import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.actors import Actor
from schoolmeals.audit import AuditEvent
from schoolmeals.database import Work
from schoolmeals.errors import NotNow
from schoolmeals.identity import people
from schoolmeals.procurement import registers as port
from schoolmeals.procurement.actions.registers import import_register
from schoolmeals.procurement.models import RegisterImport
from schoolmeals.procurement.queries import registers as register_queries
from schoolmeals.procurement.registers import check
from schoolmeals.procurement.rules.identifiers import Identifier
from schoolmeals.procurement.rules.registers import REGISTERS, needs_second_person
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
