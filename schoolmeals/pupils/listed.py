"""The guardians whom the school's list names: who they are, who was invited, who has joined. For the office alone."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select

from schoolmeals import identity
from schoolmeals.database import Work
from schoolmeals.errors import NotFound
from schoolmeals.pupils.access import require_office
from schoolmeals.pupils.facts import DroppedFacts, ListedFacts
from schoolmeals.pupils.models import ClaimCode, ListedGuardian, Pupil
from schoolmeals.pupils.queries import guardians_of
from schoolmeals.pupils.rules import full_name


def listed_guardians(work: Work, school_id: UUID, pupil_ids: Sequence[UUID]) -> dict[UUID, list[ListedFacts]]:
    """The listed guardians of each of ``pupil_ids``, by name; an empty list for a pupil without any.

    Five statements, whatever the number of pupils. Raises NotFound.
    """
    require_office(work, school_id)
    wanted = select(ListedGuardian).where(
        ListedGuardian.school_id == school_id,
        ListedGuardian.pupil_id.in_(pupil_ids),
        ListedGuardian.unlisted_at.is_(None),
    )
    rows = work.session.scalars(wanted.order_by(ListedGuardian.name, ListedGuardian.id)).all()
    codes = _codes(work, school_id, [row.id for row in rows])
    here = _present(work, school_id, pupil_ids)
    listed: dict[UUID, list[ListedFacts]] = {pupil_id: [] for pupil_id in pupil_ids}
    for row in rows:
        listed[row.pupil_id].append(_facts(row, codes.get(row.id, []), here[row.pupil_id], work.now))
    return listed


def listed_guardian(work: Work, school_id: UUID, listed_id: UUID) -> ListedFacts:
    """One of them. Raises NotFound, also for somebody whom the list no longer names or whose pupil has left."""
    require_office(work, school_id)
    wanted = (
        select(ListedGuardian.pupil_id)
        .join(Pupil, (Pupil.school_id == ListedGuardian.school_id) & (Pupil.id == ListedGuardian.pupil_id))
        .where(ListedGuardian.school_id == school_id, ListedGuardian.id == listed_id, Pupil.left_on.is_(None))
    )
    pupil_id = work.session.scalar(wanted)
    found = listed_guardians(work, school_id, [pupil_id])[pupil_id] if pupil_id else []
    for one in found:
        if one.id == listed_id:
            return one
    raise NotFound


def dropped_guardians(work: Work, school_id: UUID, pupil_id: UUID | None = None) -> list[DroppedFacts]:
    """Who came in, was on the list, and is on it no more: the office decides whether they go on seeing the pupil.

    Of one pupil, or of all on the roll, by the pupil's name; five statements, whatever their number. Raises NotFound.
    """
    require_office(work, school_id)
    wanted = (
        select(ListedGuardian, Pupil.surname, Pupil.given_name)
        .join(Pupil, (Pupil.school_id == ListedGuardian.school_id) & (Pupil.id == ListedGuardian.pupil_id))
        .where(ListedGuardian.school_id == school_id, Pupil.left_on.is_(None))
        .order_by(Pupil.sort_key, ListedGuardian.name, ListedGuardian.id)
    )
    gone_of = select(ListedGuardian.pupil_id).where(
        ListedGuardian.school_id == school_id, ListedGuardian.unlisted_at.is_not(None)
    )
    in_question = ListedGuardian.pupil_id.in_(gone_of) if pupil_id is None else ListedGuardian.pupil_id == pupil_id
    rows = work.session.execute(wanted.where(in_question)).all()
    codes = _codes(work, school_id, [row.id for row, *_ in rows])
    marks = {row.id: _marks(row, codes.get(row.id, [])) for row, *_ in rows}
    named = {(row.pupil_id, mark) for row, *_ in rows if row.unlisted_at is None for mark in marks[row.id]}
    here = _people(work, school_id, list({row.pupil_id for row, *_ in rows}))
    dropped: dict[tuple[UUID, UUID], DroppedFacts] = {}
    for row, surname, given_name in rows:
        if (unlisted_at := row.unlisted_at) is None:
            continue
        for one in here[row.pupil_id]:
            own = {one.id, one.email, one.phone}
            if own & marks[row.id] and not named & {(row.pupil_id, mark) for mark in own}:
                name = full_name(surname, given_name)
                dropped[row.pupil_id, one.id] = DroppedFacts(row.pupil_id, name, one.id, one.name, unlisted_at)
    return list(dropped.values())


def classes_to_write_to(work: Work, school_id: UUID) -> set[UUID]:
    """The classes in which the list has somebody with an e-mail address to whom no code was given. Raises NotFound."""
    require_office(work, school_id)
    was_invited = exists().where(
        ClaimCode.school_id == ListedGuardian.school_id,
        ClaimCode.listed_id == ListedGuardian.id,
        ClaimCode.withdrawn_at.is_(None),
        ClaimCode.used_at.is_not(None) | (ClaimCode.expires_at > work.now),
    )
    wanted = (
        select(Pupil.class_id)
        .join(ListedGuardian, (ListedGuardian.school_id == Pupil.school_id) & (ListedGuardian.pupil_id == Pupil.id))
        .where(
            Pupil.school_id == school_id,
            Pupil.left_on.is_(None),
            Pupil.class_id.is_not(None),
            ListedGuardian.unlisted_at.is_(None),
            ListedGuardian.email != "",
            ~was_invited,
        )
    )
    return {class_id for class_id in work.session.scalars(wanted.distinct()) if class_id}


def _codes(work: Work, school_id: UUID, listed_ids: Sequence[UUID]) -> dict[UUID, list[ClaimCode]]:
    wanted = select(ClaimCode).where(
        ClaimCode.school_id == school_id, ClaimCode.listed_id.in_(listed_ids), ClaimCode.withdrawn_at.is_(None)
    )
    codes: dict[UUID, list[ClaimCode]] = {}
    for code in work.session.scalars(wanted.order_by(ClaimCode.printed_at)):
        assert code.listed_id is not None
        codes.setdefault(code.listed_id, []).append(code)
    return codes


def _people(work: Work, school_id: UUID, pupil_ids: Sequence[UUID]) -> dict[UUID, list[identity.PersonFacts]]:
    """The standing guardians of each pupil."""
    standing = guardians_of(work, school_id, pupil_ids)
    people = identity.people(work, {one.person_id for ties in standing.values() for one in ties})
    return {pupil_id: [people[one.person_id] for one in ties] for pupil_id, ties in standing.items()}


def _present(work: Work, school_id: UUID, pupil_ids: Sequence[UUID]) -> dict[UUID, set[object]]:
    """By what the standing guardians of each pupil are known: their ids, addresses and numbers."""
    return {
        pupil_id: {mark for one in people for mark in (one.id, one.email, one.phone) if mark}
        for pupil_id, people in _people(work, school_id, pupil_ids).items()
    }


def _marks(row: ListedGuardian, codes: Sequence[ClaimCode]) -> set[object]:
    """By what somebody of the list is known: their address, their number, and who used a code of theirs."""
    return {mark for mark in (row.email, row.phone, *(code.used_by for code in codes)) if mark}


def _facts(row: ListedGuardian, codes: Sequence[ClaimCode], here: Collection[object], now: datetime) -> ListedFacts:
    has_joined = bool(_marks(row, codes) & set(here))
    open_codes = [code for code in codes if code.used_at is None and code.expires_at > now]
    invited = open_codes[-1] if open_codes else None
    return ListedFacts(
        row.id,
        row.pupil_id,
        row.name,
        row.relation,
        row.email,
        row.phone,
        invited.printed_at if invited else None,
        invited.expires_at if invited else None,
        has_joined,
    )
