"""Sittings, and menus from the first draft to each published version.

A published line is never changed: a change ends it with the next version and drafts another. So every sale can be read
with the menu that was sold from.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, time
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

from schoolmeals import audit, identity, procurement
from schoolmeals.actors import Role
from schoolmeals.asking import Question
from schoolmeals.canteen.menus import MOST_ITEMS, NewMenuItem, problems_of
from schoolmeals.canteen.models import Menu, MenuItem, Sitting
from schoolmeals.canteen.pricing import Terms, priced, repriced, terms_of
from schoolmeals.canteen.rules import MEALS
from schoolmeals.database import Work, insert_rows, insertion, rows_of
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.workdays import local_day

ALMATY: Final = ZoneInfo("Asia/Almaty")
"""Kazakhstan has had one time zone since 1 March 2024."""
KEEPERS: Final = (Role.SCHOOL_OFFICE, Role.CITY_ADMIN)
"""Who keeps a school's sittings and menus."""

_CHANGEABLE: Final = """
    SELECT sitting.ended_on, EXISTS (SELECT FROM day_closing WHERE school_id = %(school_id)s AND day = %(day)s)
      FROM sitting
     WHERE sitting.school_id = %(school_id)s AND sitting.id = %(sitting_id)s
"""
_LOCK_MENU: Final = """
    SELECT id
      FROM menu
     WHERE school_id = %(school_id)s AND day = %(day)s AND sitting_id = %(sitting_id)s
       FOR UPDATE
"""
_ON_CONTRACT: Final = """
    SELECT EXISTS (SELECT FROM menu_item WHERE school_id = %(school_id)s AND menu_id = %(menu_id)s
                      AND until_version IS NULL AND contract_item_id IS NOT NULL)
"""
_DRAFT: Final = """
    SELECT count(*) FILTER (WHERE until_version IS NULL),
           count(*) FILTER (WHERE from_version = %(following)s OR until_version = %(following)s)
      FROM menu_item
     WHERE school_id = %(school_id)s AND menu_id = %(menu_id)s
"""


def hold_sitting(
    work: Work,
    school_id: UUID,
    *,
    meal: str,
    opens_at: time,
    closes_at: time,
    shift: int = 1,
    id: UUID | None = None,
) -> UUID:
    """Hold another sitting from now on; hours in local time. Raises Invalid, NotFound."""
    identity.require_role_in(work, school_id, *KEEPERS)
    _check_sitting(meal, opens_at, closes_at, shift)
    sitting_id = id or new_id(work.now)
    values = {"meal": meal, "shift": shift, "opens_at": opens_at, "closes_at": closes_at}
    work.session.add(Sitting(school_id=school_id, id=sitting_id, ended_on=None, **values))
    work.session.flush()
    _record_sitting(work, "canteen.hold_sitting", school_id, sitting_id, opens_at, closes_at)
    return sitting_id


def move_sitting(work: Work, school_id: UUID, sitting_id: UUID, *, opens_at: time, closes_at: time) -> None:
    """Give a sitting other hours. Raises Invalid, NotFound."""
    identity.require_role_in(work, school_id, *KEEPERS)
    sitting = _sitting(work, school_id, sitting_id)
    _check_sitting(sitting.meal, opens_at, closes_at, sitting.shift)
    sitting.opens_at, sitting.closes_at = opens_at, closes_at
    _record_sitting(work, "canteen.move_sitting", school_id, sitting_id, opens_at, closes_at)


def end_sitting(work: Work, school_id: UUID, sitting_id: UUID, *, on: date) -> None:
    """Hold a sitting no longer from the day ``on``. Raises NotFound."""
    identity.require_role_in(work, school_id, *KEEPERS)
    _sitting(work, school_id, sitting_id).ended_on = on
    audit.record(work, "canteen.end_sitting", audit.Subject("sitting", sitting_id), {"on": on}, school_id=school_id)


def put_item(
    work: Work, school_id: UUID, day: date, sitting_id: UUID, item: NewMenuItem, *, zone: ZoneInfo = ALMATY
) -> UUID:
    """Add a line to the draft of one sitting's menu. It is sold once the menu is published.

    Raises Invalid with fields, NotFound, NotNow ``day-is-over``, ``day-is-closed`` and ``menu-is-full``.
    """
    identity.require_role_in(work, school_id, *KEEPERS)
    _check_item(item)
    menu = _open_menu(work, school_id, day, sitting_id, zone)
    return put_items(work, menu, _drafted(work, menu), [_priced(work, menu, item)])[0]


