"""Ids of the roll that are IINs and that an older version kept as they were: from now on only their fingerprints."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from schoolmeals import audit
from schoolmeals.audit import Subject
from schoolmeals.database import Work
from schoolmeals.pupils.access import require_office
from schoolmeals.pupils.models import ListedGuardian, Pupil


def hide_numbers(work: Work, school_id: UUID, hide: Callable[[str], str]) -> int:
    """Put what ``hide`` makes of it in the place of every id that it changes; how many. Raises NotFound.

    Where two pupils turn out to be the same person, the second's id is told apart by its end: the office decides what
    becomes of them.
    """
    require_office(work, school_id)
    pupils = work.session.execute(
        select(Pupil.id, Pupil.school_id, Pupil.sourced_id).where(Pupil.school_id == school_id)
    )
    new_pupils = _hidden(pupils.all(), hide)
    listed = select(ListedGuardian.id, ListedGuardian.pupil_id, ListedGuardian.sourced_id)
    guardians = work.session.execute(listed.where(ListedGuardian.school_id == school_id))
    new_guardians = _hidden(guardians.all(), hide)
    for model, new in ((Pupil, new_pupils), (ListedGuardian, new_guardians)):
        if new:
            rows = [{"school_id": school_id, "id": id_, "sourced_id": text} for id_, text in new.items()]
            work.session.execute(update(model), rows)
    if new_pupils or new_guardians:
        payload = {"pupils": len(new_pupils), "guardians": len(new_guardians)}
        audit.record(work, "pupils.hide_numbers", Subject("school", school_id), payload, school_id=school_id)
    return len(new_pupils) + len(new_guardians)


def _hidden(rows: Sequence[Sequence[Any]], hide: Callable[[str], str]) -> dict[UUID, str]:
    """The new ids of the rows (id, within what the sourced id is the only one, sourced id) that have to change."""
    taken = {(within, text) for _, within, text in rows}
    new = {}
    for id_, within, text in rows:
        if (kept := hide(text)) != text:
            new[id_] = f"{kept}-{id_.hex[-12:]}" if (within, kept) in taken else kept
            taken.add((within, new[id_]))
    return new
