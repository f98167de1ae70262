"""Make kept files (papers that the worker draws, uploads that wait for a yes), and give each school its currency."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import let_app_work_on

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make kept files and the schools' currencies."""
    op.create_table(
        "kept_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("pages_total", sa.BigInteger(), nullable=False),
        sa.Column("pages_done", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_code", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('paper', 'upload')", name=op.f("ck_kept_file_kind")),
        sa.CheckConstraint("ready_at IS NULL OR failed_at IS NULL", name=op.f("ck_kept_file_ready_or_failed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_file")),
    )
    op.create_index("ix_kept_file_expires_at", "kept_file", ["expires_at"], unique=False)
    let_app_work_on(op, "kept_file")
    # A constant default needs no rewriting of the table; it goes again, because the code says the currency.
    op.add_column("school_policy", sa.Column("currency", sa.String(), nullable=False, server_default="KZT"))
    op.alter_column("school_policy", "currency", server_default=None)


def downgrade() -> None:
    """Take both away again, with all that is in them."""
    op.drop_column("school_policy", "currency")
    op.drop_table("kept_file")
