"""Guardians claim their pupils with a one-time code that the school printed; the office can see and end it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from schoolmeals import audit, identity, mail
from schoolmeals.actors import ActorKind, Role
from schoolmeals.asking import Question, array_of, nothing
from schoolmeals.audit import Subject
from schoolmeals.database import Work, insert_rows, insertion, rows_of
from schoolmeals.errors import N_, FieldProblem, Invalid, NotFound
from schoolmeals.ids import new_id
from schoolmeals.pupils.access import keeps_roll, require_office
from schoolmeals.pupils.models import ClaimCode, Guardianship, ListedGuardian, Pupil
from schoolmeals.pupils.queries import require_guardian
from schoolmeals.pupils.roster_writing import end_codes_for
from schoolmeals.pupils.rules import CLAIM_LIMIT, CLAIM_WINDOW, CODE_LASTS, RELATIONS
from schoolmeals.verdicts import Refused

_LOCK_PUPIL: Final = "SELECT id FROM pupil WHERE school_id = %(school_id)s AND id = %(pupil_id)s FOR UPDATE"
_STANDING: Final = """
    SELECT id
      FROM guardianship
     WHERE school_id = %(school_id)s AND pupil_id = %(pupil_id)s AND person_id = %(person_id)s AND ended_at IS NULL
"""
_ON_ROLL: Final = """
    SELECT id
      FROM pupil
     WHERE school_id = %(school_id)s AND id = ANY(CAST(%(pupils)s AS uuid[])) AND left_on IS NULL
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A guardian and a pupil have found each other. ``is_new`` is False where they had before."""

    school_id: UUID
    pupil_id: UUID
    is_new: bool


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody without an account says of themselves; the fields are those of ``identity.new_person``."""

    name: str
    email: str | None
    phone: str | None
    language: str
    password: str


@dataclass(frozen=True, slots=True)
class CodeLetter:
    """A letter with a claim code: ready words, and the key that letters are sealed with."""

    to: str
    language: str
    subject: str
    text: str
    params: Mapping[str, str]
    key: bytes


def give_claim_codes(work: Work, school_id: UUID, code_hashes: Mapping[UUID, bytes], *, withdraw: bool = True) -> None:
    """Let each code of ``code_hashes`` (by pupil) be claimed once within 60 days. Raises NotFound.

    The office gives codes for every pupil, and by ``withdraw`` ends those that were given before and not used. A
    guardian may give one for their own pupil to the other parent, which ends no other.
    """
    if not keeps_roll(work.actor, school_id):
        for pupil_id in code_hashes:
            require_guardian(work, school_id, pupil_id)
        withdraw = False
    _require_on_roll(work, school_id, list(code_hashes))
    if withdraw:
        work.session.execute(
            update(ClaimCode)
            .where(
                ClaimCode.school_id == school_id,
                ClaimCode.pupil_id.in_(list(code_hashes)),
                ClaimCode.used_at.is_(None),
                ClaimCode.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=work.now)
        )
    common = {"school_id": school_id, "printed_by": work.actor.id, "printed_at": work.now}
    rows = [
        {**common, "id": new_id(work.now), "pupil_id": pupil_id, "code_hash": code, "expires_at": work.now + CODE_LASTS}
        for pupil_id, code in code_hashes.items()
    ]
    insert_rows(work.session, ClaimCode, rows)
    payload = {"pupils": sorted(code_hashes), "expires_at": work.now + CODE_LASTS, "withdraw": withdraw}
    audit.record(work, "pupils.give_claim_codes", Subject("school", school_id), payload, school_id=school_id)


