"""Changes of contracts: proposed by one side with a coded reason, within the procedure's limits, and in force once both
sides have signed the new text.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand, known_act, lock_tender, permitted, record_act
from schoolmeals.procurement.actions.signing import NOT_SIGNED
from schoolmeals.procurement.contract_texts import buffet_rows, changed_text
from schoolmeals.procurement.contracting import (
    Under,
    contract_at,
    keep_items,
    keep_prices,
    keep_signature,
    keep_text,
    refuse,
    side_of,
    stage_of,
    text_in_force,
)
from schoolmeals.procurement.documents import canonical_text, digest_of
from schoolmeals.procurement.models import Contract, ContractChange, ContractStaff
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries.drafts import profile_of
from schoolmeals.procurement.replacing import replace_staff, replacement
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.contracts import (
    CHANGE_KINDS,
    EXTENSION,
    LONGEST,
    VERIFIED,
    BuffetItem,
    ContractStage,
    buffet_refused,
    extension_refused,
    index_refused,
    indexed,
    item_key,
    quantity_refused,
)
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChange:
    """What a side proposes. ``index_permille`` with its ``source`` and ``from_on`` for the price; ``buffet`` for its
    list; ``quantities`` by contract item; ``leaves`` (of the contract's staff) and ``joins`` (of the supplier's ledger)
    with ``from_on`` for the staff; ``text`` for the menu and for details.
    """

    kind: str
    reason: str
    index_permille: int = 0
    source: str = ""
    from_on: date | None = None
    buffet: Sequence[BuffetItem] = ()
    quantities: Mapping[UUID, int] = field(default_factory=dict)
    leaves: UUID | None = None
    joins: UUID | None = None
    text: str = ""


def propose_change(work: Work, tender_id: UUID, contract_id: UUID, change_id: UUID, new: NewChange) -> UUID:
    """Propose a change of a contract in force; one waits at a time. The same id again gives the same answer. Raises
    NotFound, Invalid, Conflict ``change-waits``, NotNow for what the procedure's limits do not allow.
    """
    if _known(work, tender_id, change_id):
        return change_id
    hand = permitted(work, "propose_change", tender_id)
    row = _ready(work, hand, contract_id)
    if new.kind not in CHANGE_KINDS:
        raise Invalid(fields={"kind": [UNKNOWN]})
    _need_reason(new.reason)
    content = _CONTENTS[new.kind](work, row, profile_of(work, hand.tender), new)
    _propose(work, hand, row, change_id, new.kind, new.reason.strip(), content)
    return change_id


def extend_contract(
    work: Work, tender_id: UUID, contract_id: UUID, change_id: UUID, *, ends_on: date, reason: str
) -> UUID:
    """Propose to extend a contract, as often as the procedure allows; in force once both sides have signed. Raises as
    ``propose_change``.
    """
    if _known(work, tender_id, change_id):
        return change_id
    hand = permitted(work, "extend_contract", tender_id)
    row = _ready(work, hand, contract_id)
    _need_reason(reason)
    if row.award_id is None:
        raise NotNow("direct-is-not-extended", N_("A direct contract is not extended."))
    profile = profile_of(work, hand.tender)
    most, most_months = profile.number("extensions").value, profile.number("contract_max").value
    extended = int(row.extended_at is not None)
    refuse(extension_refused(extended, row.ends_on, ends_on, most=most, most_months=most_months))
    _propose(work, hand, row, change_id, EXTENSION, reason.strip(), {"ends_on": ends_on.isoformat()})
    return change_id


def sign_change(
    work: Work,
    tender_id: UUID,
    contract_id: UUID,
    change_id: UUID,
    *,
    site: identity.Site,
    credential: dict[str, Any],
) -> bool:
    """Sign a proposed change for the actor's side; whether both have signed, and it applies. Raises NotFound, Conflict
    ``signed-already``, Invalid ``not-signed``.
    """
    hand = permitted(work, "sign_change", tender_id)
    row = contract_at(work, hand, contract_id)
    change, side = _open_change(work, row, change_id), side_of(work, row)
    assert side is not None, "contract_at lets no stranger in"
    if getattr(change, f"{side}_signed_at") is not None:
        raise Conflict("signed-already", N_("Your side has signed already."))
    proof = identity.sign_by_passkey(work, site, change.sha256, credential)
    if proof is None:
        raise Invalid("not-signed", NOT_SIGNED)
    under = Under(side, change.version, change.sha256)
    keep_signature(work, hand, row, under, kind="passkey", state=VERIFIED, proof=proof.json)
    setattr(change, f"{side}_signed_at", hand.at)
    work.session.flush()
    said = {"number": row.number, "side": side, "version": change.version, "sha256": change.sha256.hex()}
    record_act(work, hand, ActKind.CONTRACT_SIGNED, said, lot_id=row.lot_id, subject_id=row.id)
    if change.supplier_signed_at is None or change.buyer_signed_at is None:
        return False
    _apply(work, hand, row, change)
    return True


def refuse_change(work: Work, tender_id: UUID, contract_id: UUID, change_id: UUID, *, reason: str) -> None:
    """Refuse a proposed change, or take one's own back. Raises NotFound, Invalid."""
    hand = permitted(work, "refuse_change", tender_id)
    row = contract_at(work, hand, contract_id)
    change = _open_change(work, row, change_id)
    _need_reason(reason)
    change.refused_at, change.refusal = hand.at, reason.strip()
    work.session.flush()
    said = {"number": row.number, "version": change.version, "refused": True, "reason": reason.strip()}
    record_act(work, hand, ActKind.CONTRACT_CHANGE_PROPOSED, said, lot_id=row.lot_id, subject_id=row.id)


