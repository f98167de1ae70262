"""A cashier who signs in is told where the till is, and a visitor of the demo which PIN opens it."""

from dataclasses import replace

from flask import Flask

from schoolmeals.actors import Role
from schoolmeals.demo.families import CASHIER_PIN
from schoolmeals.identity.views.frame import DEMO_PIN
from tests.factories.identity import OrganisationFactory, PersonFactory, signed_in


def page_of(app: Flask, role: Role) -> str:
    person = PersonFactory.create(roles=[(role, OrganisationFactory.create().id)])
    return signed_in(app, person.id).get("/me", headers={"Accept-Language": "en"}).get_data(as_text=True)


def test_the_demo_says_the_pin_that_its_cashiers_have() -> None:
    assert DEMO_PIN == CASHIER_PIN


def test_a_cashier_is_shown_the_till_and_nobody_else_is(app: Flask) -> None:
    page = page_of(app, Role.CASHIER)
    assert ('href="/till"' in page, f"the PIN is {DEMO_PIN}" in page) == (True, True)
    assert 'href="/till"' not in page_of(app, Role.SCHOOL_OFFICE)


def test_outside_a_demo_no_pin_is_told(app: Flask) -> None:
    frame = app.extensions["schoolmeals"]
    app.extensions["schoolmeals"] = replace(frame, settings=replace(frame.settings, demo=False))
    try:
        assert DEMO_PIN not in page_of(app, Role.CASHIER)
    finally:
        app.extensions["schoolmeals"] = frame
