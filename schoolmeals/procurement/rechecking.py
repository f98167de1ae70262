"""The last look before something is signed: registers, staff and conflicts, as they are at this moment (failure F2: a
winner had been in the register of bad faith for a week when the protocol was signed).
"""

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict
from schoolmeals.ids import new_id
from schoolmeals.procurement import registers
from schoolmeals.procurement.acting import AtHand, record_act
from schoolmeals.procurement.commitments import loads_of
from schoolmeals.procurement.models import Recheck
from schoolmeals.procurement.opened import contents_of, staff_of
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries.commission import declaration_of, member_traits
from schoolmeals.procurement.registers import RegisterSnapshot
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.awards import Finding, overloaded
from schoolmeals.procurement.rules.conflicts import hits
from schoolmeals.procurement.rules.quorum import voters
from schoolmeals.procurement.suppliers import tenderer_traits

_REGISTER: Final = "register:"


def speaks_against(
    work: Work,
    hand: AtHand,
    profile: Profile,
    *,
    lot_id: UUID,
    bid_id: UUID | None,
    supplier_id: UUID,
    occasion: str,
    zone: ZoneInfo,
    contract_id: UUID | None = None,
) -> list[Finding]:
    """Look up what speaks against a supplier now, and write down what was looked up and found, whatever it is.
    ``occasion`` is ``award`` or ``contract``; registers count by the days of ``zone``, as they did at admission.
    """
    snapshot = registers.check(work, supplier_id, hand.at, registers=registers_of(profile), zone=zone)
    findings = [*_registered(snapshot), *_taken_staff(work, profile, bid_id)]
    row = Recheck(
        id=new_id(hand.at),
        tender_id=hand.id,
        lot_id=lot_id,
        bid_id=bid_id,
        contract_id=contract_id,
        supplier_id=supplier_id,
        occasion=occasion,
        at=hand.at,
        snapshot=snapshot.as_json(),
        findings=[one.as_json() for one in findings],
    )
    work.session.add(row)
    work.session.flush()
    payload = {
        "supplier_id": str(supplier_id),
        "occasion": occasion,
        "imports": snapshot.as_json()["imports"],
        "missing": list(snapshot.missing),
        "findings": row.findings,
    }
    record_act(work, hand, ActKind.RECHECKED, payload, lot_id=lot_id, subject_id=row.id)
    return findings


def refuse_conflicts(work: Work, hand: AtHand, supplier_id: UUID) -> None:
    """Raise Conflict ``conflict-of-interest`` where a member has something in common with whoever is about to win, and
    has not declared about it: the register of suppliers may have changed since the declarations.
    """
    traits = tenderer_traits(work, supplier_id, hand.tender.published_at)
    for seat in voters(hand.seats):
        if hits(member_traits(work, seat), traits) and declaration_of(work, seat.id, supplier_id) is None:
            raise Conflict("conflict-of-interest", CONFLICT, name=seat.name)


def registers_of(profile: Profile) -> tuple[str, ...]:
    """The registers that a procedure excludes by."""
    checks = (one.check for one in profile.requirements)
    return tuple(check.removeprefix(_REGISTER) for check in checks if check.startswith(_REGISTER))


def _registered(snapshot: RegisterSnapshot) -> list[Finding]:
    return [
        Finding("register", {"register": hit.register, "reference": hit.reference, "from": hit.from_on.isoformat()})
        for hit in snapshot.hits
    ]


def _taken_staff(work: Work, profile: Profile, bid_id: UUID | None) -> list[Finding]:
    if bid_id is None:
        return []
    staff = staff_of(contents_of(work, bid_id))
    return overloaded(loads_of(work, staff, but_bid=bid_id), profile.number("fte_max_percent").value)


CONFLICT: Final = N_("%(name)s has something in common with the winner and has declared nothing about it.")
