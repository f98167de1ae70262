"""Adding and describing organisations."""

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from schoolmeals import audit
from schoolmeals.actors import ActorKind, Role
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotAllowed, NotFound
from schoolmeals.identity.models import Organisation
from schoolmeals.identity.rules import ROLES_IN
from schoolmeals.ids import new_id
from schoolmeals.kz_id import is_bin

BIN: Final = "KZ-BIN"
LONGEST_NAME: Final = 300
NEEDED: Final = FieldProblem.of("needed", N_("Fill this in."))
TOO_LONG: Final = FieldProblem.of("too-long", N_("This is too long."))


def new_organisation(
    work: Work,
    *,
    kind: str,
    name_kk: str,
    name_ru: str,
    name_en: str,
    identifier: str | None = None,
    district: str | None = None,
    address: str | None = None,
    scheme: str = BIN,
    id: UUID | None = None,
) -> UUID:
    """Add an organisation; ``identifier`` is its BIN, or a number of another ``scheme``, which the caller has checked.

    Raises Invalid, Conflict ``organisation-known``, NotAllowed.
    """
    _require_city_admin(work)
    assert kind in ROLES_IN, f"no such kind of organisation: {kind}"
    names = {"name_kk": name_kk, "name_ru": name_ru, "name_en": name_en}
    values = _checked(scheme, **names, identifier=identifier, district=district, address=address)
    organisation_id = id or new_id(work.now)
    added = work.session.scalar(
        insert(Organisation)
        .values(id=organisation_id, kind=kind, created_at=work.now, **values)
        .on_conflict_do_nothing()
        .returning(Organisation.id)
    )
    if added is None:
        raise _known_already()
    audit.record(
        work,
        "identity.add-organisation",
        audit.Subject("organisation", organisation_id),
        {"kind": kind, **values},
        school_id=organisation_id if kind == "school" else None,
    )
    return organisation_id


def edit_organisation(
    work: Work,
    organisation_id: UUID,
    *,
    name_kk: str,
    name_ru: str,
    name_en: str,
    identifier: str | None = None,
    district: str | None = None,
    address: str | None = None,
) -> None:
    """Describe an organisation anew. Raises Invalid, Conflict ``organisation-known``, NotAllowed, NotFound."""
    _require_city_admin(work)
    row = work.session.get(Organisation, organisation_id, with_for_update=True)
    if row is None:
        raise NotFound
    # A number of another country's scheme keeps its scheme; whoever writes another number means a BIN.
    kept = row.identifier_scheme if row.identifier_scheme and (identifier or "").strip() == row.identifier else BIN
    names = {"name_kk": name_kk, "name_ru": name_ru, "name_en": name_en}
    values = _checked(kept, **names, identifier=identifier, district=district, address=address)
    if values["identifier"] is not None and _somebody_elses(work, kept, values["identifier"], organisation_id):
        raise _known_already()
    for name, value in values.items():
        setattr(row, name, value)
    work.session.flush()
    audit.record(
        work,
        "identity.edit-organisation",
        audit.Subject("organisation", organisation_id),
        values,
        school_id=organisation_id if row.kind == "school" else None,
    )


def _require_city_admin(work: Work) -> None:
    if not (work.actor.kind is ActorKind.SYSTEM or work.actor.has_role(Role.CITY_ADMIN)):
        raise NotAllowed


def _checked(scheme: str, **given: str | None) -> dict[str, str | None]:
    """What is written of an organisation, trimmed. Raises Invalid."""
    values = {name: (text or "").strip() or None for name, text in given.items()}
    problems: dict[str, list[FieldProblem]] = {}
    for name, text in values.items():
        if name.startswith("name_") and text is None:
            problems[name] = [NEEDED]
        elif text is not None and len(text) > LONGEST_NAME:
            problems[name] = [TOO_LONG]
    if scheme == BIN and values["identifier"] is not None and not is_bin(values["identifier"]):
        sentence = N_("This is not a BIN: twelve digits, of which the last is a check digit.")
        problems["identifier"] = [FieldProblem.of("not-a-bin", sentence)]
    if problems:
        raise Invalid(fields=problems)
    return {**values, "identifier_scheme": scheme if values["identifier"] else None}


def _somebody_elses(work: Work, scheme: str, identifier: str, organisation_id: UUID) -> bool:
    found = select(Organisation.id).where(
        Organisation.identifier_scheme == scheme,
        Organisation.identifier == identifier,
        Organisation.id != organisation_id,
    )
    return work.session.scalar(found) is not None


def _known_already() -> Conflict:
    return Conflict("organisation-known", N_("An organisation with this BIN or id is already there."))
