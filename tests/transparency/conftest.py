"""The city that buys school meals, for those who look at it from outside."""

import pytest
from flask import Flask

from schoolmeals.clock import MovableClock
from tests.factories.procurement import Procurement


@pytest.fixture
def world(app: Flask, clock: MovableClock) -> Procurement:
    """Officers, a school with six pupils, a pool of thirteen, a supplier."""
    return Procurement(clock)
