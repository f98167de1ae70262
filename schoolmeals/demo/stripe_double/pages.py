"""The hosted page: choose a demo card, confirm where its bank asks, go back. Forms only; it works without scripts."""

from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from schoolmeals.demo.stripe_double import deliveries, sessions
from schoolmeals.demo.stripe_double.bank import Bank
from schoolmeals.demo.stripe_double.cards import ON_THE_PAGE
from schoolmeals.demo.stripe_double.premises import PAGES, Premises
from schoolmeals.demo.stripe_double.problems import ApiProblem
from schoolmeals.demo.stripe_double.store import Document, Shelf
from schoolmeals.demo.stripe_double.words import LANGUAGES, WORDS, sum_in_words
from schoolmeals.money import Money

FIRST_LANGUAGE: Final = "kk"


def blueprint(premises: Premises) -> Blueprint:
    """The routes of the hosted page."""
    pages = Blueprint("pages", __name__, url_prefix=PAGES)

    @pages.get("/<session_id>")
    def show(session_id: str) -> BaseResponse:
        with premises.store.working() as shelf:
            bank = _bank(premises, shelf)
            session = _session(bank, session_id)
            is_asking = session is not None and sessions.is_asking(bank, session)
            deliveries.enqueue(bank)
        return _page(session, is_asking=is_asking)

    @pages.post("/<session_id>")
    def pay(session_id: str) -> BaseResponse:
        number = request.form.get("card", "")
        if number not in {card.number for card in ON_THE_PAGE}:
            with premises.store.working() as shelf:
                session = _session(_bank(premises, shelf), session_id)
            return _page(session, problem="choose")
        with premises.store.working() as shelf:
            bank = _bank(premises, shelf)
            session = _session(bank, session_id)
            problem = None
            if session is not None and session["status"] == "open":
                problem = sessions.pay(bank, session, number)
            is_asking = session is not None and sessions.is_asking(bank, session)
            deliveries.enqueue(bank)
        return _after(session, problem, chosen=number, is_asking=is_asking)

    @pages.post("/<session_id>/bank")
    def answer_the_bank(session_id: str) -> BaseResponse:
        with premises.store.working() as shelf:
            bank = _bank(premises, shelf)
            session = _session(bank, session_id)
            problem = None
            if session is not None and sessions.is_asking(bank, session):
                problem = sessions.answer(bank, session, confirmed=request.form.get("answer") == "confirm")
            deliveries.enqueue(bank)
        return _after(session, problem)

    return pages


def _bank(premises: Premises, shelf: Shelf) -> Bank:
    return Bank(shelf, premises.clock(), api_version=premises.api_version)


def _session(bank: Bank, session_id: str) -> Document | None:
    sessions.expire_old(bank)
    return bank.shelf.get(sessions.KIND, session_id)


def _after(
    session: Document | None, problem: ApiProblem | None, *, chosen: str = "", is_asking: bool = False
) -> BaseResponse:
    """Paid: to the shop. Else the page once more."""
    if problem is not None:
        return _page(session, problem=problem.body["error"].get("decline_code", "generic_decline"), chosen=chosen)
    if session is not None and session["status"] == "complete":
        return redirect(return_address(session), 303)
    return _page(session, is_asking=is_asking)


def return_address(session: Document) -> str:
    """Where a payer goes who has paid."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _page(session: Document | None, *, problem: str = "", chosen: str = "", is_asking: bool = False) -> Response:
    language = _language(session)
    shown: dict[str, Any] = {
        "language": language,
        "languages": LANGUAGES,
        "words": WORDS[language],
        "problem": problem,
        "chosen": chosen,
        "cards": ON_THE_PAGE,
    }
    if session is None:
        return make_response(render_template("stripe_double/closed.html", **shown, state="unknown", back=""), 404)
    shown |= {
        "session": session,
        "sum": sum_in_words(Money(session["amount_total"], session["currency"].upper())),
        "query": f"?lang={language}" if "lang" in request.args else "",
    }
    if session["status"] != "open":
        back = return_address(session) if session["status"] == "complete" else session["cancel_url"]
        page = render_template("stripe_double/closed.html", **shown, state=session["status"], back=back)
    elif is_asking:
        page = render_template("stripe_double/confirm.html", **shown)
    else:
        page = render_template("stripe_double/pay.html", **shown)
    response = make_response(page, 422 if problem else 200)
    _allow_return(response, session)
    return response


def _language(session: Document | None) -> str:
    """What the reader chose, else what the shop asked for. Stripe's locales lack Kazakh, so metadata comes first."""
    told = session or {"metadata": {}, "locale": None}
    for wanted in (request.args.get("lang"), told["metadata"].get("language"), told["locale"]):
        if wanted in LANGUAGES:
            return str(wanted)
    return FIRST_LANGUAGE


def _allow_return(response: Response, session: Document) -> None:
    """Browsers hold the redirect after a form to ``form-action`` too, so the shop's origin must be in it."""
    parts = urlsplit(session["success_url"])
    response.headers["Content-Security-Policy"] = content_policy(f"{parts.scheme}://{parts.netloc}")


def content_policy(shop: str = "") -> str:
    """A policy that allows our stylesheet, our forms and the way back to the shop, and nothing else."""
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {shop}".strip()
    )
