"""A canteen at lunch."""

from typing import Any

import pytest
from flask import Flask

from schoolmeals.clock import MovableClock
from tests.factories.canteen import Canteen, new_canteen


@pytest.fixture
def canteen(app: Flask, clock: MovableClock) -> Canteen:
    """A school with one till and a menu, at noon of a school day."""
    return new_canteen(clock())


@pytest.fixture
def ring(do: Any, canteen: Canteen) -> Any:
    """``ring(*orders)`` sends orders as one batch of the canteen's till and gives the answers."""
    from schoolmeals.canteen.actions.taps import ring_up

    def run(*orders: Any, **kwargs: Any) -> Any:
        return do(ring_up, list(orders), **{"actor": canteen.till, **kwargs})

    return run
