"""From a contract's price line back to where it comes from: contract, award, scores, opened bid, tender. For everybody.

Each step is looked at anew when it is asked for: digests are computed again from the stored texts, the score sheet's
points and ranking from its inputs, the sealed bid is opened again with the shares that are public, and each price is
compared with the one that it comes from.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import Invalid
from schoolmeals.identity import OrganisationFacts, PasskeyProof, proves
from schoolmeals.procurement.documents import digest_of
from schoolmeals.procurement.models import (
    Award,
    Contract,
    ContractChange,
    ContractDocument,
    ContractItem,
    ContractPrice,
    ContractSignature,
    FrozenBid,
    OpenedBid,
    ScoreSheet,
    TenderVersion,
)
from schoolmeals.procurement.opened import contents_of, prices_of
from schoolmeals.procurement.queries.contracts import was_in_force
from schoolmeals.procurement.rows import ServerKeys
from schoolmeals.procurement.rules.opening import CONTENT_FILE, content_of
from schoolmeals.procurement.rules.sheet import first_difference
from schoolmeals.procurement.sealing import SealingFault
from schoolmeals.procurement.sealing.manifests import manifest_digest
from schoolmeals.procurement.unsealing import Envelope, manifest_of, unseal_envelope


@dataclass(frozen=True, slots=True)
class Digest:
    """A stored text's SHA-256 as hex digits, and whether the text still has it."""

    sha256: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractStep:
    """The price line, and the version of the contract's text that says so; the price in minor units."""

    contract_id: UUID
    number: str
    buyer_id: UUID
    supplier: OrganisationFacts
    is_direct: bool
    kind: str
    meal: str | None
    age_group: str | None
    name: Mapping[str, str] | None
    price_minor: int
    currency: str
    from_on: date
    version: int
    text: Digest
    says_so: bool
    """Whether that text names this very price for this meal and age group, and these two sides."""
    both_signed: bool
    """Whether both sides' signatures under that version are there, and none of them fails."""
    is_in_force: bool
    """Whether the contract, by the last text that both have signed, was in force on the day that is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardStep:
    """The decision, and the scores that it follows from."""

    decided_at: datetime
    rank: int
    points_milli: int
    sheet: Digest | None
    """None where no score sheet was published before the decision."""
    recomputes: bool
    """Whether every point and the ranking follow from the sheet's own inputs."""
    is_of_sheet: bool
    """Whether the sheet has this bid at this rank with these points."""
    is_of_contract: bool
    """Whether the contract's first text rests on this decision, for this bid at this rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BidStep:
    """The opened bid. ``price_minor`` is what it asks for the price line; None where it asks nothing for it."""

    bid_id: UUID
    received_at: datetime
    manifest: Digest
    opened: bool | None
    """Whether the sealed files, opened again, hold what was read at the opening; None where nobody opened them again,
    because they are large."""
    price_minor: int | None
    agrees: bool
    """Whether the contract's first price is the one that was asked, or the notice fixed it; and whether the bid is the
    supplier's own, for this lot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderStep:
    """The published text that was bid on. ``ceiling_minor`` is the most that it allows for the price line."""

    tender_id: UUID
    number: str
    title: Mapping[str, str]
    version: int
    at: datetime
    text: Digest
    ceiling_minor: int | None
    is_kept: bool
    """Whether the contract's first price is not above that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTrace:
    """Where a price comes from. A direct contract has neither award nor bid."""

    contract: ContractStep
    award: AwardStep | None
    bid: BidStep | None
    tender: TenderStep


@dataclass(frozen=True, slots=True)
class _Opened:
    """What an award's bid says, read once for all price lines of its contract."""

    bid: FrozenBid
    manifest: Digest
    holds: bool | None
    asked: Mapping[UUID, int]
    """Prices in minor units by ``lot_item_id``."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all price lines of a contract rest on."""

    contract: Contract
    supplier: OrganisationFacts
    is_in_force: bool
    award: AwardStep | None
    opened: _Opened | None
    notice: TenderVersion
    says: Mapping[str, Any]
    """The notice's text."""
    is_basis: bool
    """Whether the contract's first text names this notice, by its digest."""


def trace_of_prices(
    look: Work, contract_item_ids: Iterable[UUID], on: date, *, keys: ServerKeys, open_up_to: int | None
) -> dict[UUID, PriceTrace]:
    """Where the prices of contracts' lines on a day come from, by line. Contracts are public.

    Left out are lines that had no price, and those whose contract or notice cannot even be read any more. Sealed files
    of at most ``open_up_to`` bytes together are opened again (None: all).
    """
    grounds: dict[UUID, _Ground] = {}
    found = {}
    for id in dict.fromkeys(contract_item_ids):
        item, price = look.session.get(ContractItem, id), _price(look, id, on)
        if item is None or price is None:
            continue
        try:
            if item.contract_id not in grounds:
                grounds[item.contract_id] = _ground(look, item.contract_id, on, keys, open_up_to)
            found[id] = _traced(look, grounds[item.contract_id], item, price)
        except (KeyError, TypeError, ValueError, NoResultFound):
            # Somebody has been at the texts: what cannot be read proves nothing.
            continue
    return found


