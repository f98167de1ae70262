"""Make the state's registers as they are imported, and what suppliers keep of themselves."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import let_app_work_on, make_append_only

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

APPEND_ONLY = ("register_import", "register_entry")
LEDGER = ("supplier_staff", "supplier_equipment", "experience_contract", "supplier_tax")
OWN = ("supplier", "supplier_representative", "supplier_evidence")


def upgrade() -> None:
    """Make the tables. Nothing of a supplier is deleted: what is over has its end."""
    _make_registers()
    _make_suppliers()
    _make_ledger()
    make_append_only(op, *APPEND_ONLY)
    let_app_work_on(op, *OWN, *LEDGER, rights="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in (*LEDGER, *OWN, *reversed(APPEND_ONLY)):
        op.drop_table(table)


def _make_registers() -> None:
    """Registers, and who is in them."""
    op.create_table(
        "register_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("register", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("entries >= 0", name=op.f("ck_register_import_entries_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_import")),
    )
    op.create_index("ix_register_import_register", "register_import", ["register", "as_of"], unique=False)
    op.create_table(
        "register_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.CheckConstraint(
            "until_on IS NULL OR until_on >= from_on", name=op.f("ck_register_entry_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["register_import.id"], name=op.f("fk_register_entry_import_id_register_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_entry")),
    )
    op.create_index("ix_register_entry_identifier", "register_entry", ["identifier", "import_id"], unique=False)
    op.create_index("ix_register_entry_import_id", "register_entry", ["import_id", "line"], unique=False)


def _make_suppliers() -> None:
    """Suppliers, who acts for them, and their papers."""
    op.create_table(
        "supplier",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("addresses", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("phones", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("people", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("person_keys", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("founders", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_supplier_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_supplier")),
    )
    op.create_table(
        "supplier_representative",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (invitation_id IS NULL)",
            name=op.f("ck_supplier_representative_a_person_or_an_invitation"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_supplier_representative_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_representative")),
    )
    op.create_index(
        "ix_supplier_representative_organisation_id", "supplier_representative", ["organisation_id"], unique=False
    )
    op.create_table(
        "supplier_evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(content IS NULL) = (removed_at IS NOT NULL)", name=op.f("ck_supplier_evidence_removed_without_content")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_supplier_evidence_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_evidence")),
        sa.UniqueConstraint("organisation_id", "sha256", name=op.f("uq_supplier_evidence_organisation_id_sha256")),
    )
    op.create_index(
        "ix_supplier_evidence_standing",
        "supplier_evidence",
        ["organisation_id", "added_at"],
        unique=False,
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _make_ledger() -> None:
    """What suppliers have and have done."""
    op.create_table(
        "supplier_staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("post", sa.String(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=True),
        sa.Column("education", sa.String(), nullable=False),
        sa.Column("fte_percent", sa.SmallInteger(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "ended_on IS NULL OR ended_on >= started_on", name=op.f("ck_supplier_staff_ends_after_it_begins")
        ),
        sa.CheckConstraint("fte_percent BETWEEN 1 AND 100", name=op.f("ck_supplier_staff_at_most_whole_time")),
        sa.CheckConstraint("grade BETWEEN 1 AND 6", name=op.f("ck_supplier_staff_grade")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_supplier_staff_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_staff")),
    )
    op.create_index("ix_supplier_staff_organisation_id", "supplier_staff", ["organisation_id"], unique=False)
    op.create_index("ix_supplier_staff_person_key", "supplier_staff", ["person_key"], unique=False)
    op.create_table(
        "supplier_equipment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("owned", sa.Boolean(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("count > 0", name=op.f("ck_supplier_equipment_count_positive")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_supplier_equipment_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_equipment")),
    )
    op.create_index("ix_supplier_equipment_organisation_id", "supplier_equipment", ["organisation_id"], unique=False)
    op.create_table(
        "experience_contract",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_experience_contract_ends_after_it_begins")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_experience_contract_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experience_contract")),
    )
    op.create_index("ix_experience_contract_organisation_id", "experience_contract", ["organisation_id"], unique=False)
    op.create_table(
        "supplier_tax",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_supplier_tax_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_tax")),
    )
    op.create_index("ix_supplier_tax_organisation_id", "supplier_tax", ["organisation_id"], unique=False)
