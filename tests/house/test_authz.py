"""Who may do what to whose things, door by door, as ``authz.yaml`` says it.

A role that a row does not name must be turned away at the door. ``own``, ``same``, ``other`` and ``missing`` are told
apart only where the address has an argument. With ``AUTHZ_RECORD=FILE`` the test writes what it finds into FILE instead
of comparing: a start for a new row, to be read with suspicion.
"""

import os
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.routing import Rule

from schoolmeals.clock import MovableClock
from schoolmeals.ids import new_id
from tests.house.test_routes import doors, policy_of
from tests.house.world import ROLES, VARIANTS, World, kept
from tests.shelf import Shelf

FILE: Final = Path(__file__).with_name("authz.yaml")
ROWS: Final[dict[str, dict[str, dict[str, Any]]]] = yaml.safe_load(FILE.read_text("utf-8"))
PAIRS: Final = [(endpoint, method) for endpoint, methods in ROWS.items() for method in methods]
SETTINGS: Final = ("policy", "json", "form", "body", "query", "headers")


def test_every_door_has_a_row_and_every_row_a_door(app: Flask) -> None:
    assert sorted(PAIRS) == doors(app)


def test_a_row_names_the_policy_of_its_door(app: Flask) -> None:
    named = {pair: ROWS[pair[0]][pair[1]]["policy"] for pair in PAIRS}
    found = {pair: policy.name for pair in PAIRS if (policy := policy_of(app, *pair)) is not None}
    assert named == found


def test_a_planted_door_without_a_row_is_found(app: Flask) -> None:
    hole = Flask("hole")
    hole.add_url_rule("/open", "open", lambda: "come in")
    assert sorted(PAIRS) != doors(hole)
    assert ("open", "GET") in set(doors(hole)) - set(PAIRS)


@pytest.mark.parametrize(("endpoint", "method"), PAIRS)
def test_each_role_gets_what_its_row_says(
    app: Flask, do: Any, shelf: Shelf, clock: MovableClock, endpoint: str, method: str
) -> None:
    row = ROWS[endpoint][method]
    rules = (one for one in app.url_map.iter_rules(endpoint) if method in (one.methods or set()))
    # Where a door has a short address too, the one that names its thing is the one to try.
    rule = max(rules, key=lambda one: len(one.arguments))
    wanted = {role: [] for role in ROLES} if os.environ.get("AUTHZ_RECORD") else _wanted(row)
    world = kept(app, do, shelf, clock)
    found = {role: _try(world, rule, method, row, role) for role in ROLES if role not in wanted}
    for role in wanted:
        # A deed may change the world for the roles after it; a look may not.
        if method != "GET":
            shelf.empty()
            world = kept(app, do, shelf, clock)
        found[role] = _try(world, rule, method, row, role)
    if os.environ.get("AUTHZ_RECORD"):
        _print(endpoint, method, row, found)
        return
    wrong = {}
    for role, codes in found.items():
        expected = wanted.get(role, [{_closed(rule, role)}] * len(VARIANTS))[: len(codes)]
        if not all(code in allowed for code, allowed in zip(codes, expected, strict=True)):
            wrong[role] = (codes, expected)
    assert wrong == {}


def _closed(rule: Rule, role: str) -> int:
    if role == "public":
        return 401 if rule.rule.startswith("/api/") else 303
    return 403


def _wanted(row: dict[str, Any]) -> dict[str, list[set[int]]]:
    """The codes that a row allows, by role and variant."""
    wide = {"anyone": ROLES, "persons": tuple(role for role in ROLES if role not in ("public", "till"))}
    wanted: dict[str, list[set[int]]] = {}
    for name in [*wide, *(name for name in row if name not in (*wide, *SETTINGS))]:
        if name in row:
            wanted |= dict.fromkeys(wide.get(name, (name,)), _codes(row[name]))
    return wanted


def _codes(text: object) -> list[set[int]]:
    codes = [{int(code) for code in either.split("|")} for either in str(text).split()]
    return codes * len(VARIANTS) if len(codes) == 1 else codes


def _try(world: World, rule: Rule, method: str, row: dict[str, Any], role: str) -> list[int]:
    """The codes that ``role`` gets: one for each variant, or a single one where the address has no argument."""
    variants = VARIANTS if rule.arguments or "{" in str(row) else VARIANTS[:1]
    codes = {}
    for variant in reversed(variants):
        things = world.things[variant]
        unknown = rule.arguments - set(things)
        assert not unknown, f"tests/house/world.py knows no {unknown}"
        with world.app.test_request_context():
            built = rule.build({name: things[name] for name in rule.arguments})
        assert built is not None
        client = world.client(role)
        answer = client.open(built[1], method=method, **_sent(row, things, method, csrf_header(world.app, client)))
        answer.close()
        codes[variant] = answer.status_code
    return [codes[variant] for variant in variants]


def csrf_header(app: Flask, client: FlaskClient) -> dict[str, str]:
    """The header with which a page's own script sends a form of this browser."""
    with client.session_transaction() as visit:
        visit["csrf_token"] = "known"
    return {"X-CSRFToken": str(URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps("known"))}


def _sent(row: dict[str, Any], things: dict[str, Any], method: str, headers: dict[str, str]) -> dict[str, Any]:
    sent: dict[str, Any] = {"headers": {**headers, **_filled(row.get("headers", {}), things)}}
    if "query" in row:
        sent["query_string"] = _filled(row["query"], things)
    if "json" in row:
        sent["json"] = _filled(row["json"], things)
    elif "form" in row or method == "POST":
        sent["data"] = _filled(row.get("form", {}), things)
    return sent


def _filled(value: Any, things: dict[str, Any]) -> Any:
    """``{pupil_id}`` in a row stands for that thing of the present variant, ``{fresh}`` for an id never seen before."""
    if isinstance(value, dict):
        return {name: _filled(one, things) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, things) for one in value]
    return value.format(**things, fresh=_fresh()) if isinstance(value, str) else value


def _fresh() -> UUID:
    return new_id()


def _print(endpoint: str, method: str, row: dict[str, Any], found: dict[str, list[int]]) -> None:
    told: dict[str, Any] = {name: row[name] for name in SETTINGS if name in row}
    for role, codes in found.items():
        told[role] = codes[0] if len(set(codes)) == 1 else " ".join(str(code) for code in codes)
    with Path(os.environ["AUTHZ_RECORD"]).open("a", encoding="utf-8") as file:
        file.write(yaml.safe_dump({endpoint: {method: told}}, sort_keys=False, default_flow_style=None, width=200))
