"""Make purses and top-ups."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import let_app_work_on, make_append_only

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make purses and top-ups."""
    op.create_table(
        "payment_event",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("top_up_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "event_id", name=op.f("pk_payment_event")),
    )
    op.create_table(
        "school_policy",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("grace_limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("next_receipt_no", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_school_policy")),
    )
    op.create_table(
        "purse",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("money_account_id", sa.Uuid(), nullable=False),
        sa.Column("grace_account_id", sa.Uuid(), nullable=False),
        sa.Column("limit_minor_day", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("limit_minor_day IS NULL OR limit_minor_day >= 0", name=op.f("ck_purse_limit_not_negative")),
        sa.ForeignKeyConstraint(
            ["school_id", "grace_account_id"],
            ["account.school_id", "account.id"],
            name=op.f("fk_purse_school_id_grace_account_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "money_account_id"],
            ["account.school_id", "account.id"],
            name=op.f("fk_purse_school_id_money_account_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"], name=op.f("fk_purse_school_id_pupil_id_pupil")
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_purse")),
        sa.UniqueConstraint("school_id", "pupil_id", name=op.f("uq_purse_school_id_pupil_id")),
    )
    op.create_table(
        "top_up",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purse_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("intended_by", sa.Uuid(), nullable=True),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("provider", sa.String(), nullable=True),
        sa.Column("provider_reference", sa.String(), nullable=True),
        sa.Column("checkout_url", sa.String(), nullable=True),
        sa.Column("receipt_no", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure_code", sa.String(), nullable=True),
        sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reversal_id", sa.Uuid(), nullable=True),
        sa.Column("reversed_by", sa.Uuid(), nullable=True),
        sa.Column("reversal_reason", sa.String(), nullable=True),
        sa.CheckConstraint("method IN ('hosted-page', 'cash-desk')", name=op.f("ck_top_up_method")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_top_up_amount_positive")),
        sa.CheckConstraint("(reversed_at IS NULL) = (reversal_id IS NULL)", name=op.f("ck_top_up_reversed_with_an_id")),
        sa.ForeignKeyConstraint(
            ["school_id", "purse_id"], ["purse.school_id", "purse.id"], name=op.f("fk_top_up_school_id_purse_id_purse")
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_top_up")),
        sa.UniqueConstraint("school_id", "receipt_no", name=op.f("uq_top_up_school_id_receipt_no")),
    )
    op.create_index("ix_top_up_purse", "top_up", ["school_id", "purse_id", "id"], unique=False)
    op.create_index("ix_top_up_settled", "top_up", ["school_id", "settled_at"], unique=False)
    op.create_index("ix_top_up_id", "top_up", ["id"], unique=False)
    op.create_index(
        "ix_top_up_pending",
        "top_up",
        ["intended_at"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL AND failed_at IS NULL"),
    )
    let_app_work_on(op, "school_policy", "purse", "top_up")
    make_append_only(op, "payment_event")


def downgrade() -> None:
    """Take the tables away again, with all that is in them."""
    op.drop_table("top_up")
    op.drop_table("purse")
    op.drop_table("school_policy")
    op.drop_table("payment_event")
