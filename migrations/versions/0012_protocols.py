"""Make protocols with their papers, and the place where members' wrapped keys are kept."""

import sqlalchemy as sa
from alembic import op

from schoolmeals.grants import let_app_work_on, make_append_only

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables. Protocols and papers are only ever added; a member may replace a key until publication."""
    op.create_table(
        "protocol",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('opening', 'admission', 'evaluation', 'award')", name=op.f("ck_protocol_kind")),
        sa.CheckConstraint("length(sha256) = 32", name=op.f("ck_protocol_sha256")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_protocol_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol")),
        sa.UniqueConstraint("sha256", name=op.f("uq_protocol_sha256")),
    )
    op.create_index(op.f("ix_protocol_tender_id"), "protocol", ["tender_id"], unique=False)
    op.create_table(
        "protocol_paper",
        sa.Column("protocol_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('kk', 'ru', 'en')", name=op.f("ck_protocol_paper_language")),
        sa.ForeignKeyConstraint(["protocol_id"], ["protocol.id"], name=op.f("fk_protocol_paper_protocol_id_protocol")),
        sa.PrimaryKeyConstraint("protocol_id", "language", name=op.f("pk_protocol_paper")),
    )
    op.create_table(
        "member_key",
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("key_file", sa.Text(), nullable=False),
        sa.Column("passkey_credential", sa.Text(), nullable=True),
        sa.Column("passkey_file", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(passkey_credential IS NULL) = (passkey_file IS NULL)", name=op.f("ck_member_key_passkey_with_its_file")
        ),
        sa.ForeignKeyConstraint(
            ["seat_id"], ["commission_seat.id"], name=op.f("fk_member_key_seat_id_commission_seat")
        ),
        sa.PrimaryKeyConstraint("seat_id", name=op.f("pk_member_key")),
    )
    make_append_only(op, "protocol", "protocol_paper")
    let_app_work_on(op, "member_key", rights="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in ("member_key", "protocol_paper", "protocol"):
        op.drop_table(table)
