"""Looking at schools as everybody may: what other rooms' front doors tell the public, put together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from schoolmeals import canteen, identity, procurement
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.identity import OrganisationFacts
from schoolmeals.procurement import ContractItemFacts, ContractLine, ContractStage, TenderLine, TenderSearch
from schoolmeals.transparency.rules import Place, matches, place_of

PAGE: Final = 30


@dataclass(frozen=True, slots=True)
class SchoolLine:
    """A school in the list, with who feeds it today."""

    school: OrganisationFacts
    contracts: tuple[ContractLine, ...]


@dataclass(frozen=True, slots=True)
class SchoolList:
    """One page of the list. ``names`` are the suppliers'."""

    lines: tuple[SchoolLine, ...]
    names: Mapping[UUID, OrganisationFacts]
    districts: tuple[OrganisationFacts, ...]
    """A school of each district: it knows the district's name in each language."""
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolView:
    """A school's page. ``items`` are what the contracts in force today promise, ``menus`` those of ``day``.

    ``priced_by`` are the contracts that the prices of ``day`` come from, by contract item.
    """

    school: OrganisationFacts
    suppliers: Mapping[UUID, OrganisationFacts]
    contracts: Mapping[Place, Sequence[ContractLine]]
    """In force today, signed for a day to come, and over."""
    items: Sequence[ContractItemFacts]
    running: Sequence[TenderLine]
    over: Sequence[TenderLine]
    more_tenders: bool
    more_contracts: bool
    day: date
    is_school_day: bool
    day_before: date | None
    day_after: date | None
    menus: Sequence[canteen.MenuFacts]
    priced_by: Mapping[UUID, ContractLine]


def school_list(work: Work, today: date, *, text: str = "", district: str = "", page: int = 1) -> SchoolList:
    """The city's schools by name, narrowed by words and district; for everybody. ``page`` counts from 1."""
    schools = identity.organisations(work, ["school"])
    districts = {one.district: one for one in schools if one.district}
    found = [
        one
        for one in schools
        if (not district or one.district == district)
        and matches(text, one.name_kk, one.name_ru, one.name_en, one.address, one.identifier)
    ]
    shown = found[(page - 1) * PAGE : page * PAGE]
    feeds = procurement.contracts_of_schools(work, [one.id for one in shown], today)
    return SchoolList(
        lines=tuple(SchoolLine(one, tuple(feeds.get(one.id, ()))) for one in shown),
        names=_suppliers(work, {line.supplier_id for lines in feeds.values() for line in lines}),
        districts=tuple(districts[one] for one in sorted(districts)),
        total=len(found),
        page=page,
        pages=max(-(-len(found) // PAGE), 1),
    )


def school_view(work: Work, school_id: UUID, today: date, day: date) -> SchoolView:
    """A school's page, with the menu of ``day``; for everybody. Raises NotFound."""
    school = identity.organisation(work, school_id)
    if school.kind != "school":
        raise NotFound
    contracts = procurement.contracts(work, school_id=school_id)
    tenders = procurement.tenders(work, TenderSearch(school_id=school_id, published=True))
    calendar = identity.calendar_of(work, school_id)
    before = calendar.last_school_days(date.fromordinal(day.toordinal() - 1), 1)
    return SchoolView(
        school=school,
        suppliers=_suppliers(work, {one.supplier_id for one in contracts.lines}),
        contracts=_placed(contracts.lines, today),
        items=procurement.contract_items_of(work, school_id, today),
        running=[one for one in tenders.lines if one.stage not in procurement.OVER_STAGES],
        over=[one for one in tenders.lines if one.stage in procurement.OVER_STAGES],
        more_tenders=tenders.pages > 1,
        more_contracts=contracts.pages > 1,
        day=day,
        is_school_day=calendar.is_school_day(day),
        day_before=before[0] if before else None,
        day_after=calendar.next_school_day(day),
        menus=[one for one in canteen.menu_of(work, school_id, day) if one.items],
        priced_by=_priced_by(work, school_id, day),
    )


def _priced_by(work: Work, school_id: UUID, day: date) -> dict[UUID, ContractLine]:
    lines = {one.id: one for one in procurement.contracts_of_school(work, school_id, day)}
    items = procurement.contract_items_of(work, school_id, day)
    return {one.contract_item_id: lines[one.contract_id] for one in items}


def _placed(lines: Iterable[ContractLine], today: date) -> dict[Place, list[ContractLine]]:
    found: dict[Place, list[ContractLine]] = {"now": [], "coming": [], "past": []}
    for one in lines:
        is_active = one.stage is ContractStage.ACTIVE
        found[place_of(one.starts_on, one.ends_on, today, is_active=is_active)].append(one)
    return found


def _suppliers(work: Work, ids: set[UUID]) -> dict[UUID, OrganisationFacts]:
    return {one: identity.organisation(work, one) for one in ids}
