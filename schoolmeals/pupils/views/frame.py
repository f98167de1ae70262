"""What all pages of this room share: the blueprint, the keys, words for codes, forms that come back with errors."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, request, url_for
from flask_babel import gettext, lazy_gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import Invalid, Refusal
from schoolmeals.keys import derive_key, keyed_hash
from schoolmeals.pupils.rules import EU_ALLERGENS, OTHER
from schoolmeals.verdicts import Refused
from schoolmeals.web import actor, caller_address, frame, language, now, render, roles, settings
from schoolmeals.web.problems import spoken, status_of
from schoolmeals.workdays import local_day

OFFICE = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
READERS = roles(Role.SCHOOL_OFFICE, Role.CITY_ADMIN, Role.CASHIER, Role.AUDITOR)

pages = Blueprint(
    "pupils",
    __name__.rsplit(".", 2)[0],
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/pupils",
)

ALLERGEN_NAMES: Final = {
    "gluten": lazy_gettext("cereals with gluten"),
    "crustaceans": lazy_gettext("crustaceans"),
    "eggs": lazy_gettext("eggs"),
    "fish": lazy_gettext("fish"),
    "peanuts": lazy_gettext("peanuts"),
    "soybeans": lazy_gettext("soybeans"),
    "milk": lazy_gettext("milk"),
    "nuts": lazy_gettext("nuts"),
    "celery": lazy_gettext("celery"),
    "mustard": lazy_gettext("mustard"),
    "sesame": lazy_gettext("sesame"),
    "sulphites": lazy_gettext("sulphites"),
    "lupin": lazy_gettext("lupin"),
    "molluscs": lazy_gettext("molluscs"),
}
SEVERITY_NAMES: Final = {
    "certified": lazy_gettext("confirmed by a doctor"),
    "intolerance": lazy_gettext("intolerance"),
    "wish": lazy_gettext("the family's wish"),
}
RELATION_NAMES: Final = {
    "mother": lazy_gettext("mother"),
    "father": lazy_gettext("father"),
    "guardian": lazy_gettext("legal guardian"),
    "relative": lazy_gettext("relative"),
}
LISTED_NAMES: Final = {
    "parent": lazy_gettext("parent"),
    "guardian": lazy_gettext("legal guardian"),
    "relative": lazy_gettext("relative"),
}
"""The relations of the school's list, as OneRoster knows them."""
KIND_NAMES: Final = {"iso14443": lazy_gettext("card"), "qr": lazy_gettext("QR card")}
BLOCK_NAMES: Final = {
    "lost": lazy_gettext("lost"),
    "found-kept": lazy_gettext("kept at the till"),
    "office": lazy_gettext("by the school office"),
}


def card_key() -> bytes:
    """The key under which the numbers of cards are hashed."""
    return derive_key(settings().secret_key, "pupils card numbers")


def code_key() -> bytes:
    """The key under which claim codes are hashed."""
    return derive_key(settings().secret_key, "pupils claim codes")


def roster_key() -> bytes:
    """The key that hides IINs in the ids of pupils."""
    return derive_key(settings().secret_key, "pupils sourced ids")


def file_key() -> bytes:
    """The key that uploaded rolls are sealed with until they are applied."""
    return derive_key(settings().secret_key, "pupils roster files")


def attempt_keys() -> list[bytes]:
    """What wrong claim codes are counted against: the person, or a stranger's address."""
    who = actor()
    what = f"person {who.id}" if who.id is not None else f"address {caller_address()}"
    return [keyed_hash(derive_key(settings().secret_key, "pupils attempts"), what)]


def today() -> date:
    """The city's present day."""
    return local_day(now(), frame().zone)


def allergen_name(code: str) -> str:
    """An allergen as people call it."""
    return code.removeprefix(OTHER) if code.startswith(OTHER) else str(ALLERGEN_NAMES[code])


def allergen_choices() -> list[tuple[str, str]]:
    """The 14 codes with their names."""
    return [(code, str(ALLERGEN_NAMES[code])) for code in EU_ALLERGENS]


def words(names: dict[str, Any]) -> list[tuple[str, str]]:
    """A dictionary of names as options of a form."""
    return [(code, str(name)) for code, name in names.items()]


def school_facts(look: Work, school_id: UUID) -> dict[str, Any]:
    """What each page of a school shows of it."""
    return {"school_id": school_id, "school_name": identity.organisation(look, school_id).name(language())}


def form(*names: str) -> dict[str, str]:
    """These fields of the form, "" for what is missing. What was not asked for is not read."""
    return {name: request.form.get(name, "") for name in names}


def see(endpoint: str, **values: Any) -> Response:
    """To another page after a form was taken."""
    return make_response(redirect(url_for(endpoint, **values), code=303))


def done(sentence: str, endpoint: str, **values: Any) -> Response:
    """Tell in the reader's language that something was done, on the next page."""
    flash(sentence, "good")
    return see(endpoint, **values)


def again(template: str, refusal: Refusal | Refused, **context: Any) -> Response:
    """The page once more with what was typed and what is wrong with it."""
    if isinstance(refusal, Refused):
        wait = refusal.facts.get("retry_after_s")
        answer = make_response(
            render(template, errors={"": gettext(refusal.sentence) % refusal.facts}, **context), 429 if wait else 422
        )
        if wait:
            answer.headers["Retry-After"] = str(wait)
        return answer
    errors: dict[str, Any] = spoken(refusal.fields) if isinstance(refusal, Invalid) else {}
    errors = errors or {"": gettext(refusal.sentence) % refusal.params}
    return make_response(render(template, errors=errors, **context), status_of(refusal))


def download(content: bytes, name: str, media_type: str) -> Response:
    """A file to be saved, never to be shown as a page of ours."""
    answer = Response(content, mimetype=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
