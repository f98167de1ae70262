"""The demo's page of letters."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.identity.keyring import Keyring
from schoolmeals.mail import promise
from schoolmeals.worker import run_worker

KEYS = Keyring.of("only-for-tests-only-for-tests-only-for-tests")


@pytest.fixture
def a_letter(app: Flask, do: Any) -> None:
    """A letter to Aigul, in Russian, that the worker has looked at."""
    do(
        promise,
        to="aigul@example.kz",
        language="ru",
        subject="New password",
        text="<b>Open</b> %(address)s",
        params={"address": "http://localhost/sign-in?code=K7"},
        key=KEYS.letters,
    )
    run_worker(app, wait=False)


@pytest.mark.usefixtures("a_letter")
def test_a_visitor_of_the_demo_opens_letters(client: FlaskClient) -> None:
    page = client.get("/letters").get_data(as_text=True)
    assert "aigul@example.kz" in page
    assert "&lt;b&gt;Open&lt;/b&gt;" in page
    assert 'href="http://localhost/sign-in?code=K7"' in page
    assert "Новый пароль" in page


@pytest.mark.usefixtures("a_letter")
def test_outside_the_demo_nobody_sees_them(app: Flask, client: FlaskClient) -> None:
    frame = app.extensions["schoolmeals"]
    app.extensions["schoolmeals"] = replace(frame, settings=replace(frame.settings, demo=False))
    try:
        answer = client.get("/letters")
    finally:
        app.extensions["schoolmeals"] = frame
    assert answer.status_code == 404
    assert "aigul" not in answer.get_data(as_text=True)
