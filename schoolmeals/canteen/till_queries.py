"""What a till's page needs besides answers: today's sittings and menus, counts, the last sales, whom to look for."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from schoolmeals import identity, pupils
from schoolmeals.actors import Role
from schoolmeals.canteen.queries import counted, menu_of
from schoolmeals.clock import in_utc
from schoolmeals.database import Work
from schoolmeals.workdays import local_day

LAST_SALES: Final = 5
_PAGE: Final = 200

_LAST: Final = text("""
    SELECT sale.id, sale.recorded_at, coalesce(pupil.surname || ' ' || pupil.given_name, '') AS pupil_name,
           coalesce(school_class.name, '') AS class_name, undo.id IS NOT NULL AS is_undone
      FROM sale
      LEFT JOIN pupil ON pupil.school_id = sale.school_id AND pupil.id = sale.pupil_id
      LEFT JOIN school_class ON school_class.school_id = pupil.school_id AND school_class.id = pupil.class_id
      LEFT JOIN sale_undo AS undo ON undo.school_id = sale.school_id AND undo.sale_id = sale.id
     WHERE sale.school_id = :school_id AND sale.device_id = :device_id AND sale.verdict = 'served'
     ORDER BY sale.seq DESC
     LIMIT :most
""")
_LAST_SEQ: Final = text(
    "SELECT coalesce(max(seq), 0) FROM sale WHERE school_id = :school_id AND device_id = :device_id"
)


def till_state(work: Work, till: identity.DeviceFacts, zone: ZoneInfo) -> dict[str, Any]:
    """The state of ``till``, which is the actor, at ``work.now``; the shape of ``TillStateSchema``."""
    day = local_day(work.now, zone)
    local = work.now.astimezone(zone).time()
    counts = {one.sitting_id: one.set_meals for one in counted(work, till.school_id, day).sittings}
    own = {"school_id": till.school_id, "device_id": till.id}
    is_office = till.cashier_id is not None and identity.holds_role(
        work, till.cashier_id, till.school_id, Role.SCHOOL_OFFICE
    )
    return {
        "as_of": work.now,
        "day": day,
        "last_seq": work.session.scalar(_LAST_SEQ, own),
        "cashier_name": till.cashier_name or "",
        "is_office": is_office,
        "sittings": [
            {
                "id": menu.sitting_id,
                "meal": menu.meal,
                "shift": menu.shift,
                "opens_at": menu.opens_at,
                "closes_at": menu.closes_at,
                "is_open": menu.opens_at <= local <= menu.closes_at,
                "count": counts.get(menu.sitting_id, 0),
                "version": menu.version,
                "items": menu.items,
            }
            for menu in menu_of(work, till.school_id, day)
        ],
        "sales": [
            {**row._mapping, "recorded_at": in_utc(row.recorded_at)}
            for row in work.session.execute(_LAST, {**own, "most": LAST_SALES})
        ],
    }


def till_classes(work: Work, school_id: UUID, photo_url: Callable[[UUID | None], str | None]) -> list[dict[str, Any]]:
    """The classes of the actor's school with their pupils, as JSON."""
    classes: dict[UUID | None, dict[str, Any]] = {}
    page, total = 1, 1
    while (page - 1) * _PAGE < total:
        found = pupils.pupils_of_school(work, school_id, page=page, per_page=_PAGE)
        page, total = page + 1, found.total
        for one in found.pupils:
            own = classes.setdefault(one.class_id, _class_json(one))
            own["pupils"].append(_pupil_json(one, photo_url))
    return list(classes.values())


def _class_json(one: pupils.PupilFacts) -> dict[str, Any]:
    return {"id": str(one.class_id) if one.class_id else None, "name": one.class_name, "pupils": []}


def _pupil_json(one: pupils.PupilFacts, photo_url: Callable[[UUID | None], str | None]) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "name": one.name,
        "class_name": one.class_name,
        "photo_url": photo_url(one.photo_id),
        "diet_note": one.diet_note,
        "allergens": [{"code": allergen.code, "severity": allergen.severity} for allergen in one.allergens],
    }
