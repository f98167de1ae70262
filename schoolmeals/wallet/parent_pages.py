"""A purse's pages: topping it up, its statement, its daily limit; and the provider's webhook."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity, pupils
from schoolmeals.actors import Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, Invalid, NotFound, Refusal, TooMany, Unavailable
from schoolmeals.files import DRAW, PaperOrder, file_key, order_paper, to_paper
from schoolmeals.ids import new_id
from schoolmeals.wallet.access import OFFICE
from schoolmeals.wallet.actions import set_limit
from schoolmeals.wallet.blueprint import pages, told, told_at
from schoolmeals.wallet.checkouts import hosted_page, receive_webhook, send_to_checkout
from schoolmeals.wallet.payments import BadSignature, EventUnreadable, NotFresh
from schoolmeals.wallet.queries import purse_of, statement_of, top_up_of, top_ups_of
from schoolmeals.wallet.rules import LARGEST_LIMIT_MINOR, TopUpStage
from schoolmeals.wallet.schemas import Period, read_amount, read_choice, read_id, read_period
from schoolmeals.wallet.statements import Line, as_csv
from schoolmeals.web import PUBLIC_POLICY, actor, frame, guard, language, now, render, roles, settings
from schoolmeals.web.problems import spoken, status_of
from schoolmeals.web.security import exempt_from_csrf
from schoolmeals.workdays import local_day

PARENT: Final = roles(Role.PARENT)
PURSE_READERS: Final = roles(Role.PARENT, *OFFICE)
LINES_A_PAGE: Final = 22
LOOKS_AGAIN: Final = 15
"""How often the page of a pending top-up looks again by itself, every four seconds."""
KINDS: Final = {
    "top-up": N_("Top-up by card"),
    "cash-top-up": N_("Cash top-up"),
    "cash-top-up-reversal": N_("Cash top-up taken back"),
    "sale": N_("Meal"),
    "sale-undone": N_("Meal taken back"),
}


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/top-up")
@guard(PARENT)
def top_up(school_id: UUID, pupil_id: UUID) -> Any:
    """Choose a sum."""
    return _top_up_page(school_id, pupil_id, new_id(now()))


@pages.post("/pupil/<uuid:school_id>/<uuid:pupil_id>/top-up")
@guard(PARENT)
def begin_top_up(school_id: UUID, pupil_id: UUID) -> Any:
    """Off to the provider's page. The form's own id makes a double click one top-up."""
    top_up_id = read_id(request.form, "id")
    field = "amount"
    try:
        amount_minor, field = read_choice(request.form, settings().currency)
        started = send_to_checkout(school_id, pupil_id, top_up_id=top_up_id, amount_minor=amount_minor)
    except (Invalid, TooMany, Unavailable) as refusal:
        return _top_up_page(school_id, pupil_id, top_up_id, refusal, field)
    if started.stage is TopUpStage.PENDING and started.checkout_url is not None:
        return redirect(hosted_page(started.checkout_url), code=303)
    return redirect(_page_of_top_up(school_id, pupil_id, top_up_id), code=303)


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/top-up/<uuid:top_up_id>")
@guard(PARENT)
def show_top_up(school_id: UUID, pupil_id: UUID, top_up_id: UUID) -> Any:
    """What the ledger says of a top-up. Coming back from the provider's page credits nothing."""
    with reading(actor(), now()) as look:
        pupils.require_guardian(look, school_id, pupil_id)
        found = top_up_of(look, school_id, top_up_id)
        if found.pupil_id != pupil_id:
            raise NotFound
        purse = purse_of(look, school_id, pupil_id)
        child = pupils.pupil(look, school_id, pupil_id)
    came_back = request.args.get("back", "")
    answer = Response(
        render(
            "wallet/top_up_state.html",
            top_up=found,
            purse=purse,
            child=child,
            left=came_back == "left",
            may_be_opened=found.may_still_be_opened(now()),
            as_of=now(),
        )
    )
    looks = request.args.get("look", 0, type=int)
    if found.stage is TopUpStage.PENDING and came_back == "paid" and looks < LOOKS_AGAIN:
        again = _page_of_top_up(school_id, pupil_id, top_up_id, back="paid", look=looks + 1)
        answer.headers["Refresh"] = f"4; url={again}"
    return answer


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/statement")
@guard(PURSE_READERS)
def statement(school_id: UUID, pupil_id: UUID) -> Any:
    """What came in, what went out, and that it adds up."""
    try:
        period, refusal = _period(request.args), None
    except Invalid as invalid:
        period, refusal = _period({}), invalid
    with reading(actor(), now()) as look:
        child = pupils.pupil(look, school_id, pupil_id)
        found = statement_of(look, school_id, pupil_id, period.since, period.until)
        recent = top_ups_of(look, school_id, pupil_id, limit=10)
    page = render(
        "wallet/statement.html",
        statement=found,
        child=child,
        period=period,
        kind_of=kind_of,
        top_ups=recent,
        is_office=actor().has_role_in(school_id, OFFICE),
        errors=spoken(refusal.fields) if refusal else {},
        as_of=now(),
    )
    return page, status_of(refusal) if refusal else 200


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/statement.csv")
@guard(PURSE_READERS)
def statement_csv(school_id: UUID, pupil_id: UUID) -> Any:
    """The same statement for a spreadsheet."""
    period = _period(request.args)
    with reading(actor(), now()) as look:
        found = statement_of(look, school_id, pupil_id, period.since, period.until)
    answer = Response(as_csv(found, words=gettext, kind_of=kind_of, zone=frame().zone), mimetype="text/csv")
    name = f"statement-{period.first.isoformat()}-{period.last.isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@pages.post("/pupil/<uuid:school_id>/<uuid:pupil_id>/statement/paper")
