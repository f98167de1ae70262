"""Suppliers: registering, describing oneself, who acts for one, and the papers that prove what is said."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals import audit, identity
from schoolmeals.actors import SYSTEM, Role
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.keys import seal
from schoolmeals.procurement.access import permitted_in, require_supplier
from schoolmeals.procurement.models import Supplier, SupplierEvidence, SupplierRepresentative, SupplierVersion
from schoolmeals.procurement.rules.drafting import NEEDED
from schoolmeals.procurement.rules.media import plain_name, type_by_start
from schoolmeals.procurement.rules.suppliers import (
    EVIDENCE_MOST,
    NewSupplier,
    SupplierDetails,
    details_problems,
    evidence_problems,
    supplier_problems,
)


def register_supplier(work: Work, new: NewSupplier) -> UUID:
    """Add a supplier, whose first representative the actor becomes; gives the organisation's id.

    Raises Invalid, Conflict ``supplier-known`` where an organisation with this number is there already.
    """
    permitted_in(work, "register_supplier")
    _require(supplier_problems(new))
    assert work.actor.id is not None, "only people register suppliers"
    # An organisation is added by the city or by the system; registering is the one way for others to have it done.
    by_system = replace(work, actor=SYSTEM)
    try:
        organisation_id = identity.new_organisation(
            by_system,
            kind="supplier",
            name_kk=new.name_kk,
            name_ru=new.name_ru,
            name_en=new.name_en or new.name_ru,
            identifier=new.number,
            scheme=new.scheme,
            address=new.details.addresses[0],
        )
    except Conflict as error:
        raise Conflict("supplier-known", KNOWN) from error
    identity.grant_role(work, work.actor.id, Role.SUPPLIER, organisation_id)
    work.session.add(
        Supplier(
            organisation_id=organisation_id,
            registered_by=work.actor.id,
            registered_at=work.now,
            changed_at=work.now,
            **_columns(new.details),
        )
    )
    person = identity.people(work, [work.actor.id])[work.actor.id]
    _add_representative(work, organisation_id, person.name, new.position, new.basis, person_id=work.actor.id)
    work.session.flush()
    payload = {"scheme": new.scheme, "number": new.number, "position": new.position, "basis": new.basis}
    _record(work, "register-supplier", organisation_id, organisation_id, payload, asdict(new.details))
    return organisation_id


def change_supplier(work: Work, organisation_id: UUID, details: SupplierDetails) -> None:
    """Describe a supplier anew. Without ``head_keys`` those that are kept stay. Raises Invalid, NotFound."""
    permitted_in(work, "change_supplier", organisation_id)
    require_supplier(work, organisation_id)
    _require(details_problems(details))
    row = work.session.get(Supplier, organisation_id, with_for_update=True)
    values = _columns(details)
    if row is None:
        times = {"registered_at": work.now, "changed_at": work.now}
        work.session.add(Supplier(organisation_id=organisation_id, registered_by=work.actor.id, **values, **times))
    else:
        _keep_version(work, row, values)
        if not details.head_keys:
            del values["person_keys"]
        for name, value in values.items():
            setattr(row, name, value)
        row.changed_at = work.now
    work.session.flush()
    _record(work, "change-supplier", organisation_id, organisation_id, {}, asdict(details))


def invite_representative(
    work: Work, organisation_id: UUID, *, name: str, position: str, basis: str, keys: identity.Keyring
) -> str:
    """Invite somebody to act for a supplier; gives the code, which is told once. Raises Invalid, NotFound."""
    permitted_in(work, "invite_representative", organisation_id)
    require_supplier(work, organisation_id)
    given = {"name": name, "position": position, "basis": basis}
    _require({field: [NEEDED] for field, text in given.items() if not text.strip()})
    invitation_id, code = identity.invite(work, organisation_id, Role.SUPPLIER, name, keys=keys)
    row = _add_representative(work, organisation_id, name, position, basis, invitation_id=invitation_id)
    work.session.flush()
    _record(
        work, "invite-representative", organisation_id, row.id, {"position": position, "basis": basis}, {"name": name}
    )
    return code


def end_representative(work: Work, organisation_id: UUID, who: UUID) -> None:
    """Take the right to act from somebody, by the person's id, or an invitation back, by its own. Nobody takes their
    own right. Raises NotFound, NotAllowed ``own-role``.
    """
    permitted_in(work, "end_representative", organisation_id)
    require_supplier(work, organisation_id)
    standing = {one.id for one in identity.standing_invitations(work, organisation_id)}
    if who in standing:
        identity.withdraw_invitation(work, organisation_id, who)
    else:
        identity.revoke_role(work, who, Role.SUPPLIER, organisation_id)
    found = select(SupplierRepresentative).where(
        SupplierRepresentative.organisation_id == organisation_id,
        (SupplierRepresentative.person_id == who) | (SupplierRepresentative.invitation_id == who),
        SupplierRepresentative.ended_at.is_(None),
    )
    for row in work.session.scalars(found):
        row.ended_at = work.now
    work.session.flush()
    _record(work, "end-representative", organisation_id, who, {}, {})


def add_evidence(
    work: Work,
    organisation_id: UUID,
    content: bytes,
    *,
    kind: str,
    title: str,
    file_name: str,
    key: bytes,
    valid_until: date | None = None,
) -> str:
    """Keep a paper, sealed by ``key``; gives its SHA-256 in hex. The same paper again is the one that is there, under
    its new title. Raises Invalid, also ``too-many``, NotFound.
    """
    permitted_in(work, "add_evidence", organisation_id)
    require_supplier(work, organisation_id)
    _require(evidence_problems(kind, title, content))
    sha256 = hashlib.sha256(content).hexdigest()
    media_type = type_by_start(content)
    assert media_type is not None, "looked at above"
    row = _evidence(work, organisation_id, sha256)
    if row is None:
        _require_room(work, organisation_id)
        row = SupplierEvidence(
            id=new_id(work.now),
            organisation_id=organisation_id,
            sha256=sha256,
            added_by=work.actor.id,
            added_at=work.now,
        )
        work.session.add(row)
    row.kind, row.title, row.file_name = kind, title.strip(), plain_name(file_name, media_type)
    row.media_type, row.size_bytes, row.valid_until = media_type, len(content), valid_until
    row.content, row.removed_at = seal(key, content, row.id.bytes), None
    work.session.flush()
    payload = {"sha256": sha256, "kind": kind, "bytes": len(content), "valid_until": valid_until}
    _record(work, "add-evidence", organisation_id, row.id, payload, {"title": row.title})
    return sha256


def remove_evidence(work: Work, organisation_id: UUID, sha256: str) -> None:
    """Forget what a paper says; its hash stays, so that lines that name it can say that it is gone. Raises NotFound."""
    permitted_in(work, "remove_evidence", organisation_id)
    require_supplier(work, organisation_id)
    row = _evidence(work, organisation_id, sha256)
    if row is None or row.removed_at is not None:
        raise NotFound
    row.content, row.removed_at, row.title, row.file_name = None, work.now, "", ""
    work.session.flush()
    _record(work, "remove-evidence", organisation_id, row.id, {"sha256": sha256}, {})


def _evidence(work: Work, organisation_id: UUID, sha256: str) -> SupplierEvidence | None:
    found = select(SupplierEvidence).where(
        SupplierEvidence.organisation_id == organisation_id, SupplierEvidence.sha256 == sha256
    )
    return work.session.scalar(found.with_for_update())


def _require_room(work: Work, organisation_id: UUID) -> None:
    standing = select(func.count()).where(
        SupplierEvidence.organisation_id == organisation_id, SupplierEvidence.removed_at.is_(None)
    )
    if (work.session.scalar(standing) or 0) >= EVIDENCE_MOST:
        raise Invalid("too-many", TOO_MANY, most=EVIDENCE_MOST)


def _add_representative(
    work: Work, organisation_id: UUID, name: str, position: str, basis: str, **who: UUID
) -> SupplierRepresentative:
    row = SupplierRepresentative(
        id=new_id(work.now),
        organisation_id=organisation_id,
        name=name.strip(),
        position=position.strip(),
        basis=basis.strip(),
        added_by=work.actor.id,
        added_at=work.now,
        **who,
    )
    work.session.add(row)
    return row


_COMPARED: Final = ("addresses", "phones", "people", "founders")
"""Where a supplier and a member, or two suppliers, may have something in common."""


def _keep_version(work: Work, row: Supplier, values: Mapping[str, Any]) -> None:
    before = {name: getattr(row, name) for name in _COMPARED}
    if any(before[name] != values[name] for name in _COMPARED):
        work.session.add(
            SupplierVersion(id=new_id(work.now), organisation_id=row.organisation_id, held_until=work.now, **before)
        )


def _columns(details: SupplierDetails) -> dict[str, Any]:
    return {
        "addresses": list(details.addresses),
        "phones": list(details.phones),
        "email": details.email,
        "people": [asdict(one) for one in details.people],
        "person_keys": list(details.head_keys),
        "founders": list(details.founders),
    }


def _record(
    work: Work, deed: str, organisation_id: UUID, subject_id: UUID, payload: dict[str, Any], personal: dict[str, Any]
) -> None:
    said = {"organisation": organisation_id, **payload}
    audit.record(work, f"procurement.{deed}", Subject("supplier", subject_id), said, personal=personal or None)


def _require(problems: dict[str, Any]) -> None:
    if problems:
        raise Invalid(fields=problems)


KNOWN: Final = N_(
    "A supplier with this number is already registered. Let one of its representatives invite you, or ask the city's "
    "administrator."
)
TOO_MANY: Final = N_("At most %(most)s papers are kept. Remove those that you do not need any more.")
