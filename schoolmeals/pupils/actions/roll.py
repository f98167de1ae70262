"""Pupils come, change and leave, one by one or many at once."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from schoolmeals import audit
from schoolmeals.audit import Subject
from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.pupils.access import require_office
from schoolmeals.pupils.facts import AllergenFact, NewPupil
from schoolmeals.pupils.models import Pupil, PupilAllergen, SchoolClass
from schoolmeals.pupils.roster_writing import let_leave
from schoolmeals.pupils.rules import (
    NAME_LENGTH,
    NOTE_LENGTH,
    SEVERITIES,
    class_name,
    cleaned,
    full_name,
    known_allergen,
    sort_key,
)


def open_class(work: Work, school_id: UUID, name: str, *, shift: int = 1) -> UUID:
    """The class of that name, opened where the school has none yet. Raises Invalid ``class-name``."""
    require_office(work, school_id)
    if (understood := class_name(name)) is None:
        sentence = N_("Write the class as year and letter, for example 5 «А».")
        raise Invalid("class-name", sentence, fields={"class_name": [FieldProblem.of("class-name", sentence)]})
    known = work.session.scalar(
        select(SchoolClass.id)
        .where(SchoolClass.school_id == school_id)
        .where((SchoolClass.sourced_id == understood.key) | (SchoolClass.name == understood.name))
        .limit(1)
    )
    if known is not None:
        return known
    class_id = new_id(work.now)
    row = {
        "school_id": school_id,
        "id": class_id,
        "sourced_id": understood.key,
        "name": understood.name,
        "sort_key": sort_key(understood.name),
        "grade": understood.grade,
        "shift": shift,
    }
    insert_rows(work.session, SchoolClass, [row])
    payload = {"grade": understood.grade, "name": understood.name, "shift": shift}
    audit.record(work, "pupils.open_class", Subject("class", class_id), payload, school_id=school_id)
    return class_id


def enrol_pupil(work: Work, school_id: UUID, new: NewPupil) -> UUID:
    """Put somebody on the roll and say under which id. Raises Invalid, NotFound (no such class), Conflict."""
    return enrol_pupils(work, school_id, [new])[0]


def enrol_pupils(work: Work, school_id: UUID, new: Sequence[NewPupil]) -> list[UUID]:
    """Put many on the roll at once, with a fixed number of statements; their ids in the same order."""
    require_office(work, school_id)
    _require_classes(work, school_id, {one.class_id for one in new if one.class_id is not None})
    rows = [_row(work, school_id, one) for one in new]
    _require_new(work, school_id, [row["sourced_id"] for row in rows])
    insert_rows(work.session, Pupil, rows)
    audit.record_many(
        work,
        [
            audit.NewEvent(
                "pupils.enrol_pupil",
                Subject("pupil", row["id"]),
                {"class_id": row["class_id"], "joined_on": row["joined_on"]},
                school_id,
                personal_part(row),
            )
            for row in rows
        ],
    )
    return [row["id"] for row in rows]


def personal_part(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a pupil's row names a person, for the erasable part of an event."""
    names = ("surname", "given_name", "patronymic", "birth_date", "sourced_id")
    return {name: row[name] for name in names if name in row}


def change_pupil(work: Work, school_id: UUID, pupil_id: UUID, new: NewPupil) -> None:
    """Give a pupil the name, birth date, class and diet note of ``new``. Raises Invalid and NotFound."""
    require_office(work, school_id)
    _require_classes(work, school_id, {new.class_id} - {None})  # type: ignore[arg-type]
    row = _lock(work, school_id, pupil_id)
    values = {**_names(new), "class_id": new.class_id, "birth_date": new.birth_date, "diet_note": _note(new.diet_note)}
    changed = sorted(name for name, value in values.items() if getattr(row, name) != value and name != "sort_key")
    if not changed:
        return
    work.session.execute(update(Pupil).where(Pupil.school_id == school_id, Pupil.id == pupil_id).values(**values))
    audit.record(
        work,
        "pupils.change_pupil",
        Subject("pupil", pupil_id),
        {"class_id": new.class_id, "changed": changed},
        school_id=school_id,
        personal={**personal_part(values), "diet_note": values["diet_note"]},
    )


