"""The officers' pages: their tenders, a draft's task list and forms, the check of answers, review and publication."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, Invalid, NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import profiles, showing
from schoolmeals.procurement.access import parties_in
from schoolmeals.procurement.actions import drafting, publishing, reviewing
from schoolmeals.procurement.models import Lot
from schoolmeals.procurement.needing import served_a_year_before, served_lately
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries import drafts as draft_queries
from schoolmeals.procurement.queries import plans as plan_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.drafts import ITEMS, Task
from schoolmeals.procurement.queries.tenders import TenderSearch, TenderView
from schoolmeals.procurement.rules.drafting import NewItem, check
from schoolmeals.procurement.rules.permissions import DRAFT_READERS
from schoolmeals.procurement.rules.sections import Section
from schoolmeals.procurement.rules.sections import section as find_section
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again, own_organiser, school_choices
from schoolmeals.procurement.views.menu_forms import MENU, menu_context, menu_of_form
from schoolmeals.procurement.views.section_forms import inputs_of, items_section, read_content
from schoolmeals.web import actor, frame, guard, language, now, render, settings
from schoolmeals.web.problems import spoken
from schoolmeals.workdays import local_day

SECTION_FORM: Final = "procurement/section.html"
MENU_FORM: Final = "procurement/menu.html"
STATES: Final = {
    "done": (N_("Complete"), "good"),
    "in-progress": (N_("Something is missing"), "care"),
    "not-started": (N_("Not started"), "neutral"),
}


@pages.get("/procurement/tenders")
@guard(READERS)
def desk() -> Any:
    """The tenders that the actor works on, drafts too, and a form for a new one."""
    return render("procurement/desk.html", **_desk())


@pages.post("/procurement/tenders")
@guard(WRITERS)
def open_draft() -> Any:
    """Open a draft; the form's own number makes a second sending harmless."""
    title = {code: request.form.get(f"title.{code}", "") for code in ("kk", "ru", "en")}
    try:
        with transaction(actor(), now()) as work:
            code = request.form.get("profile_code", "")
            body = form_id("review_body_id") if request.form.get("review_body_id") else None
            opened = drafting.open_draft(
                work,
                own_organiser(),
                profile_code=code,
                title=title,
                review_body_id=body,
                id=form_id("draft_id"),
            )
    except Refusal as refusal:
        return again(refusal, "procurement/desk.html", **(_desk() | {"typed": request.form}))
    return redirect(url_for("procurement.draft", draft_id=opened), code=303)


@pages.get("/procurement/tenders/<uuid:draft_id>/edit")
@guard(READERS)
def draft(draft_id: UUID) -> Any:
    """The task list of a draft, its lots, and what can be done with it now."""
    return render("procurement/draft.html", **_draft(draft_id))


@pages.post("/procurement/tenders/<uuid:draft_id>/lots")
@guard(WRITERS)
def add_lot(draft_id: UUID) -> Any:
    """Add a lot for a school."""

    def deed(work: Work) -> None:
        school_id = form_id("school_id")
        line = plan_queries.line_for_lot(work, tender_queries.tender(work, draft_id).line.organiser_id, school_id)
        drafting.add_lot(work, draft_id, school_id, plan_line_id=line.id if line is not None else None)

    return _do(draft_id, deed, N_("The lot was added."))


@pages.post("/procurement/tenders/<uuid:draft_id>/lots/<uuid:lot_id>/remove")
@guard(WRITERS)
def remove_lot(draft_id: UUID, lot_id: UUID) -> Any:
    """Take a lot out of a draft."""
    return _do(draft_id, lambda work: drafting.remove_lot(work, draft_id, lot_id), N_("The lot was taken out."))


@pages.get("/procurement/tenders/<uuid:draft_id>/edit/<section>")
@guard(READERS)
def section(draft_id: UUID, section: str) -> Any:
    """The form of one of the tender's sections."""
    return render(SECTION_FORM, **_form(draft_id, section, None))