def invite_guardians(
    work: Work, school_id: UUID, code_hashes: Mapping[UUID, bytes], *, letters: Sequence[CodeLetter] = ()
) -> None:
    """Give each guardian of the school's list a code of their own (by the list's id), good once within 60 days.

    A code that they were given before and have not used ends. ``letters`` go out by e-mail with the same commit.
    Raises NotFound for who is not on the list, or no longer.
    """
    require_office(work, school_id)
    pupil_ids = _listed_on_roll(work, school_id, list(code_hashes))
    end_codes_for(work, school_id, list(code_hashes))
    good_until = work.now + CODE_LASTS
    common = {"school_id": school_id, "printed_by": work.actor.id, "printed_at": work.now, "expires_at": good_until}
    rows = [
        {**common, "id": new_id(work.now), "pupil_id": pupil_ids[one], "code_hash": code, "listed_id": one}
        for one, code in code_hashes.items()
    ]
    insert_rows(work.session, ClaimCode, rows)
    for letter in letters:
        mail.promise(work, **asdict(letter), good_until=good_until)
    payload = {"listed": sorted(code_hashes), "letters": len(letters)}
    audit.record(work, "pupils.invite_guardians", Subject("school", school_id), payload, school_id=school_id)


def claim_pupil(
    work: Work,
    code_hash: bytes,
    relation: str,
    *,
    attempt_keys: Sequence[bytes],
    newcomer: Newcomer | None = None,
) -> Claimed | Refused:
    """Make the acting person a guardian of the pupil whose code this is.

    A wrong code is a value, so that the attempt counts against each of ``attempt_keys`` (the person, their address).
    ``newcomer`` makes the acting person's account on the way, once the code has proved right. Raises Invalid for an
    unknown relation and for what is wrong with the account, Conflict ``contact-taken``.
    """
    assert work.actor.kind is ActorKind.PERSON
    _check_relation(relation)
    for key in attempt_keys:
        refused = identity.spend_attempt(work, "claim", key, limit=CLAIM_LIMIT, per=CLAIM_WINDOW, block=CLAIM_WINDOW)
        if refused is not None:
            return refused
    code = _standing_code(work, code_hash)
    if code is None:
        audit.record(work, "pupils.claim_refused", Subject("claim-code"), {})
        return Refused(
            "claim-code-unknown", N_("This code is not known, or it has been used. Ask the school for a new one.")
        )
    for key in attempt_keys:
        identity.forget_attempts(work, key)
    if newcomer is not None:
        identity.new_person(work, id=work.actor.id, **asdict(newcomer))
    is_new = _tie(work, code.school_id, code.pupil_id, _person_of(work), relation)
    if is_new:
        work.session.execute(
            update(ClaimCode)
            .where(ClaimCode.school_id == code.school_id, ClaimCode.id == code.id)
            .values(used_at=work.now, used_by=work.actor.id)
        )
    payload = {"code_id": code.id, "is_new": is_new, "relation": relation}
    subject = Subject("pupil", code.pupil_id)
    audit.record(work, "pupils.claim_pupil", subject, payload, school_id=code.school_id)
    return Claimed(code.school_id, code.pupil_id, is_new)


def _standing_code(work: Work, code_hash: bytes) -> ClaimCode | None:
    """The code that can be used now, locked until the end of the deed."""
    return work.session.scalar(
        select(ClaimCode)
        .join(Pupil, (Pupil.school_id == ClaimCode.school_id) & (Pupil.id == ClaimCode.pupil_id))
        .where(
            ClaimCode.code_hash == code_hash,
            ClaimCode.used_at.is_(None),
            ClaimCode.withdrawn_at.is_(None),
            ClaimCode.expires_at > work.now,
            Pupil.left_on.is_(None),
        )
        .with_for_update(of=ClaimCode)
    )


def add_guardian(work: Work, school_id: UUID, pupil_id: UUID, person_id: UUID, relation: str) -> None:
    """Make ``person_id`` a guardian by the office's own knowledge. Adding twice changes nothing. Raises NotFound."""
    require_office(work, school_id)
    _check_relation(relation)
    _require_on_roll(work, school_id, [pupil_id])
    is_new = _tie(work, school_id, pupil_id, person_id, relation)
    payload = {"person_id": person_id, "relation": relation, "is_new": is_new}
    audit.record(work, "pupils.add_guardian", Subject("pupil", pupil_id), payload, school_id=school_id)


