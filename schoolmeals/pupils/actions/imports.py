"""A roll comes in from a file: looked at first, then written once somebody has said yes.

The file is kept with its preview until it is applied or dropped, and is read again when it is applied: what counts is
the roll as it is then.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update

from schoolmeals import audit
from schoolmeals.audit import NewEvent, Subject
from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.keys import seal
from schoolmeals.pupils.access import require_office
from schoolmeals.pupils.actions.numbers import hide_numbers
from schoolmeals.pupils.actions.roll import personal_part
from schoolmeals.pupils.guardian_plan import plan_guardians
from schoolmeals.pupils.models import Pupil, RosterImport, SchoolClass
from schoolmeals.pupils.roster import Roster, RosterRow
from schoolmeals.pupils.roster_files import shown_name
from schoolmeals.pupils.roster_plan import Change, KnownPupil, RosterPlan, plan_roster
from schoolmeals.pupils.roster_writing import (
    known_guardians,
    let_leave,
    move_pupils,
    write_classes,
    write_guardians,
)
from schoolmeals.pupils.rules import ROWS_AT_ONCE, full_name, sort_key

SHOWN: Final = 200
"""How many names and bad rows a preview keeps; the counts tell of all."""


def upload_roster(
    work: Work, school_id: UUID, *, file_name: str, content: bytes, roster: Roster, file_key: bytes
) -> UUID:
    """Keep a file with the preview of what it would change; gives the import's id. Nothing changes yet.

    Until it is applied or dropped the file lies sealed with ``file_key``, because there may be IINs in it.
    """
    require_office(work, school_id)
    plan = _plan(work, school_id, roster)
    import_id = new_id(work.now)
    digest = hashlib.sha256(content).digest()
    row = {
        "school_id": school_id,
        "id": import_id,
        "file_name": shown_name(file_name),
        "sha256": digest,
        "content": seal(file_key, content, import_id.bytes),
        "uploaded_by": work.actor.id,
        "uploaded_at": work.now,
        "preview": preview_of(roster, plan),
        "rows_total": plan.steps,
        "rows_done": 0,
    }
    insert_rows(work.session, RosterImport, [row])
    payload = {"sha256": digest.hex(), "counts": counts_of(roster, plan)}
    audit.record(work, "pupils.upload_roster", Subject("roster-import", import_id), payload, school_id=school_id)
    return import_id


def confirm_roster(work: Work, school_id: UUID, import_id: UUID, *, roster: Roster, typed: str = "") -> bool:
    """Say yes to a preview. True where the roll is short enough to be applied at once, in the same transaction.

    Raises NotFound, Conflict ``import-is-over``, and Invalid ``many-leave`` with the field ``confirmation`` where more
    than a fifth of the roll would leave and ``typed`` is not their number.
    """
    require_office(work, school_id)
    row = _lock(work, school_id, import_id)
    plan = _plan(work, school_id, roster)
    if plan.must_be_confirmed and typed.strip() != str(len(plan.leaving)):
        sentence = N_("%(leaving)s of %(on_roll)s pupils would leave. If that is right, type %(leaving)s.")
        params = {"leaving": len(plan.leaving), "on_roll": plan.on_roll}
        raise Invalid(
            "many-leave", sentence, fields={"confirmation": [FieldProblem("many-leave", sentence, params)]}, **params
        )
    _change(work, row, confirmed_at=work.now, confirmed_by=work.actor.id, rows_total=plan.steps)
    payload = {"counts": counts_of(roster, plan)}
    audit.record(work, "pupils.confirm_roster", Subject("roster-import", import_id), payload, school_id=school_id)
    return plan.steps <= ROWS_AT_ONCE


def apply_roster(
    work: Work, school_id: UUID, import_id: UUID, *, roster: Roster, today: date, at_once: int | None = None
) -> bool:
    """Write a confirmed roll, or its next ``at_once`` rows; True when all of it is written.

    Each part is planned anew from what is there, so a run that was cut short goes on where it stopped, and doing it
    twice changes nothing. Those who leave go last. Their money stays where it is.
    """
    require_office(work, school_id)
    row = _lock(work, school_id, import_id)
    if row.confirmed_at is None:
        raise Conflict("import-unconfirmed", N_("Look at the preview first and confirm it."))
    hide_numbers(work, school_id, roster.known_as)
    plan = _plan(work, school_id, roster)
    done = _write(work, school_id, plan, today, at_once)
    is_whole = done == plan.steps
    _change(work, row, rows_done=min(row.rows_done + done, row.rows_total))
    if is_whole:
        _list_guardians(work, school_id, import_id, roster)
        values = {"applied_at": work.now, "rows_done": row.rows_total, "content": None}
        _change(work, row, preview=without_names(row.preview), **values)
        payload = {"rows": row.rows_total, "problems": len(roster.problems)}
        audit.record(work, "pupils.apply_roster", Subject("roster-import", import_id), payload, school_id=school_id)
    return is_whole


def drop_roster(work: Work, school_id: UUID, import_id: UUID) -> None:
    """Forget an uploaded file that was not applied. Raises NotFound and Conflict ``import-is-over``."""
    require_office(work, school_id)
    row = _lock(work, school_id, import_id)
    if row.confirmed_at is not None:
        raise _is_over()
    _change(work, row, dropped_at=work.now, content=None, preview=without_names(row.preview))
    audit.record(work, "pupils.drop_roster", Subject("roster-import", import_id), {}, school_id=school_id)


def preview_roster(look: Work, school_id: UUID, roster: Roster) -> dict[str, Any]:
    """What ``upload_roster`` would keep as its preview; writes nothing."""
    require_office(look, school_id)
    return preview_of(roster, _planned(look, school_id, roster))


def counts_of(roster: Roster, plan: RosterPlan) -> dict[str, int]:
    """The numbers of a preview."""
    return {
        "new": len(plan.new),
        "changed": len(plan.changed),
        "unchanged": plan.unchanged,
        "returning": len(plan.returning),
        "leaving": len(plan.leaving),
        "classes": len(plan.classes),
        "on_roll": plan.on_roll,
        "problems": len(roster.problems),
        "guardians": len({one for listed in (roster.guardians or {}).values() for one in listed}),
        "guardian_links": roster.guardian_links,
    }


def preview_of(roster: Roster, plan: RosterPlan) -> dict[str, Any]:
    """What the confirm page shows: counts, the first names of each kind and the first bad rows."""
    return {
        "source": roster.source,
        "counts": counts_of(roster, plan),
        "must_be_confirmed": plan.must_be_confirmed,
        "problems": [problem.as_json() for problem in roster.problems[: SHOWN * 5]],
        "new": [_shown_row(roster, row) for row in plan.new[:SHOWN]],
        "changed": [[*_shown_row(roster, one.row), list(one.fields)] for one in plan.changed[:SHOWN]],
        "returning": [_shown_row(roster, one.row) for one in plan.returning[:SHOWN]],
        "leaving": [one.name for one in plan.leaving[:SHOWN]],
    }


def without_names(preview: dict[str, Any]) -> dict[str, Any]:
    """What of a preview stays for good: numbers and places, nobody's name."""
    kept = ("source", "counts", "must_be_confirmed", "problems")
    return {name: preview[name] for name in kept if name in preview}


