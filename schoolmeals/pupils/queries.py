"""Looking at the roll. Everything is scoped to ``work.actor``, but for ``till_facts``, whose caller has checked."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    Select,
    Uuid,
    any_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    select,
    text,
)

from schoolmeals.actors import ActorKind
from schoolmeals.asking import Chosen, Question, array_of
from schoolmeals.database import Work, text_of
from schoolmeals.errors import NotFound
from schoolmeals.pupils.access import keeps_roll, reads_roll, require_reader
from schoolmeals.pupils.facts import (
    AllergenFact,
    CardFacts,
    ClassFacts,
    GuardianFacts,
    Picture,
    PupilFacts,
    PupilPage,
    ShownCard,
    TillFacts,
)
from schoolmeals.pupils.models import Card, Guardianship, Photo, Pupil, PupilAllergen, SchoolClass
from schoolmeals.pupils.rules import sort_key

PAGE: Final = 50
LARGEST_PAGE: Final = 200

_CARDS_BY_NUMBER: Final = """
    WITH held AS (
        SELECT DISTINCT ON (number_hash)
               number_hash, id, pupil_id, kind, blocked_at, block_reason, expires_on, replaced_at
          FROM card
         WHERE school_id = %(school_id)s AND number_hash = ANY(CAST(%(numbers)s AS bytea[]))
         ORDER BY number_hash, replaced_at DESC NULLS FIRST, issued_at DESC
    )
    SELECT held.*
      FROM (SELECT set_config('schoolmeals.named', CAST(ARRAY(
                SELECT id FROM pupil WHERE school_id = %(school_id)s AND id = ANY(CAST(%(ids)s AS uuid[]))
                 UNION
                SELECT pupil_id FROM held) AS text), true)) AS naming
      LEFT JOIN held ON true
