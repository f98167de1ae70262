"""A supplier's ledger: its lists, a form for a new line, and the end of one."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import request
from flask_babel import gettext

from schoolmeals.database import reading, transaction
from schoolmeals.errors import FieldProblem, Invalid, NotFound, Refusal
from schoolmeals.procurement.actions import ledger as ledger_deeds
from schoolmeals.procurement.queries import suppliers as supplier_queries
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import again
from schoolmeals.procurement.views.supplier_forms import boxes_of, day_of, typed_line
from schoolmeals.procurement.views.supplier_frame import KINDS, SUPPLIERS, done, own_supplier, shown_day, today
from schoolmeals.procurement.words import CHOICE_NAMES, EVIDENCE_NAMES
from schoolmeals.web import actor, guard, now, render

_ADD: Final[Mapping[str, Callable[..., UUID]]] = {
    "staff": ledger_deeds.add_staff,
    "equipment": ledger_deeds.add_equipment,
    "experience": ledger_deeds.add_experience,
    "taxes": ledger_deeds.add_tax,
}
_END: Final[Mapping[str, Callable[..., None]]] = {
    "equipment": ledger_deeds.end_equipment,
    "experience": ledger_deeds.end_experience,
    "taxes": ledger_deeds.end_tax,
}


@pages.get("/supplier/<uuid:organisation_id>/<ledger_kind>")
@guard(SUPPLIERS)
def supplier_lines(organisation_id: UUID, ledger_kind: str) -> Any:
    """One list of the ledger, and the form for a new line."""
    return render("procurement/supplier_lines.html", **_lines(organisation_id, ledger_kind, {}))


@pages.post("/supplier/<uuid:organisation_id>/<ledger_kind>")
@guard(SUPPLIERS)
def add_supplier_line(organisation_id: UUID, ledger_kind: str) -> Any:
    """Put a line into the ledger."""
    context = _lines(organisation_id, ledger_kind, request.form)
    try:
        line = typed_line(ledger_kind)
        with transaction(actor(), now()) as work:
            _ADD[ledger_kind](work, organisation_id, line)
    except Refusal as refusal:
        return again(refusal, "procurement/supplier_lines.html", **context)
    return done("procurement.supplier_lines", organisation_id, ledger_kind=ledger_kind)


@pages.post("/supplier/<uuid:organisation_id>/<ledger_kind>/<uuid:ledger_line_id>/end")
@guard(SUPPLIERS)
def end_supplier_line(organisation_id: UUID, ledger_kind: str, ledger_line_id: UUID) -> Any:
    """End a line: of staff on the day that was typed, or today."""
    context = _lines(organisation_id, ledger_kind, {})
    try:
        with transaction(actor(), now()) as work:
            if ledger_kind == "staff":
                problems: dict[str, list[FieldProblem]] = {}
                ended_on = day_of("ended_on", problems, needed=False)
                if problems:
                    raise Invalid(fields=problems)
                ledger_deeds.end_staff(work, organisation_id, ledger_line_id, ended_on or today())
            else:
                _END[ledger_kind](work, organisation_id, ledger_line_id)
    except Refusal as refusal:
        return again(refusal, "procurement/supplier_lines.html", **context)
    return done("procurement.supplier_lines", organisation_id, ledger_kind=ledger_kind)


def _lines(organisation_id: UUID, kind: str, typed: Mapping[str, str]) -> dict[str, Any]:
    if kind not in KINDS:
        raise NotFound
    with reading(actor(), now()) as look:
        supplier_queries.supplier(look, organisation_id)
        kept = supplier_queries.ledger(look, organisation_id)
        shown = [_SHOWN[kind](row) for row in getattr(kept, kind)]
        titles = {one.sha256: one.title for one in kept.evidence}
    for line in shown:
        line["evidence"] = [titles[one] for one in line["evidence"] if one in titles]
        line["lost"] = len(line["proofs"]) - len(line["evidence"])
    return {
        "kind": kind,
        "title": gettext(KINDS[kind]),
        "lines": shown,
        "boxes": boxes_of(kind),
        "papers": [(one.sha256, one.title, gettext(EVIDENCE_NAMES[one.kind])) for one in kept.evidence],
        "chosen": typed.getlist("evidence") if hasattr(typed, "getlist") else [],
        "typed": typed,
        "errors": {},
        **own_supplier(organisation_id),
    }


def _shown_staff(own: supplier_queries.OwnStaff) -> dict[str, Any]:
    one = own.facts
    grade = gettext("grade %(grade)s", grade=one.grade) if one.grade is not None else ""
    said_of = [gettext(CHOICE_NAMES[one.post]), grade, gettext("%(percent)s %% of the time", percent=one.fte_percent)]
    return _line(one.id, one.name, said_of, one.evidence) | {"overloaded": own.overloaded}


def _shown_equipment(row: Any) -> dict[str, Any]:
    owned = gettext("owned") if row.owned else gettext("rented or lent")
    return _line(row.id, row.name, [gettext("%(count)s pcs", count=row.count), owned], row.evidence)


def _shown_experience(row: Any) -> dict[str, Any]:
    customer = gettext("public customer") if row.public else gettext("private customer")
    return _line(
        row.id,
        row.customer,
        [row.subject, f"{shown_day(row.starts_on)} - {shown_day(row.ends_on)}", customer],
        row.evidence,
    )


def _shown_tax(row: Any) -> dict[str, Any]:
    return _line(row.id, str(row.year), [row.region], row.evidence)


def _line(id: UUID, name: str, words: list[str], evidence: Any) -> dict[str, Any]:
    text = ", ".join(word for word in words if word)
    return {
        "id": id,
        "name": name,
        "text": text,
        "evidence": list(evidence),
        "proofs": list(evidence),
        "overloaded": False,
    }


_SHOWN: Final[Mapping[str, Callable[[Any], dict[str, Any]]]] = {
    "staff": _shown_staff,
    "equipment": _shown_equipment,
    "experience": _shown_experience,
    "taxes": _shown_tax,
}
