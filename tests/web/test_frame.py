"""The frame of real answers: each request speaks for itself."""

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
