"""Drafting menus from a file. What a file says about a day and sitting becomes the whole draft there."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial
from uuid import UUID
from zoneinfo import ZoneInfo

from schoolmeals import audit, identity
from schoolmeals.canteen.actions.menus import ALMATY, KEEPERS, open_menu, require_changeable, rewrite, terms_on
from schoolmeals.canteen.menu_files import BadCell, MenuFile, read_menu_file
from schoolmeals.canteen.pricing import Terms
from schoolmeals.canteen.queries import sittings_of
from schoolmeals.database import Work
from schoolmeals.errors import FieldProblem, NotNow


def preview_menus(look: Work, school_id: UUID, content: bytes, *, zone: ZoneInfo = ALMATY) -> MenuFile:
    """What ``import_menus`` would draft of a CSV or XLSX, and what is wrong with the rest. Writes nothing."""
    identity.require_role_in(look, school_id, *KEEPERS)
    found = read_menu_file(content, sittings_of(look, school_id), terms_on=_terms(look, school_id))
    for day, sitting_id in list(found.menus):
        try:
            require_changeable(look, school_id, day, sitting_id, zone)
        except NotNow as refusal:
            _leave_out(found, day, sitting_id, refusal)
    return found


def import_menus(work: Work, school_id: UUID, content: bytes, *, zone: ZoneInfo = ALMATY) -> MenuFile:
    """Draft the good lines of a CSV or XLSX and give them with everything that is wrong with the others.

    A day that can no longer be changed is reported once and keeps what it had. Nothing is published. Raises NotFound,
    Invalid where the file itself cannot be read.
    """
    identity.require_role_in(work, school_id, *KEEPERS)
    found = read_menu_file(content, sittings_of(work, school_id), terms_on=_terms(work, school_id))
    for (day, sitting_id), items in list(found.menus.items()):
        try:
            # A day that cannot take all of its lines keeps what it had.
            with work.attempt():
                rewrite(work, open_menu(work, school_id, day, sitting_id, zone), items)
        except NotNow as refusal:
            _leave_out(found, day, sitting_id, refusal)
    payload = {"days": sorted({day for day, _ in found.menus}), "lines": found.lines, "bad_cells": len(found.bad)}
    audit.record(work, "canteen.import_menus", audit.Subject("school", school_id), payload, school_id=school_id)
    return found


def _terms(look: Work, school_id: UUID) -> Callable[[date], Terms]:
    """What the school's contracts promise on a day, asked once for each day of the file."""
    return lru_cache(maxsize=None)(partial(terms_on, look, school_id))


def _leave_out(found: MenuFile, day: date, sitting_id: UUID, refusal: NotNow) -> None:
    del found.menus[day, sitting_id]
    found.bad.append(BadCell(0, day.isoformat(), FieldProblem.of(refusal.code, refusal.sentence, **refusal.params)))
