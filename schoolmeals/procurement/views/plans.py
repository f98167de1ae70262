"""The annual plan: for everybody what is published, for officers the lines that they write."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import profiles, showing
from schoolmeals.procurement.actions import plans
from schoolmeals.procurement.models import PlanLine
from schoolmeals.procurement.needing import pupils_of_school
from schoolmeals.procurement.queries import plans as plan_queries
from schoolmeals.procurement.queries.plans import PlannedNeed
from schoolmeals.procurement.rules.drafting import check
from schoolmeals.procurement.rules.need import AGE_GROUPS, MEALS
from schoolmeals.procurement.rules.planning import HIGHEST_AMOUNT_MINOR, NewPlanLine
from schoolmeals.procurement.rules.sections import Field, FieldKind, Section
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again, own_organiser, school_choices
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.procurement.views.section_forms import as_typed, read_content
from schoolmeals.procurement.words import AGE_GROUP_NAMES, MEAL_NAMES
from schoolmeals.web import PUBLIC_POLICY, actor, frame, guard, language, now, render
from schoolmeals.web.formats import day, grouped
from schoolmeals.workdays import local_day

FORM: Final = Section(
    "plan-line",
    N_("Line of the plan"),
    (
        Field("title", FieldKind.TEXTS, N_("Title"), most=200),
        Field("year", FieldKind.WHOLE, N_("Financial year"), least=2000, most=2200),
        Field("starts_on", FieldKind.DATE, N_("First day of meals")),
        Field("ends_on", FieldKind.DATE, N_("Last day of meals")),
        Field("planned_days", FieldKind.WHOLE, N_("Days of meals"), needed=False, least=1, most=366),
        Field("amount_minor", FieldKind.MONEY, N_("Money set aside"), least=1, most=HIGHEST_AMOUNT_MINOR),
        Field("announce_on", FieldKind.DATE, N_("The tender is announced on")),
    ),
)
NO_PUPILS: Final = FieldProblem.of(
    "no-pupils", N_("This school has no pupils on its roll. Ask it to enrol them first.")
)
CHOOSE: Final = FieldProblem.of("choose", N_("Choose one from the list."))


@pages.get("/plan")
@guard(PUBLIC_POLICY)
def public_plan() -> Any:
    """The published plan of a year; the latest one by default."""
    with reading(actor(), now()) as work:
        years = plan_queries.plan_years(work)
        year = _year(years[0] if years else work.today.year)
        found = plan_queries.plan_lines(work, year=year, published=True)
        names = {one.id: one.name(language()) for one in identity.organisations(work, ["school", "city"])}
    lines = [_line(one, names) for one in found]
    total = sum(one.amount_minor for one in found if one.withdrawn_at is None)
    return render(
        "procurement/public_plan.html", lines=lines, year=year, years=[(one, one) for one in years], total_minor=total
    )


@pages.get("/plan/<uuid:line_id>")
@guard(PUBLIC_POLICY)
def public_plan_line(line_id: UUID) -> Any:
    """One line: what it needs, what was eaten before, and the tenders that buy it."""
    with reading(actor(), now()) as work:
        row = plan_queries.plan_line(work, line_id)
        if row.published_at is None:
            raise NotFound
        context = _shown(work, row)
        bought = [(one.id, one.number, showing.said(one.title)) for one in plan_queries.tenders_of_line(work, line_id)]
    return render("procurement/public_plan_line.html", **context, tenders=bought)


@pages.get("/procurement/plan")
@guard(READERS)
def plan() -> Any:
    """The lines of a year, those that nobody else sees too."""
    year = _year(local_day(now(), frame().zone).year + 1)
    mine = None if actor().is_city_wide else own_organiser()
    with reading(actor(), now()) as work:
        found = plan_queries.plan_lines(work, year=year, organiser_id=mine)
        names = {one.id: one.name(language()) for one in identity.organisations(work, ["school", "city"])}
    total = sum(one.amount_minor for one in found if one.withdrawn_at is None)
    return render("procurement/plan.html", lines=[_line(one, names) for one in found], year=year, total_minor=total)


@pages.get("/procurement/plan/new")
@guard(WRITERS)
def new_plan_line() -> Any:
    """The form of a new line."""
    return render("procurement/plan_line.html", **_new_form())


@pages.post("/procurement/plan/new")
@guard(WRITERS)
def add_plan_line() -> Any:
    """Write a line into the plan."""
    try:
        with transaction(actor(), now()) as work:
            added = plans.add_plan_line(work, own_organiser(), _typed_line(work), id=form_id("line_id"))
    except Refusal as refusal:
        return again(refusal, "procurement/plan_line.html", **_new_form())
    flash(gettext("The line was written. Nobody else sees it before you publish it."), "good")
    return redirect(url_for("procurement.plan_line", line_id=added), code=303)


@pages.get("/procurement/plan/<uuid:line_id>")
@guard(READERS)
def plan_line(line_id: UUID) -> Any:
    """A line: its need beside what was served, its form, and what can be done with it."""
    return render("procurement/plan_line.html", **_own_line(line_id))


@pages.post("/procurement/plan/<uuid:line_id>")
@guard(WRITERS)
def change_plan_line(line_id: UUID) -> Any:
    """Write a line anew."""

    def deed(work: Work) -> None:
        # Whose line it is comes before what was typed.
        plan_queries.plan_line(work, line_id)
        plans.change_plan_line(work, line_id, _typed_line(work))

    return _do(line_id, deed, N_("Saved."))


@pages.post("/procurement/plan/<uuid:line_id>/<move>")
@guard(WRITERS)
def move_plan_line(line_id: UUID, move: str) -> Any:
    """Publish a line, or withdraw it with the reason."""
    if move not in MOVES:
        raise NotFound
    return _do(line_id, lambda work: MOVES[move](work, line_id), N_("Done."))


MOVES: Final[Mapping[str, Callable[[Work, UUID], None]]] = {
    "publish": plans.publish_plan_line,
    "withdraw": lambda work, line_id: plans.withdraw_plan_line(work, line_id, request.form.get("reason", "")),
}


def _do(line_id: UUID, deed: Callable[[Work], None], done: str) -> Any:
    try:
        with transaction(actor(), now()) as work:
            deed(work)
    except Refusal as refusal:
        return again(refusal, "procurement/plan_line.html", **(_own_line(line_id) | {"typed": _typed()}))
    flash(gettext(done), "good")
    return redirect(url_for("procurement.plan_line", line_id=line_id), code=303)


def _year(otherwise: int) -> int:
    year = request.args.get("year", type=int)
    return year if year is not None and 2000 <= year <= 2200 else otherwise


def _typed() -> dict[str, Any]:
    return {**request.form, "meals": request.form.getlist("meals")}


def _typed_line(work: Work) -> NewPlanLine:
    """The line that was typed; its pupils come from the school's roll. Raises Invalid."""
    content = read_content(FORM, request.form)
    checked = check(FORM, content)
    problems = {**checked.gaps, **checked.faults}
    schools = {str(one): one for one, _ in school_choices(work, language())}
    school_id = schools.get(request.form.get("school_id", ""))
    pupils = pupils_of_school(work, school_id) if school_id is not None else {}
    if not sum(pupils.values()):
        problems["school_id"] = [CHOOSE if school_id is None else NO_PUPILS]
    if problems or school_id is None:
        raise Invalid(fields=problems)
    return NewPlanLine(
        school_id=school_id,
        year=content["year"],
        title=content["title"],
        profile_code=request.form.get("profile_code", ""),
        starts_on=date.fromisoformat(content["starts_on"]),
        ends_on=date.fromisoformat(content["ends_on"]),
        pupils=pupils,
        meals=request.form.getlist("meals"),
        amount_minor=content["amount_minor"],
        announce_on=date.fromisoformat(content["announce_on"]),
        planned_days=content.get("planned_days"),
    )


