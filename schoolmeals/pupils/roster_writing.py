"""Writing many classes, pupils and listed guardians with a fixed number of statements."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text, update

from schoolmeals.database import Work, insert_rows
from schoolmeals.ids import new_id
from schoolmeals.pupils.guardian_plan import GuardianPlan, KnownGuardian
from schoolmeals.pupils.models import Card, ClaimCode, ListedGuardian, Pupil, SchoolClass
from schoolmeals.pupils.roster import GuardianRow, RosterClass
from schoolmeals.pupils.roster_plan import Change
from schoolmeals.pupils.rules import full_name, sort_key

_MOVE: Final = text(
    """
    UPDATE pupil AS p
    SET sourced_id = n.sourced_id, surname = n.surname, given_name = n.given_name, patronymic = n.patronymic,
        sort_key = n.sort_key, birth_date = coalesce(n.birth_date, p.birth_date),
        class_id = coalesce(n.class_id, p.class_id), left_on = NULL
    FROM unnest(
        CAST(:id AS uuid[]), CAST(:sourced_id AS text[]), CAST(:surname AS text[]), CAST(:given_name AS text[]),
        CAST(:patronymic AS text[]), CAST(:sort_key AS text[]), CAST(:birth_date AS date[]), CAST(:class_id AS uuid[])
    ) AS n(id, sourced_id, surname, given_name, patronymic, sort_key, birth_date, class_id)
    WHERE p.school_id = :school_id AND p.id = n.id
    """
)
_RENAME: Final = text(
    """
    UPDATE listed_guardian AS g
    SET sourced_id = n.sourced_id, name = n.name, relation = n.relation, email = n.email, phone = n.phone,
        listed_at = :now, unlisted_at = NULL
    FROM unnest(
        CAST(:id AS uuid[]), CAST(:sourced_id AS text[]), CAST(:name AS text[]), CAST(:relation AS text[]),
        CAST(:email AS text[]), CAST(:phone AS text[])
    ) AS n(id, sourced_id, name, relation, email, phone)
    WHERE g.school_id = :school_id AND g.id = n.id
    """
)
_OF_ROW: Final = ("sourced_id", "name", "relation", "email", "phone")


def write_classes(
    work: Work, school_id: UUID, classes: Sequence[RosterClass], adopted: Mapping[str, str]
) -> dict[str, UUID]:
    """Open and rename ``classes``; the ids of all the school's classes by their sourced ids."""
    for old, new in adopted.items():
        work.session.execute(
            update(SchoolClass)
            .where(SchoolClass.school_id == school_id, SchoolClass.sourced_id == old)
            .values(sourced_id=new)
        )
    known = _class_ids(work, school_id)
    rows: list[dict[str, Any]] = []
    for one in classes:
        values = {"name": one.name, "sort_key": sort_key(one.name), "grade": one.grade}
        if one.key in known:
            work.session.execute(
                update(SchoolClass)
                .where(SchoolClass.school_id == school_id, SchoolClass.id == known[one.key])
                .values(**values)
            )
        else:
            rows.append({"school_id": school_id, "id": new_id(work.now), "sourced_id": one.key, "shift": 1, **values})
    insert_rows(work.session, SchoolClass, rows)
    return {**known, **{row["sourced_id"]: row["id"] for row in rows}}


def move_pupils(
    work: Work, school_id: UUID, moved: Sequence[Change], class_ids: Mapping[str, UUID]
) -> list[dict[str, Any]]:
    """Give pupils what their rows say, and put those who had left back on the roll; the values in the same order."""
    rows = [_moved(change, class_ids) for change in moved]
    if rows:
        arrays = {name: [row[name] for row in rows] for name in rows[0]}
        work.session.execute(_MOVE, {"school_id": school_id, **arrays})
    return rows


def let_leave(work: Work, school_id: UUID, pupil_ids: Sequence[UUID], on: date) -> None:
    """Mark ``pupil_ids`` as left and end their cards: two statements. Whoever calls it records the deed."""
    work.session.execute(update(Pupil).where(Pupil.school_id == school_id, Pupil.id.in_(pupil_ids)).values(left_on=on))
    work.session.execute(
        update(Card)
        .where(Card.school_id == school_id, Card.pupil_id.in_(pupil_ids), Card.replaced_at.is_(None))
        .values(replaced_at=work.now)
    )


def known_guardians(work: Work, school_id: UUID) -> list[KnownGuardian]:
    """Everybody whom a roll of the school has ever called a guardian."""
    rows = work.session.scalars(select(ListedGuardian).where(ListedGuardian.school_id == school_id))
    return [
        KnownGuardian(
            row.id,
            row.pupil_id,
            GuardianRow(row.sourced_id, row.name, row.relation, row.email, row.phone),
            row.unlisted_at is None,
        )
        for row in rows
    ]


def write_guardians(work: Work, school_id: UUID, plan: GuardianPlan) -> None:
    """List, rename and unlist guardians. Codes that were made for somebody who is gone end."""
    common = {"school_id": school_id, "listed_at": work.now}
    insert_rows(
        work.session,
        ListedGuardian,
        [{"id": new_id(work.now), "pupil_id": pupil_id, **_said(row), **common} for pupil_id, row in plan.new],
    )
    if plan.changed:
        said = [_said(row) for _, row in plan.changed]
        arrays = {name: [one[name] for one in said] for name in _OF_ROW}
        ids = [listed_id for listed_id, _ in plan.changed]
        work.session.execute(_RENAME, {"school_id": school_id, "now": work.now, "id": ids, **arrays})
    if plan.gone:
        work.session.execute(
            update(ListedGuardian)
            .where(ListedGuardian.school_id == school_id, ListedGuardian.id.in_(plan.gone))
            .values(unlisted_at=work.now)
        )
        end_codes_for(work, school_id, plan.gone)


def end_codes_for(work: Work, school_id: UUID, listed_ids: Sequence[UUID]) -> None:
    """Nobody can use any more what was made for these guardians of the list and was not used."""
    work.session.execute(
        update(ClaimCode)
        .where(
            ClaimCode.school_id == school_id,
            ClaimCode.listed_id.in_(listed_ids),
            ClaimCode.used_at.is_(None),
            ClaimCode.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=work.now)
    )


def _said(row: GuardianRow) -> dict[str, str]:
    return {name: getattr(row, name) for name in _OF_ROW}


def _moved(change: Change, class_ids: Mapping[str, UUID]) -> dict[str, Any]:
    row, pupil = change.row, change.pupil
    patronymic = row.patronymic or pupil.patronymic
    return {
        "id": pupil.id,
        "sourced_id": row.sourced_id if "sourced_id" in change.fields else pupil.sourced_id,
        "surname": row.surname,
        "given_name": row.given_name,
        "patronymic": patronymic,
        "sort_key": sort_key(full_name(row.surname, row.given_name, patronymic)),
        "birth_date": row.birth_date,
        "class_id": class_ids.get(row.class_key or ""),
    }


def _class_ids(work: Work, school_id: UUID) -> dict[str, UUID]:
    rows = work.session.execute(
        select(SchoolClass.sourced_id, SchoolClass.id).where(SchoolClass.school_id == school_id)
    )
    return {key: class_id for key, class_id in rows}  # noqa: C416 (a Row is no pair to dict's types)
