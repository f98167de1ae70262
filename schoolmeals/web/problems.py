"""Refusals as answers: the one place that knows which refusal has which HTTP status.

The API answers with problem+json (RFC 9457): ``type``, ``title``, ``status``, ``detail``, and our ``code``,
``request_id`` and ``errors``. Pages answer with the same words as HTML. Nobody is ever shown an exception's own text.
"""

import logging
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, g, jsonify, request
from flask_babel import gettext
from marshmallow import ValidationError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from schoolmeals.errors import (
    N_,
    Conflict,
    FieldProblem,
    Invalid,
    NotAllowed,
    NotFound,
    NotNow,
    Refusal,
    TooMany,
    Unavailable,
)
from schoolmeals.web.frame import render
from schoolmeals.web.guards import SecondFactorNeeded, SignInNeeded, to_second_step, to_sign_in
from schoolmeals.web.security import CSRFError

log = logging.getLogger(__name__)

STATUS: Final[dict[type[Refusal], int]] = {
    NotFound: 404,
    SignInNeeded: 401,
    SecondFactorNeeded: 403,
    NotAllowed: 403,
    Invalid: 422,
    Conflict: 409,
    NotNow: 409,
    TooMany: 429,
    Unavailable: 503,
}

_HTTP_WORDS: Final[dict[int, tuple[str, str]]] = {
    400: ("bad-request", N_("Go back, load the page again and send it once more.")),
    401: ("sign-in-needed", N_("Sign in to go on.")),
    403: ("not-allowed", N_("Your role does not allow this. Ask your school office or the city administrator.")),
    404: ("not-found", N_("We could not find that. Check the address, or go back and choose from the list.")),
    405: (
        "method-not-allowed",
        N_("It belongs to a form. Go back to the page with the form and send it from there."),
    ),
    408: ("too-slow", N_("The request took too long to arrive. Try again.")),
    411: ("length-needed", N_("The request does not say how long it is.")),
    413: ("too-large", N_("Split the file, or send fewer rows at once.")),
    414: ("too-long", N_("Go back and choose from the list.")),
    415: ("unsupported-media-type", N_("Choose a file of a kind that the page names.")),
    422: ("invalid", N_("Check the marked fields and send the form again.")),
    429: ("too-many", N_("Too many attempts. Wait a little and try again.")),
    500: (
        "our-fault",
        N_("Nothing was changed. Try again in a minute. If it happens again, tell us the two codes below."),
    ),
    503: ("unavailable", N_("The service is away for a moment. Nothing was changed. Try again in a minute.")),
}

STALE_FORM: Final = (
    "stale-form",
    N_("Nothing was changed. Go back, load the page again and send it once more. If it happens again, allow cookies."),
)
STALE_FORM_TITLE: Final = N_("The page was open for too long")
"""A form whose token is missing or too old."""
_TITLES: Final[dict[int, str]] = {
    400: N_("We could not read what was sent"),
    401: SignInNeeded.title,
    403: NotAllowed.title,
    404: NotFound.title,
    405: N_("This page cannot be opened like that"),
    413: N_("The file is too large"),
    414: N_("The address is too long"),
    415: N_("We cannot read this kind of file"),
    429: TooMany.title,
    500: N_("Something broke on our side"),
    503: Unavailable.title,
}


def register(app: Flask) -> None:
    """Answer refusals, HTTP errors and whatever else goes wrong."""
    app.register_error_handler(Refusal, refusal_answer)
    app.register_error_handler(HTTPException, http_answer)
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(Exception, our_fault)


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal: its own class's, or that of the nearest class above."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def wants_json() -> bool:
    """Whether the caller is a program: everything under ``/api/``."""
    return request.path.startswith("/api/")


