"""The city's pages of the state's registers: imports, a table with its preview, and who is in one."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.clock import in_utc
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.files import (
    FileStage,
    KeptFacts,
    as_csv,
    content_of,
    end_upload,
    file_key,
    keep_upload,
    kept_file,
    offer_upload,
    offered_files,
)
from schoolmeals.procurement.actions.registers import import_register
from schoolmeals.procurement.queries import registers as register_queries
from schoolmeals.procurement.registers import TableSource, change_of
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN
from schoolmeals.procurement.rules.identifiers import PERSON, people_key
from schoolmeals.procurement.rules.registers import ADDED_UP, HEADERS, REGISTERS, RegisterTable
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.web import actor, frame, guard, language, now, render, settings
from schoolmeals.web.problems import speak

PURPOSE: Final = "procurement.register"
OFFERED: Final = "procurement.register.offered"
"""The purpose of a table that waits for a second person: whoever may import registers may look at it."""
SHOWN: Final = 100
_NO_FILE: Final = FieldProblem.of("no-file", N_("Choose a file."))
_NO_MOMENT: Final = FieldProblem.of("not-a-moment", N_("Choose a day and a time that have passed."))


@pages.get("/procurement/registers")
@guard(READERS)
def registers() -> Any:
    """What was imported, and where a table is sent."""
    return render("procurement/registers.html", **_page({}))


@pages.get("/procurement/registers/template.csv")
@guard(READERS)
def register_template() -> Any:
    """A table to fill in, with headers in the reader's language."""
    answer = Response(as_csv([HEADERS[language()]]), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="register.csv"'
    return answer


@pages.post("/procurement/registers")
@guard(WRITERS)
def take_register() -> Any:
    """Keep a table, and show what is in it. Nothing is imported yet."""
    context = _page(request.form)
    sent = request.files.get("file")
    try:
        facts = _typed()
        content = sent.stream.read() if sent is not None and sent.filename else b""
        if sent is None or not content:
            raise Invalid(fields={"file": [_NO_FILE]})
        _read(facts["register"], content)
        with transaction(actor(), now()) as work:
            kept = keep_upload(
                work,
                file_key(),
                content,
                purpose=PURPOSE,
                name=(sent.filename or "")[:200],
                media_type="text/csv",
                facts=facts,
            )
    except Refusal as refusal:
        return again(refusal, "procurement/registers.html", **context)
    return redirect(url_for("procurement.check_register", register_upload_id=kept), code=303)


@pages.get("/procurement/registers/upload/<uuid:register_upload_id>")
@guard(WRITERS)
def check_register(register_upload_id: UUID) -> Any:
    """What is in a table, and each bad cell with its line, column and reason."""
    with reading(actor(), now()) as look:
        kept = _kept(look, register_upload_id)
        context = _report(look, kept, _content(look, kept))
    return render("procurement/register_check.html", file=kept, **context)


@pages.post("/procurement/registers/upload/<uuid:register_upload_id>")
@guard(WRITERS)
def confirm_register(register_upload_id: UUID) -> Any:
    """Import it. Said twice, it is done once. What another has put before the actor is imported at both words."""
    with transaction(actor(), now()) as work:
        kept = _kept(work, register_upload_id)
        if kept.stage is not FileStage.ENDED:
            content = _content(work, kept)
            _end(work, kept)
            import_register(
                work,
                _place(),
                kept.facts["register"],
                _read(kept.facts["register"], content),
                source=kept.facts["source"],
                as_of=datetime.fromisoformat(kept.facts["as_of"]),
                file_name=kept.name,
                content=content,
                wanted_by=kept.owner_id if kept.purpose == OFFERED else None,
            )
            flash(gettext("The register was imported. Checks ask it from now on."), "good")
    return redirect(url_for("procurement.registers"), code=303)


@pages.post("/procurement/registers/upload/<uuid:register_upload_id>/offer")
@guard(WRITERS)
def offer_register(register_upload_id: UUID) -> Any:
    """Put a table that clears many before a second person. Nothing is imported yet."""
    with transaction(actor(), now()) as work:
        offer_upload(work, register_upload_id, purpose=PURPOSE, offered_as=OFFERED)
    flash(gettext("The file waits for a second person."), "good")
    return redirect(url_for("procurement.registers"), code=303)


@pages.post("/procurement/registers/upload/<uuid:register_upload_id>/drop")
@guard(WRITERS)
def drop_register(register_upload_id: UUID) -> Any:
    """Forget a table that was not imported."""
    with transaction(actor(), now()) as work:
        _end(work, _kept(work, register_upload_id))
    flash(gettext("The file was dropped. Nothing was changed."), "good")
    return redirect(url_for("procurement.registers"), code=303)


@pages.get("/procurement/registers/<uuid:register_id>")
@guard(READERS)
def register_entries(register_id: UUID) -> Any:
    """Who is in an import, by number or name."""
    text = request.args.get("text", "").replace("\x00", "")[:SHOWN]
    with reading(actor(), now()) as look:
        found = register_queries.register_import(look, register_id)
        rows = [_entry(row) for row in register_queries.entries(look, register_id, text)]
        known = identity.people(look, [one for one in (found.by, found.wanted_by) if one is not None])
    names = {id: one.name for id, one in known.items()}
    return render(
        "procurement/register_entries.html",
        found=found,
        by=names.get(found.by, "") if found.by else "",
        wanted_by=names.get(found.wanted_by, "") if found.wanted_by else "",
        register=gettext(REGISTERS[found.register].name),
        of_people=REGISTERS[found.register].of_people,
        rows=rows,
        text=text,
        most=register_queries.MOST,
    )


def _page(typed: Any) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        imports = register_queries.imports(look)
        waiting = offered_files(look, OFFERED)
    known = {one.register for one in imports}
    return {
        "imports": [(one, gettext(REGISTERS[one.register].name)) for one in imports if one.register in REGISTERS],
        "missing": [gettext(one.name) for one in REGISTERS.values() if one.code not in known],
        "options": [(one.code, gettext(one.name)) for one in REGISTERS.values()],
        "waiting": [(one, _name_of(one)) for one in waiting],
        "columns": HEADERS[language()],
        "may_import": actor().has_role(Role.PROCUREMENT_OFFICER) or actor().has_role(Role.CITY_ADMIN),
        "typed": typed,
        "errors": {},
    }


def _typed() -> dict[str, str]:
    """Which register, from where, as of when. Raises Invalid."""
    register, source = request.form.get("register", ""), request.form.get("source", "").strip()
    problems: dict[str, list[FieldProblem]] = {}
    if register not in REGISTERS:
        problems["register"] = [UNKNOWN]
    if not source:
        problems["source"] = [NEEDED]
    try:
        typed = datetime.fromisoformat(f"{request.form.get('day', '')}T{request.form.get('time', '')}")
        as_of = in_utc(typed.replace(tzinfo=frame().zone))
    except (ValueError, OverflowError):
        as_of = None
    if as_of is None or as_of > now():
        problems["day"] = [_NO_MOMENT]
    if problems or as_of is None:
        raise Invalid(fields=problems)
    return {"register": register, "source": source, "as_of": as_of.isoformat()}


def _read(register: str, content: bytes) -> RegisterTable:
    return TableSource(content, "").read(register, key=people_key(settings().secret_key))


def _kept(work: Work, file_id: UUID) -> KeptFacts:
    """The actor's own table, or one that another has put before a second person. Raises NotFound."""
    try:
        return kept_file(work, file_id, purpose=OFFERED, offered=True)
    except NotFound:
        return kept_file(work, file_id, purpose=PURPOSE)


def _owner_of(look: Work, kept: KeptFacts) -> str:
    owner = identity.people(look, [kept.owner_id]).get(kept.owner_id)
    return owner.name if owner is not None else ""


def _name_of(kept: KeptFacts) -> str:
    register = REGISTERS[kept.facts["register"]]
    return str(gettext(register.name))


def _content(work: Work, kept: KeptFacts) -> bytes:
    return content_of(work, file_key(), kept.id, purpose=kept.purpose, offered=kept.purpose == OFFERED)


def _end(work: Work, kept: KeptFacts) -> None:
    end_upload(work, kept.id, purpose=kept.purpose, offered=kept.purpose == OFFERED)


def _report(look: Work, kept: KeptFacts, content: bytes) -> dict[str, Any]:
    facts, found = kept.facts, _read(kept.facts["register"], content)
    register, as_of = REGISTERS[facts["register"]], datetime.fromisoformat(facts["as_of"])
    change = change_of(look, register.code, found, as_of)
    is_offered = kept.purpose == OFFERED
    return {
        "change": change,
        "dropped": [_entry(row) for row in change.dropped[:SHOWN]],
        "most": SHOWN,
        "added_up_days": ADDED_UP.days,
        "share": register.drop_percent,
        "offered_by": _owner_of(look, kept) if is_offered else "",
        "may_import": not change.needs_second or (is_offered and kept.owner_id != actor().id),
        "may_offer": change.needs_second and not is_offered,
        "register": gettext(register.name),
        "source": facts["source"],
        "as_of": as_of,
        "count": len(found.lines),
        "bad": [[str(one.line), one.column, speak(one.problem)] for one in found.bad[:SHOWN]],
        "bad_count": len(found.bad),
    }


def _entry(row: Any) -> list[str]:
    number = "" if row.scheme == PERSON else f"{row.scheme} {row.identifier}"
    until = row.until_on.isoformat() if row.until_on is not None else "-"
    return [row.name or "-", number or "-", row.from_on.isoformat(), until, row.reason or "-", row.reference or "-"]


def _place() -> UUID:
    """The organisation for which the actor imports. Raises NotFound."""
    mine = actor().schools_as(Role.PROCUREMENT_OFFICER) or actor().schools_as(Role.CITY_ADMIN)
    if not mine:
        raise NotFound
    return min(mine, key=str)
