"""A supplier's own pages: registering, who it is, its people, its ledger, its papers."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.database import reading, transaction
from schoolmeals.errors import FieldProblem, Invalid, Refusal
from schoolmeals.keys import derive_key
from schoolmeals.procurement import profiles
from schoolmeals.procurement.actions import suppliers as supplier_deeds
from schoolmeals.procurement.confirmed import STANDING_NAMES, Standing, standings
from schoolmeals.procurement.queries import suppliers as supplier_queries
from schoolmeals.procurement.rules.suppliers import EVIDENCE_BYTES
from schoolmeals.procurement.showing import said
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import again
from schoolmeals.procurement.views.supplier_forms import (
    SCHEMES,
    day_of,
    evidence_options,
    shown_details,
    typed_details,
    typed_supplier,
)
from schoolmeals.procurement.views.supplier_frame import (
    KINDS,
    SUPPLIERS,
    done,
    own_supplier,
    paper_to_keep,
    shown_day,
    today,
)
from schoolmeals.procurement.words import EVIDENCE_NAMES
from schoolmeals.web import SIGNED_IN, actor, guard, language, now, render, settings


def evidence_key() -> bytes:
    """The key that papers are sealed with."""
    return derive_key(settings().secret_key, "procurement evidence")


@pages.get("/supplier")
@guard(SUPPLIERS)
def my_suppliers() -> Any:
    """The suppliers that the actor acts for; straight to it where there is one."""
    with reading(actor(), now()) as look:
        found = supplier_queries.my_suppliers(look)
    if len(found) == 1:
        return redirect(url_for("procurement.supplier", organisation_id=found[0].id), code=303)
    return render("procurement/suppliers.html", suppliers=[(one.id, one.name(language())) for one in found])


@pages.get("/supplier/register")
@guard(SIGNED_IN)
def supplier_form() -> Any:
    """Where somebody registers a supplier."""
    return render("procurement/supplier_form.html", **_registering({}))


@pages.post("/supplier/register")
@guard(SIGNED_IN)
def register_supplier() -> Any:
    """Register a supplier."""
    try:
        new = typed_supplier()
        with transaction(actor(), now()) as work:
            made = supplier_deeds.register_supplier(work, new)
    except Refusal as refusal:
        return again(refusal, "procurement/supplier_form.html", **_registering(request.form))
    flash(gettext("The supplier is registered. Put your papers and your people into the lists below."), "good")
    return redirect(url_for("procurement.supplier", organisation_id=made), code=303)


@pages.get("/supplier/<uuid:organisation_id>")
@guard(SUPPLIERS)
def supplier(organisation_id: UUID) -> Any:
    """What there is of a supplier, what is missing, and what the law asks."""
    with reading(actor(), now()) as look:
        own = supplier_queries.supplier(look, organisation_id)
        kept = supplier_queries.ledger(look, organisation_id)
        people = supplier_queries.representatives(look, organisation_id)
        standing = standings(look, [organisation_id])[organisation_id]
    counts = {
        "staff": len(kept.staff),
        "equipment": len(kept.equipment),
        "experience": len(kept.experience),
        "taxes": len(kept.taxes),
        "evidence": len(kept.evidence),
    }
    return render(
        "procurement/supplier.html",
        own=own,
        name=own.organisation.name(language()),
        counts=counts,
        people=len(people),
        standing=(gettext(STANDING_NAMES[standing.state]), "good" if standing.state is Standing.CONFIRMED else "care"),
        kinds={kind: gettext(name) for kind, name in KINDS.items()},
        overloaded=[one.facts.name for one in kept.staff if one.overloaded],
        demands=_demands(),
    )


@pages.get("/supplier/<uuid:organisation_id>/details")
@guard(SUPPLIERS)
def supplier_details(organisation_id: UUID) -> Any:
    """What a supplier says of itself."""
    with reading(actor(), now()) as look:
        own = supplier_queries.supplier(look, organisation_id)
        typed = shown_details(own.details)
    return render("procurement/supplier_form.html", **_describing(organisation_id, typed))


@pages.post("/supplier/<uuid:organisation_id>/details")
@guard(SUPPLIERS)
def change_supplier(organisation_id: UUID) -> Any:
    """Say it anew."""
    context = _describing(organisation_id, request.form)
    try:
        details = typed_details()
        with transaction(actor(), now()) as work:
            supplier_deeds.change_supplier(work, organisation_id, details)
    except Refusal as refusal:
        return again(refusal, "procurement/supplier_form.html", **context)
    return done("procurement.supplier", organisation_id)


@pages.get("/supplier/<uuid:organisation_id>/evidence")
@guard(SUPPLIERS)
def supplier_evidence(organisation_id: UUID) -> Any:
    """The papers that prove what is said, and the form for one more."""
    return render("procurement/supplier_evidence.html", **_evidence(organisation_id, {}))


@pages.post("/supplier/<uuid:organisation_id>/evidence")
@guard(SUPPLIERS)
def add_evidence(organisation_id: UUID) -> Any:
    """Keep a paper."""
    context = _evidence(organisation_id, request.form)
    sent = request.files.get("file")
    try:
        problems: dict[str, list[FieldProblem]] = {}
        valid_until = day_of("valid_until", problems, needed=False)
        if problems:
            raise Invalid(fields=problems)
        with transaction(actor(), now()) as work:
            supplier_deeds.add_evidence(
                work,
                organisation_id,
                sent.stream.read(EVIDENCE_BYTES + 1) if sent is not None else b"",
                kind=request.form.get("kind", ""),
                title=request.form.get("title", ""),
                file_name=sent.filename or "" if sent is not None else "",
                key=evidence_key(),
                valid_until=valid_until,
            )
    except Refusal as refusal:
        return again(refusal, "procurement/supplier_evidence.html", **context)
    return done("procurement.supplier_evidence", organisation_id)


@pages.get("/supplier/<uuid:organisation_id>/evidence/<paper_sha256>")
@guard(SUPPLIERS)
def evidence_file(organisation_id: UUID, paper_sha256: str) -> Any:
    """A paper itself."""
    with reading(actor(), now()) as look:
        row, content = supplier_queries.evidence_content(look, organisation_id, paper_sha256, key=evidence_key())
        return paper_to_keep(content, row.media_type, row.file_name)


@pages.post("/supplier/<uuid:organisation_id>/evidence/<paper_sha256>/remove")
@guard(SUPPLIERS)
def remove_evidence(organisation_id: UUID, paper_sha256: str) -> Any:
    """Forget a paper."""
    with transaction(actor(), now()) as work:
        supplier_deeds.remove_evidence(work, organisation_id, paper_sha256)
    return done("procurement.supplier_evidence", organisation_id)


@pages.get("/supplier/<uuid:organisation_id>/people")
@guard(SUPPLIERS)
def supplier_people(organisation_id: UUID) -> Any:
    """Who acts for a supplier, and the form to invite somebody."""
    return render("procurement/supplier_people.html", **_people(organisation_id, {}))


@pages.post("/supplier/<uuid:organisation_id>/people")
@guard(SUPPLIERS)
def invite_representative(organisation_id: UUID) -> Any:
    """Invite somebody; the code is shown once, on the page that answers."""
    given = {name: request.form.get(name, "") for name in ("name", "position", "basis")}
    keys = identity.Keyring.of(settings().secret_key)
    context = _people(organisation_id, request.form)
    try:
        with transaction(actor(), now()) as work:
            code = supplier_deeds.invite_representative(work, organisation_id, keys=keys, **given)
    except Refusal as refusal:
        return again(refusal, "procurement/supplier_people.html", **context)
    shown = {"code": identity.shown_code(code), "invited": given["name"]}
    return render("procurement/supplier_people.html", **(_people(organisation_id, {}) | shown))


@pages.post("/supplier/<uuid:organisation_id>/people/<uuid:person_id>/end")
@guard(SUPPLIERS)
def end_representative(organisation_id: UUID, person_id: UUID) -> Any:
    """Take somebody's right to act, or an invitation, back."""
    context = _people(organisation_id, {})
    try:
        with transaction(actor(), now()) as work:
            supplier_deeds.end_representative(work, organisation_id, person_id)
    except Refusal as refusal:
        return again(refusal, "procurement/supplier_people.html", **context)
    return done("procurement.supplier_people", organisation_id)