def refusal_answer(refusal: Refusal) -> Any:
    """A refusal as a page or as problem+json."""
    if isinstance(refusal, SignInNeeded) and not wants_json():
        return to_sign_in()
    if isinstance(refusal, SecondFactorNeeded) and not wants_json():
        return to_second_step()
    detail = gettext(refusal.sentence) % _shown(refusal.params)
    errors = refusal.fields if isinstance(refusal, Invalid) else {}
    answer = _answer(status_of(refusal), refusal.code, gettext(refusal.title), detail, spoken(errors))
    if isinstance(refusal, TooMany):
        answer.headers["Retry-After"] = str(refusal.retry_after_s)
    if isinstance(refusal, SignInNeeded):
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def http_answer(error: HTTPException) -> Any:
    """An HTTP error of the framework, in our words. Validation messages of the API are kept."""
    status = error.code or 500
    if 300 <= status < 400:
        return error
    words = STALE_FORM if isinstance(error, CSRFError) else _HTTP_WORDS.get(status)
    code, sentence = words or _HTTP_WORDS[500 if status >= 500 else 400]
    messages = getattr(error, "data", {}) or {}
    problems = messages.get("messages", {}) if isinstance(messages, dict) else {}
    title = STALE_FORM_TITLE if words is STALE_FORM else _TITLES.get(status, Invalid.title)
    answer = _answer(status, code, gettext(title), gettext(sentence), _flat(problems))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            answer.headers[name] = value
    return answer


def database_away(error: OperationalError) -> Any:
    """The database cannot be reached or gave up waiting: nothing was done, and it can be tried again."""
    log.error("database unavailable", exc_info=error)
    code, sentence = _HTTP_WORDS[503]
    answer = _answer(503, code, gettext(Unavailable.title), gettext(sentence), {})
    answer.headers["Retry-After"] = "5"
    return answer


def our_fault(error: Exception) -> Any:
    """A mistake of ours. The log has it whole, the caller has its request id."""
    if isinstance(error, ValidationError):
        invalid = Invalid()
        return _answer(422, invalid.code, gettext(invalid.title), gettext(invalid.sentence), _flat(error.messages))
    log.error("unhandled", exc_info=error)
    code, sentence = _HTTP_WORDS[500]
    return _answer(500, code, gettext(_TITLES[500]), gettext(sentence), {})


def spoken(fields: Any) -> dict[str, list[str]]:
    """Field problems as sentences in the reader's language."""
    return {name: [speak(problem) for problem in problems] for name, problems in fields.items()}


def speak(problem: FieldProblem) -> str:
    """One field problem in the reader's language."""
    return str(gettext(problem.sentence) % _shown(problem.params))


def _shown(params: Any) -> dict[str, str]:
    return {name: str(value) for name, value in params.items()}


def _flat(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages as one level: ``taps.0.id``."""
    if isinstance(messages, dict):
        flat: dict[str, list[str]] = {}
        for name, inner in messages.items():
            plain = str(name) in ("json", "query", "form", "_schema") and not prefix
            flat.update(_flat(inner, prefix if plain else f"{prefix}.{name}".strip(".")))
        return flat
    listed = messages if isinstance(messages, list) else [messages]
    return {prefix or "body": [str(one) for one in listed]} if messages else {}


def _answer(status: int, code: str, title: str, detail: str, errors: dict[str, list[str]]) -> Response:
    request_id = g.get("request_id", "")
    if wants_json():
        problem: dict[str, Any] = {
            "type": f"https://schoolmeals.invalid/problems/{code}",
            "title": title,
            "status": status,
            "detail": detail,
            "code": code,
            "request_id": request_id,
        }
        if errors:
            problem["errors"] = errors
        answer = jsonify(problem)
        answer.mimetype = "application/problem+json"
    else:
        page = render(
            "web/error.html", status=status, code=code, title=title, detail=detail, errors=errors, back=_came_from()
        )
        answer = Response(page, mimetype="text/html")
    answer.status_code = status
    return answer


def _came_from() -> str | None:
    """The page of ours from which somebody came here, where the browser says so and it is another one."""
    came = urlsplit(request.referrer or "")
    same = came.netloc == request.host and (came.path != request.path or request.method != "GET")
    return urlunsplit(("", "", came.path, came.query, "")) if same else None
