"""The API's documentation page says what the OpenAPI document says."""

from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.web.docs import METHODS, sections

DOCUMENT = {
    "paths": {
        "/api/things/{thing_id}": {
            "parameters": [{"$ref": "#/components/parameters/thing"}],
            "put": {
                "tags": ["things"],
                "summary": "Change it.",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {
                    "200": {"$ref": "#/components/responses/Done"},
                    "404": {"description": "Not Found"},
                },
            },
        }
    },
    "components": {
        "parameters": {"thing": {"name": "thing_id", "required": True, "schema": {"type": "string", "format": "uuid"}}},
        "responses": {
            "Done": {
                "description": "OK",
                "content": {
                    "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}
                },
            }
        },
        "schemas": {
            "Thing": {
                "required": ["amount_minor"],
                "properties": {
                    "amount_minor": {"type": "integer", "description": "tiyn"},
                    "kind": {"enum": ["a", "b", None]},
                    "parts": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Thing"}},
                },
            }
        },
    },
}


def test_an_operation_is_told_with_its_fields_and_answers() -> None:
    (section,) = sections(DOCUMENT)
    (operation,) = section.operations
    assert (section.name, operation.method, operation.path) == ("things", "PUT", "/api/things/{thing_id}")
    assert [(one.name, one.type, one.required) for one in operation.parameters] == [("thing_id", "string (uuid)", True)]
    assert [(one.name, one.type, one.required) for one in operation.body] == [
        ("amount_minor", "integer", True),
        ("kind", "a | b", False),
        ("parts", "list of Thing | null", False),
    ]
    assert [(status, len(fields)) for status, _, fields in operation.answers] == [("200", 3), ("404", 0)]


def test_the_page_names_every_operation_and_loads_nothing_from_outside(app: Flask, client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").get_json()
    page = client.get("/api/docs").get_data(as_text=True)
    operations = [(path, m) for path, item in document["paths"].items() for m in METHODS if m in item]
    assert operations
    assert page.count("<h3") == len(operations)
    assert "//" not in page.replace("<!doctype", "").split("</head>")[0]
    assert document["openapi"] == "3.1.0"
