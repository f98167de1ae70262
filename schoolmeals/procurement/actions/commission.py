"""The commission at work on itself: accepting, keys, declarations of interest, recusal, alternates."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from schoolmeals import identity
from schoolmeals.actors import Role
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, FieldProblem, Invalid, NotAllowed, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand, Lock, permitted, record_act, reseated
from schoolmeals.procurement.actions.publishing import keep_version
from schoolmeals.procurement.documents import with_key, written
from schoolmeals.procurement.models import CommissionSeat, InterestDeclaration, MemberKey
from schoolmeals.procurement.queries.commission import declaration_of
from schoolmeals.procurement.queries.drafts import document_now, profile_of
from schoolmeals.procurement.rotation import note_sitting
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.drafting import NEEDED, UNKNOWN
from schoolmeals.procurement.rules.permissions import Party
from schoolmeals.procurement.rules.quorum import SeatFacts, next_alternate, vacancies
from schoolmeals.procurement.sealing import Member, SealingFault
from schoolmeals.procurement.sealing.age_keys import recipient as age_recipient

NATURES: Final = ("none", "relative", "work", "money", "other")
ARMOUR: Final = "-----BEGIN AGE ENCRYPTED FILE-----"
WRAPPED_MOST: Final = 8_000
"""Characters of a wrapped key; real ones have some hundreds."""


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A private key as the browser has wrapped it: by the passphrase, and where the device can, by a passkey."""

    key_file: str
    passkey_credential: str | None = None
    passkey_file: str | None = None