def put_items(work: Work, menu: Menu, drafted: Sequence[MenuItem], items: Sequence[NewMenuItem]) -> list[UUID]:
    """Add checked lines that have a price to the draft of a locked menu, after those ``drafted``.

    Raises NotNow ``menu-is-full``.
    """
    if len(drafted) + len(items) > MOST_ITEMS:
        raise NotNow("menu-is-full", N_("A menu has up to %(most)s lines."), most=MOST_ITEMS)
    first = max((row.position for row in drafted), default=0) + 1
    rows = [_item_row(work, menu, item, first + place) for place, item in enumerate(items)]
    names = tuple(rows[0]) if rows else ()
    work.ask_last(insertion([rows_of(MenuItem, names, [tuple(row.values()) for row in rows], {})]))
    ids = [row["id"] for row in rows]
    payload = {"day": menu.day, "items": ids}
    audit.record(work, "canteen.put_items", audit.Subject("menu", menu.id), payload, school_id=menu.school_id)
    return ids


def replace_item(work: Work, school_id: UUID, item_id: UUID, item: NewMenuItem, *, zone: ZoneInfo = ALMATY) -> UUID:
    """Write a line anew and give the id that it has from now on. Raises as :func:`put_item`."""
    identity.require_role_in(work, school_id, *KEEPERS)
    _check_item(item)
    row, menu = _drafted_item(work, school_id, item_id, zone)
    item = _priced(work, menu, item)
    new_item_id = _write_anew(work, menu, row, item)
    work.session.flush()
    payload = {"item_id": item_id, "new_item_id": new_item_id, "price_minor": item.price_minor}
    audit.record(work, "canteen.replace_item", audit.Subject("menu", menu.id), payload, school_id=school_id)
    return new_item_id


def take_off_item(work: Work, school_id: UUID, item_id: UUID, *, zone: ZoneInfo = ALMATY) -> None:
    """Take a line out of the draft. What is published stays on sale until the next version is published."""
    identity.require_role_in(work, school_id, *KEEPERS)
    row, menu = _drafted_item(work, school_id, item_id, zone)
    _take_off(work, menu, [row])
    work.session.flush()
    payload = {"item_id": item_id}
    audit.record(work, "canteen.take_off_item", audit.Subject("menu", menu.id), payload, school_id=school_id)


def publish_menu(work: Work, school_id: UUID, day: date, sitting_id: UUID, *, zone: ZoneInfo = ALMATY) -> int:
    """Sell the draft from now on, and give the version that it becomes.

    Raises NotFound, NotNow ``day-is-over``, ``day-is-closed``, ``menu-is-empty``, ``nothing-new`` and
    ``menu-against-contract``.
    """
    identity.require_role_in(work, school_id, *KEEPERS)
    return publish_draft(work, _open_menu(work, school_id, day, sitting_id, zone))


def publish_draft(work: Work, menu: Menu) -> int:
    """Sell the draft of a locked menu from now on, at the prices of the contracts in force on its day.

    Raises NotNow ``menu-is-empty``, ``nothing-new`` and ``menu-against-contract``.
    """
    _price_by_contract(work, menu)
    following = menu.version + 1
    drafting = Question(_DRAFT, {"school_id": menu.school_id, "menu_id": menu.id, "following": following}, list)
    work.ask(drafting)
    drafted, changed = drafting.answer[0]
    if not drafted:
        raise NotNow("menu-is-empty", N_("Put at least one line on the menu before you publish it."))
    if not changed:
        raise NotNow("nothing-new", N_("Nothing has changed since this menu was published."))
    menu.version, menu.published_at, menu.published_by = following, work.now, work.actor.id
    payload = {"day": menu.day, "sitting_id": menu.sitting_id, "version": following}
    audit.record(work, "canteen.publish_menu", audit.Subject("menu", menu.id), payload, school_id=menu.school_id)
    return following


def copy_day(work: Work, school_id: UUID, *, source: date, target: date, zone: ZoneInfo = ALMATY) -> int:
    """Draft every sitting of ``target`` as ``source`` was sold, and give the number of lines.

    What was drafted for ``target`` before is taken off. Raises NotFound ``no-menu-to-copy`` and as :func:`put_item`.
    """
    identity.require_role_in(work, school_id, *KEEPERS)
    menus = work.session.scalars(
        select(Menu)
        .join(Sitting, (Sitting.school_id == Menu.school_id) & (Sitting.id == Menu.sitting_id))
        .where(
            Menu.school_id == school_id,
            Menu.day == source,
            or_(Sitting.ended_on.is_(None), Sitting.ended_on > target),
        )
    ).all()
    copied = 0
    for menu in menus:
        items = [_as_new(row) for row in _sold_or_drafted(work, menu)]
        if items:
            rewrite(work, _open_menu(work, school_id, target, menu.sitting_id, zone), items)
            copied += len(items)
    if not copied:
        raise NotFound("no-menu-to-copy", N_("There is no menu on that day to copy."))
    payload = {"source": source, "target": target, "lines": copied}
    audit.record(work, "canteen.copy_day", audit.Subject("school", school_id), payload, school_id=school_id)
    return copied


