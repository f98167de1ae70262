"""Scoring: each member alone, then all at once; and contesting the evidence that computed points rest on."""

import secrets
from typing import Any, Final
from uuid import UUID

from schoolmeals.database import Work, insert_rows
from schoolmeals.errors import Conflict, Invalid, NotFound, NotNow
from schoolmeals.ids import new_id
from schoolmeals.procurement.acting import AtHand, permitted, record_act
from schoolmeals.procurement.candidates import candidates
from schoolmeals.procurement.evaluating import (
    contests_of,
    revealed_ids,
    revealed_scores,
    scores_of,
    seats_that_scored,
    to_judge,
)
from schoolmeals.procurement.models import EvidenceContest, FrozenBid, Score, ScoreReveal
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.rules.acts import ActKind
from schoolmeals.procurement.rules.judging import (
    ALREADY_REVEALED,
    CHOOSE_CONTEST,
    CONTEST_REASONS,
    CONTESTED_BEFORE,
    NOT_ADMITTED,
    is_judged,
    is_judged_alone,
    may_reveal,
    within,
)
from schoolmeals.procurement.rules.quorum import SeatFacts, voters
from schoolmeals.procurement.rules.sheet import commitment_of, quorum
from schoolmeals.procurement.table import has_declared, own_seat, require, said_in
from schoolmeals.procurement.unsealing import profile_at

SALT_BYTES: Final = 32


def give_score(
    work: Work, tender_id: UUID, bid_id: UUID, criterion: str, points_milli: int | None, *, note: str = ""
) -> None:
    """Give a bid points for a judged criterion, in thousandths; nobody else sees them before all are revealed.

    Until then a later score takes the place of an earlier one. Raises Invalid, NotFound, NotNow ``computed-by-rule``,
    ``declare-first``, ``already-revealed`` or ``scores-known``.
    """
    hand = permitted(work, "give_score", tender_id)
    profile = profile_at(work, hand)
    wanted = next((one for one in profile.criteria if one.code == criterion), None)
    require(is_judged(wanted))
    assert wanted is not None
    bid = _admitted_bid(work, hand, profile, bid_id)
    seat = own_seat(work, hand)
    has_declared(work, hand, seat)
    problems = within(points_milli, wanted)
    if problems or points_milli is None:
        raise Invalid(fields={"points": problems})
    _require_hidden(work, hand, profile, seat, bid_id, criterion)
    salt = secrets.token_hex(SALT_BYTES)
    commitment = commitment_of(str(seat.id), str(bid_id), criterion, points_milli, salt)
    row = Score(
        id=new_id(hand.at),
        tender_id=hand.id,
        bid_id=bid_id,
        criterion=criterion,
        seat_id=seat.id,
        points_milli=points_milli,
        note=note.strip()[:2000],
        salt=salt,
        commitment=commitment,
        rule=wanted.rule,
        rule_version=wanted.rule_version,
        inputs={},
        evidence=[],
        at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    # The points themselves stay out of the acts and of the audit log until they are revealed.
    said = {"bid": str(bid_id), "criterion": criterion, "commitment": commitment}
    record_act(work, hand, ActKind.SCORED, said, lot_id=bid.lot_id, subject_id=seat.id)


def reveal_scores(work: Work, tender_id: UUID) -> int:
    """Make all scores known at once, when everybody has given theirs; gives how many were revealed.

    Raises NotNow ``nothing-to-reveal``, ``scores-missing`` or ``no-quorum``.
    """
    hand = permitted(work, "reveal_scores", tender_id)
    profile = profile_at(work, hand)
    scores, known = scores_of(work, hand.id), revealed_ids(work, hand.id)
    done = seats_that_scored(scores, hand.seats, to_judge(work, hand, profile))
    complete = {seat.id for seat in done}
    hidden = [row for row in scores if row.seat_id in complete and row.id not in known]
    voting = voters(hand.seats)
    term = hand.facts.terms.get("evaluation")
    require(
        may_reveal(
            waiting=len(voting) - len(done),
            complete=len(done),
            hidden=len(hidden) if done else len(scores),
            needed=quorum(len(voting), profile),
            until=term.until if term is not None else None,
            at=hand.at,
        )
    )
    insert_rows(
        work.session, ScoreReveal, [{"score_id": row.id, "tender_id": hand.id, "at": hand.at} for row in hidden]
    )
    record_act(work, hand, ActKind.SCORES_REVEALED, {"scores": [_told(row) for row in hidden]})
    return len(hidden)


def contest_evidence(work: Work, tender_id: UUID, bid_id: UUID, sha256: str, *, reason_code: str, reason: str) -> None:
    """Say as a member that a document of a bid does not prove what it is for. Where most of the commission do so, it
    counts no more. Raises Invalid, NotFound, Conflict ``contested-before``, NotNow ``declare-first``.
    """
    hand = permitted(work, "contest_evidence", tender_id)
    profile = profile_at(work, hand)
    bid = _admitted_bid(work, hand, profile, bid_id)
    of_bid = next(one for one in candidates(work, hand, profile.envelopes) if one.id == bid_id)
    if sha256 not in {file.sha256 for file in of_bid.files}:
        raise NotFound
    seat = own_seat(work, hand)
    has_declared(work, hand, seat)
    if reason_code not in CONTEST_REASONS:
        raise Invalid(fields={"reason_code": [CHOOSE_CONTEST]})
    about = (bid_id, seat.id, sha256)
    if any((row.bid_id, row.seat_id, row.sha256) == about for row in contests_of(work, hand.id)):
        raise Conflict("contested-before", CONTESTED_BEFORE)
    row = EvidenceContest(
        id=new_id(hand.at),
        tender_id=hand.id,
        bid_id=bid_id,
        seat_id=seat.id,
        sha256=sha256,
        reason_code=reason_code,
        reason=said_in("reason", reason),
        at=hand.at,
    )
    work.session.add(row)
    work.session.flush()
    said = {"bid": str(bid_id), "sha256": sha256, "reason_code": reason_code, "reason": row.reason}
    record_act(work, hand, ActKind.EVIDENCE_CONTESTED, said, lot_id=bid.lot_id, subject_id=seat.id)


def _require_hidden(work: Work, hand: AtHand, profile: Profile, seat: SeatFacts, bid_id: UUID, criterion: str) -> None:
    """Neither is the seat's own score revealed, nor those of a quorum, of which it would know. Raises NotNow."""
    told = {row.seat_id for row in revealed_scores(work, hand.id) if (row.bid_id, row.criterion) == (bid_id, criterion)}
    if seat.id in told:
        raise NotNow("already-revealed", ALREADY_REVEALED)
    voting = {one.id for one in voters(hand.seats)}
    require(is_judged_alone(len(told & voting), quorum(len(voting), profile)))


def _admitted_bid(work: Work, hand: AtHand, profile: Profile, bid_id: UUID) -> FrozenBid:
    row = work.session.get(FrozenBid, bid_id)
    if row is None or row.tender_id != hand.id:
        raise NotFound
    if bid_id not in to_judge(work, hand, profile).bids:
        raise NotNow("not-admitted", NOT_ADMITTED)
    return row


def _told(row: Score) -> dict[str, Any]:
    return {
        "seat": str(row.seat_id),
        "bid": str(row.bid_id),
        "criterion": row.criterion,
        "points_milli": row.points_milli,
        "salt": row.salt,
        "commitment": row.commitment,
    }
