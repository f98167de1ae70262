"""Replacing somebody whom a contract binds: what the change says, and what follows once both sides have signed.

Parts of deeds. In the contract's public text people are digests; their names are in rows that only the sides read.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals.database import Work
from schoolmeals.errors import N_, FieldProblem, Invalid, NotAllowed
from schoolmeals.ids import new_id
from schoolmeals.procurement.commitments import bound_elsewhere
from schoolmeals.procurement.contract_texts import bound
from schoolmeals.procurement.contracting import refuse, side_of, text_in_force
from schoolmeals.procurement.models import Contract, ContractStaff, SupplierStaff
from schoolmeals.procurement.rules.contracts import Worker, replacement_refused
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN


def replacement(
    work: Work, row: Contract, *, leaves: UUID | None, joins: UUID | None, from_on: date | None, most_percent: int
) -> dict[str, Any]:
    """What a change of staff says: somebody of the contract (``leaves``) gives their place to somebody of the
    supplier's ledger (``joins``). Raises NotAllowed for the buyer, Invalid, NotNow ``same-person``, ``staff-worse``,
    ``staff-taken``.
    """
    if side_of(work, row) != "supplier":
        raise NotAllowed("supplier-names-staff", SUPPLIER_NAMES)
    missing = {"leaves": leaves is None, "joins": joins is None, "from_on": from_on is None}
    if any(missing.values()):
        raise Invalid(fields={name: [NEEDED] for name, lacks in missing.items() if lacks})
    assert from_on is not None, "looked at above"
    going, coming = work.session.get(ContractStaff, leaves), work.session.get(SupplierStaff, joins)
    if going is None or going.contract_id != row.id or going.until_on < from_on:
        raise Invalid(fields={"leaves": [UNKNOWN]})
    if coming is None or coming.organisation_id != row.supplier_id or coming.ended_on is not None:
        raise Invalid(fields={"joins": [UNKNOWN]})
    if not max(work.today, going.from_on) <= from_on <= row.ends_on:
        raise Invalid(fields={"from_on": [FROM_NOW]})
    named = _named_in(text_in_force(work, row), going)
    _look(work, named, going, coming, most_percent)
    return {
        "from_on": from_on.isoformat(),
        "staff_id": str(going.id),
        "joins_staff_id": str(coming.id),
        "replaced": {
            "leaves": named,
            "joins": bound(coming.post, coming.grade, going.fte_percent, coming.person_key),
        },
    }


def replace_staff(work: Work, row: Contract, content: Mapping[str, Any], most_percent: int) -> None:
    """Let a signed replacement hold: one goes the day before the other comes. What was free when it was proposed is
    looked at again. Who leaves on the very day of coming has worked no day. Raises NotNow ``staff-taken``.
    """
    from_on = date.fromisoformat(content["from_on"])
    going = work.session.get_one(ContractStaff, UUID(content["staff_id"]))
    coming = work.session.get_one(SupplierStaff, UUID(content["joins_staff_id"]))
    _look(work, content["replaced"]["leaves"], going, coming, most_percent)
    work.session.add(
        ContractStaff(
            id=new_id(work.now),
            contract_id=row.id,
            person_key=coming.person_key,
            name=coming.name,
            post=coming.post,
            fte_percent=going.fte_percent,
            from_on=from_on,
            until_on=row.ends_on,
        )
    )
    going.until_on = from_on - timedelta(days=1)
    work.session.flush()


def staff_of_contract(work: Work, row: Contract) -> list[ContractStaff]:
    """Whom a contract binds today or later. Not scoped: names are for the sides alone."""
    found = select(ContractStaff).where(
        ContractStaff.contract_id == row.id,
        ContractStaff.until_on >= work.today,
        ContractStaff.until_on >= ContractStaff.from_on,
    )
    return list(work.session.scalars(found.order_by(ContractStaff.post, ContractStaff.name, ContractStaff.id)))


def _look(
    work: Work,
    named: Mapping[str, Any],
    going: ContractStaff,
    coming: SupplierStaff,
    most_percent: int,
) -> None:
    """Ask the rule, with what holds whoever comes elsewhere, or in this very contract."""
    held = bound_elsewhere(work, coming.person_key)
    leaving = Worker(person_key=going.person_key, post=going.post, grade=named["grade"], fte_percent=going.fte_percent)
    joining = Worker(
        person_key=coming.person_key,
        post=coming.post,
        grade=coming.grade,
        fte_percent=coming.fte_percent,
        bound_percent=held,
    )
    refuse(replacement_refused(leaving, joining, most_percent))


def _named_in(text: Mapping[str, Any], going: ContractStaff) -> dict[str, Any]:
    """The line of the text that stands for somebody."""
    digest = bound(going.post, None, going.fte_percent, going.person_key)["person"]
    lines = (dict(one) for one in text["staff"])
    found = next((one for one in lines if (one["person"], one["post"]) == (digest, going.post)), None)
    assert found is not None, "whom a contract binds is in its text"
    return found


SUPPLIER_NAMES: Final = N_("The supplier names its own people. Ask it to propose this change.")
FROM_NOW: Final = FieldProblem.of("from-now", N_("Choose a day from today on, within the contract's time."))