def _known(work: Work, tender_id: UUID, change_id: UUID) -> bool:
    lock_tender(work, tender_id)
    known = known_act(work, tender_id, change_id, ActKind.CONTRACT_CHANGE_PROPOSED)
    return known is not None and known.by_person == work.actor.id


def _ready(work: Work, hand: AtHand, contract_id: UUID) -> Contract:
    """A contract in force that waits for no other change."""
    row = contract_at(work, hand, contract_id)
    stage = stage_of(row)
    if stage is not ContractStage.ACTIVE:
        raise NotNow(f"contract-is-{stage.value}", N_("The contract is not in force."))
    waiting = select(ContractChange.id).where(
        ContractChange.contract_id == row.id,
        ContractChange.applied_at.is_(None),
        ContractChange.refused_at.is_(None),
    )
    if work.session.scalar(waiting) is not None:
        raise Conflict("change-waits", N_("Another change waits for signatures. Sign or refuse it first."))
    return row


def _open_change(work: Work, row: Contract, change_id: UUID) -> ContractChange:
    change: ContractChange | None = work.session.get(ContractChange, change_id)
    if change is None or change.contract_id != row.id:
        raise NotFound
    if change.applied_at is not None or change.refused_at is not None or stage_of(row) is not ContractStage.ACTIVE:
        raise NotNow("change-is-settled", N_("This change is settled."))
    return change


def _propose(
    work: Work, hand: AtHand, row: Contract, change_id: UUID, kind: str, reason: str, content: Mapping[str, Any]
) -> None:
    taken = select(ContractChange.version).where(ContractChange.contract_id == row.id)
    version = max([row.version, *work.session.scalars(taken)]) + 1
    text = canonical_text(changed_text(text_in_force(work, row), version, kind, reason, content))
    change = ContractChange(
        id=change_id,
        contract_id=row.id,
        version=version,
        kind=kind,
        reason=reason,
        content=dict(content),
        text=text,
        sha256=digest_of(text),
        proposed_side=side_of(work, row),
        proposed_by=work.actor.id,
        proposed_at=hand.at,
    )
    work.session.add(change)
    work.session.flush()
    said = {"number": row.number, "kind": kind, "version": version, "reason": reason, "sha256": change.sha256.hex()}
    record_act(work, hand, ActKind.CONTRACT_CHANGE_PROPOSED, said, lot_id=row.lot_id, subject_id=row.id, id=change_id)


def _apply(work: Work, hand: AtHand, row: Contract, change: ContractChange) -> None:
    """Let both sides' word hold: the new text, and what follows from it."""
    text, content = json.loads(change.text), change.content
    keep_text(work, hand, row, text)
    change.applied_at, row.version, row.value_minor = hand.at, change.version, text["value_minor"]
    if content.get("added"):
        keep_items(work, row, content["added"], len(text["items"]) - len(content["added"]) + 1)
    priced = [(UUID(one["contract_item_id"]), one["price_minor"]) for one in content.get("prices", ())]
    priced += [(UUID(one["contract_item_id"]), one["price_minor"]) for one in content.get("added", ())]
    from_on = date.fromisoformat(content["from_on"]) if content.get("from_on") else row.starts_on
    keep_prices(work, row, priced, from_on=from_on, version=change.version)
    if "replaced" in content:
        replace_staff(work, row, content, profile_of(work, hand.tender).number("fte_max_percent").value)
    kind = ActKind.CONTRACT_CHANGED
    if change.kind == EXTENSION:
        before = row.ends_on
        kind, row.extended_at, row.ends_on = ActKind.CONTRACT_EXTENDED, hand.at, date.fromisoformat(content["ends_on"])
        for one in work.session.scalars(select(ContractStaff).where(ContractStaff.contract_id == row.id)):
            one.until_on = row.ends_on if one.until_on == before else one.until_on
    work.session.flush()
    said = {"number": row.number, "kind": change.kind, "version": change.version, "reason": change.reason}
    record_act(work, hand, kind, said, lot_id=row.lot_id, subject_id=row.id)