"""
"""The cards, and a row without one where there are none: everybody who is meant is named in any case."""
NAMED: Final = Chosen("SELECT unnest(CAST(current_setting('schoolmeals.named') AS uuid[]))", {})
"""The pupils whom the first of ``till_questions`` has found, for whatever is asked after it in the same deed."""

_SCHOOL_ID: Final = bindparam("school_id", type_=Uuid())
_ID: Final = bindparam("id", type_=Uuid())
_PERSON_ID: Final = bindparam("person_id", type_=Uuid())

_ALLERGENS: Final = (
    select(
        func.coalesce(
            func.jsonb_agg(func.jsonb_build_array(PupilAllergen.allergen, PupilAllergen.severity)),
            func.jsonb_build_array(),
        )
    )
    .where(PupilAllergen.school_id == Pupil.school_id, PupilAllergen.pupil_id == Pupil.id)
    .correlate(Pupil)
    .scalar_subquery()
)


def _facts_statement() -> Select[Any]:
    """Pupils with their class and what they must not eat, as one row each, in the order of :class:`PupilFacts`."""
    columns: list[Any] = [
        Pupil.school_id,
        Pupil.id,
        Pupil.surname,
        Pupil.given_name,
        Pupil.patronymic,
        Pupil.class_id,
        func.coalesce(SchoolClass.name, literal_column("''")).label("class_name"),
        SchoolClass.grade,
        Pupil.photo_id,
        Pupil.diet_note,
        _ALLERGENS.label("allergens"),
        Pupil.joined_on,
        Pupil.left_on,
        Pupil.birth_date,
        Pupil.sourced_id,
    ]
    return select(*columns).outerjoin(
        SchoolClass, (SchoolClass.school_id == Pupil.school_id) & (SchoolClass.id == Pupil.class_id)
    )


@cache
def _facts_at_till() -> str:
    """The same as a text that is sent as it is, for tills: of those who are named, in the school ``%(school_id)s``."""
    named = text(f"pupil.id = ANY(ARRAY({NAMED.statement}))")
    return text_of(_facts_statement().where(Pupil.school_id == _SCHOOL_ID, named))


@cache
def _facts_of_one(*, for_guardian: bool) -> str:
    """The same of the pupil ``%(id)s``; for a guardian only where they are ``%(person_id)s``."""
    wanted = _facts_statement().where(Pupil.school_id == _SCHOOL_ID, Pupil.id == _ID)
    return text_of(wanted.where(_has_guardian(_PERSON_ID)) if for_guardian else wanted)


@cache
def _pupil_of_guardian() -> str:
    return text_of(select(Pupil.id).where(Pupil.school_id == _SCHOOL_ID, Pupil.id == _ID, _has_guardian(_PERSON_ID)))


def _facts(row: Any) -> PupilFacts:
    values = list(row)
    values[_PLACE_OF_ALLERGENS] = tuple(sorted(AllergenFact(code, severity) for code, severity in row.allergens))
    return PupilFacts(*values)


_PLACE_OF_ALLERGENS: Final = [field.name for field in fields(PupilFacts)].index("allergens")


def _is_guardian_of(work: Work) -> Any:
    """A condition on Pupil: the actor is a standing guardian."""
    return _has_guardian(work.actor.id)


def _has_guardian(person_id: Any) -> Any:
    return exists().where(
        Guardianship.school_id == Pupil.school_id,
        Guardianship.pupil_id == Pupil.id,
        Guardianship.person_id == person_id,
        Guardianship.ended_at.is_(None),
    )


def pupil(work: Work, school_id: UUID, pupil_id: UUID) -> PupilFacts:
    """One pupil, for their guardians, the people and tills of the school, and the city. Raises NotFound."""
    wanted = _facts_of_one(for_guardian=not reads_roll(work.actor, school_id))
    return _facts(_found(work, wanted, school_id, pupil_id))


def my_pupils(work: Work) -> list[PupilFacts]:
    """The pupils whose guardian acts, in all schools: the youngest class first, those who left last.

    Who left is told too, because their purse may still hold money.
    """
    if work.actor.kind is not ActorKind.PERSON:
        return []
    wanted = _facts_statement().where(_is_guardian_of(work))
    ordered = wanted.order_by(Pupil.left_on.is_not(None), SchoolClass.grade, Pupil.sort_key, Pupil.id)
    return [_facts(row) for row in work.session.execute(ordered)]


def ties_of(person_id: UUID | None) -> CTE:
    """The pupils of a guardian (school_id, pupil_id): a part of a statement that another room sends with its own."""
    mine = select(Guardianship.school_id, Guardianship.pupil_id)
    return mine.where(Guardianship.person_id == person_id, Guardianship.ended_at.is_(None)).cte("ties")


def shifts_of_classes(work: Work, school_id: UUID, class_ids: Collection[UUID]) -> dict[UUID, int]:
    """In which shift classes of a school learn. The caller answers for the school."""
    wanted = select(SchoolClass.id, SchoolClass.shift)
    found = work.session.execute(wanted.where(SchoolClass.school_id == school_id, SchoolClass.id.in_(class_ids)))
    return dict(found.all())


def require_guardian(work: Work, school_id: UUID, pupil_id: UUID) -> None:
    """Raise NotFound where the actor is no standing guardian of the pupil."""
    if work.actor.kind is not ActorKind.PERSON:
        raise NotFound
    _found(work, _pupil_of_guardian(), school_id, pupil_id)


def _found(work: Work, statement: str, school_id: UUID, pupil_id: UUID) -> Any:
    one = Question(statement, {"school_id": school_id, "id": pupil_id, "person_id": work.actor.id}, list)
    work.ask(one)
    if not one.answer:
        raise NotFound
    return one.answer[0]


def till_facts(work: Work, school_id: UUID, *, number_hashes: Sequence[bytes], pupil_ids: Sequence[UUID]) -> TillFacts:
    """The cards with these numbers, and their pupils and those of ``pupil_ids``, whatever the number of them.

    The caller has checked that the actor is a till of the school.
    """
    cards, people = till_questions(school_id, number_hashes, pupil_ids)
    work.ask(cards, people)
    return TillFacts(cards.answer, people.answer)


def till_questions(
    school_id: UUID, number_hashes: Sequence[bytes], pupil_ids: Sequence[UUID]
) -> tuple[Question[dict[bytes, CardFacts]], Question[dict[UUID, PupilFacts]]]:
    """What ``till_facts`` asks, to be sent in this order with others: the cards by number, which also says who is
    ``NAMED``, and the pupils by id.

    Of cards that had the same number one after the other, the standing one counts, else the last.
    """
    own = {"school_id": school_id, "numbers": array_of(number_hashes), "ids": array_of(pupil_ids)}
    cards = Question(_CARDS_BY_NUMBER, own, _cards)
    people = Question(_facts_at_till(), {"school_id": school_id}, lambda rows: {row.id: _facts(row) for row in rows})
    return cards, people


def _cards(rows: list[Any]) -> dict[bytes, CardFacts]:
    return {row[0]: CardFacts(*row[1:]) for row in rows if row[0] is not None}


def guardians_of(work: Work, school_id: UUID, pupil_ids: Sequence[UUID]) -> dict[UUID, list[GuardianFacts]]:
    """The standing guardians of each of ``pupil_ids``, the first one first; an empty list for a pupil without any.

    Guardians are told of the pupils that are theirs too; of others, only those who keep or read the roll are.
    """
    wanted = (
        select(Guardianship.pupil_id, Guardianship.person_id, Guardianship.relation, Guardianship.since)
        .join(Pupil, (Pupil.school_id == Guardianship.school_id) & (Pupil.id == Guardianship.pupil_id))
        .where(
            Guardianship.school_id == school_id,
            Guardianship.pupil_id == any_(literal(list(pupil_ids), ARRAY(Uuid()))),
            Guardianship.ended_at.is_(None),
        )
        .order_by(Guardianship.since, Guardianship.id)
    )
    if not reads_roll(work.actor, school_id):
        mine = select(Guardianship.pupil_id).where(
            Guardianship.school_id == school_id,
            Guardianship.person_id == work.actor.id,
            Guardianship.ended_at.is_(None),
        )
        wanted = wanted.where(Guardianship.pupil_id.in_(mine))
    guardians: dict[UUID, list[GuardianFacts]] = {pupil_id: [] for pupil_id in pupil_ids}
    for pupil_id, person_id, relation, since in work.session.execute(wanted):
        guardians[pupil_id].append(GuardianFacts(person_id, relation, since))
    return guardians


def classes_of_school(work: Work, school_id: UUID) -> list[ClassFacts]:
    """The classes of a school with the number of their pupils now, the youngest first. Raises NotFound."""
    require_reader(work, school_id)
    counts = (
        select(Pupil.class_id, func.count().label("pupils"))
        .where(Pupil.school_id == school_id, Pupil.left_on.is_(None))
        .group_by(Pupil.class_id)
        .subquery()
    )
    rows = work.session.execute(
        select(
            SchoolClass.school_id,
            SchoolClass.id,
            SchoolClass.name,
            SchoolClass.grade,
            SchoolClass.shift,
            func.coalesce(counts.c.pupils, 0),
        )
        .outerjoin(counts, counts.c.class_id == SchoolClass.id)
        .where(SchoolClass.school_id == school_id)
        .order_by(SchoolClass.grade, SchoolClass.sort_key, SchoolClass.id)
    )
    return [ClassFacts(*row) for row in rows]


def pupil_counts(work: Work, school_id: UUID) -> dict[int, int]:
    """How many pupils are on a school's roll now, by grade; those in no class do not count.

    Numbers alone, which are public: not scoped.
    """
    rows = work.session.execute(
        select(SchoolClass.grade, func.count().label("pupils"))
        .join(Pupil, (Pupil.school_id == SchoolClass.school_id) & (Pupil.class_id == SchoolClass.id))
        .where(SchoolClass.school_id == school_id, Pupil.left_on.is_(None))
        .group_by(SchoolClass.grade)
        .order_by(SchoolClass.grade)
    )
    return {row.grade: row.pupils for row in rows}


def pupils_of_school(
    work: Work,
    school_id: UUID,
    *,
    class_id: UUID | None = None,
    search: str | None = None,
    without_card: bool = False,
    left: bool = False,
    page: int = 1,
    per_page: int = PAGE,
) -> PupilPage:
    """A page of the roll, by class and name. ``left``: those who left instead of those who are there. Raises NotFound.

    ``search`` is beginnings of names, in any order: every one must be there.
    """
    require_reader(work, school_id)
    conditions = [Pupil.school_id == school_id, Pupil.left_on.is_not(None) if left else Pupil.left_on.is_(None)]
    if class_id is not None:
        conditions.append(Pupil.class_id == class_id)
    words = [word for word in sort_key(search or "").split("0") if word]
    conditions += [Pupil.sort_key.startswith(word) | Pupil.sort_key.contains(f"0{word}") for word in words]
    if without_card:
        conditions.append(~_has_card())
    per_page = max(1, min(per_page, LARGEST_PAGE))
    page = max(1, page)
    rows = work.session.execute(
        _facts_statement()
        .where(*conditions)
        .order_by(SchoolClass.grade.nulls_last(), SchoolClass.sort_key, Pupil.sort_key, Pupil.id)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    total = work.session.scalar(select(func.count()).select_from(Pupil).where(*conditions))
    return PupilPage(tuple(_facts(row) for row in rows), total or 0, page, per_page)


def _has_card() -> Any:
    """A condition on Pupil: a card of theirs opens."""
    return exists().where(
        Card.school_id == Pupil.school_id,
        Card.pupil_id == Pupil.id,
        Card.replaced_at.is_(None),
        Card.blocked_at.is_(None),
    )


def cards_of(work: Work, school_id: UUID, pupil_id: UUID) -> list[ShownCard]:
    """The cards of a pupil that have not ended for good, the newest first. Raises NotFound."""
    pupil(work, school_id, pupil_id)
    rows = work.session.execute(
        select(
            Card.id,
            Card.pupil_id,
            Card.kind,
            Card.label,
            Card.issued_at,
            Card.expires_on,
            Card.blocked_at,
            Card.block_reason,
        )
        .where(Card.school_id == school_id, Card.pupil_id == pupil_id, Card.replaced_at.is_(None))
        .order_by(Card.issued_at.desc(), Card.id.desc())
    )
    return [ShownCard(*row) for row in rows]


def picture(work: Work, school_id: UUID, photo_id: UUID) -> Picture:
    """A photo. A pupil's is for those who may see the pupil; a dish's for all who have to do with the school.

    Raises NotFound.
    """
    wanted = select(Photo.id, Photo.media_type, Photo.content, Photo.sha256).where(
        Photo.school_id == school_id, Photo.id == photo_id
    )
    if not reads_roll(work.actor, school_id):
        whose = select(Pupil.id).where(Pupil.school_id == school_id, Pupil.photo_id == photo_id)
        shows_pupil = exists(whose)
        mine = exists(whose.where(_is_guardian_of(work)))
        any_mine = exists(select(Pupil.id).where(Pupil.school_id == school_id, _is_guardian_of(work)))
        wanted = wanted.where(mine | (~shows_pupil & any_mine))
    if (row := work.session.execute(wanted).one_or_none()) is None:
        raise NotFound
    return Picture(*row)


def may_keep_roll(work: Work, school_id: UUID) -> bool:
    """Whether the actor may change what a page of the roll shows."""
    return keeps_roll(work.actor, school_id)