def end_guardianship(work: Work, school_id: UUID, pupil_id: UUID, person_id: UUID) -> None:
    """From now on the person learns nothing more of the pupil. Raises NotFound where there is no such tie.

    Whose last pupil in the school this was is no parent there any more.
    """
    require_office(work, school_id)
    ended = work.session.scalar(
        update(Guardianship)
        .where(
            Guardianship.school_id == school_id,
            Guardianship.pupil_id == pupil_id,
            Guardianship.person_id == person_id,
            Guardianship.ended_at.is_(None),
        )
        .values(ended_at=work.now)
        .returning(Guardianship.id)
    )
    if ended is None:
        raise NotFound
    identity.lock_person(work, person_id)
    if not _has_pupil_in(work, school_id, person_id):
        identity.end_parent_role(work, person_id, school_id)
    payload = {"person_id": person_id}
    audit.record(work, "pupils.end_guardianship", Subject("pupil", pupil_id), payload, school_id=school_id)


def _has_pupil_in(work: Work, school_id: UUID, person_id: UUID) -> bool:
    standing = select(Guardianship.id).where(
        Guardianship.school_id == school_id, Guardianship.person_id == person_id, Guardianship.ended_at.is_(None)
    )
    return work.session.scalar(standing.limit(1)) is not None


def _tie(work: Work, school_id: UUID, pupil_id: UUID, person_id: UUID, relation: str) -> bool:
    """Make the tie and say whether it is new. The pupil's row is locked, so two claims cannot make it twice."""
    pair = {"school_id": school_id, "pupil_id": pupil_id, "person_id": person_id}
    standing = Question(_STANDING, pair, bool)
    work.ask(Question(_LOCK_PUPIL, pair, nothing), standing)
    if standing.answer:
        return False
    row = {
        "school_id": school_id,
        "id": new_id(work.now),
        "pupil_id": pupil_id,
        "person_id": person_id,
        "relation": relation,
        "since": work.now,
    }
    work.ask_last(insertion([rows_of(Guardianship, tuple(row), [tuple(row.values())], {})]))
    identity.grant_role(work, person_id, Role.PARENT, school_id)
    return True


def _person_of(work: Work) -> UUID:
    assert work.actor.id is not None
    return work.actor.id


def _check_relation(relation: str) -> None:
    if relation not in RELATIONS:
        sentence = N_("Say who you are to the pupil.")
        raise Invalid("relation", sentence, fields={"relation": [FieldProblem.of("relation", sentence)]})


def _require_on_roll(work: Work, school_id: UUID, pupil_ids: Sequence[UUID]) -> None:
    found = Question(_ON_ROLL, {"school_id": school_id, "pupils": array_of(pupil_ids)}, len)
    work.ask(found)
    if found.answer != len(set(pupil_ids)):
        raise NotFound


def _listed_on_roll(work: Work, school_id: UUID, listed_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The pupil of each of these guardians of the list. Raises NotFound where one is not there, or their pupil left."""
    wanted = (
        select(ListedGuardian.id, ListedGuardian.pupil_id)
        .join(Pupil, (Pupil.school_id == ListedGuardian.school_id) & (Pupil.id == ListedGuardian.pupil_id))
        .where(
            ListedGuardian.school_id == school_id,
            ListedGuardian.id.in_(listed_ids),
            ListedGuardian.unlisted_at.is_(None),
            Pupil.left_on.is_(None),
        )
    )
    found = {listed_id: pupil_id for listed_id, pupil_id in work.session.execute(wanted)}  # noqa: C416 (a Row is no pair to dict's types)
    if set(found) != set(listed_ids):
        raise NotFound
    return found
