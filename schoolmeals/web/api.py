"""The JSON API's frame: one OpenAPI 3.1 document, problem+json for every error, integers for money, UTC with Z for
times.
"""

from typing import Any, ClassVar

import marshmallow as ma
from apispec import BasePlugin
from flask import Flask
from flask_smorest import Api, Blueprint
from werkzeug.exceptions import HTTPException

from schoolmeals import __version__
from schoolmeals.web.problems import http_answer


class Schema(ma.Schema):
    """The base of every schema: unknown fields are refused, so nobody can write what was not offered."""

    class Meta:
        unknown = ma.RAISE
        ordered = True


class ProblemSchema(Schema):
    """An error, as in RFC 9457."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    code = ma.fields.String(required=True, metadata={"description": "stable, kebab-case"})
    request_id = ma.fields.String(required=True)
    errors = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.List(ma.fields.String()))


class ProblemPlugin(BasePlugin):
    """Documents every error as ``application/problem+json``, which is what ``web.problems`` answers with."""

    def operation_helper(self, path: str | None = None, operations: Any = None, **_kwargs: Any) -> None:  # noqa: ARG002
        """Name the media type in the errors of one address."""
        for operation in (operations or {}).values():
            for status, response in operation.get("responses", {}).items():
                if str(status) == "default" or int(status) >= 400:
                    _as_problem(response)

    def response_helper(self, response: Any, **_kwargs: Any) -> Any:
        """Name the media type in the shared errors, which are the only shared answers."""
        _as_problem(response)
        return response


def _as_problem(response: Any) -> None:
    if not isinstance(response, dict) or "$ref" in response:
        return
    told = response.pop("content", {}).get("application/json", {"schema": {"$ref": "#/components/schemas/Problem"}})
    response["content"] = {"application/problem+json": told}


class ApiBlueprint(Blueprint):
    """A room's part of the API. Paging is told in the body, not in a header."""

    PAGINATION_HEADER_NAME: ClassVar[str | None] = None


class ProblemApi(Api):
    """smorest's API with our errors in its answers and in its documentation."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: HTTPException) -> Any:
        """The framework's HTTP errors, told as all others are."""
        return http_answer(error)


def register(app: Flask, blueprints: list[ApiBlueprint]) -> ProblemApi:
    """Mount the API under ``/api`` with its document at ``/api/openapi.json``."""
    app.config.update(
        API_TITLE="School meals",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = ProblemApi(app, spec_kwargs={"extra_plugins": [ProblemPlugin()]})
    app.extensions["schoolmeals.api"] = api
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    return api