def _shown_row(roster: Roster, row: RosterRow) -> list[Any]:
    of = roster.classes.get(row.class_key or "")
    return [full_name(row.surname, row.given_name, row.patronymic), of.name if of else ""]


def _plan(work: Work, school_id: UUID, roster: Roster) -> RosterPlan:
    # One roll at a time in each school, or two would each find the same pupil new.
    work.session.execute(select(func.pg_advisory_xact_lock(school_id.int % 2**63)))
    return _planned(work, school_id, roster)


def _planned(work: Work, school_id: UUID, roster: Roster) -> RosterPlan:
    classes = work.session.execute(
        select(SchoolClass.sourced_id, SchoolClass.name, SchoolClass.grade).where(SchoolClass.school_id == school_id)
    )
    known = work.session.execute(
        select(
            Pupil.id,
            Pupil.sourced_id,
            Pupil.surname,
            Pupil.given_name,
            Pupil.patronymic,
            Pupil.birth_date,
            SchoolClass.sourced_id,
            Pupil.left_on.is_not(None),
        )
        .outerjoin(SchoolClass, (SchoolClass.school_id == Pupil.school_id) & (SchoolClass.id == Pupil.class_id))
        .where(Pupil.school_id == school_id)
        .order_by(Pupil.sort_key, Pupil.id)
    )
    return plan_roster(
        roster,
        [KnownPupil(row[0], roster.known_as(row[1]), *row[2:]) for row in known],
        {key: (name, grade) for key, name, grade in classes},
    )


