"""Pages of the parents room. Nothing here changes anything but the read marks of notices."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext, ngettext

from schoolmeals import identity
from schoolmeals.actors import Actor, ActorKind, Role
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, Invalid, NotFound
from schoolmeals.ids import number_heard
from schoolmeals.parents import actions, queries
from schoolmeals.parents.meal_list import meal_csv
from schoolmeals.parents.pulse import pulse_of
from schoolmeals.parents.receipts import numbered
from schoolmeals.parents.rules import PAGE, Kind, MealFilter, history_span
from schoolmeals.parents.schemas import meal_filter
from schoolmeals.parents.showing import (
    receipt_lines,
    receipt_rows,
    shown_child,
    shown_meal,
    shown_menu,
    shown_notice,
    shown_numbered,
)
from schoolmeals.web import SIGNED_IN, NavItem, Policy, actor, frame, guard, language, now, render, roles
from schoolmeals.web.problems import spoken
from schoolmeals.workdays import local_day

UNREAD_SHOWN: Final = 3


def _is_parent_or_new(who: Actor) -> bool:
    """Whoever has no role yet is most likely a parent with a code in hand."""
    return who.kind is ActorKind.PERSON and (not who.grants or who.has_role(Role.PARENT))


PARENT: Final = roles(Role.PARENT)
PARENT_OR_NEW: Final = Policy("parent-or-new", _is_parent_or_new)
OFFICE: Final = roles(Role.SCHOOL_OFFICE)
PARENT_OR_OFFICE: Final = roles(Role.PARENT, Role.SCHOOL_OFFICE)

navigation: tuple[NavItem, ...] = (
    NavItem("parents.home", N_("My children"), PARENT_OR_NEW),
    NavItem("parents.notices", N_("Notices"), PARENT),
)
pages = Blueprint(
    "parents", __name__, template_folder="templates", static_folder="static", static_url_path="/static/parents"
)


@pages.get("/home")
@guard(SIGNED_IN)
def home() -> Any:
    """All children; the one there is with everything that belongs to it. Staff without children go to their desk."""
    if not _is_parent_or_new(actor()):
        return redirect(url_for("web.home"), code=303)
    with reading(actor(), now()) as work:
        children = queries.children(work, frame().zone)
        told = queries.notices_of(work, unread_only=True, per_page=UNREAD_SHOWN)
        pulse = pulse_of(work, frame().zone)
    return render(
        "parents/home.html",
        children=[shown_child(one) for one in children],
        notices=[shown_notice(one, told.names[one.pupil_id]) for one in told.notices],
        unread_count=told.unread,
        pulse=pulse,
        claim_href=url_for("pupils.claim_page"),
    )


@pages.get("/home/version")
@guard(SIGNED_IN)
def home_version() -> Any:
    """A token that changes when the page does, and how long to wait before asking again."""
    with reading(actor(), now()) as work:
        pulse = pulse_of(work, frame().zone)
    return {"token": pulse.token, "wait_ms": pulse.wait_ms}


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>")
@guard(PARENT)
def child(school_id: UUID, pupil_id: UUID) -> Any:
    """One child with everything that belongs to it."""
    with reading(actor(), now()) as work:
        found = queries.child(work, school_id, pupil_id, frame().zone)
        pulse = pulse_of(work, frame().zone)
    return render("parents/child.html", child=shown_child(found), pulse=pulse)


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/meals")
@guard(PARENT)
def meals(school_id: UUID, pupil_id: UUID) -> Any:
    """A child's meal history, by days and kinds, twenty to a page."""
    today = local_day(now(), frame().zone)
    try:
        wanted, errors = meal_filter(request.args, today), {}
    except Invalid as refused:
        wanted, errors = MealFilter(*history_span(None, None, today)), spoken(refused.fields)
    with reading(actor(), now()) as work:
        pupil = queries.my_pupil(work, school_id, pupil_id)
        found = [] if errors else queries.meal_history(work, school_id, pupil_id, wanted)
    page = _page_of(len(found))
    answer = render(
        "parents/meals.html",
        child_name=pupil.name,
        child_href=url_for("parents.child", school_id=school_id, pupil_id=pupil_id),
        meals=[shown_meal(meal) for meal in found[(page - 1) * PAGE : page * PAGE]],
        kinds=[
            (Kind.ALL.value, gettext("Everything")),
            (Kind.MEAL.value, gettext("Set meals")),
            (Kind.BUFFET.value, gettext("Buffet")),
        ],
        typed=_typed(wanted),
        errors=errors,
        is_filtered=bool(request.args.keys() - {"page"}),
        today=today.isoformat(),
        csv_href=url_for("parents.meals_csv", school_id=school_id, pupil_id=pupil_id, **_query(wanted)),
        **_paging(page, len(found), "parents.meals", school_id=school_id, pupil_id=pupil_id, **_query(wanted)),
    )
    return answer, 422 if errors else 200


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/meals.csv")
@guard(PARENT)
def meals_csv(school_id: UUID, pupil_id: UUID) -> Any:
    """The same history as a file for spreadsheets."""
    wanted = meal_filter(request.args, local_day(now(), frame().zone))
    with reading(actor(), now()) as work:
        found = queries.meal_history(work, school_id, pupil_id, wanted)
    answer = Response(meal_csv(found, frame().zone), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="meals-{wanted.first}-{wanted.last}.csv"'
    return answer


@pages.get("/pupil/<uuid:school_id>/<uuid:pupil_id>/menu")
@guard(PARENT)
def menu(school_id: UUID, pupil_id: UUID) -> Any:
    """What the child's school serves on one day to the child's age group."""
    today = local_day(now(), frame().zone)
    try:
        day = date.fromisoformat(request.args["day"]) if "day" in request.args else today
    except ValueError as error:
        raise NotFound from error
    with reading(actor(), now()) as work:
        pupil = queries.my_pupil(work, school_id, pupil_id)
        menus = queries.menu_for(work, pupil, day)
        calendar = identity.calendar_of(work, school_id)
    before, after = calendar.last_school_days(day, 2), calendar.next_school_day(day)
    previous = next((one for one in reversed(before) if one < day), None)
    whose: dict[str, Any] = {"school_id": school_id, "pupil_id": pupil_id}
    return render(
        "parents/menu.html",
        child_name=pupil.name,
        child_href=url_for("parents.child", **whose),
        day=day,
        sittings=[shown_menu(one, pupil) for one in menus],
        no_menu=gettext("The canteen has not published it yet. Look again later.")
        if calendar.is_school_day(day)
        else gettext("There are no lessons on this day."),
        previous_day=previous,
        previous_href=previous and url_for("parents.menu", day=previous.isoformat(), **whose),
        next_day=after,
        next_href=after and url_for("parents.menu", day=after.isoformat(), **whose),
    )


@pages.get("/receipt/<uuid:school_id>/<uuid:sale_id>")
@guard(PARENT_OR_OFFICE)
def receipt(school_id: UUID, sale_id: UUID) -> Any:
    """One tap, with everything about it."""
    with reading(actor(), now()) as work:
        pupil, meal = queries.receipt(work, school_id, sale_id)
    shown = shown_meal(meal)
    is_parent = actor().has_role(Role.PARENT)
    return render(
        "parents/receipt.html",
        child_name=pupil.name,
        back_href=url_for("parents.child", school_id=school_id, pupil_id=pupil.id) if is_parent else None,
        meal=shown,
        paid=shown.paid,
        rows=receipt_rows(pupil, meal),
        lines=receipt_lines(meal),
        trace_href=url_for("transparency.trace_receipt", sale_id=sale_id),
    )


@pages.get("/school/<uuid:school_id>/receipts")
@guard(OFFICE)
def find_receipt(school_id: UUID) -> Any:
    """What a receipt's number belongs to, in one school."""
    typed = request.args.get("number", "").strip()
    heard = number_heard(typed)
    with reading(actor(), now()) as work:
        identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE)
        school = identity.organisation(work, school_id).name(language())
        found = numbered(work, school_id, heard) if heard is not None else []
    return render(
        "parents/find_receipt.html",
        school_id=school_id,
        school=school,
        typed=typed,
        is_number=heard is not None or not typed,
        found=[shown_numbered(one) for one in found],
    )


