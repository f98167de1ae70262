"""Letters about tenders: asked for without an account, begun and ended from the letters themselves."""

from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import PUBLIC
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, Conflict, NotFound, Refusal
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import subscriptions as deeds
from schoolmeals.procurement.actions.subscriptions import NewsKeys
from schoolmeals.procurement.models import Subscription
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.subscriptions import subscription_of
from schoolmeals.procurement.rules.news import LONGEST_SEARCH, NewSubscription
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import again, school_choices
from schoolmeals.procurement.words import LANGUAGE_NAMES
from schoolmeals.web import PUBLIC_POLICY, actor, caller_address, guard, language, now, render, settings
from schoolmeals.web.security import exempt_from_csrf


@pages.get("/tenders/<uuid:tender_id>/subscribe")
@guard(PUBLIC_POLICY)
def follow_tender(tender_id: UUID) -> Any:
    """The form for letters about one tender."""
    return render("procurement/subscribe.html", **_form(tender_id))


@pages.post("/tenders/<uuid:tender_id>/subscribe")
@guard(PUBLIC_POLICY)
def ask_to_follow(tender_id: UUID) -> Any:
    """Ask for letters about one tender."""
    return _subscribe(tender_id)


@pages.get("/tenders/subscribe")
@guard(PUBLIC_POLICY)
def follow_search() -> Any:
    """The form for letters about new tenders that a search finds."""
    return render("procurement/subscribe.html", **_form(None))


@pages.post("/tenders/subscribe")
@guard(PUBLIC_POLICY)
def ask_to_follow_search() -> Any:
    """Ask for letters about new tenders."""
    return _subscribe(None)


@pages.get("/tenders/subscriptions/<subscription_token>")
@guard(PUBLIC_POLICY)
def subscription(subscription_token: str) -> Any:
    """Where the link of a letter leads: one button begins the letters, one ends them. Looking changes nothing, since
    mail programs look at links by themselves.
    """
    return render("procurement/subscription.html", **_subscription(subscription_token))


@pages.post("/tenders/subscriptions/<subscription_token>")
@guard(PUBLIC_POLICY)
def turn_subscription(subscription_token: str) -> Any:
    """Begin the letters, or end them."""
    turn = request.form.get("turn", "")
    if turn not in ("confirm", "end"):
        raise NotFound
    with transaction(PUBLIC, now()) as work:
        (deeds.confirm_subscription if turn == "confirm" else deeds.unsubscribe)(work, subscription_token)
    return render("procurement/subscription.html", **_subscription(subscription_token), done=turn)


@pages.post("/tenders/subscriptions/<subscription_token>/end")
@guard(PUBLIC_POLICY)
@exempt_from_csrf
def leave_subscription(subscription_token: str) -> Any:
    """End the letters for a mail program that was told to (RFC 8058): no cookie speaks here, the link alone does."""
    with transaction(PUBLIC, now()) as work:
        deeds.unsubscribe(work, subscription_token)
    return render("procurement/subscription.html", **_subscription(subscription_token), done="end")


def _subscribe(tender_id: UUID | None) -> Any:
    if not settings().sends_letters:
        raise NotFound
    form = _form(tender_id)
    try:
        wanted = _typed(tender_id)
        about = _about(wanted.text, wanted.school_id, form)
        keys = NewsKeys.of(settings().secret_key, settings().base_url)
        with transaction(PUBLIC, now()) as work:
            refused = deeds.subscribe(work, wanted, keys=keys, address=caller_address(), about=about)
        if refused is not None:
            raise Conflict(refused.code, refused.sentence, **refused.facts)
    except Refusal as refusal:
        return again(refusal, "procurement/subscribe.html", **(form | {"typed": request.form}))
    return render("procurement/subscribe_asked.html", email=request.form.get("email", "").strip(), **form)


def _typed(tender_id: UUID | None) -> NewSubscription:
    try:
        school_id = UUID(request.form["school"]) if request.form.get("school") else None
    except ValueError as error:
        raise NotFound from error
    return NewSubscription(
        email=request.form.get("email", ""),
        language=request.form.get("language", ""),
        tender_id=tender_id,
        text=request.form.get("text", "") if tender_id is None else "",
        school_id=school_id if tender_id is None else None,
    )


def _form(tender_id: UUID | None) -> dict[str, Any]:
    title = ""
    with reading(actor(), now()) as work:
        if tender_id is not None:
            version = tender_queries.version(work, tender_id)
            title = f"{version.document['number']}: {showing.said(version.document['sections']['notice']['title'])}"
        schools = school_choices(work, language())
    asked = {name: request.args.get(name, "")[:LONGEST_SEARCH] for name in ("text", "school")}
    return {
        "tender_id": tender_id,
        "title": title,
        "schools": schools,
        "languages": [(code, gettext(LANGUAGE_NAMES[code])) for code in ("kk", "ru", "en")],
        "sends_letters": settings().sends_letters,
        "shows_letters": settings().demo,
        "typed": {"language": language(), **asked},
        "back": url_for("procurement.tender", tender_id=tender_id) if tender_id else url_for("procurement.tenders"),
    }


def _about(text: str, school_id: UUID | None, form: dict[str, Any]) -> str:
    """What letters are asked for, in words."""
    if form["title"]:
        return str(form["title"])
    names = dict(form["schools"])
    words = [text.strip(), names.get(school_id, "")]
    found = ", ".join(one for one in words if one)
    return str(gettext(N_("new tenders")) + (f" ({found})" if found else ""))


def _subscription(token: str) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        row = subscription_of(work, token)
        about = _named(work, row)
    return {
        "about": about,
        "token": token,
        "is_confirmed": row.confirmed_at is not None,
        "is_ended": row.ended_at is not None,
        "tender_id": row.tender_id,
    }


def _named(work: Work, row: Subscription) -> str:
    if row.tender_id is not None:
        version = tender_queries.version(work, row.tender_id)
        return f"{version.document['number']}: {showing.said(version.document['sections']['notice']['title'])}"
    search = row.search or {}
    school = identity.organisation(work, UUID(search["school"])).name(language()) if search.get("school") else ""
    found = ", ".join(one for one in (search.get("text", ""), school) if one)
    return str(gettext("new tenders") + (f" ({found})" if found else ""))