def _write(work: Work, school_id: UUID, plan: RosterPlan, today: date, at_once: int | None) -> int:
    """Write the first ``at_once`` rows of the plan and say how many were written."""
    left = plan.steps if at_once is None else at_once
    class_ids = write_classes(work, school_id, plan.classes, plan.adopted)
    new = plan.new[:left]
    moved = [*plan.changed, *plan.returning][: left - len(new)]
    leaving = plan.leaving[: left - len(new) - len(moved)]
    events = [
        *_enrol(work, school_id, new, class_ids, today),
        *_move(work, school_id, moved, class_ids),
        *_let_leave(work, school_id, leaving, today),
    ]
    audit.record_many(work, events)
    return len(new) + len(moved) + len(leaving)


def _enrol(
    work: Work, school_id: UUID, new: Sequence[RosterRow], class_ids: dict[str, UUID], today: date
) -> Iterable[NewEvent]:
    rows = [
        {
            "school_id": school_id,
            "id": new_id(work.now),
            "sourced_id": row.sourced_id,
            "surname": row.surname,
            "given_name": row.given_name,
            "patronymic": row.patronymic,
            "sort_key": sort_key(full_name(row.surname, row.given_name, row.patronymic)),
            "birth_date": row.birth_date,
            "class_id": class_ids.get(row.class_key or ""),
            "diet_note": "",
            "joined_on": today,
        }
        for row in new
    ]
    insert_rows(work.session, Pupil, rows)
    for row in rows:
        payload = {"class_id": row["class_id"], "joined_on": today}
        yield NewEvent("pupils.enrol_pupil", Subject("pupil", row["id"]), payload, school_id, personal_part(row))  # type: ignore[arg-type]


def _move(work: Work, school_id: UUID, moved: Sequence[Change], class_ids: dict[str, UUID]) -> Iterable[NewEvent]:
    rows = move_pupils(work, school_id, moved, class_ids)
    for change, row in zip(moved, rows, strict=True):
        action = "pupils.pupil_returns" if change.pupil.has_left else "pupils.change_pupil"
        payload = {"class_id": row["class_id"], "changed": list(change.fields)}
        yield NewEvent(action, Subject("pupil", change.pupil.id), payload, school_id, personal_part(row))


def _let_leave(work: Work, school_id: UUID, leaving: Sequence[KnownPupil], today: date) -> Iterable[NewEvent]:
    if leaving:
        let_leave(work, school_id, [one.id for one in leaving], today)
    for one in leaving:
        yield NewEvent("pupils.pupil_leaves", Subject("pupil", one.id), {"on": today}, school_id)


def _list_guardians(work: Work, school_id: UUID, import_id: UUID, roster: Roster) -> None:
    """Bring the list of guardians up to the file, once its pupils are in."""
    if roster.guardians is None:
        return
    wanted = select(Pupil.sourced_id, Pupil.id).where(Pupil.school_id == school_id, Pupil.left_on.is_(None))
    on_roll = {sourced_id: pupil_id for sourced_id, pupil_id in work.session.execute(wanted)}  # noqa: C416 (a Row is no pair to dict's types)
    ids = {row.sourced_id: on_roll[row.sourced_id] for row in roster.rows}
    plan = plan_guardians(roster, ids, known_guardians(work, school_id))
    if plan:
        write_guardians(work, school_id, plan)
        payload = {"new": len(plan.new), "changed": len(plan.changed), "gone": len(plan.gone)}
        audit.record(work, "pupils.list_guardians", Subject("roster-import", import_id), payload, school_id=school_id)


def _lock(work: Work, school_id: UUID, import_id: UUID) -> RosterImport:
    wanted = select(RosterImport).where(RosterImport.school_id == school_id, RosterImport.id == import_id)
    if (row := work.session.scalar(wanted.with_for_update())) is None:
        raise NotFound
    if row.applied_at is not None or row.dropped_at is not None:
        raise _is_over()
    return row


def _change(work: Work, row: RosterImport, **values: Any) -> None:
    work.session.execute(
        update(RosterImport)
        .where(RosterImport.school_id == row.school_id, RosterImport.id == row.id)
        .values(**values)
        .execution_options(synchronize_session="evaluate")
    )


def _is_over() -> Conflict:
    return Conflict("import-is-over", N_("This file has been applied or dropped already. Upload it again."))