def _traced(look: Work, ground: _Ground, item: ContractItem, price: ContractPrice) -> PriceTrace:
    first = _first_price(look, item)
    tender = _tender_step(ground, item, first)
    opened = ground.opened
    return PriceTrace(
        contract=_contract_step(look, ground, item, price),
        award=ground.award,
        bid=_bid_step(ground.contract, opened, item, first, tender.ceiling_minor) if opened is not None else None,
        tender=tender,
    )


def _ground(look: Work, contract_id: UUID, on: date, keys: ServerKeys, open_up_to: int | None) -> _Ground:
    contract = look.session.get_one(Contract, contract_id)
    basis = json.loads(look.session.get_one(ContractDocument, (contract.id, 1)).text)
    notice = look.session.get_one(TenderVersion, (contract.tender_id, basis["tender"]["version"]))
    award = look.session.get(Award, contract.award_id) if contract.award_id is not None else None
    return _Ground(
        contract=contract,
        supplier=identity.organisation(look, contract.supplier_id),
        is_in_force=_is_in_force(look, contract, on),
        award=_award_step(look, contract, award, basis.get("award") or {}) if award is not None else None,
        opened=_opened(look, award, keys, open_up_to) if award is not None else None,
        notice=notice,
        says=json.loads(notice.text),
        is_basis=notice.sha256.hex() == basis["tender"]["notice_sha256"],
    )


def _price(look: Work, contract_item_id: UUID, on: date) -> ContractPrice | None:
    found = select(ContractPrice).where(ContractPrice.contract_item_id == contract_item_id, ContractPrice.from_on <= on)
    return look.session.scalar(found.order_by(ContractPrice.from_on.desc(), ContractPrice.version.desc()).limit(1))


def _first_price(look: Work, item: ContractItem) -> int:
    found = select(ContractPrice.price_minor).where(ContractPrice.contract_item_id == item.id)
    return look.session.scalars(found.order_by(ContractPrice.version, ContractPrice.from_on).limit(1)).one()


def _digest(text: str, stored: bytes) -> Digest:
    return Digest(stored.hex(), digest_of(text) == stored)


def _is_in_force(look: Work, contract: Contract, on: date) -> bool:
    """By its rows and by the last text: an extension is a text of its own, which both have signed."""
    document = look.session.get_one(ContractDocument, (contract.id, contract.version))
    period = json.loads(document.text)["period"]
    is_told = period == {"starts_on": contract.starts_on.isoformat(), "ends_on": contract.ends_on.isoformat()}
    is_signed = _both_signed(look, contract.id, contract.version, document.sha256)
    return is_told and is_signed and _digest(document.text, document.sha256).holds and was_in_force(contract, on)


def _contract_step(look: Work, ground: _Ground, item: ContractItem, price: ContractPrice) -> ContractStep:
    contract = ground.contract
    document = look.session.get_one(ContractDocument, (contract.id, price.version))
    return ContractStep(
        contract_id=contract.id,
        number=contract.number,
        buyer_id=contract.buyer_id,
        supplier=ground.supplier,
        is_direct=contract.award_id is None,
        kind=item.kind,
        meal=item.meal,
        age_group=item.age_group,
        name=item.name,
        price_minor=price.price_minor,
        currency=price.currency,
        from_on=price.from_on,
        version=price.version,
        text=_digest(document.text, document.sha256),
        says_so=_says_so(json.loads(document.text), contract, item, price),
        both_signed=_both_signed(look, contract.id, price.version, document.sha256),
        is_in_force=ground.is_in_force,
    )


def _says_so(text: Mapping[str, Any], contract: Contract, item: ContractItem, price: ContractPrice) -> bool:
    """Whether a contract's text has the price line as the rows have it, between the sides that the rows have."""
    row = {
        "contract_item_id": str(item.id),
        "lot_item_id": str(item.lot_item_id) if item.lot_item_id is not None else None,
        "kind": item.kind,
        "meal": item.meal,
        "age_group": item.age_group,
        "name": item.name,
        "price_minor": price.price_minor,
    }
    is_named = any(all(one[field] == value for field, value in row.items()) for one in text["items"])
    sides = (text["buyer"]["id"], text["supplier"]["id"], text["currency"])
    return is_named and sides == (str(contract.buyer_id), str(contract.supplier_id), price.currency)


def _both_signed(look: Work, contract_id: UUID, version: int, sha256: bytes) -> bool:
    changes = select(ContractChange.sha256).where(
        ContractChange.contract_id == contract_id, ContractChange.version == version
    )
    signed = {sha256, *look.session.scalars(changes)}
    found = select(ContractSignature).where(
        ContractSignature.contract_id == contract_id, ContractSignature.version == version
    )
    rows = look.session.scalars(found).all()
    proven = [row for row in rows if row.sha256 in signed and (row.kind != "passkey" or _proves(row))]
    return len(proven) == len(rows) and {row.side for row in rows} == {"supplier", "buyer"}


