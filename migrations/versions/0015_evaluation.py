"""Make what the commission decides about bids: requirements, mended bids, scores, low prices and score sheets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import make_append_only

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = (
    "score_sheet",
    "evidence_contest",
    "fix_request",
    "low_price_request",
    "low_price_vote",
    "requirement_decision",
    "score",
    "fix_answer",
    "low_price_explanation",
    "score_reveal",
    "fix_file",
)


def upgrade() -> None:
    """Make the tables; the app only ever adds to them."""
    _make_score_sheet()
    _make_evidence_contest()
    _make_fix_request()
    _make_low_price_request()
    _make_low_price_vote()
    _make_requirement_decision()
    _make_score()
    _make_fix_answer()
    _make_low_price_explanation()
    _make_score_reveal()
    _make_fix_file()
    make_append_only(op, *TABLES)


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _make_score_sheet() -> None:
    op.create_table(
        "score_sheet",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_score_sheet_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_sheet")),
    )
    op.create_index("ix_score_sheet_tender_id", "score_sheet", ["tender_id", "at"], unique=False)


def _make_evidence_contest() -> None:
    op.create_table(
        "evidence_contest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_evidence_contest_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(
            ["seat_id"], ["commission_seat.id"], name=op.f("fk_evidence_contest_seat_id_commission_seat")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_evidence_contest_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_contest")),
        sa.UniqueConstraint("bid_id", "seat_id", "sha256", name=op.f("uq_evidence_contest_bid_id_seat_id_sha256")),
    )
    op.create_index("ix_evidence_contest_tender_id", "evidence_contest", ["tender_id"], unique=False)


def _make_fix_request() -> None:
    op.create_table(
        "fix_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("requirements", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by_person", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_fix_request_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_fix_request_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fix_request")),
    )
    op.create_index(op.f("ix_fix_request_bid_id"), "fix_request", ["bid_id"], unique=False)
    op.create_index("ix_fix_request_tender_id", "fix_request", ["tender_id"], unique=False)


def _make_low_price_request() -> None:
    op.create_table(
        "low_price_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("by_person", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_low_price_request_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_low_price_request_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_low_price_request")),
        sa.UniqueConstraint("bid_id", name=op.f("uq_low_price_request_bid_id")),
    )
    op.create_index("ix_low_price_request_tender_id", "low_price_request", ["tender_id"], unique=False)


def _make_low_price_vote() -> None:
    op.create_table(
        "low_price_vote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_low_price_vote_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(
            ["seat_id"], ["commission_seat.id"], name=op.f("fk_low_price_vote_seat_id_commission_seat")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_low_price_vote_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_low_price_vote")),
    )
    op.create_index("ix_low_price_vote_tender_id", "low_price_vote", ["tender_id"], unique=False)


def _make_requirement_decision() -> None:
    op.create_table(
        "requirement_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("requirement", sa.String(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=True),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("finding", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("flag", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(seat_id IS NULL) = (finding IS NOT NULL)", name=op.f("ck_requirement_decision_outcome_with_its_finding")
        ),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_requirement_decision_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(
            ["seat_id"], ["commission_seat.id"], name=op.f("fk_requirement_decision_seat_id_commission_seat")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_requirement_decision_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requirement_decision")),
    )
    op.create_index("ix_requirement_decision_tender_id", "requirement_decision", ["tender_id", "at"], unique=False)


def _make_score() -> None:
    op.create_table(
        "score",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("criterion", sa.String(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=True),
        sa.Column("points_milli", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=True),
        sa.Column("commitment", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(seat_id IS NULL) = (commitment IS NULL)", name=op.f("ck_score_committed_where_given")),
        sa.CheckConstraint("(seat_id IS NULL) = (salt IS NULL)", name=op.f("ck_score_salted_where_given")),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_score_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(["seat_id"], ["commission_seat.id"], name=op.f("fk_score_seat_id_commission_seat")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_score_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
    )
    op.create_index("ix_score_tender_id", "score", ["tender_id", "at"], unique=False)


def _make_fix_answer() -> None:
    op.create_table(
        "fix_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fix_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by_person", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["fix_id"], ["fix_request.id"], name=op.f("fk_fix_answer_fix_id_fix_request")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fix_answer")),
        sa.UniqueConstraint("fix_id", name=op.f("uq_fix_answer_fix_id")),
    )


def _make_low_price_explanation() -> None:
    op.create_table(
        "low_price_explanation",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by_person", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["low_price_request.id"], name=op.f("fk_low_price_explanation_request_id_low_price_request")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_low_price_explanation")),
    )


def _make_score_reveal() -> None:
    op.create_table(
        "score_reveal",
        sa.Column("score_id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["score_id"], ["score.id"], name=op.f("fk_score_reveal_score_id_score")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_score_reveal_tender_id_tender")),
        sa.PrimaryKeyConstraint("score_id", name=op.f("pk_score_reveal")),
    )
    op.create_index("ix_score_reveal_tender_id", "score_reveal", ["tender_id"], unique=False)


def _make_fix_file() -> None:
    op.create_table(
        "fix_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("requirement", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_fix_file_size_positive")),
        sa.ForeignKeyConstraint(["answer_id"], ["fix_answer.id"], name=op.f("fk_fix_file_answer_id_fix_answer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fix_file")),
    )
    op.create_index("ix_fix_file_answer_id", "fix_file", ["answer_id"], unique=False)