def _new_form() -> dict[str, Any]:
    with reading(actor(), now()) as work:
        choices = _choices(work)
    year = local_day(now(), frame().zone).year + 1
    typed = _typed() if request.method == "POST" else {"year": year, "meals": ["lunch"]}
    return {**choices, "row": None, "typed": typed, "can_write": True, "line_id": new_id(now())}


def _choices(work: Work) -> dict[str, Any]:
    return {
        "schools": school_choices(work, language()),
        "profiles": [(code, showing.said(profiles.load(code).name)) for code in profiles.codes()],
        "meals": [(code, gettext(MEAL_NAMES[code])) for code in MEALS],
    }


def _own_line(line_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        row = plan_queries.plan_line(work, line_id)
        is_mine = row.organiser_id in actor().schools_as(Role.PROCUREMENT_OFFICER)
        if not (is_mine or actor().is_city_wide):
            raise NotFound
        shown, choices = _shown(work, row), _choices(work)
    typed = {
        **{f"title.{code}": text for code, text in row.title.items()},
        **{name: getattr(row, name) for name in ("year", "starts_on", "ends_on", "planned_days", "announce_on")},
        "school_id": row.school_id,
        "profile_code": row.profile_code,
        "meals": row.meals,
        "amount_minor": as_typed(row.amount_minor),
    }
    return {**shown, **choices, "typed": typed, "can_write": is_mine and row.withdrawn_at is None}


def _line(row: PlanLine, names: Mapping[UUID, str]) -> dict[str, Any]:
    state, kind = (N_("Draft"), "neutral") if row.published_at is None else (N_("Published"), "good")
    if row.withdrawn_at is not None:
        state, kind = N_("Withdrawn"), "bad"
    return {
        "id": row.id,
        "title": showing.said(row.title),
        "school": names.get(row.school_id, ""),
        "amount_minor": row.amount_minor,
        "meals": sum(row.pupils.values()) * row.planned_days * len(row.meals),
        "announce_on": day(row.announce_on, language(), frame().zone, year=True),
        "state": (gettext(state), kind),
    }


def _shown(work: Work, row: PlanLine) -> dict[str, Any]:
    """A line in words, with its need."""
    names = {one.id: one.name(language()) for one in identity.organisations(work, ["school", "city"])}
    planned = plan_queries.planned_need(work, row, local_day(now(), frame().zone))
    return {
        "row": row,
        "line": _line(row, names),
        "organiser": names.get(row.organiser_id, ""),
        "procedure": showing.said(profiles.load(row.profile_code).name),
        "span": " - ".join(day(one, language(), frame().zone, year=True) for one in (row.starts_on, row.ends_on)),
        "need": planned.need,
        "need_rows": showing.need_rows(planned.need),
        "planned": planned,
        "served": showing.served_sentences(planned.before, planned.lately),
        "changes": _changes(row, planned),
        "per_meal_minor": row.amount_minor // planned.need.quantity if planned.need.quantity else 0,
    }


def _changes(row: PlanLine, planned: PlannedNeed) -> list[str]:
    """Age groups whose pupils have become more or fewer since the line was written."""
    return [
        gettext(
            "%(group)s: %(planned)s pupils planned, %(now)s on the roll today",
            group=gettext(AGE_GROUP_NAMES[group]),
            planned=grouped(row.pupils.get(group, 0), language()),
            now=grouped(planned.on_roll[group], language()),
        )
        for group in AGE_GROUPS
        if row.pupils.get(group, 0) != planned.on_roll[group]
    ]
