"""The frame of real answers: each request speaks for itself."""

import pytest
from flask import Flask
from flask.testing import FlaskClient


def test_every_request_is_answered_in_its_own_language(client: FlaskClient) -> None:
    pages = {
        language: client.get("/nowhere", headers={"Accept-Language": language}).get_data(as_text=True)
        for language in ("kk", "ru", "en")
    }
    assert {language: f'<html lang="{language}">' in page for language, page in pages.items()} == {
        "kk": True,
        "ru": True,
        "en": True,
    }


ENGLISH = {"Accept-Language": "en"}


def test_an_error_says_what_to_do_next_and_keeps_its_code_to_the_end(client: FlaskClient) -> None:
    page = client.get("/nowhere", headers=ENGLISH | {"Referer": "http://localhost/sign-in?next=/me"}).text
    main, foot = page.split("</main>")
    assert '<a class="button " href="/sign-in?next=/me">Go back</a>' in main
    assert "To the first page" in main
    assert "not-found" not in main
    assert "<code>not-found</code>" in foot


@pytest.mark.parametrize("came", ["", "http://elsewhere.example/x", "http://localhost/nowhere", "javascript:alert(1)"])
def test_an_error_leads_back_only_to_another_page_of_ours(client: FlaskClient, came: str) -> None:
    main = client.get("/nowhere", headers=ENGLISH | {"Referer": came}).text.split("</main>")[0]
    assert "To the first page" in main
    assert ">Go back<" not in main


def test_no_page_but_an_error_shows_numbers_for_support(client: FlaskClient) -> None:
    assert "<code>" not in client.get("/sign-in").text


def test_a_form_that_is_too_old_says_so(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/sign-in", data={"contact": "x", "password": "y"}, headers=ENGLISH)
    assert answer.status_code == 400
    assert "The page was open for too long" in answer.text
    assert "stale-form" in answer.text.split("</main>")[1]
