"""Make the log and the books."""

import sqlalchemy as sa
from alembic import op

from schoolmeals.grants import let_app_work_on, make_append_only, make_role, unmake_role

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BALANCE = (
    "CASE WHEN kind IN ('asset', 'expense') THEN debits_minor - credits_minor ELSE credits_minor - debits_minor END"
)


def upgrade() -> None:
    """Make the log and the books."""
    make_role(op)
    op.create_table(
        "account",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("debits_minor", sa.BigInteger(), nullable=False),
        sa.Column("credits_minor", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("floor_minor", sa.BigInteger(), nullable=True),
        sa.Column("ceiling_minor", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "balance_minor",
            sa.BigInteger(),
            sa.Computed(
                BALANCE,
                persisted=True,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            f"ceiling_minor IS NULL OR {BALANCE} <= ceiling_minor",
            name=op.f("ck_account_not_above_ceiling"),
        ),
        sa.CheckConstraint(
            f"floor_minor IS NULL OR {BALANCE} >= floor_minor",
            name=op.f("ck_account_not_below_floor"),
        ),
        sa.CheckConstraint("kind IN ('asset', 'liability', 'income', 'expense')", name=op.f("ck_account_kind")),
        sa.CheckConstraint("debits_minor >= 0 AND credits_minor >= 0", name=op.f("ck_account_totals_only_grow")),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "school_id",
            "purpose",
            "owner_id",
            "currency",
            name=op.f("uq_account_school_id_purpose_owner_id_currency"),
            postgresql_nulls_not_distinct=True,
        ),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("school_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("personal_commitment", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_school", "audit_event", ["school_id", "id"], unique=False)
    op.create_index("ix_audit_event_subject", "audit_event", ["subject_id", "id"], unique=False)
    op.create_table(
        "journal_entry",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id", "reverses_id"],
            ["journal_entry.school_id", "journal_entry.id"],
            name=op.f("fk_journal_entry_school_id_reverses_id_journal_entry"),
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_journal_entry")),
        sa.UniqueConstraint("school_id", "reverses_id", name=op.f("uq_journal_entry_school_id_reverses_id")),
    )
    op.create_table(
        "audit_personal",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["audit_event.id"], name=op.f("fk_audit_personal_event_id_audit_event")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_personal")),
    )
    op.create_table(
        "posting",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("debit_account_id", sa.Uuid(), nullable=False),
        sa.Column("credit_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("debit_balance_after", sa.BigInteger(), nullable=False),
        sa.Column("credit_balance_after", sa.BigInteger(), nullable=False),
        sa.Column("debit_version", sa.BigInteger(), nullable=False),
        sa.Column("credit_version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_posting_amount_positive")),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("ck_posting_two_accounts")),
        sa.ForeignKeyConstraint(
            ["school_id", "credit_account_id"],
            ["account.school_id", "account.id"],
            name=op.f("fk_posting_school_id_credit_account_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "debit_account_id"],
            ["account.school_id", "account.id"],
            name=op.f("fk_posting_school_id_debit_account_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "entry_id"],
            ["journal_entry.school_id", "journal_entry.id"],
            name=op.f("fk_posting_school_id_entry_id_journal_entry"),
        ),
        sa.PrimaryKeyConstraint("school_id", "entry_id", "line", name=op.f("pk_posting")),
    )
    op.create_index("ix_posting_credit", "posting", ["school_id", "credit_account_id", "credit_version"], unique=False)
    op.create_index("ix_posting_debit", "posting", ["school_id", "debit_account_id", "debit_version"], unique=False)
    let_app_work_on(op, "account", rights="SELECT, INSERT, UPDATE")
    let_app_work_on(op, "audit_personal", rights="SELECT, INSERT, DELETE")
    make_append_only(op, "audit_event", "journal_entry", "posting")


def downgrade() -> None:
    """Take the tables away again, with all that is in them."""
    op.drop_table("posting")
    op.drop_table("audit_personal")
    op.drop_table("journal_entry")
    op.drop_table("audit_event")
    op.drop_table("account")
    unmake_role(op)
