"""A school's menus: the day's sittings with their lines, drafted, checked and published."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext, ngettext

from schoolmeals import identity, pupils
from schoolmeals.canteen import queries
from schoolmeals.canteen.actions.menus import (
    KEEPERS,
    copy_day,
    publish_menu,
    put_item,
    replace_item,
    take_off_item,
    terms_on,
)
from schoolmeals.canteen.menus import OTHER_ALLERGEN, SET, MenuFacts, MenuLine
from schoolmeals.canteen.pricing import Terms, as_published
from schoolmeals.canteen.views.blueprint import pages
from schoolmeals.canteen.views.forms import read_chosen_day, read_day, read_item
from schoolmeals.canteen.views.office import (
    OFFICE,
    again,
    asked_day,
    errors_of,
    menu_url,
    own_school,
    school_name,
    today,
)
from schoolmeals.canteen.words import (
    AGE_GROUPS,
    ALLERGENS,
    age_group_name,
    allergen_words,
    hours,
    sitting_name,
)
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import NotFound, Refusal
from schoolmeals.pupils import EU_ALLERGENS
from schoolmeals.web import actor, frame, guard, language, now, render, settings
from schoolmeals.web.problems import speak, status_of

ONE_DAY = timedelta(days=1)


@pages.get("/menu", defaults={"school_id": None})
@pages.get("/school/<uuid:school_id>/menu")
@guard(OFFICE)
def menu(school_id: UUID | None) -> Any:
    """A day's sittings with what they sell and what is drafted."""
    if school_id is None:
        return redirect(url_for("canteen.menu", school_id=own_school()), code=303)
    return render("canteen/menu.html", **_day(school_id, asked_day()))


@pages.post("/school/<uuid:school_id>/menu/<day>/copy")
@guard(OFFICE)
def copy_menu(school_id: UUID, day: str) -> Any:
    """Draft the day as another one was sold."""
    target = read_day(day)
    try:
        source = read_chosen_day(request.form, "source")
        with transaction(actor(), now()) as work:
            copied = copy_day(work, school_id, source=source, target=target, zone=frame().zone)
    except Refusal as refusal:
        typed = request.form.get("source", "")
        context = _day(school_id, target) | {"errors": errors_of(refusal), "source": typed}
        return render("canteen/menu.html", **context), status_of(refusal)
    flash(
        ngettext(
            "%(num)s line was copied. Check it and publish it.",
            "%(num)s lines were copied. Check them and publish them.",
            copied,
        ),
        "good",
    )
    return redirect(menu_url(school_id, target), code=303)


@pages.get("/school/<uuid:school_id>/menu/<day>/<uuid:sitting_id>/item")
@guard(OFFICE)
def new_item(school_id: UUID, day: str, sitting_id: UUID) -> Any:
    """An empty form for a line."""
    return render("canteen/item.html", **_form(school_id, read_day(day), sitting_id))


@pages.post("/school/<uuid:school_id>/menu/<day>/<uuid:sitting_id>/item")
@guard(OFFICE)
def add_item(school_id: UUID, day: str, sitting_id: UUID) -> Any:
    """Put a line on the draft."""
    on = read_day(day)
    try:
        picture = _picture()
        with transaction(actor(), now()) as work:
            photo_id = _kept(work, school_id, picture)
            item = read_item(request.form, _allergens(), currency=settings().currency, photo_id=photo_id)
            put_item(work, school_id, on, sitting_id, item, zone=frame().zone)
    except NotFound:
        raise
    except Refusal as refusal:
        return again(refusal, "canteen/item.html", **(_form(school_id, on, sitting_id) | _typed()))
    flash(gettext("The line is on the draft. It is sold once the menu is published."), "good")
    return redirect(menu_url(school_id, on), code=303)


@pages.get("/school/<uuid:school_id>/menu/<day>/<uuid:sitting_id>/item/<uuid:item_id>")
@guard(OFFICE)
def item(school_id: UUID, day: str, sitting_id: UUID, item_id: UUID) -> Any:
    """A line, to be written anew."""
    return render("canteen/item.html", **_form(school_id, read_day(day), sitting_id, item_id))