def appoint_secretary(work: Work, tender_id: UUID, person_id: UUID) -> UUID:
    """Appoint an officer of the organiser to keep the minutes, without a vote. Raises NotFound, Conflict."""
    hand = permitted(work, "appoint_secretary", tender_id)
    if not identity.holds_role(work, person_id, hand.tender.organiser_id, Role.PROCUREMENT_OFFICER):
        raise NotFound
    if any(seat.part == "secretary" and seat.stands for seat in hand.seats):
        raise Conflict("secretary-there", N_("The commission already has a secretary."))
    if any(seat.person_id == person_id for seat in hand.seats):
        raise Conflict("in-the-commission", N_("This person has or had a seat in the commission."))
    row = CommissionSeat(
        id=new_id(work.now),
        tender_id=tender_id,
        person_id=person_id,
        pool_member_id=None,
        name=identity.people(work, [person_id])[person_id].name,
        part="secretary",
        constituency=None,
        position=max((seat.position for seat in hand.seats), default=0) + 1,
        appointed_at=work.now,
        accepted_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    record_act(work, hand, ActKind.SECRETARY_APPOINTED, {"name": row.name}, subject_id=row.id)
    return row.id


def accept_appointment(work: Work, tender_id: UUID) -> None:
    """Take the seat that the draw gave; an alternate fills a vacancy at once, where there is one."""
    hand = permitted(work, "accept_appointment", tender_id)
    row = _own_row(work, hand)
    row.accepted_at = work.now
    work.session.flush()
    record_act(work, hand, ActKind.APPOINTMENT_ACCEPTED, subject_id=row.id)
    _fill_vacancies(work, hand)


def decline_appointment(work: Work, tender_id: UUID, reason: str) -> None:
    """Give the seat back before publication, or before having accepted; an alternate is called. Who sits at a
    commission that is at work leaves by ``recuse``. Raises Invalid, NotNow ``accepted-already``.
    """
    hand = permitted(work, "decline_appointment", tender_id)
    row = _own_row(work, hand)
    if row.accepted_at is not None and hand.facts.version:
        raise NotNow("accepted-already", ACCEPTED_ALREADY)
    given = _given(reason)
    row.ended_at, row.end_reason = work.now, "declined"
    work.session.flush()
    record_act(work, hand, ActKind.APPOINTMENT_DECLINED, {"reason": given}, subject_id=row.id)
    _fill_vacancies(work, hand)


def publish_key(work: Work, tender_id: UUID, recipient: str, *, kept: KeptKey | None = None) -> str:
    """Publish the public half of a key that was made in the member's own browser; gives its fingerprint.

    While no bids are taken a new key takes the place of an earlier one; once the tender is published that is a new
    version of it, with the new key in the notice. ``kept`` is the private half, wrapped, for a member who comes to the
    opening with another device. Raises Invalid, Conflict ``key-used``, ``no-key-in-the-notice``.
    """
    hand = permitted(work, "publish_key", tender_id, lock=Lock.CLOSE)
    if kept is not None:
        _check_kept(kept)
    try:
        age_recipient(recipient)
    except SealingFault as fault:
        raise Invalid(fields={"recipient": [NOT_A_KEY]}) from fault
    if any(seat.key_public == recipient and seat.person_id != work.actor.id for seat in hand.seats):
        raise Conflict("key-used", N_("This key belongs to another member. Make your own."))
    row = _own_row(work, hand)
    notice = _with_key(work, hand, row, recipient) if hand.facts.version else None
    row.key_public, row.key_at = recipient, work.now
    _keep_key(work, row.id, recipient, kept)
    work.session.flush()
    fingerprint = Member(str(row.id), recipient).fingerprint
    record_act(work, hand, ActKind.KEY_PUBLISHED, {"key": recipient, "fingerprint": fingerprint}, subject_id=row.id)
    if notice is not None:
        why = {language: text % {"name": row.name} for language, text in NEW_KEY.items()}
        about: dict[str, Any] = {"terms": {}, "act_id": new_id(hand.at), "rationale": why, "needs_confirmation": True}
        keep_version(work, hand, ActKind.AMENDED, notice, **about, keys_only=True)
    return fingerprint


def _with_key(work: Work, hand: AtHand, row: CommissionSeat, recipient: str) -> dict[str, Any]:
    """The notice as it is published, but for the key. What is written for the next amendment is not in it, and waits;
    a bid that came in the last instant of all must be sealed anew (``keys-changed``).
    """
    before = document_now(work, hand.tender)
    assert before is not None, "the tender is published"
    named = with_key(before["commission"], hand.id, row.id, recipient)
    if named is None:
        raise Conflict("no-key-in-the-notice", NO_KEY_IN_THE_NOTICE)
    changed = {"version": hand.facts.version + 1, "published_at": written(hand.at), "commission": named}
    return {**before, **changed}


def declare_interest(
    work: Work, tender_id: UUID, tenderer_id: UUID, *, has_interest: bool, nature: str, statement: str = ""
) -> None:
    """Say of one tenderer whether there is a conflict of interest; said once, before any score. An interest ends the
    seat, and an alternate is called. Raises Invalid, Conflict ``declared-already``, NotFound.
    """
    hand = permitted(work, "declare_interest", tender_id)
    if identity.organisation(work, tenderer_id).kind != "supplier":
        raise NotFound
    if nature not in NATURES or (nature == "none") is has_interest:
        raise Invalid(fields={"nature": [UNKNOWN]})
    seat = _own_seat(work, hand)
    if declaration_of(work, seat.id, tenderer_id) is not None:
        raise Conflict("declared-already", N_("You have already declared about this tenderer."))
    row = InterestDeclaration(
        id=new_id(work.now),
        tender_id=tender_id,
        seat_id=seat.id,
        tenderer_id=tenderer_id,
        has_interest=has_interest,
        nature=nature,
        statement=statement.strip(),
        at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    said = {"tenderer": str(tenderer_id), "interest": has_interest, "nature": nature}
    record_act(work, hand, ActKind.DECLARED, said, subject_id=seat.id, personal={"statement": row.statement})
    if has_interest:
        _end_seat(work, hand, seat, "recused", nature)


def recuse(work: Work, tender_id: UUID, seat_id: UUID, reason: str) -> None:
    """Leave the commission of this tender, or take somebody out of it (the city admin, with a published reason). An
    alternate is called; scores of the seat count no more. Raises Invalid, NotAllowed, NotFound.
    """
    hand = permitted(work, "recuse", tender_id)
    seat = next((one for one in hand.seats if one.id == seat_id and one.stands), None)
    if seat is None:
        raise NotFound
    if seat.person_id != work.actor.id and Party.CITY_ADMIN not in hand.parties:
        raise NotAllowed(
            "not-your-seat", N_("Members leave by themselves, or the city's administrator takes them out.")
        )
    _end_seat(work, hand, seat, "recused", _given(reason))


def _end_seat(work: Work, hand: AtHand, seat: SeatFacts, end_reason: str, reason: str) -> None:
    row = work.session.get_one(CommissionSeat, seat.id)
    row.ended_at, row.end_reason = hand.at, end_reason
    work.session.flush()
    payload = {"name": seat.name, "why": end_reason, "reason": reason}
    record_act(work, hand, ActKind.SEAT_ENDED, payload, subject_id=seat.id)
    _fill_vacancies(work, hand)


def _fill_vacancies(work: Work, hand: AtHand) -> None:
    """Call alternates, in the order of the draw, until no seat is free or nobody is left."""
    parents = profile_of(work, hand.tender).parents
    while True:
        seats = reseated(hand).seats
        free = vacancies(seats)
        called = next_alternate(seats, free[0], parents) if free else None
        if called is None:
            note_sitting(work, reseated(hand))
            return
        row = work.session.get_one(CommissionSeat, called.id)
        row.seated_at = hand.at
        work.session.flush()
        payload = {"name": called.name, "for": str(free[0].id)}
        record_act(work, hand, ActKind.SEAT_CALLED, payload, subject_id=called.id)


def _check_kept(kept: KeptKey) -> None:
    """Only what is wrapped is kept: a private key that was sent by mistake must not be."""
    for file in (kept.key_file, kept.passkey_file):
        if file is not None and not (file.startswith(ARMOUR) and len(file) <= WRAPPED_MOST):
            raise Invalid(fields={"key_file": [NOT_WRAPPED]})
    if len(kept.passkey_credential or "") > WRAPPED_MOST:
        raise Invalid(fields={"key_file": [NOT_WRAPPED]})


def _keep_key(work: Work, seat_id: UUID, recipient: str, kept: KeptKey | None) -> None:
    """The place of an earlier key's files is taken; files that belong to no published key would only mislead."""
    row = work.session.get(MemberKey, seat_id)
    if kept is None and row is None:
        return
    files = kept or KeptKey("")
    if row is None:
        row = MemberKey(seat_id=seat_id)
        work.session.add(row)
    row.recipient, row.key_file, row.at = recipient, files.key_file, work.now
    row.passkey_credential, row.passkey_file = files.passkey_credential, files.passkey_file


def _own_seat(work: Work, hand: AtHand) -> SeatFacts:
    return next(seat for seat in hand.seats if seat.person_id == work.actor.id and seat.stands)


def _own_row(work: Work, hand: AtHand) -> CommissionSeat:
    return work.session.get_one(CommissionSeat, _own_seat(work, hand).id)


def _given(reason: str) -> str:
    if not reason.strip():
        raise Invalid(fields={"reason": [NEEDED]})
    return reason.strip()


NEW_KEY: Final = {
    "kk": "Комиссия мүшесі %(name)s жаңа кілт жасады. Өзге мәтін өзгерген жоқ.",
    "ru": "Член комиссии %(name)s создал новый ключ. Остальной текст не изменился.",
    "en": "%(name)s of the commission has made a new key. Nothing else in the text has changed.",
}
"""Published with the version, in all languages at once."""
NO_KEY_IN_THE_NOTICE: Final = N_("Bids are sealed to the keys of those whom the notice names. You need no key.")
ACCEPTED_ALREADY: Final = N_("You have accepted the seat. Leave the commission on the page of declarations.")
NOT_WRAPPED: Final = FieldProblem.of("not-wrapped", N_("This is not a wrapped key. Make the key on this page."))
NOT_A_KEY: Final = FieldProblem.of("not-a-key", N_("This is not an age key. Make the key on this page."))
