"""Looking: menus, meals, the day's counts. What is not the actor's is not found."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text

from schoolmeals import identity, ledger
from schoolmeals.actors import ActorKind, Role
from schoolmeals.canteen.menus import (
    DayCounts,
    MealFacts,
    MealItem,
    MenuFacts,
    MenuLine,
    SittingCount,
    SittingFacts,
)
from schoolmeals.canteen.models import DayClosing, Menu, MenuItem, Sitting
from schoolmeals.clock import in_utc
from schoolmeals.database import Work
from schoolmeals.errors import NotFound

READERS: Final = (Role.SCHOOL_OFFICE, Role.CASHIER, Role.CITY_ADMIN, Role.AUDITOR)
"""Who reads a school's day."""

_MEALS: Final = """
    SELECT sale.school_id, sale.id, sale.pupil_id, sale.service_day, sale.tapped_at, sale.recorded_at, sitting.meal,
           sale.total_minor, sale.money_minor, sale.grace_minor, sale.courtesy_minor, sale.currency, sale.device_id,
           coalesce(device.name, '') AS device_name, sale.verdict, sale.code, undo.undone_at,
           (SELECT jsonb_agg(jsonb_build_array(item.id, item.name_kk, item.name_ru, item.name_en, line.price_minor,
                                               line.quantity, line.is_set_meal, item.photo_id) ORDER BY line.line)
              FROM sale_line AS line
              JOIN menu_item AS item ON item.school_id = line.school_id AND item.id = line.menu_item_id
             WHERE line.school_id = sale.school_id AND line.sale_id = sale.id) AS items
      FROM sale
      LEFT JOIN sitting ON sitting.school_id = sale.school_id AND sitting.id = sale.sitting_id
      LEFT JOIN device ON device.id = sale.device_id
      LEFT JOIN sale_undo AS undo ON undo.school_id = sale.school_id AND undo.sale_id = sale.id
     WHERE sale.school_id = :school_id AND {}
     ORDER BY sale.tapped_at DESC, sale.id DESC
     LIMIT :most
"""
_OF_PUPILS: Final = text(
    _MEALS.format("sale.pupil_id = ANY(:pupil_ids) AND sale.service_day BETWEEN :since AND :until")
)
_OF_DAY: Final = text(_MEALS.format("sale.service_day = :day"))
_OF_TILL: Final = text(_MEALS.format("sale.service_day = :day AND sale.device_id = :device_id"))
MOST_MEALS: Final = 10_000

_COUNTS: Final = text("""
    WITH tap AS (
        SELECT sale.id, sale.sitting_id, sale.pupil_id, sale.verdict, sale.total_minor, sale.courtesy_minor,
               undo.id IS NOT NULL AS is_undone,
               coalesce(sum(line.quantity) FILTER (WHERE line.is_set_meal), 0)::bigint AS set_meals,
               count(line.line) FILTER (WHERE NOT line.is_set_meal) AS buffet_lines
          FROM sale
          LEFT JOIN sale_line AS line ON line.school_id = sale.school_id AND line.sale_id = sale.id
          LEFT JOIN sale_undo AS undo ON undo.school_id = sale.school_id AND undo.sale_id = sale.id
         WHERE sale.school_id = :school_id AND sale.service_day = :day
         GROUP BY sale.school_id, sale.id, undo.id)
    SELECT sitting.id, sitting.meal, sitting.shift,
           coalesce(sum(tap.set_meals) FILTER (WHERE NOT is_undone), 0)::bigint AS set_meals,
           count(DISTINCT tap.pupil_id) FILTER (WHERE NOT is_undone AND tap.set_meals > 0) AS pupils,
           count(*) FILTER (WHERE NOT is_undone AND tap.buffet_lines > 0) AS buffet_sales,
           count(*) FILTER (WHERE tap.verdict = 'refused') AS refused,
           count(*) FILTER (WHERE is_undone) AS undone,
           coalesce(sum(tap.total_minor) FILTER (WHERE NOT is_undone), 0)::bigint AS total_minor,
           coalesce(sum(tap.courtesy_minor) FILTER (WHERE NOT is_undone), 0)::bigint AS courtesy_minor
      FROM sitting
      LEFT JOIN tap ON tap.sitting_id = sitting.id
     WHERE sitting.school_id = :school_id
       AND (sitting.ended_on IS NULL OR sitting.ended_on > :day OR tap.id IS NOT NULL)
     GROUP BY sitting.school_id, sitting.id
     ORDER BY sitting.opens_at, sitting.shift, sitting.id
""")