@pages.post("/school/<uuid:school_id>/menu/<day>/<uuid:sitting_id>/item/<uuid:item_id>")
@guard(OFFICE)
def edit_item(school_id: UUID, day: str, sitting_id: UUID, item_id: UUID) -> Any:
    """Write a line anew."""
    on = read_day(day)
    before = _form(school_id, on, sitting_id, item_id)
    try:
        picture = _picture()
        with transaction(actor(), now()) as work:
            photo_id = _kept(work, school_id, picture) or before["shown"].photo_id
            new = read_item(request.form, _allergens(), currency=settings().currency, photo_id=photo_id)
            replace_item(work, school_id, item_id, new, zone=frame().zone)
    except NotFound:
        raise
    except Refusal as refusal:
        return again(refusal, "canteen/item.html", **(before | _typed()))
    flash(gettext("The line is changed on the draft. It is sold so once the menu is published."), "good")
    return redirect(menu_url(school_id, on), code=303)


@pages.post("/school/<uuid:school_id>/menu/<day>/item/<uuid:item_id>/withdraw")
@guard(OFFICE)
def withdraw_item(school_id: UUID, day: str, item_id: UUID) -> Any:
    """Take a line off the draft."""
    on = read_day(day)
    try:
        with transaction(actor(), now()) as work:
            take_off_item(work, school_id, item_id, zone=frame().zone)
    except NotFound:
        raise
    except Refusal as refusal:
        return _menu_again(school_id, on, refusal)
    flash(gettext("The line is off the draft. What is published is sold until you publish again."), "good")
    return redirect(menu_url(school_id, on), code=303)


@pages.get("/school/<uuid:school_id>/menu/<day>/<uuid:sitting_id>/publish")
@guard(OFFICE)
def check_menu(school_id: UUID, day: str, sitting_id: UUID) -> Any:
    """The draft, to be looked at before it is sold."""
    context = _day(school_id, read_day(day))
    return render("canteen/publish.html", **context, chosen=_chosen(context["menus"], sitting_id))


@pages.post("/school/<uuid:school_id>/menu/<day>/<uuid:sitting_id>/publish")
@guard(OFFICE)
def publish(school_id: UUID, day: str, sitting_id: UUID) -> Any:
    """Sell the draft from now on."""
    on = read_day(day)
    try:
        with transaction(actor(), now()) as work:
            publish_menu(work, school_id, on, sitting_id, zone=frame().zone)
    except NotFound:
        raise
    except Refusal as refusal:
        return _menu_again(school_id, on, refusal)
    flash(gettext("The menu is published. Tills and parents have it now."), "good")
    return redirect(menu_url(school_id, on), code=303)


def _day(school_id: UUID, day: date) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        menus = queries.menu_in_draft(work, school_id, day)
        terms = terms_on(work, school_id, day)
        calendar = identity.calendar_of(work, school_id)
        before = next(iter(calendar.last_school_days(day - ONE_DAY, 1)), day - ONE_DAY)
        return {
            "school_id": school_id,
            "school": school_name(work, school_id),
            "day": day,
            "before": before,
            "after": calendar.next_school_day(day) or day + ONE_DAY,
            "source": before.isoformat(),
            "is_over": day < today(),
            "menus": [_shown(one, menus, terms) for one in menus],
            "terms": terms,
            "as_of": now(),
            "errors": {},
        }


def _shown(menu: MenuFacts, menus: list[MenuFacts], terms: Terms) -> dict[str, Any]:
    sold = {one.id for one in menu.items}
    lines = [_line(one) | {"is_new": one.id not in sold} | _priced(one, menu.meal, terms) for one in menu.draft]
    return {
        "facts": menu,
        "name": sitting_name(menu, menus),
        "hours": hours(menu),
        "lines": lines,
        "is_priced_anew": any(one["is_priced_anew"] or one["problems"] for one in lines),
        "leaving": [_line(one) for one in menu.items if one.id not in {line.id for line in menu.draft}],
        "missing": [age_group_name(group) for group in menu.missing_age_groups] if menu.draft else [],
    }


