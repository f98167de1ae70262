"""Facts as templates take them: in the reader's language, with addresses. What is true was decided before."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext

from schoolmeals import canteen, procurement
from schoolmeals.identity import OrganisationFacts
from schoolmeals.procurement import ContractItemFacts, ContractLine, TenderLine, TenderStage
from schoolmeals.transparency.queries import SchoolLine
from schoolmeals.web import frame, language
from schoolmeals.web.formats import day, money


def shown_school(school: OrganisationFacts) -> dict[str, Any]:
    """A school's name, and what else is told of where it is."""
    return {
        "id": school.id,
        "name": school.name(language()),
        "where": ", ".join(one for one in (school.district_in(language()), school.address) if one),
    }


def shown_line(line: SchoolLine, names: Mapping[UUID, str]) -> dict[str, Any]:
    """A school of the list."""
    return {
        **shown_school(line.school),
        "suppliers": list(dict.fromkeys(names[one.supplier_id] for one in line.contracts)),
    }


def shown_contract(line: ContractLine, names: Mapping[UUID, str], items: Sequence[ContractItemFacts]) -> dict[str, Any]:
    """A contract with its prices: per meal by age group, and the most that things of the buffet may cost."""
    own = [one for one in items if one.contract_id == line.id]
    return {
        "id": line.id,
        "number": line.number,
        "tender_id": line.tender_id,
        "supplier": names[line.supplier_id],
        "period": f"{_day(line.starts_on)} - {_day(line.ends_on)}",
        "value": money(line.value_minor, line.currency, language()),
        "signed_at": line.active_at,
        "is_direct": line.is_direct,
        "stage": gettext(procurement.CONTRACT_STAGE_NAMES[line.stage]),
        "lease": line.lease is procurement.LeaseState.OVERDUE,
        "prices": [_price(one) for one in own if one.kind != "buffet"],
        "buffet": [_price(one) for one in own if one.kind == "buffet"],
    }


def shown_tender(line: TenderLine) -> dict[str, Any]:
    """A tender with its stage, and until when something can be done in it."""
    until = {TenderStage.DISCUSSION: line.times.discussion_until, TenderStage.BIDDING: line.times.bidding_until}
    return {
        "id": line.id,
        "number": line.number,
        "title": _said(line.title),
        "stage": gettext(procurement.STAGE_NAMES[line.stage]),
        "kind": procurement.STAGE_KINDS.get(line.stage.value, "neutral"),
        "until": until.get(line.stage),
        "published_at": line.times.published_at,
    }


def shown_menus(menus: Sequence[canteen.MenuFacts], priced_by: Mapping[UUID, ContractLine]) -> list[dict[str, Any]]:
    """A day's menus, with the contracts that their prices come from.

    Shifts of one meal that are served the same stand together, under all their hours.
    """
    found: list[dict[str, Any]] = []
    for menu in menus:
        meals = _by_dish([one for one in menu.items if one.kind == "set"], priced_by)
        buffet = [_menu_line(one) for one in menu.items if one.kind != "set"]
        twin = next(
            (one for one in found if (one["meal"], one["meals"], one["buffet"]) == (menu.meal, meals, buffet)), None
        )
        if twin is not None:
            twin["hours"].append(canteen.sitting_hours(menu))
            twin["title"] = gettext(procurement.MEAL_NAMES[menu.meal])
            continue
        served = {"meal": menu.meal, "meals": meals, "buffet": buffet}
        found.append({"title": canteen.sitting_name(menu, menus), "hours": [canteen.sitting_hours(menu)], **served})
    return found


def _by_dish(lines: Sequence[canteen.MenuLine], priced_by: Mapping[UUID, ContractLine]) -> list[dict[str, Any]]:
    """Set meals that differ by age group alone, put together: the dishes once, portions and prices by age group.

    ``contract`` is where all those prices come from, nothing where one of them rests on no contract.
    """
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for line in lines:
        shown = _menu_line(line)
        contract = priced_by.get(line.contract_item_id) if line.contract_item_id else None
        told = contract and {"id": contract.id, "number": contract.number}
        meal = found.setdefault((shown["name"], *shown["texts"]), {**shown, "rows": [], "contract": told})
        meal["contract"] = told if told == meal["contract"] else None
        group = gettext(procurement.AGE_GROUP_NAMES[line.age_group]) if line.age_group else ""
        price = money(line.price_minor, line.currency, language())
        meal["rows"].append([group, shown["portion"], price])
    return list(found.values())


def _menu_line(line: canteen.MenuLine) -> dict[str, Any]:
    spoken = language()
    portion = (
        gettext("%(grams)s g", grams=line.portion_g) if line.portion_g else "",
        gettext("%(kcal)s kcal", kcal=line.kcal) if line.kcal else "",
    )
    texts = (
        ", ".join(dish.get(spoken) or dish["kk"] for dish in line.dishes),
        gettext("Allergens: %(names)s", names=canteen.allergen_words(line.allergens)) if line.allergens else "",
    )
    return {
        "name": line.name(spoken),
        "texts": [one for one in texts if one],
        "portion": ", ".join(one for one in portion if one),
        "price_minor": line.price_minor,
        "currency": line.currency,
    }


def _price(item: ContractItemFacts) -> list[str]:
    price = money(item.price_minor, item.currency, language())
    if item.meal is None or item.age_group is None:
        return [_said(item.name), price]
    return [gettext(procurement.MEAL_NAMES[item.meal]), gettext(procurement.AGE_GROUP_NAMES[item.age_group]), price]


def _said(texts: Mapping[str, str] | None) -> str:
    texts = texts or {}
    return next((texts[one] for one in (language(), "kk", "ru", "en") if texts.get(one)), "")


def _day(value: Any) -> str:
    return day(value, language(), frame().zone, year=True)