_FED: Final = text("""
    SELECT (SELECT count(*) FROM pupil WHERE school_id = :school_id AND joined_on <= :day
                AND (left_on IS NULL OR left_on > :day)) AS pupils,
           (SELECT count(DISTINCT sale.pupil_id) FROM sale
              JOIN sale_line AS line ON line.school_id = sale.school_id AND line.sale_id = sale.id AND line.is_set_meal
             WHERE sale.school_id = :school_id AND sale.service_day = :day
               AND NOT EXISTS (SELECT FROM sale_undo AS undo
                                WHERE undo.school_id = sale.school_id AND undo.sale_id = sale.id)) AS fed
""")


def sittings_of(work: Work, school_id: UUID, day: date | None = None) -> list[SittingFacts]:
    """The sittings of a school by hour; those held on ``day`` alone, where it is given. No secret: menus are public."""
    found = select(Sitting).where(Sitting.school_id == school_id)
    rows = work.session.scalars(found.order_by(Sitting.opens_at, Sitting.shift, Sitting.id))
    sittings = [SittingFacts(row.id, row.meal, row.shift, row.opens_at, row.closes_at, row.ended_on) for row in rows]
    return [one for one in sittings if day is None or one.is_held_on(day)]


def menu_of(work: Work, school_id: UUID, day: date) -> list[MenuFacts]:
    """What every sitting held on ``day`` sells, by hour. Published menus are no secret: parents and tills read them."""
    return _menus(work, school_id, day, with_drafts=False)


def menu_in_draft(work: Work, school_id: UUID, day: date) -> list[MenuFacts]:
    """As :func:`menu_of`, with the drafts, for those who keep the menu. Raises NotFound."""
    identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
    return _menus(work, school_id, day, with_drafts=True)


def meals_of(work: Work, school_id: UUID, pupil_ids: Collection[UUID], since: date, until: date) -> list[MealFacts]:
    """The taps of pupils from the day ``since`` to ``until``, served or refused, newest first; 10,000 at most.

    The caller answers for these pupils being the actor's (``pupils.require_guardian``).
    """
    parameters = {"pupil_ids": list(pupil_ids), "since": since, "until": until}
    return _meals(work, _OF_PUPILS, school_id, parameters)


def sales_of_day(work: Work, school_id: UUID, day: date, *, most: int = MOST_MEALS) -> list[MealFacts]:
    """All taps of one day, newest first, for the school's office and the city. Raises NotFound."""
    identity.require_role_in(work, school_id, *READERS)
    return _meals(work, _OF_DAY, school_id, {"day": day, "most": most})


def sales_of_till(work: Work, day: date, *, most: int = 5) -> list[MealFacts]:
    """The last taps of the till that asks, newest first. Raises NotFound for anybody else."""
    if work.actor.kind is not ActorKind.DEVICE or work.actor.school_id is None:
        raise NotFound
    return _meals(work, _OF_TILL, work.actor.school_id, {"day": day, "device_id": work.actor.id, "most": most})


def day_counts(work: Work, school_id: UUID, day: date) -> DayCounts:
    """What one day has served, by sitting; for the school's people and its tills, and the city. Raises NotFound."""
    if work.actor.kind is not ActorKind.DEVICE:
        identity.require_role_in(work, school_id, *READERS)
    elif work.actor.school_id != school_id:
        raise NotFound
    return counted(work, school_id, day)


def counted(work: Work, school_id: UUID, day: date) -> DayCounts:
    """The day's counts, for deeds and looks of this room that have checked the actor. Three statements."""
    parameters = {"school_id": school_id, "day": day}
    sittings = tuple(SittingCount(*row) for row in work.session.execute(_COUNTS, parameters))
    on_roll, fed = work.session.execute(_FED, parameters).one()
    closing = work.session.get(DayClosing, (school_id, day))
    return DayCounts(day, sittings, on_roll, fed, "KZT", in_utc(closing.closed_at) if closing else None)