def rewrite(work: Work, menu: Menu, items: Sequence[NewMenuItem]) -> None:
    """Let ``items`` be the whole draft of a locked menu."""
    _take_off(work, menu, _drafted(work, menu))
    put_items(work, menu, (), items)


def open_menu(work: Work, school_id: UUID, day: date, sitting_id: UUID, zone: ZoneInfo = ALMATY) -> Menu:
    """The menu of one day and sitting, locked for changing; made where there is none yet.

    For deeds of this room that have checked the actor. Raises as :func:`put_item`.
    """
    return _open_menu(work, school_id, day, sitting_id, zone)


def require_changeable(look: Work, school_id: UUID, day: date, sitting_id: UUID, zone: ZoneInfo = ALMATY) -> None:
    """Raise NotFound or NotNow where the menu of a day and sitting can no longer be changed."""
    found = Question(_CHANGEABLE, {"school_id": school_id, "sitting_id": sitting_id, "day": day}, list)
    look.ask(found)
    if not found.answer:
        raise NotFound
    ended_on, is_closed = found.answer[0]
    if day < local_day(look.now, zone):
        raise NotNow("day-is-over", N_("This day is over. Its menu can no longer be changed."))
    if ended_on is not None and day >= ended_on:
        raise NotNow("sitting-has-ended", N_("This meal is no longer served on that day."))
    if is_closed:
        raise NotNow("day-is-closed", N_("This day is closed. Its menu can no longer be changed."))


def _open_menu(work: Work, school_id: UUID, day: date, sitting_id: UUID, zone: ZoneInfo) -> Menu:
    require_changeable(work, school_id, day, sitting_id, zone)
    locking = Question(_LOCK_MENU, {"school_id": school_id, "sitting_id": sitting_id, "day": day}, list)
    work.ask(locking)
    if locking.answer:
        return work.session.get_one(Menu, (school_id, locking.answer[0].id), populate_existing=True)
    menu = Menu(school_id=school_id, id=new_id(work.now), day=day, sitting_id=sitting_id, version=0)
    work.session.add(menu)
    work.session.flush()
    return menu


def _drafted_item(work: Work, school_id: UUID, item_id: UUID, zone: ZoneInfo) -> tuple[MenuItem, Menu]:
    """A line that the draft still has, and its menu, locked."""
    row = work.session.get(MenuItem, (school_id, item_id))
    menu = work.session.get(Menu, (school_id, row.menu_id)) if row else None
    if row is None or menu is None or row.until_version is not None:
        raise NotFound
    return row, _open_menu(work, school_id, menu.day, menu.sitting_id, zone)


def _drafted(work: Work, menu: Menu) -> Sequence[MenuItem]:
    """The lines of the next version."""
    found = select(MenuItem).where(
        MenuItem.school_id == menu.school_id, MenuItem.menu_id == menu.id, MenuItem.until_version.is_(None)
    )
    return work.session.scalars(found.order_by(MenuItem.position, MenuItem.id)).all()


def _sold_or_drafted(work: Work, menu: Menu) -> Sequence[MenuItem]:
    """The lines as they were last sold; of a menu that never was, the draft."""
    if menu.version == 0:
        return _drafted(work, menu)
    found = select(MenuItem).where(
        MenuItem.school_id == menu.school_id,
        MenuItem.menu_id == menu.id,
        MenuItem.from_version <= menu.version,
        or_(MenuItem.until_version.is_(None), MenuItem.until_version > menu.version),
    )
    return work.session.scalars(found.order_by(MenuItem.position, MenuItem.id)).all()


def _item_row(work: Work, menu: Menu, item: NewMenuItem, position: int) -> dict[str, Any]:
    return {
        "school_id": menu.school_id,
        "id": item.id or new_id(work.now),
        "menu_id": menu.id,
        "position": position,
        "from_version": menu.version + 1,
        "until_version": None,
        **item.columns(),
    }


