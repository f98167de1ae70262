"""Looking at the registers that were imported."""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.procurement.models import RegisterEntry, RegisterImport
from schoolmeals.procurement.registers import ImportFacts, import_facts
from schoolmeals.procurement.rules.identifiers import PERSON, plain_number

READERS: Final = (Role.PROCUREMENT_OFFICER, Role.CITY_ADMIN, Role.AUDITOR)
MOST: Final = 100
MOST_IMPORTS: Final = 50


def imports(work: Work) -> list[ImportFacts]:
    """The imports of all registers, the latest first. Raises NotFound for whoever has no business with them."""
    _require_reader(work)
    found = select(RegisterImport).order_by(RegisterImport.as_of.desc(), RegisterImport.id.desc()).limit(MOST_IMPORTS)
    return [import_facts(row) for row in work.session.scalars(found)]


def register_import(work: Work, import_id: UUID) -> ImportFacts:
    """One import. Raises NotFound."""
    _require_reader(work)
    row = work.session.get(RegisterImport, import_id)
    if row is None:
        raise NotFound
    return import_facts(row)


def entries(work: Work, import_id: UUID, text: str = "") -> list[RegisterEntry]:
    """At most :data:`MOST` lines of an import, by number or name. Of people no number is shown: none is kept."""
    _require_reader(work)
    found = select(RegisterEntry).where(RegisterEntry.import_id == import_id)
    if text.strip():
        found = found.where(_matches(text.strip()))
    return list(work.session.scalars(found.order_by(RegisterEntry.line).limit(MOST)))


def _matches(text: str) -> ColumnElement[bool]:
    by_number = (RegisterEntry.identifier == plain_number(text)) & (RegisterEntry.scheme != PERSON)
    return or_(by_number, RegisterEntry.name.icontains(text, autoescape=True))


def _require_reader(work: Work) -> None:
    if work.actor.kind is not ActorKind.SYSTEM and not any(work.actor.has_role(role) for role in READERS):
        raise NotFound
