"""Nobody writes what was not offered: a field that a door does not name changes nothing.

Programs are refused with 422, whatever else they sent. Forms are read by name, so what is beside them must go nowhere:
every forbidden value bears a mark, and afterwards no row of any table may hold it.
"""

from typing import Any, Final
from uuid import UUID

import marshmallow as ma
import pytest
from flask import Flask, request
from sqlalchemy import text, update

from schoolmeals.actors import Role
from schoolmeals.app import create_app
from schoolmeals.clock import MovableClock
from schoolmeals.database import Model, db
from schoolmeals.identity.models import Person
from schoolmeals.web import Schema, actor
from tests.house.test_api_fuzz import WITHOUT_DATABASE
from tests.house.test_authz import ROWS, _filled, csrf_header
from tests.house.world import World, build
from tests.shelf import QUEUE, all_tables

MARK: Final = 987_654_321
MARKED_ID: Final = UUID("98765432-1987-7654-9876-543219876543")
FORBIDDEN: Final[dict[str, Any]] = {
    "role": Role.CITY_ADMIN.value,
    "roles": [Role.CITY_ADMIN.value],
    "is_admin": True,
    "balance_minor": MARK,
    "money_minor": MARK,
    "credits_minor": MARK,
    "grace_limit_minor": MARK,
    "receipt_no": MARK,
    "password_hash": str(MARK),
    "email": f"{MARK}@example.kz",
    "id": str(MARKED_ID),
    "school_id": str(MARKED_ID),
    "person_id": str(MARKED_ID),
    "organisation_id": str(MARKED_ID),
    "entry_id": str(MARKED_ID),
    "intended_by": str(MARKED_ID),
}
"""What an attacker would like to write, by the names of our own columns."""
ITEM: Final = {"kind": "buffet", "name_kk": "Алма", "name_ru": "Яблоко", "price": "120"}
SCHOOL: Final = {"name_kk": "№ 1 мектеп", "name_ru": "Школа № 1", "name_en": "School No. 1"}
DAYS: Final = {"first": "2026-12-28", "last": "2026-12-29", "nature": "break"}
NAMES: Final = {"name_kk": "Каникул", "name_ru": "Каникулы", "name_en": "Break"}
PUPIL: Final = {"surname": "Оспанова", "given_name": "Айару", "class_name": "5 «А»"}
HOURS: Final = {"opens_at": "15:00", "closes_at": "15:30"}
FORMS: Final[list[tuple[str, Role, dict[str, Any]]]] = [
    ("identity.my_name", Role.PARENT, {"name": "Айгүл", "language": "kk"}),
    ("identity.invite_person", Role.SCHOOL_OFFICE, {"name": "Айгүл", "role": "cashier"}),
    ("identity.add_till", Role.SCHOOL_OFFICE, {"name": "2-касса"}),
    ("identity.school_week", Role.SCHOOL_OFFICE, {"days": "6"}),
    ("identity.add_calendar_days", Role.SCHOOL_OFFICE, {**DAYS, **NAMES}),
    ("identity.add_school", Role.CITY_ADMIN, SCHOOL),
    ("identity.edit_school", Role.CITY_ADMIN, SCHOOL),
    ("identity.my_pin", Role.CASHIER, {"pin": "4719"}),
    ("pupils.add_pupil", Role.SCHOOL_OFFICE, PUPIL),
    ("pupils.save_pupil", Role.SCHOOL_OFFICE, PUPIL),
    ("pupils.save_allergens", Role.SCHOOL_OFFICE, {"milk": "certified"}),
    ("pupils.enrol_card", Role.SCHOOL_OFFICE, {"number": "04A1B2C3D4E5F6"}),
    ("pupils.give_code", Role.PARENT, {}),
    ("wallet.keep_limit", Role.PARENT, {"limit": "500"}),
    ("wallet.keep_grace_limit", Role.CITY_ADMIN, {"limit": "2000"}),
    ("wallet.take_cash_in", Role.SCHOOL_OFFICE, {"amount": "500", "id": "{fresh}", "pupil": "{pupil_id}"}),
    ("wallet.take_back", Role.SCHOOL_OFFICE, {"id": "{fresh}", "reason": "wrong pupil"}),
    ("wallet.order_statement", Role.PARENT, {"since": "2026-11-01", "until": "2026-11-23"}),
    ("canteen.add_sitting", Role.SCHOOL_OFFICE, {"meal": "afternoon-snack", "shift": "1", **HOURS}),
    ("canteen.change_sitting", Role.SCHOOL_OFFICE, {"opens_at": "11:30", "closes_at": "14:30"}),
    ("canteen.add_item", Role.SCHOOL_OFFICE, ITEM),
    ("canteen.undo", Role.SCHOOL_OFFICE, {"undo_id": "{fresh}", "reason": "mistake"}),
    ("parents.read_notice", Role.PARENT, {}),
]
"""Forms that are taken, by their doors; in this order, in one world."""
OFFERED: Final = {("canteen_api.Sittings", "id")}
"""What a program may name though its row does not: ids come from the caller where a request may come twice."""
RESTLESS: Final = {"sign_in_session", "attempt", *QUEUE}
"""Tables that any request may touch."""


