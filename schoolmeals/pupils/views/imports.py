"""Rolls from files: the template, the upload, the preview, the confirmation, and how far it has come."""

from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext

from schoolmeals import jobs
from schoolmeals.database import reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound
from schoolmeals.files import LARGEST_FILE_BYTES, XLSX, as_csv, as_workbook
from schoolmeals.pupils.actions.imports import apply_roster, confirm_roster, drop_roster, upload_roster
from schoolmeals.pupils.jobs import APPLY
from schoolmeals.pupils.models import RosterImport
from schoolmeals.pupils.roster import SENTENCES, Roster
from schoolmeals.pupils.roster_files import read_roster
from schoolmeals.pupils.roster_loading import recent_imports, roster_import, school_names, standing_file
from schoolmeals.pupils.simple_roster import TEMPLATE
from schoolmeals.pupils.views.frame import (
    OFFICE,
    again,
    done,
    download,
    file_key,
    pages,
    roster_key,
    school_facts,
    see,
    today,
)
from schoolmeals.web import actor, guard, language, now, render

COUNTS = ("new", "changed", "unchanged", "returning", "leaving", "classes", "on_roll", "problems")
NOTHING = dict.fromkeys((*COUNTS, "guardians", "guardian_links"), 0)
WIDTHS = (16, 20, 20, 20, 16, 10, *(30, 24, 18, 24) * 2)


@pages.get("/school/<uuid:school_id>/import")
@guard(OFFICE)
def import_page(school_id: UUID) -> Any:
    """Upload a roll; the template; what was imported lately."""
    return render("pupils/import.html", errors={}, **_around(school_id))


@pages.get("/school/<uuid:school_id>/import/template.csv")
@guard(OFFICE)
def template_csv(school_id: UUID) -> Any:
    """An empty roll with headers in the reader's language: the pupil and two guardians."""
    return download(as_csv([_header(school_id)]), "pupils.csv", "text/csv")


@pages.get("/school/<uuid:school_id>/import/template.xlsx")
@guard(OFFICE)
def template_xlsx(school_id: UUID) -> Any:
    """The same as a workbook."""
    return download(as_workbook([_header(school_id)], WIDTHS), "pupils.xlsx", XLSX)


def _header(school_id: UUID) -> tuple[str, ...]:
    with reading(actor(), now()) as look:
        school_names(look, school_id)
    return TEMPLATE[language()]


@pages.post("/school/<uuid:school_id>/import")
@guard(OFFICE)
def upload(school_id: UUID) -> Any:
    """Read a file and show what it would change."""
    try:
        import_id = uploaded(school_id)
    except Invalid as refusal:
        return again("pupils/import.html", refusal, **_around(school_id))
    return see("pupils.import_preview", school_id=school_id, import_id=import_id)


def uploaded(school_id: UUID) -> UUID:
    """Keep the file of this request with its preview; gives the import's id. Raises NotFound and Invalid."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid(fields={"file": [FieldProblem.of("missing", N_("Choose a file."))]})
    content = file.stream.read(LARGEST_FILE_BYTES + 1)
    with reading(actor(), now()) as look:
        names = school_names(look, school_id)
    roster = read_roster(file.filename, content, key=roster_key(), school_names=names)
    with transaction(actor(), now()) as work:
        return upload_roster(
            work, school_id, file_name=file.filename, content=content, roster=roster, file_key=file_key()
        )


@pages.get("/school/<uuid:school_id>/import/<uuid:import_id>")
@guard(OFFICE)
def import_preview(school_id: UUID, import_id: UUID) -> Any:
    """What a file would change, how far it has come, or what became of it."""
    return render("pupils/import_preview.html", errors={}, **_preview(school_id, import_id))


@pages.post("/school/<uuid:school_id>/import/<uuid:import_id>/confirm")
@guard(OFFICE)
def confirm(school_id: UUID, import_id: UUID) -> Any:
    """Say yes to a preview."""
    try:
        confirmed(school_id, import_id, request.form.get("confirmation", ""))
    except Invalid as refusal:
        return again("pupils/import_preview.html", refusal, **_preview(school_id, import_id))
    return see("pupils.import_preview", school_id=school_id, import_id=import_id)


def confirmed(school_id: UUID, import_id: UUID, typed: str) -> None:
    """Apply a preview: a short roll at once, a long one by the worker. Raises NotFound, Conflict and Invalid."""
    with reading(actor(), now()) as look:
        file_name, content = standing_file(look, school_id, import_id, file_key())
        names = school_names(look, school_id)
    roster: Roster = read_roster(file_name, content, key=roster_key(), school_names=names)
    with transaction(actor(), now()) as work:
        if confirm_roster(work, school_id, import_id, roster=roster, typed=typed):
            apply_roster(work, school_id, import_id, roster=roster, today=today())
        else:
            jobs.defer(work, APPLY, lock=str(school_id), school_id=str(school_id), import_id=str(import_id))


@pages.post("/school/<uuid:school_id>/import/<uuid:import_id>/drop")
@guard(OFFICE)
def drop(school_id: UUID, import_id: UUID) -> Any:
    """Forget an upload."""
    with transaction(actor(), now()) as work:
        drop_roster(work, school_id, import_id)
    return done(gettext("The file was dropped. Nothing was changed."), "pupils.import_page", school_id=school_id)


@pages.get("/school/<uuid:school_id>/import/<uuid:import_id>/problems.csv")
@guard(OFFICE)
def problems(school_id: UUID, import_id: UUID) -> Any:
    """The bad rows as a table, to be worked through."""
    with reading(actor(), now()) as look:
        row = roster_import(look, school_id, import_id)
    head = [gettext("File"), gettext("Line"), gettext("Column"), gettext("What is wrong")]
    rows = [[one["file"], str(one["line"]), one["column"], one["sentence"]] for one in spoken_problems(row)]
    return download(as_csv([head, *rows]), "problems.csv", "text/csv")


def spoken_problems(row: RosterImport) -> list[dict[str, Any]]:
    """The bad rows with their reasons in the reader's language."""
    return [{**one, "sentence": _spoken(**one)} for one in row.preview.get("problems", [])]


def _spoken(code: str, params: dict[str, Any], **_place: Any) -> str:
    sentence = SENTENCES[code]
    return str(gettext(sentence) % params)


def _around(school_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        return {"imports": recent_imports(look, school_id), **school_facts(look, school_id)}


def _preview(school_id: UUID, import_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        row = roster_import(look, school_id, import_id)
        if row.dropped_at is not None:
            raise NotFound
        context = school_facts(look, school_id)
    counts = {**NOTHING, **row.preview.get("counts", {})}
    return {"import": row, "preview": {**row.preview, "counts": counts}, "problems": spoken_problems(row), **context}
