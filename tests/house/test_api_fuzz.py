"""The whole JSON API against its own OpenAPI document: whatever is sent, the answer is a documented one and never a
500.
"""

import os
from typing import Any, Final

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schoolmeals.actors import Role
from schoolmeals.app import create_app
from schoolmeals.clock import MovableClock
from schoolmeals.config import Settings
from schoolmeals.keys import token_hash
from schoolmeals.web.docs import METHODS
from tests.factories.identity import SessionFactory
from tests.house.world import World, kept
from tests.shelf import Shelf

EXAMPLES: Final = int(os.environ.get("API_EXAMPLES", "8"))
"""How many requests for each operation and role; ``API_EXAMPLES=200`` looks longer."""
CALLERS: Final = (Role.PARENT, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
WITHOUT_DATABASE: Final = Settings(demo=True, database_url="postgresql+psycopg://nobody@/nothing")
CHECKS: Final = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


def operations() -> list[tuple[str, str]]:
    """Every address and method of the API's document."""
    document = create_app(WITHOUT_DATABASE).extensions["schoolmeals.api"].spec.to_dict()
    return [(path, m.upper()) for path, item in sorted(document["paths"].items()) for m in METHODS if m in item]


@pytest.fixture
def world(app: Flask, do: Any, shelf: Shelf, clock: MovableClock) -> World:
    """A small city whose people call by bearer token."""
    made = kept(app, do, shelf, clock)
    for role in CALLERS:
        SessionFactory.create(
            person_id=made.people[role.value], token_hash=token_hash(f"token-{role.value}"), carried_by="bearer"
        )
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method"), operations())
def test_every_answer_is_a_documented_one(world: World, path: str, method: str) -> None:
    operation = schemathesis.openapi.from_wsgi("/api/openapi.json", world.app)[path][method]

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        for role in CALLERS:
            case.call_and_validate(headers={"Authorization": f"Bearer token-{role.value}"}, checks=list(CHECKS))

    send()
