"""A supplier's ledger: who works there, what there is, what was done, taxes paid. Lines are ended, never rewritten."""

from dataclasses import asdict
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from schoolmeals import audit
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.procurement.access import permitted_in, require_supplier
from schoolmeals.procurement.models import (
    ExperienceContract,
    SupplierEquipment,
    SupplierEvidence,
    SupplierStaff,
    SupplierTax,
)
from schoolmeals.procurement.rules.suppliers import (
    LINES_MOST,
    NewEquipment,
    NewExperience,
    NewLine,
    NewStaff,
    NewTax,
    line_problems,
)


def add_staff(work: Work, organisation_id: UUID, new: NewStaff) -> UUID:
    """Put somebody into the ledger in one post. Whoever works elsewhere too may be in both ledgers: what is too much
    in all is flagged, and counts when bids are judged. Raises Invalid, Conflict ``in-this-post``, NotFound.
    """
    permitted_in(work, "add_staff", organisation_id)
    require_supplier(work, organisation_id)
    there = select(SupplierStaff.id).where(
        SupplierStaff.organisation_id == organisation_id,
        SupplierStaff.person_key == new.person_key,
        SupplierStaff.post == new.post,
        SupplierStaff.ended_on.is_(None),
    )
    if work.session.scalar(there.limit(1)) is not None:
        raise Conflict("in-this-post", IN_THIS_POST)
    return _add(work, "add-staff", organisation_id, SupplierStaff, new, {"name": new.name})


def end_staff(work: Work, organisation_id: UUID, staff_id: UUID, ended_on: date) -> None:
    """Note somebody's last day in a post. Raises Invalid, NotFound."""
    permitted_in(work, "end_staff", organisation_id)
    row = _own(work, organisation_id, SupplierStaff, staff_id)
    if row.ended_on is not None:
        raise NotFound
    if ended_on < row.started_on:
        raise Invalid(fields={"ended_on": [_ENDS_BEFORE]})
    row.ended_on = ended_on
    _record(work, "end-staff", organisation_id, staff_id, {"ended_on": ended_on}, {})


def add_equipment(work: Work, organisation_id: UUID, new: NewEquipment) -> UUID:
    """Put equipment into the ledger. Raises Invalid, NotFound."""
    permitted_in(work, "add_equipment", organisation_id)
    require_supplier(work, organisation_id)
    return _add(work, "add-equipment", organisation_id, SupplierEquipment, new, {})


def end_equipment(work: Work, organisation_id: UUID, equipment_id: UUID) -> None:
    """Take equipment out: it is sold, given back, broken. Raises NotFound."""
    permitted_in(work, "end_equipment", organisation_id)
    _end(work, "end-equipment", organisation_id, SupplierEquipment, equipment_id)


def add_experience(work: Work, organisation_id: UUID, new: NewExperience) -> UUID:
    """Put work that was done into the ledger, for whatever customer. Raises Invalid, NotFound."""
    permitted_in(work, "add_experience", organisation_id)
    require_supplier(work, organisation_id)
    return _add(work, "add-experience", organisation_id, ExperienceContract, new, {})


def end_experience(work: Work, organisation_id: UUID, experience_id: UUID) -> None:
    """Take out what was noted by mistake. Raises NotFound."""
    permitted_in(work, "end_experience", organisation_id)
    _end(work, "end-experience", organisation_id, ExperienceContract, experience_id)


def add_tax(work: Work, organisation_id: UUID, new: NewTax) -> UUID:
    """Note a year of taxes in a region. Raises Invalid, NotFound."""
    permitted_in(work, "add_tax", organisation_id)
    require_supplier(work, organisation_id)
    return _add(work, "add-tax", organisation_id, SupplierTax, new, {})


def end_tax(work: Work, organisation_id: UUID, tax_id: UUID) -> None:
    """Take out what was noted by mistake. Raises NotFound."""
    permitted_in(work, "end_tax", organisation_id)
    _end(work, "end-tax", organisation_id, SupplierTax, tax_id)


def _add(
    work: Work, deed: str, organisation_id: UUID, table: type[Any], new: NewLine, personal: dict[str, Any]
) -> UUID:
    problems = line_problems(new, work.today)
    if not _are_own(work, organisation_id, new.evidence):
        problems["evidence"] = [_NOT_THERE]
    if problems:
        raise Invalid(fields=problems)
    count = select(func.count()).select_from(table).where(table.organisation_id == organisation_id)
    if (work.session.scalar(count.where(_standing(table))) or 0) >= LINES_MOST:
        raise Invalid("too-many", TOO_MANY, most=LINES_MOST)
    values = asdict(new) | {"evidence": list(new.evidence)}
    row = table(
        id=new_id(work.now), organisation_id=organisation_id, added_by=work.actor.id, added_at=work.now, **values
    )
    work.session.add(row)
    work.session.flush()
    told = {name: value for name, value in values.items() if name not in personal}
    _record(work, deed, organisation_id, row.id, told, personal)
    return UUID(str(row.id))


def _end(work: Work, deed: str, organisation_id: UUID, table: type[Any], id: UUID) -> None:
    row = _own(work, organisation_id, table, id)
    if row.ended_at is not None:
        raise NotFound
    row.ended_at = work.now
    _record(work, deed, organisation_id, id, {}, {})


def _own(work: Work, organisation_id: UUID, table: type[Any], id: UUID) -> Any:
    require_supplier(work, organisation_id)
    row = work.session.get(table, id, with_for_update=True)
    if row is None or row.organisation_id != organisation_id:
        raise NotFound
    return row


def _standing(table: type[Any]) -> Any:
    return table.ended_on.is_(None) if table is SupplierStaff else table.ended_at.is_(None)


def _are_own(work: Work, organisation_id: UUID, hashes: tuple[str, ...]) -> bool:
    """Whether each paper is kept here, and is this supplier's."""
    found = select(SupplierEvidence.sha256).where(
        SupplierEvidence.organisation_id == organisation_id,
        SupplierEvidence.removed_at.is_(None),
        SupplierEvidence.sha256.in_(hashes),
    )
    return set(work.session.scalars(found)) == set(hashes)


def _record(
    work: Work, deed: str, organisation_id: UUID, id: UUID, payload: dict[str, Any], personal: dict[str, Any]
) -> None:
    work.session.flush()
    said = {"organisation": organisation_id, **payload}
    audit.record(work, f"procurement.{deed}", Subject("supplier-line", id), said, personal=personal or None)


IN_THIS_POST: Final = N_("This person is already in your list in this post. End that line first.")
TOO_MANY: Final = N_("At most %(most)s lines are kept. End those that do not hold any more.")
_ENDS_BEFORE: Final = FieldProblem.of("ends-early", N_("The last day is before the first."))
_NOT_THERE: Final = FieldProblem.of("not-there", N_("One of these papers is not among yours any more."))