def set_allergens(work: Work, school_id: UUID, pupil_id: UUID, allergens: Sequence[AllergenFact]) -> None:
    """Let ``allergens`` be all that the pupil must not eat. Raises Invalid and NotFound."""
    require_office(work, school_id)
    _lock(work, school_id, pupil_id)
    wanted = {}
    for allergen, severity in allergens:
        code = cleaned(allergen)
        if not known_allergen(code) or severity not in SEVERITIES:
            sentence = N_("Choose allergens from the list, or write what else it is in at most 100 letters.")
            raise Invalid("allergen", sentence, fields={"allergens": [FieldProblem.of("allergen", sentence)]})
        wanted[code] = severity
    work.session.execute(
        delete(PupilAllergen).where(PupilAllergen.school_id == school_id, PupilAllergen.pupil_id == pupil_id)
    )
    common = {"school_id": school_id, "pupil_id": pupil_id, "noted_by": work.actor.id, "noted_at": work.now}
    rows = [{**common, "allergen": code, "severity": severity} for code, severity in sorted(wanted.items())]
    insert_rows(work.session, PupilAllergen, rows)
    audit.record(
        work,
        "pupils.set_allergens",
        Subject("pupil", pupil_id),
        {"number": len(wanted)},
        school_id=school_id,
        personal={"allergens": [[code, severity] for code, severity in sorted(wanted.items())]},
    )


def pupil_leaves(work: Work, school_id: UUID, pupil_id: UUID, *, on: date | None = None) -> None:
    """Mark a pupil as left. Their cards end; their purse and all that they ate stay. Raises NotFound and Conflict."""
    require_office(work, school_id)
    if _lock(work, school_id, pupil_id).left_on is not None:
        raise Conflict("pupil-left", N_("This pupil has already left the school."))
    let_leave(work, school_id, [pupil_id], on or work.today)
    audit.record(work, "pupils.pupil_leaves", Subject("pupil", pupil_id), {"on": on}, school_id=school_id)


def pupil_returns(work: Work, school_id: UUID, pupil_id: UUID) -> None:
    """Put somebody who left back on the roll, with their purse and their past. Raises NotFound and Conflict."""
    require_office(work, school_id)
    if _lock(work, school_id, pupil_id).left_on is None:
        raise Conflict("pupil-is-here", N_("This pupil is on the roll."))
    work.session.execute(update(Pupil).where(Pupil.school_id == school_id, Pupil.id == pupil_id).values(left_on=None))
    audit.record(work, "pupils.pupil_returns", Subject("pupil", pupil_id), {}, school_id=school_id)


def _lock(work: Work, school_id: UUID, pupil_id: UUID) -> Pupil:
    wanted = select(Pupil).where(Pupil.school_id == school_id, Pupil.id == pupil_id).with_for_update()
    if (row := work.session.scalar(wanted)) is None:
        raise NotFound
    return row


def _row(work: Work, school_id: UUID, new: NewPupil) -> dict[str, Any]:
    pupil_id = new.id or new_id(work.now)
    return {
        "school_id": school_id,
        "id": pupil_id,
        "sourced_id": new.sourced_id or f"own-{pupil_id}",
        **_names(new),
        "birth_date": new.birth_date,
        "class_id": new.class_id,
        "diet_note": _note(new.diet_note),
        "joined_on": new.joined_on or work.today,
    }


def _names(new: NewPupil) -> dict[str, str]:
    """The cleaned names with their sort key. Raises Invalid with the fields that are empty or too long."""
    names = {"surname": new.surname, "given_name": new.given_name, "patronymic": new.patronymic}
    clean = {name: cleaned(text) for name, text in names.items()}
    fields = {}
    for name, text in clean.items():
        if not text and name != "patronymic":
            fields[name] = [FieldProblem.of("missing", N_("Write the name."))]
        elif len(text) > NAME_LENGTH:
            fields[name] = [FieldProblem.of("too-long", N_("A name has at most 100 letters."))]
    if fields:
        raise Invalid(fields=fields)
    return {**clean, "sort_key": sort_key(full_name(**clean))}


def _note(text: str) -> str:
    note = cleaned(text)
    if len(note) > NOTE_LENGTH:
        raise Invalid(fields={"diet_note": [FieldProblem.of("too-long", N_("A note has at most 500 letters."))]})
    return note


def _require_classes(work: Work, school_id: UUID, class_ids: set[UUID]) -> None:
    if class_ids:
        found = work.session.scalars(
            select(SchoolClass.id).where(SchoolClass.school_id == school_id, SchoolClass.id.in_(class_ids))
        )
        if set(found) != class_ids:
            sentence = N_("Choose a class of this school.")
            raise Invalid("no-such-class", sentence, fields={"class_id": [FieldProblem.of("no-class", sentence)]})


def _require_new(work: Work, school_id: UUID, sourced_ids: Sequence[str]) -> None:
    known = work.session.scalar(
        select(Pupil.id).where(Pupil.school_id == school_id, Pupil.sourced_id.in_(sourced_ids)).limit(1)
    )
    if known is not None or len(set(sourced_ids)) != len(sourced_ids):
        raise Conflict("pupil-is-known", N_("A pupil with this number is already on the school's roll."))
