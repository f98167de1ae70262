"""Make tables for awards, complaints and contracts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import let_app_work_on, make_append_only

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "recheck",
    "complaint",
    "complaint_post",
    "complaint_file",
    "contract_document",
    "contract_item",
    "contract_price",
    "contract_signature",
    "lease",
)
TABLES = (
    "contract_price",
    "lease",
    "contract_staff",
    "contract_signature",
    "contract_item",
    "contract_document",
    "contract_change",
    "contract",
    "recheck",
    "complaint_post",
    "complaint_file",
    "award",
    "complaint",
)


def upgrade() -> None:
    """Make the tables, and let the app add to those that are never changed."""
    _make_complaint()
    _make_award()
    _make_complaint_file()
    _make_complaint_post()
    _make_recheck()
    _make_contract()
    _make_contract_change()
    _make_contract_document()
    _make_contract_item()
    _make_contract_signature()
    _make_contract_staff()
    _make_lease()
    _make_contract_price()
    make_append_only(op, *APPEND_ONLY)
    let_app_work_on(op, "award", "contract", "contract_change", "contract_staff", rights="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in TABLES:
        op.drop_table(table)


def _make_complaint() -> None:
    op.create_table(
        "complaint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("remedy", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "about IN ('terms', 'opening', 'admission', 'evaluation', 'award', 'other')",
            name=op.f("ck_complaint_about"),
        ),
        sa.ForeignKeyConstraint(
            ["author_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_complaint_author_organisation_id_organisation"),
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_complaint_lot_id_lot")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_complaint_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("tender_id", "number", name=op.f("uq_complaint_tender_id_number")),
    )


def _make_award() -> None:
    op.create_table(
        "award",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=False),
        sa.Column("supplier_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("points_milli", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_code", sa.String(), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_award_ended_for_a_reason")),
        sa.CheckConstraint("rank > 0", name=op.f("ck_award_rank_positive")),
        sa.CheckConstraint("value_minor >= 0", name=op.f("ck_award_value_not_negative")),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_award_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_award_supplier_id_organisation")),
        sa.ForeignKeyConstraint(
            ["tender_id", "lot_id"], ["lot.tender_id", "lot.id"], name=op.f("fk_award_tender_id_lot_id_lot")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_award_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award")),
    )
    op.create_index("ix_award_supplier_id", "award", ["supplier_id"], unique=False)
    op.create_index("ix_award_tender_id", "award", ["tender_id"], unique=False)
    op.create_index("uq_award_standing", "award", ["lot_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL"))


def _make_complaint_file() -> None:
    op.create_table(
        "complaint_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_complaint_file_size_positive")),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_file_complaint_id_complaint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_file")),
    )
    op.create_index("ix_complaint_file_complaint_id", "complaint_file", ["complaint_id"], unique=False)


def _make_complaint_post() -> None:
    op.create_table(
        "complaint_post",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("complaint_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("remedies", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("by_person", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'decided') = (outcome IS NOT NULL)", name=op.f("ck_complaint_post_decided_somehow")
        ),
        sa.CheckConstraint(
            "kind IN ('accepted', 'refused', 'withdrawn', 'decided', 'executed')", name=op.f("ck_complaint_post_kind")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_post_complaint_id_complaint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_post")),
        sa.UniqueConstraint("complaint_id", "kind", name=op.f("uq_complaint_post_complaint_id_kind")),
    )


def _make_recheck() -> None:
    op.create_table(
        "recheck",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("bid_id", sa.Uuid(), nullable=True),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("supplier_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("occasion IN ('award', 'contract')", name=op.f("ck_recheck_occasion")),
        sa.ForeignKeyConstraint(["bid_id"], ["frozen_bid.id"], name=op.f("fk_recheck_bid_id_frozen_bid")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_recheck_lot_id_lot")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_recheck_supplier_id_organisation")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_recheck_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recheck")),
    )
    op.create_index("ix_recheck_tender_id", "recheck", ["tender_id", "at"], unique=False)


def _make_contract() -> None:
    op.create_table(
        "contract",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=True),
        sa.Column("organiser_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("supplier_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("security_minor", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supplier_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("buyer_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_due_on", sa.Date(), nullable=True),
        sa.Column("lease_signed_on", sa.Date(), nullable=True),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terminated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "fault IS NULL OR fault IN ('buyer', 'supplier', 'both', 'none')", name=op.f("ck_contract_fault")
        ),
        sa.CheckConstraint(
            "(terminated_at IS NULL) = (fault IS NULL)", name=op.f("ck_contract_terminated_with_a_fault_side")
        ),
        sa.CheckConstraint(
            "active_at IS NULL OR (supplier_signed_at IS NOT NULL)", name=op.f("ck_contract_active_when_signed")
        ),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_contract_starts_before_it_ends")),
        sa.CheckConstraint("value_minor >= 0", name=op.f("ck_contract_value_not_negative")),
        sa.ForeignKeyConstraint(["award_id"], ["award.id"], name=op.f("fk_contract_award_id_award")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_contract_buyer_id_organisation")),
        sa.ForeignKeyConstraint(
            ["organiser_id"], ["organisation.id"], name=op.f("fk_contract_organiser_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["organisation.id"], name=op.f("fk_contract_supplier_id_organisation")
        ),
        sa.ForeignKeyConstraint(
            ["tender_id", "lot_id"], ["lot.tender_id", "lot.id"], name=op.f("fk_contract_tender_id_lot_id_lot")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_contract_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("number", name=op.f("uq_contract_number")),
    )
    op.create_index("ix_contract_buyer_id", "contract", ["buyer_id", "starts_on"], unique=False)
    op.create_index("ix_contract_supplier_id", "contract", ["supplier_id"], unique=False)
    op.create_index("ix_contract_tender_id", "contract", ["tender_id"], unique=False)
    op.create_index(
        "uq_contract_award", "contract", ["award_id"], unique=True, postgresql_where=sa.text("voided_at IS NULL")
    )


def _make_contract_change() -> None:
    op.create_table(
        "contract_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_side", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supplier_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("buyer_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('price-index', 'buffet', 'staff', 'quantity', 'menu', 'extension', 'details')",
            name=op.f("ck_contract_change_kind"),
        ),
        sa.CheckConstraint(
            "applied_at IS NULL OR refused_at IS NULL", name=op.f("ck_contract_change_applied_or_refused")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_change_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_change")),
        sa.UniqueConstraint("contract_id", "version", name=op.f("uq_contract_change_contract_id_version")),
    )
    op.create_index(
        "uq_contract_change_open",
        "contract_change",
        ["contract_id"],
        unique=True,
        postgresql_where=sa.text("applied_at IS NULL AND refused_at IS NULL"),
    )


def _make_contract_document() -> None:
    op.create_table(
        "contract_document",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_contract_document_version_positive")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_document_contract_id_contract")
        ),
        sa.PrimaryKeyConstraint("contract_id", "version", name=op.f("pk_contract_document")),
    )


def _make_contract_item() -> None:
    op.create_table(
        "contract_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("lot_item_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("age_group", sa.String(), nullable=True),
        sa.Column("meal", sa.String(), nullable=True),
        sa.Column("name", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'meal') = (age_group IS NOT NULL AND meal IS NOT NULL)",
            name=op.f("ck_contract_item_meal_of_an_age_group"),
        ),
        sa.CheckConstraint("(kind = 'meal') = (name IS NULL)", name=op.f("ck_contract_item_named_where_no_meal")),
        sa.CheckConstraint("kind IN ('meal', 'goods', 'buffet')", name=op.f("ck_contract_item_kind")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_contract_item_quantity_not_negative")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_item_contract_id_contract")),
        sa.ForeignKeyConstraint(["lot_item_id"], ["lot_item.id"], name=op.f("fk_contract_item_lot_item_id_lot_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_item")),
        sa.UniqueConstraint(
            "contract_id", "age_group", "meal", name=op.f("uq_contract_item_contract_id_age_group_meal")
        ),
    )
    op.create_index("ix_contract_item_lot_item_id", "contract_item", ["lot_item_id"], unique=False)


def _make_contract_signature() -> None:
    op.create_table(
        "contract_signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("proof", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cms", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'cms') = (cms IS NOT NULL)", name=op.f("ck_contract_signature_cms_with_its_file")),
        sa.CheckConstraint("kind IN ('passkey', 'cms')", name=op.f("ck_contract_signature_kind")),
        sa.CheckConstraint("side IN ('supplier', 'buyer')", name=op.f("ck_contract_signature_side")),
        sa.CheckConstraint("state IN ('verified', 'not-verified-here')", name=op.f("ck_contract_signature_state")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_signature_contract_id_contract")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_signature")),
    )
    op.create_index(
        "uq_contract_signature_side",
        "contract_signature",
        ["contract_id", "version", "side"],
        unique=True,
        postgresql_where=sa.text("kind = 'passkey'"),
    )


def _make_contract_staff() -> None:
    op.create_table(
        "contract_staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("post", sa.String(), nullable=False),
        sa.Column("fte_percent", sa.SmallInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.CheckConstraint("fte_percent BETWEEN 1 AND 100", name=op.f("ck_contract_staff_fte_percent")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_staff_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_staff")),
    )
    op.create_index(op.f("ix_contract_staff_contract_id"), "contract_staff", ["contract_id"], unique=False)
    op.create_index("ix_contract_staff_person_key", "contract_staff", ["person_key"], unique=False)


def _make_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("area_m2", sa.BigInteger(), nullable=False),
        sa.Column("rent_minor_month", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("noted_by", sa.Uuid(), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_lease_contract_id_contract")),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_lease")),
    )


def _make_contract_price() -> None:
    op.create_table(
        "contract_price",
        sa.Column("contract_item_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.CheckConstraint("price_minor > 0", name=op.f("ck_contract_price_price_positive")),
        sa.ForeignKeyConstraint(
            ["contract_item_id"], ["contract_item.id"], name=op.f("fk_contract_price_contract_item_id_contract_item")
        ),
        sa.PrimaryKeyConstraint("contract_item_id", "from_on", "version", name=op.f("pk_contract_price")),
    )