@pages.post("/procurement/tenders/<uuid:draft_id>/edit/<section>")
@guard(WRITERS)
def save_section(draft_id: UUID, section: str) -> Any:
    """Write a section; it may still lack something."""
    return _save(draft_id, section, None)


@pages.get("/procurement/tenders/<uuid:draft_id>/lots/<uuid:lot_id>/edit/<lot_section>")
@guard(READERS)
def lot_section(draft_id: UUID, lot_id: UUID, lot_section: str) -> Any:
    """The form of one of a lot's sections, or of its prices."""
    template = MENU_FORM if lot_section == MENU else SECTION_FORM
    return render(template, **_form(draft_id, lot_section, lot_id))


@pages.post("/procurement/tenders/<uuid:draft_id>/lots/<uuid:lot_id>/edit/<lot_section>")
@guard(WRITERS)
def save_lot_section(draft_id: UUID, lot_id: UUID, lot_section: str) -> Any:
    """Write a lot's section, or its prices."""
    return _save(draft_id, lot_section, lot_id)


@pages.post("/procurement/tenders/<uuid:draft_id>/lots/<uuid:lot_id>/need")
@guard(WRITERS)
def compute_need(draft_id: UUID, lot_id: UUID) -> Any:
    """Compute how many meals the lot needs, from pupils and school days."""
    done = N_("The need was computed from the pupils and the school days.")
    return _do(draft_id, lambda work: drafting.compute_need(work, draft_id, lot_id), done)


@pages.get("/procurement/tenders/<uuid:draft_id>/check")
@guard(READERS)
def check_answers(draft_id: UUID) -> Any:
    """Everything that was written, to be read once more before review, approval or publication."""
    return render("procurement/check.html", **_check(draft_id))


@pages.post("/procurement/tenders/<uuid:draft_id>/decide/<deed>")
@guard(WRITERS)
def decide_draft(draft_id: UUID, deed: str) -> Any:
    """Hand over for review, approve, return, reopen or publish. Publishing again by the same form changes nothing."""
    if deed not in DECISIONS:
        raise NotFound
    try:
        with transaction(actor(), now()) as work:
            DECISIONS[deed](work, draft_id)
    except Refusal as refusal:
        return again(refusal, "procurement/check.html", **(_check(draft_id) | {"typed": request.form}))
    if deed == "publish":
        flash(gettext("The tender is published."), "good")
        return redirect(url_for("procurement.tender", tender_id=draft_id), code=303)
    flash(gettext("Done."), "good")
    return redirect(url_for("procurement.draft", draft_id=draft_id), code=303)


def _publish(work: Work, draft_id: UUID) -> None:
    accelerator = settings().tender_accelerator
    publishing.publish_tender(work, draft_id, act_id=form_id("act_id"), zone=frame().zone, accelerator=accelerator)


def _reason() -> str:
    return request.form.get("reason", "")


DECISIONS: Final[Mapping[str, Callable[[Work, UUID], None]]] = {
    "submit": reviewing.submit_for_review,
    "approve": reviewing.approve_tender,
    "return": lambda work, draft_id: reviewing.return_tender(work, draft_id, _reason()),
    "reopen": lambda work, draft_id: reviewing.reopen_draft(work, draft_id, _reason()),
    "publish": _publish,
}


def form_id(name: str) -> UUID:
    """An id of a form. Raises NotFound for what no form of ours sends."""
    try:
        return UUID(request.form.get(name, ""))
    except ValueError as error:
        raise NotFound from error


def _do(draft_id: UUID, deed: Callable[[Work], Any], done: str) -> Any:
    try:
        with transaction(actor(), now()) as work:
            deed(work)
    except Refusal as refusal:
        return again(refusal, "procurement/draft.html", **_draft(draft_id))
    flash(gettext(done), "good")
    return redirect(url_for("procurement.draft", draft_id=draft_id), code=303)


