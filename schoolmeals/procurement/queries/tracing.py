"""From a contract's price line back to where it comes from: contract, award, scores, opened bid, tender. For everybody.

Each step is looked at anew when it is asked for: digests are computed again from the stored texts, the score sheet's
points and ranking from its inputs, and each price is compared with the one that it comes from.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from schoolmeals import identity
from schoolmeals.database import Work
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
    ScoreSheet,
    TenderVersion,
)
from schoolmeals.procurement.opened import contents_of, prices_of
from schoolmeals.procurement.rules.sheet import first_difference
from schoolmeals.procurement.sealing.manifests import manifest_digest


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
    says_price: bool
    """Whether that text names this very price."""
    both_signed: bool
    """Whether both sides' signatures under that version are there, and none of them fails."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BidStep:
    """The opened bid. ``price_minor`` is what it asks for the price line; None where it asks nothing for it."""

    bid_id: UUID
    received_at: datetime
    manifest: Digest
    price_minor: int | None
    agrees: bool
    """Whether the contract's first price is the one that was asked, or the notice fixed it."""


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


def trace_of_price(look: Work, contract_item_id: UUID, on: date) -> PriceTrace | None:
    """Where the price of a contract's line on a day comes from; None where there was none. Contracts are public."""
    item = look.session.get(ContractItem, contract_item_id)
    price = _price(look, contract_item_id, on)
    if item is None or price is None:
        return None
    contract = look.session.get_one(Contract, item.contract_id)
    first = _first_price(look, item)
    award = look.session.get(Award, contract.award_id) if contract.award_id is not None else None
    tender = _tender_step(look, contract, item, first)
    return PriceTrace(
        contract=_contract_step(look, contract, item, price),
        award=_award_step(look, award) if award is not None else None,
        bid=_bid_step(look, award, item, first, tender.ceiling_minor) if award is not None else None,
        tender=tender,
    )


def _price(look: Work, contract_item_id: UUID, on: date) -> ContractPrice | None:
    found = select(ContractPrice).where(ContractPrice.contract_item_id == contract_item_id, ContractPrice.from_on <= on)
    return look.session.scalar(found.order_by(ContractPrice.from_on.desc(), ContractPrice.version.desc()).limit(1))


def _first_price(look: Work, item: ContractItem) -> int:
    found = select(ContractPrice.price_minor).where(ContractPrice.contract_item_id == item.id)
    return look.session.scalars(found.order_by(ContractPrice.version, ContractPrice.from_on).limit(1)).one()


def _digest(text: str, stored: bytes) -> Digest:
    return Digest(stored.hex(), digest_of(text) == stored)


def _contract_step(look: Work, contract: Contract, item: ContractItem, price: ContractPrice) -> ContractStep:
    document = look.session.get_one(ContractDocument, (contract.id, price.version))
    said = {one["contract_item_id"]: one["price_minor"] for one in json.loads(document.text)["items"]}
    return ContractStep(
        contract_id=contract.id,
        number=contract.number,
        supplier=identity.organisation(look, contract.supplier_id),
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
        says_price=said.get(str(item.id)) == price.price_minor,
        both_signed=_both_signed(look, contract.id, price.version, document.sha256),
    )


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


def _award_step(look: Work, award: Award) -> AwardStep:
    found = select(ScoreSheet).where(ScoreSheet.tender_id == award.tender_id, ScoreSheet.at <= award.decided_at)
    sheet = look.session.scalar(found.order_by(ScoreSheet.at.desc(), ScoreSheet.id.desc()).limit(1))
    document = json.loads(sheet.text) if sheet is not None else None
    return AwardStep(
        decided_at=award.decided_at,
        rank=award.rank,
        points_milli=award.points_milli,
        sheet=_digest(sheet.text, sheet.sha256) if sheet is not None else None,
        recomputes=document is not None and first_difference(document) is None,
        is_of_sheet=document is not None and _is_of_sheet(document, award),
    )


def _is_of_sheet(document: Mapping[str, Any], award: Award) -> bool:
    ranking = document["results"]["lots"].get(str(award.lot_id), {}).get("ranking", ())
    places = {one["bid_id"]: (one["rank"], one["points_milli"]) for one in ranking}
    return places.get(str(award.bid_id)) == (award.rank, award.points_milli)


def _bid_step(look: Work, award: Award, item: ContractItem, first: int, ceiling_minor: int | None) -> BidStep:
    bid = look.session.get_one(FrozenBid, award.bid_id)
    asked = {line.lot_item_id: line.price_minor for line in prices_of(contents_of(look, bid.id))}
    price = asked.get(item.lot_item_id) if item.lot_item_id is not None else None
    return BidStep(
        bid_id=bid.id,
        received_at=bid.received_at,
        manifest=Digest(bid.manifest_sha256, manifest_digest(bid.manifest) == bid.manifest_sha256),
        price_minor=price,
        # What the buffet sells is agreed on with the contract; a fixed price is the notice's own.
        agrees=item.lot_item_id is None or first == (ceiling_minor if price is None else price),
    )


def _tender_step(look: Work, contract: Contract, item: ContractItem, first: int) -> TenderStep:
    basis = json.loads(look.session.get_one(ContractDocument, (contract.id, 1)).text)["tender"]
    version = look.session.get_one(TenderVersion, (contract.tender_id, basis["version"]))
    notice = json.loads(version.text)
    ceilings = {one["id"]: one["ceiling_minor"] for lot in notice["lots"] for one in lot["items"]}
    ceiling = ceilings.get(str(item.lot_item_id))
    text = _digest(version.text, version.sha256)
    return TenderStep(
        tender_id=contract.tender_id,
        number=notice["number"],
        title=notice["sections"]["notice"]["title"],
        version=version.version,
        at=version.at,
        text=Digest(text.sha256, text.holds and text.sha256 == basis["notice_sha256"]),
        ceiling_minor=ceiling,
        is_kept=ceiling is None or first <= ceiling,
    )
