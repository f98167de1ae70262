"""What a supplier's pages share: whose they are, and words of days."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from flask import Response, flash, redirect, url_for
from flask_babel import gettext

from schoolmeals.actors import Role
from schoolmeals.database import reading
from schoolmeals.errors import N_
from schoolmeals.procurement.queries import suppliers as supplier_queries
from schoolmeals.web import actor, frame, language, now, roles
from schoolmeals.web.formats import date_alone

SUPPLIERS: Final = roles(Role.SUPPLIER)
KINDS: Final = {
    "staff": N_("Staff"),
    "equipment": N_("Equipment"),
    "experience": N_("Experience"),
    "taxes": N_("Taxes paid"),
}


def own_supplier(organisation_id: UUID) -> dict[str, Any]:
    """The supplier of a page: its id and name. Raises NotFound for whoever does not act for it."""
    with reading(actor(), now()) as look:
        own = supplier_queries.supplier(look, organisation_id)
    return {"organisation_id": organisation_id, "name": own.organisation.name(language())}


def today() -> date:
    """The day it is here."""
    return now().astimezone(frame().zone).date()


def shown_day(value: date) -> str:
    """A day with its year, as the reader writes it."""
    return date_alone(value, language())


def done(endpoint: str, organisation_id: UUID, **more: Any) -> Any:
    """Say so, and go to a page of the supplier."""
    flash(gettext("Done."), "good")
    return redirect(url_for(endpoint, organisation_id=organisation_id, **more), code=303)


def paper_to_keep(content: bytes, media_type: str, file_name: str) -> Response:
    """A paper that was sealed at rest, as a file that only its reader keeps."""
    answer = Response(content, mimetype=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=file_name)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
