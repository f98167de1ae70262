"""Menus from a file: the template, the upload, and the report of what could not be read."""

from typing import Any
from uuid import UUID

from flask import Response, request
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.canteen import queries
from schoolmeals.canteen.actions.imports import import_menus
from schoolmeals.canteen.actions.menus import KEEPERS
from schoolmeals.canteen.menu_files import COLUMNS, NEEDED, MenuFile, template
from schoolmeals.canteen.views.blueprint import pages
from schoolmeals.canteen.views.forms import read_day
from schoolmeals.canteen.views.office import OFFICE, again, school_name
from schoolmeals.canteen.words import sitting_name
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.web import actor, frame, guard, now, render
from schoolmeals.web.problems import speak

_NO_FILE = FieldProblem.of("no-file", N_("Choose a file."))


@pages.get("/school/<uuid:school_id>/menu/<day>/import")
@guard(OFFICE)
def menu_import(school_id: UUID, day: str) -> Any:
    """Where a file is sent."""
    return render("canteen/import.html", **_page(school_id, day))


@pages.post("/school/<uuid:school_id>/menu/<day>/import")
@guard(OFFICE)
def take_menu_file(school_id: UUID, day: str) -> Any:
    """Draft what can be read of a file, and report the rest."""
    context = _page(school_id, day)
    try:
        content = _content()
        with transaction(actor(), now()) as work:
            found = import_menus(work, school_id, content, zone=frame().zone)
            report = _report(work, school_id, found)
    except NotFound:
        raise
    except Refusal as refusal:
        return again(refusal, "canteen/import.html", **context)
    return render("canteen/imported.html", **context, **report), 200 if found.lines else 422


@pages.get("/school/<uuid:school_id>/menu/template.csv")
@guard(OFFICE)
def menu_template(school_id: UUID) -> Any:
    """A file to fill in."""
    with reading(actor(), now()) as work:
        identity.require_role_in(work, school_id, *KEEPERS)
    answer = Response(template(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="menu.csv"'
    return answer


def _page(school_id: UUID, day: str) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        identity.require_role_in(work, school_id, *KEEPERS)
        name = school_name(work, school_id)
    columns = [(column, column in NEEDED) for column in COLUMNS]
    return {"school_id": school_id, "school": name, "day": read_day(day), "columns": columns, "errors": {}}


def _content() -> bytes:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("no-file", fields={"file": [_NO_FILE]})
    return sent.stream.read()


def _report(work: Work, school_id: UUID, found: MenuFile) -> dict[str, Any]:
    sittings = {one.id: one for one in queries.sittings_of(work, school_id)}
    return {
        "lines": found.lines,
        "drafted": [
            (day, sitting_name(sittings[sitting_id], sittings.values()), len(items))
            for (day, sitting_id), items in sorted(found.menus.items(), key=lambda one: (one[0][0], str(one[0][1])))
        ],
        "bad": [[str(one.line) if one.line else gettext("all"), one.column, speak(one.problem)] for one in found.bad],
    }
