"""Confirming who acts for a supplier: the supplier's page with its papers, and the officers' list and page."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work, reading, transaction
from schoolmeals.errors import N_, NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement.actions import confirming
from schoolmeals.procurement.confirmed import STANDING_NAMES, Standing, SupplierStanding, standings
from schoolmeals.procurement.queries import confirmations as queries
from schoolmeals.procurement.rules.suppliers import EVIDENCE_BYTES
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.procurement.views.supplier_frame import SUPPLIERS, done, own_supplier, paper_to_keep
from schoolmeals.procurement.views.suppliers import evidence_key
from schoolmeals.web import actor, frame, guard, language, now, render, roles
from schoolmeals.web.formats import day

PROOF_READERS: Final = roles(Role.SUPPLIER, Role.PROCUREMENT_OFFICER, Role.CITY_ADMIN, Role.AUDITOR)
OWN: Final = "procurement/supplier_proof.html"
ONE: Final = "procurement/supplier_to_confirm.html"
KINDS: Final = {
    Standing.UNCONFIRMED: "care",
    Standing.WAITING: "neutral",
    Standing.CONFIRMED: "good",
    Standing.RETURNED: "bad",
}
PROOF_NAMES: Final = {
    "registration": N_("Certificate of registration, or an extract from the register"),
    "power-of-attorney": N_("Power of attorney"),
}


@pages.get("/supplier/<uuid:organisation_id>/proof")
@guard(SUPPLIERS)
def supplier_proof(organisation_id: UUID) -> Any:
    """What shows that one may act for one's supplier, and what was said to it."""
    return render(OWN, **_own(organisation_id))


@pages.post("/supplier/<uuid:organisation_id>/proof")
@guard(SUPPLIERS)
def add_proof(organisation_id: UUID) -> Any:
    """Send a paper."""
    context = _own(organisation_id)
    file = request.files.get("file")
    try:
        with transaction(actor(), now()) as work:
            confirming.add_proof(
                work,
                organisation_id,
                form_id("proof_id"),
                file.stream.read(EVIDENCE_BYTES + 1) if file is not None else b"",
                kind=request.form.get("kind", ""),
                file_name=(file.filename or "") if file is not None else "",
                key=evidence_key(),
            )
    except Refusal as refusal:
        return again(refusal, OWN, **(context | {"typed": request.form}))
    return done("procurement.supplier_proof", organisation_id)


@pages.get("/procurement/suppliers")
@guard(READERS)
def suppliers_to_confirm() -> Any:
    """All suppliers, those that wait for an officer first."""
    with reading(actor(), now()) as look:
        found = queries.suppliers_to_confirm(look)
        words = standing_words(look, {one.organisation.id: one.standing for one in found})
    lines = [(one.organisation, one.registered_at, words[one.organisation.id]) for one in found]
    return render(
        "procurement/suppliers_to_confirm.html", lines=[(one, one.name(language()), *rest) for one, *rest in lines]
    )


@pages.get("/procurement/suppliers/<uuid:organisation_id>")
@guard(READERS)
def supplier_to_confirm(organisation_id: UUID) -> Any:
    """One supplier's papers, and the officer's answer."""
    return render(ONE, **_one(organisation_id))


@pages.post("/procurement/suppliers/<uuid:organisation_id>")
@guard(WRITERS)
def judge_supplier(organisation_id: UUID) -> Any:
    """Confirm, or return the papers."""
    context = _one(organisation_id)
    text = request.form.get
    try:
        with transaction(actor(), now()) as work:
            about = {"outcome": text("outcome", ""), "reason": text("reason", "")}
            seen = form_id("seen") if text("seen") else None
            confirming.judge_supplier(work, organisation_id, seen=seen, by_organisation_id=_office(), **about)
    except Refusal as refusal:
        return again(refusal, ONE, **(context | {"typed": request.form}))
    flash(gettext("Done."), "good")
    return redirect(url_for("procurement.suppliers_to_confirm"), code=303)


@pages.get("/procurement/suppliers/<uuid:organisation_id>/proofs/<uuid:proof_id>")
@guard(PROOF_READERS)
def proof_file(organisation_id: UUID, proof_id: UUID) -> Any:
    """A paper itself."""
    with reading(actor(), now()) as look:
        row, content = queries.proof_content(look, organisation_id, proof_id, key=evidence_key())
        return paper_to_keep(content, row.media_type, row.file_name)


def confirmation_tags(work: Work, organisation_ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    """For each supplier the words and the colour of a tag: public."""
    return standing_words(work, standings(work, organisation_ids))


def standing_words(work: Work, found: Mapping[UUID, SupplierStanding]) -> dict[UUID, tuple[str, str]]:
    """Where suppliers stand, in words: with the day and by whom, where somebody has confirmed it."""
    said = {}
    for id, one in found.items():
        text = gettext(STANDING_NAMES[one.state])
        if one.state is Standing.CONFIRMED and one.at is not None and one.by_organisation_id is not None:
            by = identity.organisation(work, one.by_organisation_id).name(language())
            about = {"day": day(one.at, language(), frame().zone, year=True), "by": by}
            text = gettext("Who acts for it was confirmed on %(day)s by %(by)s", **about)
        said[id] = (text, KINDS[one.state])
    return said


def _own(organisation_id: UUID) -> dict[str, Any]:
    own = own_supplier(organisation_id)
    return own | _shown(organisation_id)


def _one(organisation_id: UUID) -> dict[str, Any]:
    return {"organisation_id": organisation_id, "may": not actor().has_role(Role.AUDITOR)} | _shown(organisation_id)


def _shown(organisation_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as look:
        found = queries.proofs(look, organisation_id)
        words = standing_words(look, {organisation_id: found.standing})[organisation_id]
    return {
        "found": found,
        "name": found.organisation.name(language()),
        "state": words,
        "papers": [
            (one, gettext(PROOF_NAMES[one.kind]), max(1, round(one.size_bytes / 1000)), one.sha256.hex()[:16])
            for one in found.papers
        ],
        "kinds": [(code, gettext(name)) for code, name in PROOF_NAMES.items()],
        "proof_id": new_id(now()),
        "typed": {},
        "errors": {},
    }


def _office() -> UUID:
    """The organisation for which the actor decides. Raises NotFound."""
    mine = actor().schools_as(Role.PROCUREMENT_OFFICER) or actor().schools_as(Role.CITY_ADMIN)
    if not mine:
        raise NotFound
    return min(mine, key=str)
