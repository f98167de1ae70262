"""Contracts: made of an award, or directly where a tender found nobody; fulfilled, terminated; the lease beside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand, known_act, lock_tender, permitted, record_act
from schoolmeals.procurement.contract_texts import Agreed, Basis, buffet_rows, contract_text
from schoolmeals.procurement.contracting import (
    bind_staff,
    contract_at,
    keep_items,
    keep_prices,
    keep_text,
    next_number,
    refuse,
    stage_of,
    text_in_force,
)
from schoolmeals.procurement.models import Award, Contract, ContractStaff, Lease, TenderVersion
from schoolmeals.procurement.opened import contents_of, prices_of, staff_of
from schoolmeals.procurement.promoting import conclusion_refused, standing_award
from schoolmeals.procurement.queries.drafts import profile_of, shown_organisation
from schoolmeals.procurement.rules.acts import ActKind, LotStage
from schoolmeals.procurement.rules.awards import all_failed, all_settled, may_conclude, standstill_of
from schoolmeals.procurement.rules.bid_form import StaffLine
from schoolmeals.procurement.rules.contracts import (
    FAULTS,
    BuffetItem,
    ContractStage,
    buffet_refused,
    length_refused,
    over_ceiling,
)
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN
from schoolmeals.procurement.rules.stages import is_over
from schoolmeals.procurement.table import require
from schoolmeals.workdays import local_day


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectTerms:
    """What is agreed on where no tender led to a supplier. ``prices`` by item of the lot, in minor units."""

    supplier_id: UUID
    starts_on: date
    ends_on: date
    prices: Mapping[UUID, int]
    reason: str


def make_contract(
    work: Work,
    tender_id: UUID,
    lot_id: UUID,
    contract_id: UUID,
    *,
    zone: ZoneInfo,
    buffet: Sequence[BuffetItem] = (),
) -> UUID:
    """Make the contract of an award once its standstill is over: prices as the bid asks, terms as the notice says. The
    same id again gives the same answer. Raises NotFound, NotNow ``standstill-runs``, ``period-over``, Conflict
    ``contract-there``, ``price-over-ceiling``.
    """
    if _known(work, tender_id, contract_id):
        return contract_id
    hand = permitted(work, "make_contract", tender_id)
    award = standing_award(work, tender_id, lot_id)
    if _standing_contract(work, lot_id) is not None:
        raise Conflict("contract-there", N_("This lot has a contract already."))
    standstill = standstill_of(hand.facts.terms, lot_id)
    if standstill is not None and not is_over(standstill.until, hand.at):
        raise NotNow("standstill-runs", N_("The standstill of this award still runs."))
    notice, sha256 = _notice(work, hand)
    lot = _lot_in(notice, lot_id)
    contents = contents_of(work, award.bid_id)
    asked = {line.lot_item_id: line.price_minor for line in prices_of(contents)}
    starts_on, ends_on = _period(notice, local_day(hand.at, zone))
    said = {"id": str(award.id), "bid_id": str(award.bid_id), "rank": award.rank, "value_minor": award.value_minor}
    basis = Basis(
        contract_id=contract_id,
        number=next_number(work, hand, lot_id),
        notice=notice,
        notice_sha256=sha256,
        lot=lot,
        supplier=shown_organisation(identity.organisation(work, award.supplier_id)),
        award=said,
        reason="",
    )
    _keep(work, hand, basis, _agreed(work, hand, lot, asked, starts_on, ends_on, buffet, staff_of(contents)), award)
    return contract_id


def make_direct_contract(
    work: Work,
    tender_id: UUID,
    lot_id: UUID,
    contract_id: UUID,
    terms: DirectTerms,
    *,
    buffet: Sequence[BuffetItem] = (),
) -> UUID:
    """Contract a supplier directly for a lot that found nobody: once, for as long as the procedure allows (two months
    by law), at no higher price than was published. Raises NotFound, Invalid, NotNow, Conflict.
    """
    if _known(work, tender_id, contract_id):
        return contract_id
    hand = permitted(work, "make_direct_contract", tender_id)
    if not terms.reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})
    lot_facts = hand.facts.lots.get(lot_id)
    if lot_facts is None or identity.organisation(work, terms.supplier_id).kind != "supplier":
        raise NotFound
    made = select(Contract.id).where(Contract.lot_id == lot_id, Contract.award_id.is_(None))
    if lot_facts.stage is not LotStage.UNSUCCESSFUL or work.session.scalar(made) is not None:
        raise Conflict("no-direct-contract", NO_DIRECT)
    require(may_conclude({lot_id: lot_facts}, hand.facts.terms, 0, hand.at))
    most = profile_of(work, hand.tender).number("direct_contract_max").value
    refuse(length_refused(terms.starts_on, terms.ends_on, most))
    notice, sha256 = _notice(work, hand)
    lot = _lot_in(notice, lot_id)
    basis = Basis(
        contract_id=contract_id,
        number=next_number(work, hand, lot_id),
        notice=notice,
        notice_sha256=sha256,
        lot=lot,
        supplier=shown_organisation(identity.organisation(work, terms.supplier_id)),
        award=None,
        reason=terms.reason.strip(),
    )
    agreed = _agreed(work, hand, lot, terms.prices, terms.starts_on, terms.ends_on, buffet, ())
    _keep(work, hand, basis, agreed, None)
    return contract_id


def sign_lease(work: Work, tender_id: UUID, contract_id: UUID, *, signed_on: date, number: str, zone: ZoneInfo) -> None:
    """Write down that the lease of the canteen was signed; late is said to be late. Raises NotFound, Invalid, Conflict
    ``lease-there``.
    """
    hand = permitted(work, "sign_lease", tender_id)
    row = _active(work, hand, contract_id)
    if row.lease_due_on is None or row.lease_signed_on is not None:
        raise Conflict("lease-there", N_("No lease is waited for."))
    if not number.strip():
        raise Invalid(fields={"number": [NEEDED]})
    if not local_day(row.made_at, zone) <= signed_on <= local_day(hand.at, zone):
        raise Invalid(fields={"signed_on": [NOT_THEN]})
    text = _lease_terms(work, row)
    work.session.add(
        Lease(
            contract_id=row.id,
            signed_on=signed_on,
            number=number.strip(),
            area_m2=text.get("area_m2", 0),
            rent_minor_month=text.get("rent_minor_month", 0),
            currency=row.currency,
            noted_by=work.actor.id,
            noted_at=hand.at,
        )
    )
    row.lease_signed_on = signed_on
    work.session.flush()
    payload = {"number": number.strip(), "signed_on": signed_on.isoformat(), "late": signed_on > row.lease_due_on}
    record_act(work, hand, ActKind.LEASE_SIGNED, payload, lot_id=row.lot_id, subject_id=row.id)


def terminate_contract(work: Work, tender_id: UUID, contract_id: UUID, *, fault: str, reason: str) -> None:
    """End a contract before its time, saying whose fault that was. Its people are free. Raises NotFound, Invalid,
    NotNow ``contract-is-...``.
    """
    hand = permitted(work, "terminate_contract", tender_id)
    row = _active(work, hand, contract_id)
    problems = {
        **({"fault": [UNKNOWN]} if fault not in FAULTS else {}),
        **({"reason": [NEEDED]} if not reason.strip() else {}),
    }
    if problems:
        raise Invalid(fields=problems)
    row.terminated_at, row.fault, row.end_reason = hand.at, fault, reason.strip()
    _free_staff(work, row)
    payload = {"number": row.number, "fault": fault, "reason": reason.strip()}
    record_act(work, hand, ActKind.CONTRACT_TERMINATED, payload, lot_id=row.lot_id, subject_id=row.id)


def complete_contract(work: Work, tender_id: UUID, contract_id: UUID, *, zone: ZoneInfo) -> None:
    """Say that a contract whose last day is over has been fulfilled. Raises NotFound, NotNow ``still-running``."""
    hand = permitted(work, "complete_contract", tender_id)
    row = _active(work, hand, contract_id)
    if local_day(hand.at, zone) <= row.ends_on:
        raise NotNow("still-running", N_("The contract still runs. It can be terminated."))
    row.completed_at = hand.at
    work.session.flush()
    record_act(work, hand, ActKind.CONTRACT_COMPLETE, {"number": row.number}, lot_id=row.lot_id, subject_id=row.id)


def complete_tender(work: Work, tender_id: UUID) -> None:
    """Close a tender in which every lot has its contract, or has ended; where none has a contract it ended in vain.
    Raises NotNow ``lots-left``, ``objections-run``, ``complaints-wait``.
    """
    hand = permitted(work, "complete_tender", tender_id)
    if not all_settled(hand.facts.lots):
        raise NotNow("lots-left", N_("Some lots have neither a contract in force nor have ended."))
    require(conclusion_refused(hand))
    record_act(work, hand, ActKind.UNSUCCESSFUL if all_failed(hand.facts.lots) else ActKind.COMPLETED, {})


def _known(work: Work, tender_id: UUID, contract_id: UUID) -> bool:
    """Whether a repeated request has made this contract before."""
    lock_tender(work, tender_id)
    known = known_act(work, tender_id, contract_id, ActKind.CONTRACT_MADE)
    return known is not None and known.by_person == work.actor.id


def _standing_contract(work: Work, lot_id: UUID) -> Contract | None:
    found = select(Contract).where(
        Contract.lot_id == lot_id, Contract.voided_at.is_(None), Contract.terminated_at.is_(None)
    )
    row: Contract | None = work.session.scalar(found)
    return row


def _notice(work: Work, hand: AtHand) -> tuple[dict[str, Any], str]:
    version = work.session.get_one(TenderVersion, (hand.id, hand.tender.version))
    return json.loads(version.text), version.sha256.hex()


def _lot_in(notice: Mapping[str, Any], lot_id: UUID) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = next((one for one in notice["lots"] if one["id"] == str(lot_id)), None)
    if found is None:
        raise NotFound
    return found


def _period(notice: Mapping[str, Any], today: date) -> tuple[date, date]:
    """The period of the notice, from today where it has begun."""
    period = notice["sections"]["period"]
    starts_on, ends_on = date.fromisoformat(period["starts_on"]), date.fromisoformat(period["ends_on"])
    if today > ends_on:
        raise NotNow("period-over", N_("The time for which meals were tendered is over."))
    return max(starts_on, today), ends_on


def _agreed(
    work: Work,
    hand: AtHand,
    lot: Mapping[str, Any],
    asked: Mapping[UUID, int],
    starts_on: date,
    ends_on: date,
    buffet: Sequence[BuffetItem],
    staff: Sequence[StaffLine],
) -> Agreed:
    profile = profile_of(work, hand.tender)
    refuse(length_refused(starts_on, ends_on, profile.number("contract_max").value))
    refuse(buffet_refused({}, buffet))
    is_fixed = profile.price_mode == "fixed"
    prices = {item["id"]: item["ceiling_minor"] if is_fixed else asked.get(UUID(item["id"])) for item in lot["items"]}
    if None in prices.values():
        raise Conflict("price-missing", N_("There is no price for one of the lot's items."))
    priced = [(prices[item["id"]] or 0, item["ceiling_minor"]) for item in lot["items"]]
    refuse(over_ceiling(priced))
    meals = [_item(work, item, prices[item["id"]] or 0) for item in lot["items"]]
    area = lot["sections"].get("lease", {}).get("area_m2", 0)
    return Agreed(
        starts_on=starts_on,
        ends_on=ends_on,
        items=[*meals, *buffet_rows((new_id(work.now), one) for one in buffet)],
        currency=lot["items"][0]["currency"],
        security_permille=profile.number("contract_security_permille").value,
        lease_days=profile.number("lease").value if area else 0,
        staff=staff,
    )


def _item(work: Work, item: Mapping[str, Any], price_minor: int) -> dict[str, Any]:
    goods = item["goods"]
    return {
        "contract_item_id": str(new_id(work.now)),
        "lot_item_id": item["id"],
        "kind": "meal" if goods is None else "goods",
        "age_group": item["age_group"],
        "meal": item["meal"],
        "name": goods["name"] if goods is not None else None,
        "unit": "meal" if goods is None else goods["unit"],
        "quantity": item["quantity"],
        "price_minor": price_minor,
    }


def _keep(work: Work, hand: AtHand, basis: Basis, agreed: Agreed, award: Award | None) -> None:
    text = contract_text(basis, agreed)
    row = Contract(
        id=basis.contract_id,
        number=basis.number,
        tender_id=hand.id,
        lot_id=UUID(basis.lot["id"]),
        award_id=award.id if award is not None else None,
        organiser_id=hand.tender.organiser_id,
        buyer_id=UUID(basis.lot["school"]["id"]),
        supplier_id=UUID(basis.supplier["id"]),
        starts_on=agreed.starts_on,
        ends_on=agreed.ends_on,
        value_minor=text["value_minor"],
        currency=agreed.currency,
        security_minor=text["security_minor"],
        version=1,
        made_by=work.actor.id,
        made_at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    digest = keep_text(work, hand, row, text)
    keep_items(work, row, text["items"])
    prices = [(UUID(item["contract_item_id"]), item["price_minor"]) for item in text["items"]]
    keep_prices(work, row, prices, from_on=row.starts_on, version=1)
    bind_staff(work, row, agreed.staff)
    payload = {
        "number": row.number,
        "supplier_id": str(row.supplier_id),
        "award_id": str(row.award_id) if row.award_id is not None else None,
        "value_minor": row.value_minor,
        "sha256": digest.hex(),
        **({"reason": basis.reason} if basis.reason else {}),
    }
    record_act(work, hand, ActKind.CONTRACT_MADE, payload, lot_id=row.lot_id, subject_id=row.id, id=row.id)


def _active(work: Work, hand: AtHand, contract_id: UUID) -> Contract:
    """A contract in force. Raises NotFound, NotNow."""
    row = contract_at(work, hand, contract_id)
    stage = stage_of(row)
    if stage is not ContractStage.ACTIVE:
        raise NotNow(f"contract-is-{stage.value}", N_("The contract is not in force."))
    return row


def _lease_terms(work: Work, row: Contract) -> Mapping[str, Any]:
    found: Mapping[str, Any] = text_in_force(work, row)["sections"].get("lease", {})
    return found


def _free_staff(work: Work, row: Contract) -> None:
    for one in work.session.scalars(select(ContractStaff).where(ContractStaff.contract_id == row.id)):
        one.until_on = max(one.from_on, min(one.until_on, work.today))
    work.session.flush()


NO_DIRECT: Final = N_("A direct contract is made once, and for a lot that found no supplier.")
NOT_THEN: Final = FieldProblem.of("not-then", N_("The lease follows the contract, and is not signed in the future."))