def _take_off(work: Work, menu: Menu, rows: Sequence[MenuItem]) -> None:
    for row in rows:
        if row.from_version > menu.version:
            work.session.delete(row)
        else:
            row.until_version = menu.version + 1


def terms_on(look: Work, school_id: UUID, day: date) -> Terms:
    """What the contracts in force say about a school's menus of one day. Not scoped: contracts are public."""
    return terms_of(procurement.contract_items_of(look, school_id, day))


def _priced(work: Work, menu: Menu, item: NewMenuItem) -> NewMenuItem:
    """``item`` as the day's contracts price it. Raises Invalid."""
    meal = _sitting(work, menu.school_id, menu.sitting_id).meal
    found, fields = priced(item, meal, terms_on(work, menu.school_id, menu.day))
    if fields:
        raise Invalid("menu-item-invalid", fields=fields)
    return found


def _price_by_contract(work: Work, menu: Menu) -> None:
    """Write anew the drafted lines that the day's contracts price otherwise. Raises NotNow ``menu-against-contract``.

    A set meal gets the contract's price, whatever it was drafted at: the contract may have begun or changed since.
    """
    terms = terms_on(work, menu.school_id, menu.day)
    if not terms and not _rests_on_contract(work, menu):
        return
    meal = _sitting(work, menu.school_id, menu.sitting_id).meal
    against = []
    for row in _drafted(work, menu):
        item, fields = repriced(_as_new(row), meal, terms)
        if fields:
            against.append(getattr(row, f"name_{work.actor.language}", "") or row.name_kk)
        elif (item.price_minor, item.contract_item_id) != (row.price_minor, row.contract_item_id):
            _write_anew(work, menu, row, item)
    if against:
        sentence = N_("The contract does not allow these lines: %(lines)s. Change them or take them off.")
        raise NotNow("menu-against-contract", sentence, lines=", ".join(against))
    work.session.flush()


def _rests_on_contract(work: Work, menu: Menu) -> bool:
    """Whether a drafted line has the price of a contract, which may be over on the menu's day."""
    found = Question(_ON_CONTRACT, {"school_id": menu.school_id, "menu_id": menu.id}, list)
    work.ask(found)
    return bool(found.answer[0][0])


def _write_anew(work: Work, menu: Menu, row: MenuItem, item: NewMenuItem) -> UUID:
    """Let ``item`` stand for a drafted line, and give the id that it has from now on."""
    if row.from_version > menu.version:
        for name, value in item.columns().items():
            setattr(row, name, value)
        return row.id
    row.until_version = menu.version + 1
    new_row = _item_row(work, menu, replace(item, id=None), row.position)
    insert_rows(work.session, MenuItem, [new_row])
    return new_row["id"]  # type: ignore[no-any-return]


def _as_new(row: MenuItem) -> NewMenuItem:
    return NewMenuItem(
        kind=row.kind,
        age_group=row.age_group,
        name_kk=row.name_kk,
        name_ru=row.name_ru,
        name_en=row.name_en,
        dishes=row.dishes,
        photo_id=row.photo_id,
        price_minor=row.price_minor,
        currency=row.currency,
        portion_g=row.portion_g,
        kcal=row.kcal,
        allergens=row.allergens,
        contract_item_id=row.contract_item_id,
    )


def _sitting(work: Work, school_id: UUID, sitting_id: UUID) -> Sitting:
    sitting = work.session.get(Sitting, (school_id, sitting_id))
    if sitting is None:
        raise NotFound
    return sitting


def _check_item(item: NewMenuItem) -> None:
    if fields := problems_of(item):
        raise Invalid("menu-item-invalid", fields=fields)


def _check_sitting(meal: str, opens_at: time, closes_at: time, shift: int) -> None:
    fields: dict[str, list[FieldProblem]] = {}
    if meal not in MEALS:
        fields["meal"] = [FieldProblem.of("unknown", N_("Choose one from the list."))]
    if opens_at >= closes_at:
        fields["closes_at"] = [FieldProblem.of("too-early", N_("A meal ends after it has begun."))]
    if not 1 <= shift <= 3:
        fields["shift"] = [FieldProblem.of("out-of-range", N_("Shifts are 1, 2 or 3."))]
    if fields:
        raise Invalid("sitting-invalid", fields=fields)


def _record_sitting(
    work: Work, action: str, school_id: UUID, sitting_id: UUID, opens_at: time, closes_at: time
) -> None:
    payload = {"opens_at": opens_at.isoformat(), "closes_at": closes_at.isoformat()}
    audit.record(work, action, audit.Subject("sitting", sitting_id), payload, school_id=school_id)
