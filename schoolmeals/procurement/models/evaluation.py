"""What the commission decides about bids: requirements, mended bids, contested evidence, scores, low prices, sheets.

Nothing here is ever changed: who thinks otherwise decides again, and the later row counts.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schoolmeals.database import Model


class RequirementDecision(Model):
    """What a member has decided about a requirement of a bid; without a seat, what all their votes came to."""

    __tablename__ = "requirement_decision"
    __table_args__ = (
        CheckConstraint("(seat_id IS NULL) = (finding IS NOT NULL)", name="outcome_with_its_finding"),
        Index("ix_requirement_decision_tender_id", "tender_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"))
    requirement: Mapped[str]
    seat_id: Mapped[UUID | None] = mapped_column(ForeignKey("commission_seat.id"))
    met: Mapped[bool]
    reason_code: Mapped[str]
    reason: Mapped[str]
    evidence: Mapped[list[Any]]
    """Digests in hexadecimal."""
    finding: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    flag: Mapped[str]
    at: Mapped[datetime]


class FixRequest(Model):
    """What a supplier was asked to mend in a bid. Its term is in the act."""

    __tablename__ = "fix_request"
    __table_args__ = (Index("ix_fix_request_tender_id", "tender_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"), index=True)
    requirements: Mapped[list[Any]]
    text: Mapped[str]
    by_person: Mapped[UUID | None]
    at: Mapped[datetime]


class FixAnswer(Model):
    """What the supplier answered; once."""

    __tablename__ = "fix_answer"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """The caller's."""
    fix_id: Mapped[UUID] = mapped_column(ForeignKey("fix_request.id"), unique=True)
    text: Mapped[str]
    by_person: Mapped[UUID | None]
    at: Mapped[datetime]


class FixFile(Model):
    """A document that came with the answer."""

    __tablename__ = "fix_file"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_positive"),
        Index("ix_fix_file_answer_id", "answer_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    answer_id: Mapped[UUID] = mapped_column(ForeignKey("fix_answer.id"))
    requirement: Mapped[str]
    file_name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class EvidenceContest(Model):
    """A member's word that a piece of evidence does not prove what it is for."""

    __tablename__ = "evidence_contest"
    __table_args__ = (
        UniqueConstraint("bid_id", "seat_id", "sha256"),
        Index("ix_evidence_contest_tender_id", "tender_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"))
    seat_id: Mapped[UUID] = mapped_column(ForeignKey("commission_seat.id"))
    sha256: Mapped[str]
    reason_code: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]


class Score(Model):
    """Points for a criterion of a bid: a member's, hidden until they are revealed, or (without a seat) what the rules
    came to when the evaluation was finished.
    """

    __tablename__ = "score"
    __table_args__ = (
        CheckConstraint("(seat_id IS NULL) = (salt IS NULL)", name="salted_where_given"),
        CheckConstraint("(seat_id IS NULL) = (commitment IS NULL)", name="committed_where_given"),
        Index("ix_score_tender_id", "tender_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"))
    criterion: Mapped[str]
    seat_id: Mapped[UUID | None] = mapped_column(ForeignKey("commission_seat.id"))
    points_milli: Mapped[int]
    note: Mapped[str]
    salt: Mapped[str | None]
    commitment: Mapped[str | None]
    """What was written down publicly while the score was hidden."""
    rule: Mapped[str]
    rule_version: Mapped[int]
    inputs: Mapped[dict[str, Any]]
    evidence: Mapped[list[Any]]
    at: Mapped[datetime]


class ScoreReveal(Model):
    """That a member's score is known to everybody from now on."""

    __tablename__ = "score_reveal"
    __table_args__ = (Index("ix_score_reveal_tender_id", "tender_id"),)

    score_id: Mapped[UUID] = mapped_column(ForeignKey("score.id"), primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    at: Mapped[datetime]


class LowPriceRequest(Model):
    """That a supplier was asked to explain an abnormally low price; once. Its term is in the act."""

    __tablename__ = "low_price_request"
    __table_args__ = (Index("ix_low_price_request_tender_id", "tender_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"), unique=True)
    facts: Mapped[dict[str, Any]]
    """By what it is abnormally low."""
    by_person: Mapped[UUID | None]
    at: Mapped[datetime]


class LowPriceExplanation(Model):
    """What the supplier says about its price; once."""

    __tablename__ = "low_price_explanation"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("low_price_request.id"), primary_key=True)
    text: Mapped[str]
    by_person: Mapped[UUID | None]
    at: Mapped[datetime]


class LowPriceVote(Model):
    """Whether a member accepts the explanation."""

    __tablename__ = "low_price_vote"
    __table_args__ = (Index("ix_low_price_vote_tender_id", "tender_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    bid_id: Mapped[UUID] = mapped_column(ForeignKey("frozen_bid.id"))
    seat_id: Mapped[UUID] = mapped_column(ForeignKey("commission_seat.id"))
    accepted: Mapped[bool]
    reason: Mapped[str]
    at: Mapped[datetime]


class ScoreSheet(Model):
    """The score sheet of an evaluation, whole and for ever. A repeated evaluation makes another."""

    __tablename__ = "score_sheet"
    __table_args__ = (Index("ix_score_sheet_tender_id", "tender_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tender_id: Mapped[UUID] = mapped_column(ForeignKey("tender.id"))
    at: Mapped[datetime]
    text: Mapped[str]
    """RFC 8785 JSON."""
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
