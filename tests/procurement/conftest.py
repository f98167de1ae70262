"""The city that buys school meals."""

import pytest
from flask import Flask

from schoolmeals.clock import MovableClock
from tests.factories.procurement import Procurement, kept_world
from tests.shelf import Shelf


@pytest.fixture
def world(app: Flask, shelf: Shelf, clock: MovableClock, request: pytest.FixtureRequest) -> Procurement:
    """Officers, a school with six pupils, a pool of thirteen, a supplier."""
    return kept_world(shelf, clock, request)