def _proves(row: ContractSignature) -> bool:
    return proves(PasskeyProof(row.proof), row.sha256)


def _award_step(look: Work, contract: Contract, award: Award, said: Mapping[str, Any]) -> AwardStep:
    """The decision. ``said`` is what the contract's first text has of it."""
    found = select(ScoreSheet).where(ScoreSheet.tender_id == award.tender_id, ScoreSheet.at <= award.decided_at)
    sheet = look.session.scalar(found.order_by(ScoreSheet.at.desc(), ScoreSheet.id.desc()).limit(1))
    document = json.loads(sheet.text) if sheet is not None else None
    named = (said.get("id"), said.get("bid_id"), said.get("rank"), said.get("value_minor"))
    is_named = named == (str(award.id), str(award.bid_id), award.rank, award.value_minor)
    return AwardStep(
        decided_at=award.decided_at,
        rank=award.rank,
        points_milli=award.points_milli,
        sheet=_digest(sheet.text, sheet.sha256) if sheet is not None else None,
        recomputes=document is not None and first_difference(document) is None,
        is_of_sheet=document is not None and _is_of_sheet(document, award),
        is_of_contract=award.supplier_id == contract.supplier_id and award.lot_id == contract.lot_id and is_named,
    )


def _is_of_sheet(document: Mapping[str, Any], award: Award) -> bool:
    ranking = document["results"]["lots"].get(str(award.lot_id), {}).get("ranking", ())
    places = {one["bid_id"]: (one["rank"], one["points_milli"]) for one in ranking}
    return places.get(str(award.bid_id)) == (award.rank, award.points_milli)


def _opened(look: Work, award: Award, keys: ServerKeys, open_up_to: int | None) -> _Opened:
    bid = look.session.get_one(FrozenBid, award.bid_id)
    return _Opened(
        bid=bid,
        manifest=Digest(bid.manifest_sha256, manifest_digest(bid.manifest) == bid.manifest_sha256),
        holds=_opens_the_same(look, bid, keys, open_up_to),
        asked=_asked(look, bid),
    )


def _asked(look: Work, bid: FrozenBid) -> dict[UUID, int]:
    try:
        return {line.lot_item_id: line.price_minor for line in prices_of(contents_of(look, bid.id))}
    except Invalid:
        return {}


def _opens_the_same(look: Work, bid: FrozenBid, keys: ServerKeys, open_up_to: int | None) -> bool | None:
    """Whether the sealed files, opened with the shares or the key that are public, hold what was read before."""
    found = select(OpenedBid).where(OpenedBid.bid_id == bid.id, OpenedBid.unreadable.is_(None))
    rows = look.session.scalars(found).all()
    try:
        manifest = manifest_of(look, bid)
        size = sum(manifest.envelope(row.envelope).ciphertext_bytes for row in rows)
        if open_up_to is not None and size > open_up_to:
            return None
        envelopes = [(Envelope(bid, row.envelope, manifest), row) for row in rows]
        is_own = manifest.bid.bid_id == str(bid.id) and bool(envelopes)
        return is_own and all(_holds_the_same(look, keys, one, row) for one, row in envelopes)
    except SealingFault:
        return False


def _holds_the_same(look: Work, keys: ServerKeys, envelope: Envelope, row: OpenedBid) -> bool:
    with unseal_envelope(look, keys, envelope, row.recovery) as opened:
        has_content = any(file.name == CONTENT_FILE for file in opened.header.files)
        content = content_of(opened.read(CONTENT_FILE)) if has_content else None
        return (opened.plaintext_sha256, content) == (row.plaintext_sha256, row.plaintext)


def _bid_step(
    contract: Contract, opened: _Opened, item: ContractItem, first: int, ceiling_minor: int | None
) -> BidStep:
    bid = opened.bid
    price = opened.asked.get(item.lot_item_id) if item.lot_item_id is not None else None
    # What the buffet sells is agreed on with the contract; a fixed price is the notice's own.
    is_asked = item.lot_item_id is None or first == (ceiling_minor if price is None else price)
    return BidStep(
        bid_id=bid.id,
        received_at=bid.received_at,
        manifest=opened.manifest,
        opened=opened.holds,
        price_minor=price,
        agrees=is_asked and (bid.tenderer_id, bid.lot_id) == (contract.supplier_id, contract.lot_id),
    )


def _tender_step(ground: _Ground, item: ContractItem, first: int) -> TenderStep:
    notice, version = ground.says, ground.notice
    ceilings = {one["id"]: one["ceiling_minor"] for lot in notice["lots"] for one in lot["items"]}
    ceiling = ceilings.get(str(item.lot_item_id))
    text = _digest(version.text, version.sha256)
    return TenderStep(
        tender_id=ground.contract.tender_id,
        number=notice["number"],
        title=notice["sections"]["notice"]["title"],
        version=version.version,
        at=version.at,
        text=Digest(text.sha256, text.holds and ground.is_basis),
        ceiling_minor=ceiling,
        is_kept=ceiling is None or first <= ceiling,
    )
