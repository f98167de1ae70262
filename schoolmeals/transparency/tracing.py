"""From a receipt back to the tender, step by step. Each step is looked at anew, and says whether it holds.

What a step says is decided here, out of what the rooms' front doors tell; nothing is kept, and nobody is named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from schoolmeals import canteen, identity, procurement
from schoolmeals.canteen import Sold, SoldLine
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.identity import OrganisationFacts
from schoolmeals.procurement import AwardStep, BidStep, ContractStep, PriceTrace, ServerKeys, TenderStep

OPEN_UP_TO: Final = 4 << 20
"""Bytes of sealed files that are opened again while somebody waits for a page; the command opens all."""


@dataclass(frozen=True, slots=True)
class Step:
    """A link of the chain: ``code`` names it, ``facts`` are numbers, days, ids and digests for people and programs."""

    code: str
    """``menu``, ``price``, ``contract``, ``award``, ``bid`` or ``tender``."""
    holds: bool
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TracedLine:
    """A line of a receipt with its chain. ``price`` is None where no contract stands behind it."""

    sold: SoldLine
    price: PriceTrace | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A receipt with all its lines."""

    sold: Sold
    school: OrganisationFacts
    lines: tuple[TracedLine, ...]

    @property
    def holds(self) -> bool:
        """Whether everything that was looked at holds."""
        return self.sold.adds_up and all(step.holds for line in self.lines for step in line.steps)

    @property
    def is_whole(self) -> bool:
        """Whether every line leads to a tender."""
        return bool(self.lines) and all(line.price is not None for line in self.lines)


def trace(look: Work, receipt: UUID, *, keys: ServerKeys, open_up_to: int | None = OPEN_UP_TO) -> Trace:
    """Where every price of a receipt comes from; for everybody. Raises NotFound where it sold nothing.

    Sealed bids of more than ``open_up_to`` bytes are not opened again (None: all are).
    """
    sold = canteen.sold(look, receipt)
    if sold is None:
        raise NotFound
    wanted = [line.contract_item_id for line in sold.lines if line.contract_item_id is not None]
    prices = procurement.trace_of_prices(look, wanted, sold.day, keys=keys, open_up_to=open_up_to)
    lines = []
    for line in sold.lines:
        price = prices.get(line.contract_item_id) if line.contract_item_id is not None else None
        lines.append(TracedLine(line, price, tuple(steps_of(sold, line, price))))
    return Trace(sold, identity.organisation(look, sold.school_id), tuple(lines))


def steps_of(sold: Sold, line: SoldLine, price: PriceTrace | None) -> Iterator[Step]:
    """The chain of one line, from the menu to the tender."""
    menu = {"menu_item_id": line.menu_item_id, "version": sold.menu_version, "price_minor": line.menu_price_minor}
    yield Step("menu", line.was_on_menu, menu)
    if line.contract_item_id is None:
        return
    if price is None:
        yield Step("price", holds=False, facts={"contract_item_id": line.contract_item_id})
        return
    yield _price_step(sold, line, price.contract)
    yield from _steps_of_contract(price)


def _price_step(sold: Sold, line: SoldLine, agreed: ContractStep) -> Step:
    """The contract is this school's, was in force on this day, and has this meal for this age at this price."""
    is_ceiling = agreed.kind == "buffet"
    fits = line.price_minor <= agreed.price_minor if is_ceiling else line.price_minor == agreed.price_minor
    is_same = line.is_set_meal != is_ceiling and line.age_group == agreed.age_group and sold.currency == agreed.currency
    is_meal = agreed.meal == (None if is_ceiling else sold.meal)
    facts = {
        "contract_item_id": line.contract_item_id,
        "price_minor": agreed.price_minor,
        "is_ceiling": is_ceiling,
        "from_on": agreed.from_on,
    }
    is_ours = agreed.buyer_id == sold.school_id and agreed.is_in_force
    return Step("price", fits and is_same and is_meal and is_ours, facts)


def _steps_of_contract(price: PriceTrace) -> Iterator[Step]:
    """The contract, what it rests on where it was tendered, and the notice."""
    yield _contract_step(price.contract)
    if price.award is not None:
        yield _award_step(price.award)
    if price.bid is not None:
        yield _bid_step(price.bid)
    yield _tender_step(price.tender)


def _contract_step(agreed: ContractStep) -> Step:
    facts = {
        "contract_id": agreed.contract_id,
        "number": agreed.number,
        "version": agreed.version,
        "is_direct": agreed.is_direct,
        "supplier": agreed.supplier.identifier,
        "sha256": agreed.text.sha256,
    }
    return Step("contract", agreed.text.holds and agreed.says_so and agreed.both_signed, facts)


def _award_step(award: AwardStep) -> Step:
    sheet = award.sheet
    facts = {
        "decided_at": award.decided_at,
        "rank": award.rank,
        "points_milli": award.points_milli,
        "sha256": sheet.sha256 if sheet is not None else None,
    }
    follows = award.recomputes and award.is_of_sheet and award.is_of_contract
    return Step("award", sheet is not None and sheet.holds and follows, facts)


def _bid_step(bid: BidStep) -> Step:
    facts = {
        "bid_id": bid.bid_id,
        "received_at": bid.received_at,
        "price_minor": bid.price_minor,
        "opened_again": bid.opened is not None,
        "sha256": bid.manifest.sha256,
    }
    return Step("bid", bid.manifest.holds and bid.agrees and bid.opened is not False, facts)


def _tender_step(tender: TenderStep) -> Step:
    facts = {
        "tender_id": tender.tender_id,
        "number": tender.number,
        "version": tender.version,
        "at": tender.at,
        "ceiling_minor": tender.ceiling_minor,
        "sha256": tender.text.sha256,
    }
    return Step("tender", tender.text.holds and tender.is_kept, facts)