def _desk() -> dict[str, Any]:
    with reading(actor(), now()) as work:
        found = tender_queries.tenders(work, TenderSearch(page=max(request.args.get("page", 1, type=int), 1)))
        bodies = [(str(one.id), one.name(language())) for one in identity.organisations(work, ["state"])]
        # Whoever judges complaints finds the public page here, and no officer's work.
        is_office = work.actor.has_role(Role.PROCUREMENT_OFFICER) or bool(parties_in(work, None) & DRAFT_READERS)
        own = {id for id in {one.organiser_id for one in found.lines} if parties_in(work, id) & DRAFT_READERS}
    lines = [
        {
            "id": one.id,
            "number": one.number,
            "title": showing.said(one.title),
            "stage": showing.stage_tag(one.stage),
            "page": "procurement.draft" if one.organiser_id in own else "procurement.tender",
            "of": {"draft_id" if one.organiser_id in own else "tender_id": one.id},
        }
        for one in found.lines
    ]
    procedures = [(code, showing.said(profiles.load(code).name)) for code in profiles.codes()]
    form = {"typed": {}, "draft_id": new_id(now()), "bodies": bodies, "is_office": is_office}
    return {"lines": lines, "found": found, "profiles": procedures, **form}


def _draft(draft_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        tasks = tender_queries.task_list(work, draft_id)
        view = tender_queries.tender(work, draft_id)
        lots = draft_queries.lots_of(work, draft_id)
        schools = dict(school_choices(work, language()))
    taken = {lot.school_id for lot in lots}
    return {
        **_head(view),
        "tasks": [_task(one, draft_id) for one in tasks if one.lot_id is None and one.section != "lots"],
        "lots": [
            {
                "id": lot.id,
                "school": schools[lot.school_id],
                "tasks": [_task(one, draft_id) for one in tasks if one.lot_id == lot.id],
            }
            for lot in lots
        ],
        "free_schools": [(one, name) for one, name in schools.items() if one not in taken],
        "is_whole": not any(one.problems for one in tasks),
    }


def _head(view: TenderView) -> dict[str, Any]:
    return {
        "view": view,
        "draft_id": view.line.id,
        "title": showing.said(view.line.title),
        "stage": showing.stage_tag(view.line.stage),
        "can_write": "edit_section" in view.deeds,
        "can_change_lots": "add_lot" in view.deeds,
    }


def _task(task: Task, draft_id: UUID) -> dict[str, Any]:
    state, kind = STATES[task.state]
    about: dict[str, Any] = {"draft_id": draft_id}
    if task.lot_id is None:
        href = url_for("procurement.section", **about, section=task.section)
    else:
        href = url_for("procurement.lot_section", **about, lot_id=task.lot_id, lot_section=task.section)
    return {"label": gettext(task.title), "href": href, "state": gettext(state), "kind": kind}


def _section(profile: Profile, name: str, lot_id: UUID | None) -> Section:
    if name == ITEMS and lot_id is not None:
        return items_section(profile.purpose, profile.goods_groups)
    found = find_section(name, profile.purpose, of_lot=lot_id is not None)
    if found is None:
        raise NotFound
    return found


def _form(draft_id: UUID, name: str, lot_id: UUID | None, typed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        tasks = tender_queries.task_list(work, draft_id)
        view = tender_queries.tender(work, draft_id)
        chosen = _section(view.profile, name, lot_id)
        task = next((one for one in tasks if one.section == name and one.lot_id == lot_id), None)
        if task is None:
            raise NotFound
        content = typed if typed is not None else _content(work, draft_id, name, lot_id)
        lot = draft_queries.sections_of(work, draft_id).get(lot_id or draft_id, {})
    started = task.state != "not-started" and typed is None
    meals = [row.get("meal", "") for row in lot.get("meals", {}).get("meals", ())]
    return {
        **(menu_context(content, meals) if name == MENU else {}),
        **_head(view),
        "section_title": gettext(chosen.title),
        "inputs": inputs_of(chosen, content),
        "missing": spoken(dict(task.problems)) if started else {},
        "lot_id": lot_id,
        "is_items": name == ITEMS,
    }


def _content(work: Work, draft_id: UUID, name: str, lot_id: UUID | None) -> Mapping[str, Any]:
    if name != ITEMS or lot_id is None:
        content: Mapping[str, Any] = draft_queries.sections_of(work, draft_id).get(lot_id or draft_id, {}).get(name, {})
        return content
    rows = [
        {
            **(one.goods or {}),
            "age_group": one.age_group,
            "meal": one.meal,
            "quantity": one.quantity,
            "ceiling_minor": one.ceiling_minor,
        }
        for one in draft_queries.items_of(work, lot_id)
    ]
    return {"items": rows}


def _save(draft_id: UUID, name: str, lot_id: UUID | None) -> Any:
    with reading(actor(), now()) as work:
        tender_queries.task_list(work, draft_id)
        chosen = _section(tender_queries.tender(work, draft_id).profile, name, lot_id)
    content = read_content(chosen, request.form)
    try:
        content = menu_of_form(content) if name == MENU else content
        with transaction(actor(), now()) as work:
            if name == ITEMS and lot_id is not None:
                drafting.set_items(work, draft_id, lot_id, _items(chosen, content))
            else:
                drafting.edit_section(work, draft_id, name, content, lot_id=lot_id)
    except Refusal as refusal:
        template = MENU_FORM if name == MENU else SECTION_FORM
        return again(refusal, template, **_form(draft_id, name, lot_id, content))
    flash(gettext("Saved."), "good")
    if name == MENU and request.form.get("step"):
        return redirect(request.url, code=303)
    return redirect(url_for("procurement.draft", draft_id=draft_id), code=303)


def _items(chosen: Section, content: Mapping[str, Any]) -> list[NewItem]:
    checked = check(chosen, content)
    if problems := {**checked.gaps, **checked.faults}:
        raise Invalid(fields=problems)
    return [_item(row) for row in content["items"]]


def _item(row: Mapping[str, Any]) -> NewItem:
    if "meal" in row:
        return NewItem(ceiling_minor=row["ceiling_minor"], age_group=row["age_group"], meal=row["meal"])
    goods = {name: row[name] for name in ("name", "group", "unit")}
    return NewItem(ceiling_minor=row["ceiling_minor"], goods=goods, quantity=row["quantity"])


def _check(draft_id: UUID) -> dict[str, Any]:
    """The whole working copy in words."""
    context = _draft(draft_id)
    purpose = context["view"].profile.purpose
    with reading(actor(), now()) as work:
        written = draft_queries.sections_of(work, draft_id)
        items = {lot["id"]: draft_queries.items_of(work, lot["id"]) for lot in context["lots"]}
        needs = {lot["id"]: _need(work, draft_id, lot["id"]) for lot in context["lots"]}
        returned = [one for one in showing.history(tender_queries.acts(work, draft_id)) if one["text"]]
    for lot in context["lots"]:
        rows = [_columns(one) for one in items[lot["id"]]]
        lot["sections"] = showing.shown_sections(written.get(lot["id"], {}), purpose, of_lot=True)
        lot["items"] = [(showing.item_name(row), row) for row in rows]
        lot["total_minor"] = showing.ceiling_of(rows)
        lot["need"] = needs[lot["id"]]
    sections = showing.shown_sections(written.get(draft_id, {}), purpose, of_lot=False)
    return context | {"sections": sections, "act_id": new_id(now()), "typed": {}, "returned": returned[:1]}


def _need(work: Work, draft_id: UUID, lot_id: UUID) -> dict[str, Any] | None:
    """What a lot needs beside what was served before; None while its meals or the period are missing."""
    try:
        found = tender_queries.need_of_lot(work, draft_id, lot_id)
    except Invalid:
        return None
    school_id = work.session.get_one(Lot, lot_id).school_id
    before = served_a_year_before(work, school_id, found.starts_on, found.ends_on)
    lately = served_lately(work, school_id, local_day(work.now, frame().zone))
    sentences = showing.served_sentences(before, lately)
    return {"rows": showing.need_rows(found), "school_days": found.school_days, "served": sentences}


def _columns(item: Any) -> dict[str, Any]:
    """An item's columns."""
    return {
        name: getattr(item, name) for name in ("age_group", "meal", "goods", "quantity", "ceiling_minor", "currency")
    }