@pytest.fixture
def world(app: Flask, do: Any, clock: MovableClock) -> World:
    return build(app, do, clock)


# Programs


def loose_schemas() -> list[str]:
    """The schemas of this product that would take a field which they do not name."""
    families = [Schema, ma.Schema]
    found: set[type[ma.Schema]] = set()
    while families:
        for one in families.pop().__subclasses__():
            if one not in found:
                found.add(one)
                families.append(one)
    ours = [one for one in found if one.__module__.split(".")[0] in ("schoolmeals", "tests")]
    return sorted(one.__name__ for one in ours if one().unknown != ma.RAISE)


def test_every_schema_refuses_what_it_does_not_name() -> None:
    create_app(WITHOUT_DATABASE)
    assert loose_schemas() == []


def test_a_planted_loose_schema_is_found() -> None:
    class Loose(Schema):
        class Meta:
            unknown = ma.INCLUDE

    assert "Loose" in loose_schemas()
    Loose.Meta.unknown = ma.RAISE
    Loose.opts.unknown = ma.RAISE


JSON_DOORS: Final = [
    (endpoint, method, row) for endpoint, methods in ROWS.items() for method, row in methods.items() if "json" in row
]


def test_a_program_cannot_write_what_is_not_offered(world: World) -> None:
    assert len(JSON_DOORS) > 10
    before = contents()
    wrong = {}
    for endpoint, method, row in JSON_DOORS:
        if "_api" not in endpoint:
            continue
        for name, value in FORBIDDEN.items():
            if name in row["json"] or (endpoint, name) in OFFERED:
                continue
            code = sent(world, endpoint, method, role_in(row), json={**row["json"], name: value})
            if code != 422:
                wrong[f"{method} {endpoint} {name}"] = code
    assert wrong == {}
    assert contents() == before


# Forms


def test_a_form_cannot_write_what_is_not_offered(world: World) -> None:
    admins = city_admins()
    wrong = {}
    for endpoint, role, form in FORMS:
        extra = {name: value for name, value in FORBIDDEN.items() if name not in form}
        code = sent(world, endpoint, "POST", role.value, data={**form, **extra})
        if code not in (200, 303):
            wrong[endpoint] = f"answered {code}"
        elif tables := marked():
            wrong[endpoint] = f"wrote into {', '.join(tables)}"
    assert wrong == {}
    assert city_admins() == admins


def test_a_planted_greedy_form_is_found(world: World, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy() -> str:
        columns = {name: value for name, value in request.form.items() if name in Person.__table__.columns}
        db.session.execute(update(Person).where(Person.id == actor().id).values(**columns | {"id": actor().id}))
        db.session.commit()
        return "saved"

    monkeypatch.setitem(app.view_functions, "identity.my_name", greedy)
    assert marked() == []
    form = {"name": "Айгүл", "email": FORBIDDEN["email"]}
    assert sent(world, "identity.my_name", "POST", Role.PARENT.value, data=form) == 200
    assert marked() == ["person"]


# Hands


def role_in(row: dict[str, Any]) -> str:
    """A role to which the door's row opens its own thing."""
    return next(role.value for role in Role if role.value in row)


def sent(world: World, endpoint: str, method: str, role: str, **body: Any) -> int:
    """Knock at a door with one's own thing; the status."""
    things = world.things["own"]
    rules = (one for one in world.app.url_map.iter_rules(endpoint) if method in (one.methods or set()))
    rule = max(rules, key=lambda one: len(one.arguments))
    with world.app.test_request_context():
        built = rule.build({name: things[name] for name in rule.arguments})
    assert built is not None
    client = world.client(role)
    filled = {kind: _filled(value, things) for kind, value in body.items()}
    answer = client.open(built[1], method=method, headers=csrf_header(world.app, client), **filled)
    answer.close()
    return int(answer.status_code)


def marked() -> list[str]:
    """The tables with a row in which something marked arrived."""
    looks = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name} AS one WHERE one::text LIKE ANY(:marks))"
        for name in all_tables()
        if name not in QUEUE
    )
    with db.engine.connect() as connection:
        return sorted(connection.scalars(text(looks), {"marks": [f"%{MARK}%", f"%{MARKED_ID}%"]}))


def contents() -> dict[str, str]:
    """A digest of every table that a refused request has no business with."""
    names = [name for name in Model.metadata.tables if name not in RESTLESS]
    looks = " UNION ALL ".join(
        f"SELECT '{name}', md5(coalesce(string_agg(one::text, '|' ORDER BY one::text), '')) FROM {name} AS one"
        for name in names
    )
    with db.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(looks))}


def city_admins() -> int:
    """How many roles of the city's admin stand."""
    with db.engine.connect() as connection:
        found: int = connection.scalar(text("SELECT count(*) FROM role_grant WHERE role = 'city-admin'")) or 0
        return found
