"""Cards are issued, blocked, opened again and replaced. The money is in the purse, so no card ever holds any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from schoolmeals import audit
from schoolmeals.audit import Subject
from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import N_, Conflict, NotFound
from schoolmeals.ids import new_id
from schoolmeals.pupils.access import keeps_roll, require_office
from schoolmeals.pupils.models import Card, Pupil
from schoolmeals.pupils.queries import require_guardian
from schoolmeals.pupils.rules import BLOCK_REASONS


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to be issued. ``number_hash`` comes from ``pupils.number_hash``; the number itself never gets here."""

    pupil_id: UUID
    number_hash: bytes
    kind: str
    label: str
    expires_on: date | None = None


def issue_card(
    work: Work,
    school_id: UUID,
    pupil_id: UUID,
    *,
    number_hash: bytes,
    kind: str,
    label: str,
    expires_on: date | None = None,
) -> UUID:
    """Let one more card open the pupil's purse. Raises NotFound, and Conflict where another's card has that number."""
    return issue_cards(work, school_id, [NewCard(pupil_id, number_hash, kind, label, expires_on)])[0]


def issue_cards(work: Work, school_id: UUID, new: Sequence[NewCard]) -> list[UUID]:
    """Issue many cards with a fixed number of statements; their ids in the same order.

    A card that stands for the same pupil already is given back as it is. Raises NotFound for pupils who are not on the
    roll, Conflict ``card-taken`` where a number stands for somebody else.
    """
    require_office(work, school_id)
    _require_on_roll(work, school_id, {one.pupil_id for one in new})
    standing = {
        bytes(number): (card_id, pupil_id)
        for card_id, pupil_id, number in work.session.execute(
            select(Card.id, Card.pupil_id, Card.number_hash).where(
                Card.school_id == school_id,
                Card.number_hash.in_([one.number_hash for one in new]),
                Card.replaced_at.is_(None),
            )
        )
    }
    if any(standing[one.number_hash][1] != one.pupil_id for one in new if one.number_hash in standing):
        raise _taken()
    rows = [_row(work, school_id, one) for one in new if one.number_hash not in standing]
    try:
        insert_rows(work.session, Card, rows)
    except IntegrityError as error:
        raise _taken() from error
    _record(work, school_id, "pupils.issue_card", rows)
    issued = {row["number_hash"]: row["id"] for row in rows}
    return [issued.get(one.number_hash) or standing[one.number_hash][0] for one in new]


def reissue_cards(work: Work, school_id: UUID, new: Sequence[NewCard]) -> list[UUID]:
    """End the standing cards of the same kind of these pupils and issue the new ones. The money stays where it is."""
    require_office(work, school_id)
    ended = work.session.scalars(
        update(Card)
        .where(
            Card.school_id == school_id,
            Card.pupil_id.in_([one.pupil_id for one in new]),
            Card.kind.in_({one.kind for one in new}),
            Card.replaced_at.is_(None),
        )
        .values(replaced_at=work.now)
        .returning(Card.id)
    ).all()
    if ended:
        payload = {"cards": sorted(ended)}
        audit.record(work, "pupils.replace_cards", Subject("school", school_id), payload, school_id=school_id)
    return issue_cards(work, school_id, new)


def block_card(work: Work, school_id: UUID, card_id: UUID, reason: str) -> None:
    """Stop a card at once; the pupil still eats, found by name. For guardians and the office. Raises NotFound.

    Blocking what is blocked changes nothing: the first time and reason stay.
    """
    assert reason in BLOCK_REASONS
    card = _lock(work, school_id, card_id)
    if not keeps_roll(work.actor, school_id):
        require_guardian(work, school_id, card.pupil_id)
    if card.blocked_at is not None:
        return
    _change(work, card, blocked_at=work.now, blocked_by=work.actor.id, block_reason=reason)
    payload = {"pupil_id": card.pupil_id, "reason": reason}
    audit.record(work, "pupils.block_card", Subject("card", card_id), payload, school_id=school_id)


def unblock_card(work: Work, school_id: UUID, card_id: UUID) -> None:
    """Let a card that was found again open. Only the office may, with the card in its hands. Raises NotFound."""
    require_office(work, school_id)
    card = _lock(work, school_id, card_id)
    if card.blocked_at is None:
        return
    _change(work, card, blocked_at=None, blocked_by=None, block_reason=None)
    payload = {"pupil_id": card.pupil_id}
    audit.record(work, "pupils.unblock_card", Subject("card", card_id), payload, school_id=school_id)


def end_card(work: Work, school_id: UUID, card_id: UUID) -> None:
    """End a card for good, so that its number may be given to somebody else. Raises NotFound."""
    require_office(work, school_id)
    card = _lock(work, school_id, card_id)
    _change(work, card, replaced_at=work.now)
    payload = {"pupil_id": card.pupil_id}
    audit.record(work, "pupils.end_card", Subject("card", card_id), payload, school_id=school_id)


def _lock(work: Work, school_id: UUID, card_id: UUID) -> Card:
    wanted = select(Card).where(Card.school_id == school_id, Card.id == card_id, Card.replaced_at.is_(None))
    if (card := work.session.scalar(wanted.with_for_update())) is None:
        raise NotFound
    return card


def _change(work: Work, card: Card, **values: Any) -> None:
    work.session.execute(update(Card).where(Card.school_id == card.school_id, Card.id == card.id).values(**values))


def _row(work: Work, school_id: UUID, new: NewCard) -> dict[str, Any]:
    return {
        "school_id": school_id,
        "id": new_id(work.now),
        "pupil_id": new.pupil_id,
        "kind": new.kind,
        "number_hash": new.number_hash,
        "label": new.label,
        "issued_at": work.now,
        "issued_by": work.actor.id,
        "expires_on": new.expires_on,
    }


def _record(work: Work, school_id: UUID, action: str, rows: Sequence[dict[str, Any]]) -> None:
    payloads = [(row["id"], {"pupil_id": row["pupil_id"], "kind": row["kind"]}) for row in rows]
    audit.record_many(
        work, [audit.NewEvent(action, Subject("card", card_id), payload, school_id) for card_id, payload in payloads]
    )


def _require_on_roll(work: Work, school_id: UUID, pupil_ids: set[UUID]) -> None:
    found = work.session.scalars(
        select(Pupil.id)
        .where(Pupil.school_id == school_id, Pupil.id.in_(pupil_ids), Pupil.left_on.is_(None))
        .order_by(Pupil.id)
        .with_for_update(key_share=True)
    )
    if set(found) != pupil_ids:
        raise NotFound


def _taken() -> Conflict:
    return Conflict("card-taken", N_("This card is already in use. Take another card, or end the other one first."))
