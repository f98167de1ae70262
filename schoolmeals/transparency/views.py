"""What everybody may read without signing in: the list of schools, each school's page, and where a price comes from."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for

from schoolmeals.database import reading
from schoolmeals.errors import N_, NotFound
from schoolmeals.procurement import ServerKeys
from schoolmeals.transparency import queries
from schoolmeals.transparency.rules import is_shown
from schoolmeals.transparency.showing import shown_contract, shown_line, shown_menus, shown_school, shown_tender
from schoolmeals.transparency.showing_traces import shown_trace, trace_json
from schoolmeals.transparency.tracing import trace
from schoolmeals.web import PUBLIC_POLICY, NavItem, actor, frame, guard, language, now, render, settings
from schoolmeals.workdays import local_day

MOST_TEXT: Final = 100
LAST_PAGE: Final = 10_000

navigation: tuple[NavItem, ...] = (NavItem("transparency.schools", N_("School canteens"), PUBLIC_POLICY),)
pages = Blueprint("transparency", __name__, template_folder="templates")


@pages.get("/schools")
@guard(PUBLIC_POLICY)
def schools() -> Any:
    """The city's schools with who feeds each of them today."""
    asked = _asked()
    with reading(actor(), now()) as look:
        found = queries.school_list(look, _today(), **asked)
    names = {id: one.name(language()) for id, one in found.names.items()}
    return render(
        "transparency/schools.html",
        found=found,
        lines=[shown_line(one, names) for one in found.lines],
        districts=[(one.district, one.district_in(language())) for one in found.districts],
        typed=asked,
        page_url=lambda page: url_for(
            "transparency.schools", page=page, text=asked["text"] or None, district=asked["district"] or None
        ),
    )


@pages.get("/schools/<uuid:school_id>")
@guard(PUBLIC_POLICY)
def school(school_id: UUID) -> Any:
    """One school: who feeds it, at what price, what is on the table, and what is being tendered."""
    today = _today()
    day = _day(request.args, today)
    with reading(actor(), now()) as look:
        view = queries.school_view(look, school_id, today, day)
    names = {id: one.name(language()) for id, one in view.suppliers.items()}
    return render(
        "transparency/school.html",
        view=view,
        school=shown_school(view.school),
        feeding=[shown_contract(one, names, view.items) for one in view.contracts["now"]],
        coming=[shown_contract(one, names, ()) for one in view.contracts["coming"]],
        past=[shown_contract(one, names, ()) for one in view.contracts["past"]],
        running=[shown_tender(one) for one in view.running],
        over=[shown_tender(one) for one in view.over],
        menus=shown_menus(view.menus, view.priced_by),
        is_today=day == today,
        day_before=_shown_day(view.day_before, today),
        day_after=_shown_day(view.day_after, today),
        today=today,
    )


@pages.get("/trace/<uuid:sale_id>")
@guard(PUBLIC_POLICY)
def trace_receipt(sale_id: UUID) -> Any:
    """From a receipt, step by step, back to the tender; nobody is named."""
    with reading(actor(), now()) as look:
        found = trace(look, sale_id, keys=ServerKeys.of(settings().secret_key))
    return render("transparency/trace.html", found=found, as_of=now(), **shown_trace(found))


@pages.get("/trace/<uuid:sale_id>.json")
@guard(PUBLIC_POLICY)
def trace_file(sale_id: UUID) -> Response:
    """The same for programs: sums in minor units, instants in UTC."""
    with reading(actor(), now()) as look:
        found = trace(look, sale_id, keys=ServerKeys.of(settings().secret_key))
    return jsonify(trace_json(found))


def _shown_day(day: date | None, today: date) -> date | None:
    return day if day is not None and is_shown(day, today) else None


def _today() -> date:
    return local_day(now(), frame().zone)


def _day(args: Mapping[str, str], today: date) -> date:
    """The day whose menu is asked for. Raises NotFound for one that is far off, and for what is none."""
    try:
        found = date.fromisoformat(args["day"]) if args.get("day") else today
    except ValueError as error:
        raise NotFound from error
    if not is_shown(found, today):
        raise NotFound
    return found


def _asked() -> dict[str, Any]:
    """What the address asks for. Raises NotFound for what no form of ours sends."""
    try:
        page = int(request.args.get("page") or 1)
    except ValueError as error:
        raise NotFound from error
    if not 1 <= page <= LAST_PAGE:
        raise NotFound
    text = {name: request.args.get(name, "").replace("\x00", "")[:MOST_TEXT] for name in ("text", "district")}
    return {**text, "page": page}
