"""Make sealed rows, pieces of sealed files, the frozen list and what openings bring to light."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import let_app_work_on, make_append_only

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

APPEND_ONLY = ("sealed_row", "frozen_bid", "opening_share", "opened_bid")
TABLES = ("opened_bid", "opening_share", "frozen_bid", "ciphertext_part", "sealed_row")


def upgrade() -> None:
    """Make the tables, and let the app add to those that are never changed."""
    _make_sealed()
    _make_frozen()
    _make_opened()
    make_append_only(op, *APPEND_ONLY)
    let_app_work_on(op, "ciphertext_part", rights="SELECT, INSERT, DELETE")


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in TABLES:
        op.drop_table(table)


def _make_sealed() -> None:
    """What is there before the opening; it is random to look at, so that nobody tries to make it smaller."""
    op.create_table(
        "sealed_row",
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(body) = 34816", name=op.f("ck_sealed_row_all_of_one_size")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_sealed_row_tender_id_tender")),
        sa.PrimaryKeyConstraint("tender_id", "id", name=op.f("pk_sealed_row")),
        sa.UniqueConstraint("claim", name=op.f("uq_sealed_row_claim")),
    )
    op.create_table(
        "ciphertext_part",
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(body) = 131100", name=op.f("ck_ciphertext_part_all_of_one_size")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_ciphertext_part_tender_id_tender")),
        sa.PrimaryKeyConstraint("tender_id", "id", name=op.f("pk_ciphertext_part")),
    )
    for table in ("sealed_row", "ciphertext_part"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL")


def _make_frozen() -> None:
    """The list."""
    op.create_table(
        "frozen_bid",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("tenderer_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("manifest_sha256", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tender_version", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('stands', 'replaced', 'withdrawn', 'unconfirmed')", name=op.f("ck_frozen_bid_outcome")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_frozen_bid_tender_id_tender")),
        sa.ForeignKeyConstraint(
            ["tender_id", "lot_id"], ["lot.tender_id", "lot.id"], name=op.f("fk_frozen_bid_tender_id_lot_id_lot")
        ),
        sa.ForeignKeyConstraint(
            ["tenderer_id"], ["organisation.id"], name=op.f("fk_frozen_bid_tenderer_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_frozen_bid")),
    )
    op.create_index("ix_frozen_bid_tender_id", "frozen_bid", ["tender_id"], unique=False)


def _make_opened() -> None:
    """Shares, and what they opened."""
    op.create_table(
        "opening_share",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("envelope", sa.String(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.LargeBinary(), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ok = (fault IS NULL)", name=op.f("ck_opening_share_fault_where_not_ok")),
        sa.CheckConstraint("share IS NOT NULL OR NOT ok", name=op.f("ck_opening_share_good_with_a_share")),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_opening_share_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(
            ["seat_id"], ["commission_seat.id"], name=op.f("fk_opening_share_seat_id_commission_seat")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_opening_share_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_share")),
    )
    op.create_index(op.f("ix_opening_share_tender_id"), "opening_share", ["tender_id"], unique=False)
    op.create_index(
        "uq_opening_share_good",
        "opening_share",
        ["bid_id", "envelope", "seat_id"],
        unique=True,
        postgresql_where=sa.text("ok"),
    )
    op.create_table(
        "opened_bid",
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("envelope", sa.String(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plaintext", postgresql.JSONB(), nullable=True),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("plaintext_sha256", sa.String(), nullable=True),
        sa.Column("unreadable", sa.String(), nullable=True),
        sa.Column("faults", postgresql.JSONB(), nullable=False),
        sa.Column("recovery", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(plaintext_sha256 IS NULL) = (unreadable IS NOT NULL)", name=op.f("ck_opened_bid_read_or_unreadable")
        ),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_opened_bid_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_opened_bid_tender_id_tender")),
        sa.PrimaryKeyConstraint("bid_id", "envelope", name=op.f("pk_opened_bid")),
    )
    op.create_index("ix_opened_bid_tender_id", "opened_bid", ["tender_id"], unique=False)