def _line(item: MenuLine) -> dict[str, Any]:
    return {
        "item": item,
        "name": item.name(language()),
        "dishes": [dish.get(language()) or dish["kk"] for dish in item.dishes],
        "age_group": age_group_name(item.age_group),
        "allergens": allergen_words(item.allergens),
    }


def _priced(line: MenuLine, meal: str, terms: Terms) -> dict[str, Any]:
    """What a line would cost if it were published now, and why it could not be."""
    found = as_published(line, meal, terms)
    return {
        "price": (found.price_minor, found.currency),
        "is_by_contract": found.is_by_contract,
        "is_priced_anew": found.price_minor != line.price_minor,
        "problems": [speak(problem) for problem in found.problems],
    }


def _agreed(meal: str, terms: Terms) -> dict[str, Any]:
    """What the form tells of the contracts: set meals' prices by age group, and the buffet's list with its ceilings."""
    meals = terms.of_meal(meal)
    return {
        "agreed": [(gettext(AGE_GROUPS[one]), meals[one]) for one in AGE_GROUPS if one in meals],
        "things": [(one.names.get(language()) or one.names.get("kk", ""), one) for one in terms.things],
    }


def _chosen(menus: list[dict[str, Any]], sitting_id: UUID) -> dict[str, Any]:
    found = next((one for one in menus if one["facts"].sitting_id == sitting_id), None)
    if found is None:
        raise NotFound
    return found


def _menu_again(school_id: UUID, day: date, refusal: Refusal) -> Any:
    return render("canteen/menu.html", **(_day(school_id, day) | {"errors": errors_of(refusal)})), status_of(refusal)


def _form(school_id: UUID, day: date, sitting_id: UUID, item_id: UUID | None = None) -> dict[str, Any]:
    """What the form for a line shows. Raises NotFound where the sitting or the line is not there."""
    context = _day(school_id, day)
    chosen = _chosen(context["menus"], sitting_id)
    shown = next((line for line in chosen["facts"].draft if line.id == item_id), None)
    if item_id is not None and shown is None:
        raise NotFound
    return {
        **context,
        "chosen": chosen,
        "shown": shown,
        "typed": _values(shown, is_agreed=bool(context["terms"].of_meal(chosen["facts"].meal))),
        **_agreed(chosen["facts"].meal, context["terms"]),
        "ticked": [code for code in shown.allergens if code in EU_ALLERGENS] if shown else [],
        "age_groups": [(code, gettext(name)) for code, name in AGE_GROUPS.items()],
        "allergens": [(code, gettext(ALLERGENS[code])) for code in EU_ALLERGENS],
    }


def _values(item: MenuLine | None, *, is_agreed: bool) -> dict[str, Any]:
    """A line as the form has it. A set meal whose price is agreed has none there."""
    if item is None:
        return {"kind": "set", "age_group": "6-10"}
    whole, rest = divmod(item.price_minor, 100)
    other = [code.removeprefix(OTHER_ALLERGEN) for code in item.allergens if code.startswith(OTHER_ALLERGEN)]
    return {
        "kind": item.kind,
        "age_group": item.age_group,
        **{f"name_{code}": item.names[code] for code in ("kk", "ru", "en")},
        "dishes": "\n".join(" | ".join(dish.get(code, "") for code in ("kk", "ru", "en")) for dish in item.dishes),
        "price": "" if is_agreed and item.kind == SET else f"{whole},{rest:02}" if rest else str(whole),
        "portion_g": item.portion_g,
        "kcal": item.kcal,
        "other": ", ".join(other),
    }


def _typed() -> dict[str, Any]:
    return {"typed": request.form, "ticked": _allergens()}


def _allergens() -> list[str]:
    return request.form.getlist("allergens")


def _picture() -> bytes | None:
    """The photo that was sent, made small before anything is locked. Raises Invalid."""
    sent = request.files.get("photo")
    if sent is None or not sent.filename:
        return None
    return pupils.shrunk_photo(sent.stream.read())


def _kept(work: Work, school_id: UUID, picture: bytes | None) -> UUID | None:
    if picture is None:
        return None
    # Asked here already, because the photo is kept before its line.
    identity.require_role_in(work, school_id, *KEEPERS)
    return pupils.keep_photo(work, school_id, picture)
