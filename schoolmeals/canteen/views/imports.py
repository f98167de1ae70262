"""Menus from a file: the templates, the upload, the preview with what could not be read, and the yes to it."""

from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext, ngettext

from schoolmeals import identity
from schoolmeals.canteen import queries
from schoolmeals.canteen.actions.imports import import_menus, preview_menus
from schoolmeals.canteen.actions.menus import KEEPERS
from schoolmeals.canteen.menu_files import COLUMNS, NEEDED, MenuFile, template, workbook_template
from schoolmeals.canteen.views.blueprint import pages
from schoolmeals.canteen.views.forms import read_day
from schoolmeals.canteen.views.office import OFFICE, again, menu_url, school_name
from schoolmeals.canteen.words import sitting_name
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.files import (
    XLSX,
    FileStage,
    KeptFacts,
    content_of,
    end_upload,
    file_key,
    keep_upload,
    kept_file,
)
from schoolmeals.web import actor, frame, guard, now, render
from schoolmeals.web.problems import speak

PURPOSE: Final = "canteen.menu_file"
_NO_FILE = FieldProblem.of("no-file", N_("Choose a file."))


@pages.get("/school/<uuid:school_id>/menu/<day>/import")
@guard(OFFICE)
def menu_import(school_id: UUID, day: str) -> Any:
    """Where a file is sent."""
    return render("canteen/import.html", **_page(school_id, day))


@pages.post("/school/<uuid:school_id>/menu/<day>/import")
@guard(OFFICE)
def take_menu_file(school_id: UUID, day: str) -> Any:
    """Keep a file, and show what it would change. Nothing is changed yet."""
    context = _page(school_id, day)
    try:
        name, content = _sent()
        with reading(actor(), now()) as look:
            preview_menus(look, school_id, content, zone=frame().zone)
    except NotFound:
        raise
    except Refusal as refusal:
        return again(refusal, "canteen/import.html", **context)
    with transaction(actor(), now()) as work:
        kept = keep_upload(
            work, file_key(), content, purpose=PURPOSE, name=name, media_type="text/csv", school_id=school_id
        )
    return redirect(url_for("canteen.check_menu_file", school_id=school_id, day=day, upload_id=kept), code=303)


@pages.get("/school/<uuid:school_id>/menu/<day>/import/<uuid:upload_id>")
@guard(OFFICE)
def check_menu_file(school_id: UUID, day: str, upload_id: UUID) -> Any:
    """What a file would draft, and each bad row with its line, column and reason."""
    context = _page(school_id, day)
    with reading(actor(), now()) as look:
        kept = _kept(look, school_id, upload_id)
        content = content_of(look, file_key(), upload_id, purpose=PURPOSE)
        report = _report(look, school_id, preview_menus(look, school_id, content, zone=frame().zone))
    return render("canteen/imported.html", file=kept, **context, **report)


@pages.post("/school/<uuid:school_id>/menu/<day>/import/<uuid:upload_id>")
@guard(OFFICE)
def confirm_menu_file(school_id: UUID, day: str, upload_id: UUID) -> Any:
    """Draft the good lines. Said twice, it is done once."""
    with transaction(actor(), now()) as work:
        identity.require_role_in(work, school_id, *KEEPERS)
        kept = _kept(work, school_id, upload_id)
        if kept.stage is not FileStage.ENDED:
            content = content_of(work, file_key(), upload_id, purpose=PURPOSE)
            end_upload(work, upload_id, purpose=PURPOSE)
            lines = import_menus(work, school_id, content, zone=frame().zone).lines
            said = ngettext("%(num)s line is on the drafts.", "%(num)s lines are on the drafts.", lines)
            flash(said, "good" if lines else "care")
    return redirect(menu_url(school_id, read_day(day)), code=303)


@pages.post("/school/<uuid:school_id>/menu/<day>/import/<uuid:upload_id>/drop")
@guard(OFFICE)
def drop_menu_file(school_id: UUID, day: str, upload_id: UUID) -> Any:
    """Forget a file that was not confirmed."""
    with transaction(actor(), now()) as work:
        identity.require_role_in(work, school_id, *KEEPERS)
        _kept(work, school_id, upload_id)
        end_upload(work, upload_id, purpose=PURPOSE)
    flash(gettext("The file was dropped. Nothing was changed."), "good")
    return redirect(url_for("canteen.menu_import", school_id=school_id, day=day), code=303)


@pages.get("/school/<uuid:school_id>/menu/template.csv")
@guard(OFFICE)
def menu_template(school_id: UUID) -> Any:
    """A file to fill in."""
    return _template(school_id, template(), "menu.csv", "text/csv")


@pages.get("/school/<uuid:school_id>/menu/template.xlsx")
@guard(OFFICE)
def menu_workbook(school_id: UUID) -> Any:
    """The same as a workbook."""
    return _template(school_id, workbook_template(), "menu.xlsx", XLSX)


def _template(school_id: UUID, content: bytes, name: str, media_type: str) -> Response:
    with reading(actor(), now()) as look:
        identity.require_role_in(look, school_id, *KEEPERS)
    answer = Response(content, mimetype=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _kept(look: Work, school_id: UUID, upload_id: UUID) -> KeptFacts:
    """The actor's own upload for this school. Raises NotFound."""
    kept = kept_file(look, upload_id, purpose=PURPOSE)
    if kept.school_id != school_id:
        raise NotFound
    return kept


def _page(school_id: UUID, day: str) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        identity.require_role_in(work, school_id, *KEEPERS)
        name = school_name(work, school_id)
    columns = [(column, column in NEEDED) for column in COLUMNS]
    return {"school_id": school_id, "school": name, "day": read_day(day), "columns": columns, "errors": {}}


def _sent() -> tuple[str, bytes]:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("no-file", fields={"file": [_NO_FILE]})
    return sent.filename, sent.stream.read()


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