def city_counts(work: Work, day: date) -> list[tuple[identity.OrganisationFacts, DayCounts]]:
    """Each school that the actor reaches and its day, by name, for city-wide roles. Raises NotFound."""
    if not (work.actor.is_city_wide or work.actor.kind is ActorKind.SYSTEM):
        raise NotFound
    return [(school, counted(work, school.id, day)) for school in identity.schools(work)]


def closing_of(work: Work, school_id: UUID, day: date) -> DayClosing | None:
    """How a day was closed, for the school's office and the city. Raises NotFound."""
    identity.require_role_in(work, school_id, *READERS)
    return work.session.get(DayClosing, (school_id, day))


def trial_balance_of(work: Work, school_id: UUID) -> list[ledger.TrialBalanceRow]:
    """The school's books as they stand, for its office and the city. Raises NotFound."""
    identity.require_role_in(work, school_id, Role.SCHOOL_OFFICE, Role.CITY_ADMIN, Role.AUDITOR)
    return ledger.trial_balance(work, [school_id])


def _menus(work: Work, school_id: UUID, day: date, *, with_drafts: bool) -> list[MenuFacts]:
    found = select(Menu).where(Menu.school_id == school_id, Menu.day == day)
    menus = {menu.sitting_id: menu for menu in work.session.scalars(found)}
    lines = _lines(work, school_id, [menu.id for menu in menus.values()])
    return [
        _menu(one, day, menus.get(one.id), lines, with_drafts=with_drafts)
        for one in sittings_of(work, school_id)
        if one.is_held_on(day) or one.id in menus
    ]


def _lines(work: Work, school_id: UUID, menu_ids: Iterable[UUID]) -> list[MenuItem]:
    found = select(MenuItem).where(MenuItem.school_id == school_id, MenuItem.menu_id.in_(list(menu_ids)))
    return list(work.session.scalars(found.order_by(MenuItem.position, MenuItem.id)))


def _menu(
    sitting: SittingFacts, day: date, menu: Menu | None, lines: Collection[MenuItem], *, with_drafts: bool
) -> MenuFacts:
    facts = (day, sitting.id, sitting.meal, sitting.shift, sitting.opens_at, sitting.closes_at)
    if menu is None:
        return MenuFacts(*facts)
    own = [line for line in lines if line.menu_id == menu.id]
    sold = tuple(_shown(line) for line in own if _is_on(line, menu.version))
    draft = tuple(_shown(line) for line in own if with_drafts and line.until_version is None)
    published_at = in_utc(menu.published_at) if menu.published_at else None
    return MenuFacts(*facts, menu.id, menu.version, published_at, sold, draft)


def _is_on(line: MenuItem, version: int) -> bool:
    return line.from_version <= version and (line.until_version is None or version < line.until_version)


def _shown(line: MenuItem) -> MenuLine:
    return MenuLine(
        id=line.id,
        position=line.position,
        kind=line.kind,
        age_group=line.age_group,
        names={"kk": line.name_kk, "ru": line.name_ru, "en": line.name_en},
        dishes=tuple(line.dishes),
        photo_id=line.photo_id,
        price_minor=line.price_minor,
        currency=line.currency,
        portion_g=line.portion_g,
        kcal=line.kcal,
        allergens=tuple(line.allergens),
        contract_item_id=line.contract_item_id,
    )


def _meals(work: Work, wanted: Any, school_id: UUID, parameters: dict[str, Any]) -> list[MealFacts]:
    rows = work.session.execute(wanted, {"most": MOST_MEALS, **parameters, "school_id": school_id})
    return [_meal(row) for row in rows]


def _meal(row: Any) -> MealFacts:
    values = dict(row._mapping)
    items = values.pop("items") or ()
    values["sale_id"] = values.pop("id")
    values["day"] = values.pop("service_day")
    for name in ("tapped_at", "recorded_at", "undone_at"):
        values[name] = values[name] and in_utc(values[name])
    return MealFacts(**values, items=tuple(_sold(*item) for item in items))


def _sold(
    id: str, kk: str, ru: str, en: str, price_minor: int, quantity: int, is_set_meal: bool, photo_id: str | None
) -> MealItem:
    names = {"kk": kk, "ru": ru, "en": en}
    return MealItem(UUID(id), names, price_minor, quantity, is_set_meal, UUID(photo_id) if photo_id else None)
