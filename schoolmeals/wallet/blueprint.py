"""The blueprint that the room's pages hang on, and how they tell a refusal."""

from typing import Any

from flask import Blueprint
from flask_babel import gettext

from schoolmeals.errors import Invalid, Refusal
from schoolmeals.web.problems import spoken

pages = Blueprint("wallet", __name__, template_folder="templates")


def told(refusal: Refusal | None) -> dict[str, Any]:
    """A refusal as the error summary wants it: the fields' sentences, or the refusal's own where it has no fields."""
    errors = spoken(refusal.fields) if isinstance(refusal, Invalid) else {}
    sentence = None
    if refusal is not None and not errors:
        sentence = gettext(refusal.sentence) % {name: str(value) for name, value in refusal.params.items()}
    return {"errors": errors, "sentence": sentence}


def told_at(field: str, names: dict[str, Any]) -> dict[str, Any]:
    """What :func:`told` gives, with a problem of the sum beside the field that the sum was typed into."""
    errors = {field if name == "amount" else name: sentences for name, sentences in names["errors"].items()}
    return {**names, "errors": errors}
