"""A whole installation for journeys: the demo's app with its bank beside it, in a real browser."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from schoolmeals.clock import MovableClock
from schoolmeals.config import Settings
from schoolmeals.database import db
from schoolmeals.demo.bank import create_demo_app
from tests.browser.conftest import chromium, clock, new_context, sign_in

__all__ = ["address", "chromium", "clock", "new_context", "sign_in"]


@pytest.fixture
def address(app: Flask, settings: Settings, clock: MovableClock, tmp_path: Path) -> Iterator[str]:
    """Where the demo's app is served, on loopback. It calls itself by that address, to which the bank leads back."""
    server = make_server("localhost", 0, app, threaded=True)
    here = f"http://localhost:{server.server_port}"
    demo = create_demo_app(replace(settings, base_url=here, data_folder=tmp_path), clock=clock)
    server.app = demo
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()
    with demo.app_context():
        db.engine.dispose()