@pages.get("/notices")
@guard(PARENT)
def notices() -> Any:
    """What the parent was told, the newest first."""
    wanted = _asked_page()
    with reading(actor(), now()) as work:
        told = queries.notices_of(work, page=wanted)
    page = _page_of(told.total)
    return render(
        "parents/notices.html",
        notices=[shown_notice(one, told.names[one.pupil_id]) for one in told.notices],
        unread_count=told.unread,
        newest=told.newest_id,
        **_paging(page, told.total, "parents.notices"),
    )


@pages.post("/notices/read")
@guard(PARENT)
def read_all_notices() -> Any:
    """Mark everything that stood on the page as read."""
    try:
        up_to = UUID(request.form.get("up_to", ""))
    except ValueError as error:
        raise Invalid from error
    with transaction(actor(), now()) as work:
        marked = actions.read_notices(work, up_to=up_to)
    flash(ngettext("%(num)d notice marked as read", "%(num)d notices marked as read", marked), "good")
    return redirect(url_for("parents.notices"), code=303)


@pages.post("/notices/<uuid:school_id>/<uuid:notice_id>/read")
@guard(PARENT)
def read_notice(school_id: UUID, notice_id: UUID) -> Any:
    """Mark one notice as read."""
    with transaction(actor(), now()) as work:
        actions.read_notice(work, school_id, notice_id)
    return redirect(url_for("parents.notices", _anchor=f"n-{notice_id}"), code=303)


def _typed(wanted: MealFilter) -> dict[str, Any]:
    """What stands in the filter's fields: what was typed, else what the filter came to."""
    return {
        "from": request.args.get("from") or wanted.first.isoformat(),
        "to": request.args.get("to") or wanted.last.isoformat(),
        "kind": request.args.get("kind") or wanted.kind.value,
        "refused": "refused" in request.args,
    }


def _query(wanted: MealFilter) -> dict[str, Any]:
    asked = {"from": wanted.first.isoformat(), "to": wanted.last.isoformat(), "kind": wanted.kind.value}
    return {**asked, "refused": "yes"} if wanted.with_refused else asked


def _asked_page() -> int:
    typed = request.args.get("page", "1")
    return max(int(typed), 1) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 1


def _page_of(total: int) -> int:
    """The page that was asked for, or the last one there is."""
    return min(_asked_page(), max(1, -(-total // PAGE)))


def _paging(page: int, total: int, endpoint: str, **values: Any) -> dict[str, Any]:
    first, last = (page - 1) * PAGE + 1, min(page * PAGE, total)
    return {
        "previous_href": url_for(endpoint, page=page - 1, **values) if page > 1 else None,
        "next_href": url_for(endpoint, page=page + 1, **values) if last < total else None,
        "shown": gettext("%(first)s–%(last)s of %(total)s", first=first, last=last, total=total),
    }
