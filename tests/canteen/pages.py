"""What the tests of this room's pages share: people at the door, forms with their token, and strictly parsed pages."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import html5lib
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from schoolmeals.actors import Role
from tests.factories.identity import OrganisationFactory, PersonFactory, signed_in


def person_in(app: Flask, role: Role, organisation_id: UUID, language: str = "en") -> FlaskClient:
    """A browser of somebody with ``role``."""
    return signed_in(app, PersonFactory.create(language=language, roles=[(role, organisation_id)]).id)


def city_admin(app: Flask, language: str = "en") -> FlaskClient:
    """A browser of the city administrator."""
    return person_in(app, Role.CITY_ADMIN, OrganisationFactory.create(kind="city").id, language)


def parsed(answer: TestResponse, status: int = 200) -> str:
    """The page's text, after an answer with ``status`` was parsed without a single error."""
    assert answer.status_code == status, answer.text
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(answer.text)
    return answer.text


def send(
    client: FlaskClient, path: str, form: Mapping[str, Any], *, shown_at: str = "", follow: bool = False
) -> TestResponse:
    """A form, sent with the token of the page that shows it."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(shown_at or path).text)
    assert found is not None
    return client.post(path, data={"csrf_token": found[1], **form}, follow_redirects=follow)