def _registering(typed: Mapping[str, str]) -> dict[str, Any]:
    schemes = [(code, gettext(name)) for code, name in SCHEMES]
    return {"typed": typed, "schemes": schemes, "organisation_id": None, "name": "", "errors": {}}


def _describing(organisation_id: UUID, typed: Mapping[str, str]) -> dict[str, Any]:
    return {"typed": typed, "errors": {}, "schemes": [], **own_supplier(organisation_id)}


def _evidence(organisation_id: UUID, typed: Mapping[str, str]) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        papers = [
            {
                "sha256": one.sha256,
                "title": one.title,
                "kind": gettext(EVIDENCE_NAMES[one.kind]),
                "size": max(1, round(one.size_bytes / 1000)),
                "valid_until": shown_day(one.valid_until) if one.valid_until else "",
                "over": one.valid_until is not None and one.valid_until < today(),
            }
            for one in supplier_queries.evidence(look, organisation_id)
        ]
    return {
        "papers": papers,
        "options": evidence_options(),
        "typed": typed,
        "errors": {},
        **own_supplier(organisation_id),
    }


def _people(organisation_id: UUID, typed: Mapping[str, str]) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        found = supplier_queries.representatives(look, organisation_id)
    more = {"people": found, "own_id": actor().id, "typed": typed, "code": "", "invited": "", "errors": {}}
    return more | own_supplier(organisation_id)


def _demands() -> list[list[str]]:
    """What each procedure asks of suppliers, and the law it rests on."""
    rows: dict[str, list[str]] = {}
    for code in profiles.codes():
        profile = profiles.load(code)
        for one in profile.requirements:
            verified = gettext("checked") if one.verified else gettext("not checked in the law yet")
            rows.setdefault(one.code, [said(one.name), said(one.legal_ref), verified])
    return list(rows.values())