@guard(PURSE_READERS)
def order_statement(school_id: UUID, pupil_id: UUID) -> Any:
    """The same statement as a PDF, drawn by the worker; off to the page that shows how far it is."""
    return to_paper(ordered_statement(school_id, pupil_id, _period(request.form)))


def ordered_statement(school_id: UUID, pupil_id: UUID, period: Period) -> UUID:
    """Order a purse's statement as a PDF; the paper's id. Raises NotFound."""
    with reading(actor(), now()) as look:
        child = pupils.pupil(look, school_id, pupil_id)
        found = statement_of(look, school_id, pupil_id, period.since, period.until)
        school = identity.organisation(look, school_id)
    days: dict[str, Any] = {"since": period.first.isoformat(), "until": period.last.isoformat()}
    order = PaperOrder(
        task=DRAW,
        name=f"statement-{days['since']}-{days['until']}.pdf",
        html=render(
            "wallet/paper_statement.html",
            statement=found,
            child=child,
            school=school,
            period=period,
            kind_of=kind_of,
            language=language(),
            as_of=now(),
        ),
        back=url_for("wallet.statement", school_id=school_id, pupil_id=pupil_id, **days),
        pages=1 + len(found.lines) // LINES_A_PAGE,
        school_id=school_id,
    )
    with transaction(actor(), now()) as work:
        return order_paper(work, file_key(), order)


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/limit")
@guard(PARENT)
def limit(school_id: UUID, pupil_id: UUID) -> Any:
    """The daily limit for the buffet."""
    return _limit_page(school_id, pupil_id)


@pages.post("/pupil/<uuid:school_id>/<uuid:pupil_id>/limit")
@guard(PARENT)
def keep_limit(school_id: UUID, pupil_id: UUID) -> Any:
    """Set, change or lift the limit."""
    typed = request.form.get("limit", "").strip()
    try:
        limit_minor_day = read_amount(typed, settings().currency, "limit") if typed else None
        with transaction(actor(), now()) as work:
            set_limit(work, school_id, pupil_id, limit_minor_day)
    except Invalid as refusal:
        return _limit_page(school_id, pupil_id, refusal, typed)
    return redirect(url_for("wallet.limit", school_id=school_id, pupil_id=pupil_id, kept=1), code=303)


@pages.post("/webhooks/<provider>")
@exempt_from_csrf
@guard(PUBLIC_POLICY)
def webhook(provider: str) -> Any:
    """What the payment provider tells us. It proves itself by its signature."""
    try:
        outcome = receive_webhook(provider, request.get_data(), dict(request.headers))
    except (BadSignature, NotFresh, EventUnreadable) as refusal:
        return {"code": refusal.code}, 400
    return {"outcome": outcome.value if outcome is not None else "known"}


def kind_of(line: Line) -> str:
    """What a statement calls a line."""
    fallback = N_("Paid in") if line.change_minor > 0 else N_("Spent")
    return str(gettext(KINDS.get(line.kind, fallback)))


def _top_up_page(
    school_id: UUID, pupil_id: UUID, top_up_id: UUID, refusal: Refusal | None = None, field: str = "amount"
) -> Any:
    with reading(actor(), now()) as look:
        pupils.require_guardian(look, school_id, pupil_id)
        child = pupils.pupil(look, school_id, pupil_id)
        purse = purse_of(look, school_id, pupil_id)
    page = render(
        "wallet/top_up.html",
        child=child,
        purse=purse,
        top_up_id=top_up_id,
        suggestions=settings().top_up_suggestions_minor,
        settings=settings(),
        typed=request.form,
        card_is_open=frame().payments is not None,
        as_of=now(),
        **told_at(field, told(refusal)),
    )
    return page, status_of(refusal) if refusal else 200


def _limit_page(school_id: UUID, pupil_id: UUID, refusal: Invalid | None = None, typed: str | None = None) -> Any:
    with reading(actor(), now()) as look:
        pupils.require_guardian(look, school_id, pupil_id)
        child = pupils.pupil(look, school_id, pupil_id)
        purse = purse_of(look, school_id, pupil_id)
    page = render(
        "wallet/limit.html",
        child=child,
        purse=purse,
        typed=typed,
        most_minor=LARGEST_LIMIT_MINOR,
        is_kept="kept" in request.args,
        **told(refusal),
    )
    return page, status_of(refusal) if refusal else 200


def _page_of_top_up(school_id: UUID, pupil_id: UUID, top_up_id: UUID, **query: Any) -> str:
    return url_for("wallet.show_top_up", school_id=school_id, pupil_id=pupil_id, top_up_id=top_up_id, **query)


def _period(query: Any) -> Period:
    return read_period(query, _today(), frame().zone)


def _today() -> date:
    return local_day(now(), frame().zone)