def _by_index(work: Work, row: Contract, profile: Profile, new: NewChange) -> dict[str, Any]:
    """All meals dearer by an official index, from a day to come."""
    if not new.source.strip() or new.from_on is None:
        missing = {"source": not new.source.strip(), "from_on": new.from_on is None}
        raise Invalid(fields={name: [NEEDED] for name, lacks in missing.items() if lacks})
    applied = select(ContractChange.content).where(
        ContractChange.contract_id == row.id,
        ContractChange.kind == "price-index",
        ContractChange.applied_at.is_not(None),
    )
    earlier = [date.fromisoformat(content["from_on"]) for content in work.session.scalars(applied)]
    most = profile.number("price_changes_a_year").value
    refuse(index_refused(new.index_permille, new.from_on, earlier, row.starts_on, most))
    if not row.starts_on < new.from_on <= row.ends_on:
        raise Invalid(fields={"from_on": [NOT_IN_TIME]})
    items = [item for item in text_in_force(work, row)["items"] if item["kind"] != "buffet"]
    prices = [(item["contract_item_id"], indexed(item["price_minor"], new.index_permille)) for item in items]
    return {
        "index_permille": new.index_permille,
        "source": new.source.strip(),
        "from_on": new.from_on.isoformat(),
        "prices": [{"contract_item_id": id, "price_minor": price} for id, price in prices],
    }


def _by_buffet(work: Work, row: Contract, _profile: Profile, new: NewChange) -> dict[str, Any]:
    """Things that the buffet sells anew, and ceilings that fall."""
    if not new.buffet:
        raise Invalid(fields={"buffet": [NEEDED]})
    items = [item for item in text_in_force(work, row)["items"] if item["kind"] == "buffet"]
    known = {item_key(item["name"]): item for item in items}
    refuse(buffet_refused({key: item["price_minor"] for key, item in known.items()}, new.buffet))
    fresh = [(new_id(work.now), one) for one in new.buffet if item_key(one.name) not in known]
    lower = [(known[item_key(one.name)], one) for one in new.buffet if item_key(one.name) in known]
    return {
        "added": buffet_rows(fresh),
        "prices": [
            {"contract_item_id": item["contract_item_id"], "price_minor": one.ceiling_minor} for item, one in lower
        ],
    }


def _by_quantity(work: Work, row: Contract, _profile: Profile, new: NewChange) -> dict[str, Any]:
    items = {item["contract_item_id"]: item for item in text_in_force(work, row)["items"]}
    wanted = {str(id): count for id, count in new.quantities.items()}
    if not wanted or not wanted.keys() <= items.keys():
        raise Invalid(fields={"quantities": [UNKNOWN if wanted else NEEDED]})
    for id, count in wanted.items():
        refuse(quantity_refused(items[id]["quantity"], count))
    return {"quantities": [{"contract_item_id": id, "quantity": count} for id, count in sorted(wanted.items())]}


def _by_text(_work: Work, _row: Contract, _profile: Profile, new: NewChange) -> dict[str, Any]:
    if not new.text.strip() or len(new.text) > LONGEST:
        raise Invalid(fields={"text": [NEEDED]})
    return {"text": new.text.strip()}


def _by_staff(work: Work, row: Contract, profile: Profile, new: NewChange) -> dict[str, Any]:
    """Somebody gives their place to somebody else."""
    most_percent = profile.number("fte_max_percent").value
    return replacement(work, row, leaves=new.leaves, joins=new.joins, from_on=new.from_on, most_percent=most_percent)


def _need_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})


_CONTENTS: Final[Mapping[str, Callable[[Work, Contract, Profile, NewChange], dict[str, Any]]]] = {
    "price-index": _by_index,
    "buffet": _by_buffet,
    "quantity": _by_quantity,
    "menu": _by_text,
    "staff": _by_staff,
    "details": _by_text,
}
NOT_IN_TIME: Final = FieldProblem.of("not-in-time", N_("Choose a day within the contract's time."))
