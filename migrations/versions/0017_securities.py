"""Write down securities of bids and contracts, and who has confirmed that a supplier's people may act for it."""

import sqlalchemy as sa
from alembic import op

from schoolmeals.grants import make_append_only

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = ("security", "security_end", "supplier_proof", "supplier_confirmation")


def upgrade() -> None:
    """Make the tables; suppliers that are there count as not confirmed yet."""
    op.create_table(
        "supplier_proof",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('registration', 'power-of-attorney')", name=op.f("ck_supplier_proof_kind")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_supplier_proof_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_proof")),
    )
    op.create_index(
        "ix_supplier_proof_organisation_id", "supplier_proof", ["organisation_id", "added_at"], unique=False
    )
    op.create_table(
        "supplier_confirmation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("proof_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('confirmed', 'returned')", name=op.f("ck_supplier_confirmation_outcome")),
        sa.ForeignKeyConstraint(
            ["by_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_supplier_confirmation_by_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_supplier_confirmation_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["proof_id"], ["supplier_proof.id"], name=op.f("fk_supplier_confirmation_proof_id_supplier_proof")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_confirmation")),
    )
    op.create_index(
        "ix_supplier_confirmation_organisation_id",
        "supplier_confirmation",
        ["organisation_id", "decided_at"],
        unique=False,
    )
    op.create_table(
        "security",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=True),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("supplier_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(purpose = 'bid') = (bid_id IS NOT NULL)", name=op.f("ck_security_bid_where_for_a_bid")),
        sa.CheckConstraint(
            "(purpose = 'contract') = (contract_id IS NOT NULL)", name=op.f("ck_security_contract_where_for_a_contract")
        ),
        sa.CheckConstraint("kind IN ('bank-guarantee', 'deposit')", name=op.f("ck_security_kind")),
        sa.CheckConstraint("purpose IN ('bid', 'contract')", name=op.f("ck_security_purpose")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_security_amount_positive")),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_security_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_security_contract_id_contract")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["organisation.id"], name=op.f("fk_security_supplier_id_organisation")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_security_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security")),
    )
    op.create_index("ix_security_contract_id", "security", ["contract_id"], unique=False)
    op.create_index("ix_security_tender_id", "security", ["tender_id"], unique=False)
    op.create_table(
        "security_end",
        sa.Column("security_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('returned', 'kept')", name=op.f("ck_security_end_outcome")),
        sa.ForeignKeyConstraint(["security_id"], ["security.id"], name=op.f("fk_security_end_security_id_security")),
        sa.PrimaryKeyConstraint("security_id", name=op.f("pk_security_end")),
    )
    make_append_only(op, *TABLES)


def downgrade() -> None:
    """Forget what was written down in them."""
    for table in reversed(TABLES):
        op.drop_table(table)
