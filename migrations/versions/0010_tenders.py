"""Make tenders: the plan, acts and versions, commissions and the register of tenure."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import let_app_work_on, make_append_only

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "tender_act",
    "tender_version",
    "tender_document",
    "enquiry",
    "enquiry_answer",
    "interest_declaration",
    "tenure_exception",
)
KEPT = ("plan_line", "tender", "lot", "subscription", "pool_member", "commission_seat", "tenure")
"""Rows that change and are never removed."""
TABLES = (
    "tenure_exception",
    "tenure",
    "interest_declaration",
    "commission_seat",
    "pool_member",
    "subscription",
    "enquiry_answer",
    "enquiry",
    "tender_document",
    "tender_version",
    "lot_item",
    "lot",
    "tender_section",
    "tender_act",
    "tender",
    "served_meals",
    "plan_line",
)


def upgrade() -> None:
    """Make the tables, and let the app add to those that are never changed."""
    _make_plans()
    _make_tenders()
    _make_notices()
    _make_commissions()
    make_append_only(op, *APPEND_ONLY)
    let_app_work_on(op, *KEPT, rights="SELECT, INSERT, UPDATE")
    let_app_work_on(op, "tender_section", "lot_item", "served_meals")


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in TABLES:
        op.drop_table(table)


def _make_plans() -> None:
    """The annual plan, and what canteens served."""
    op.create_table(
        "plan_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organiser_id", sa.Uuid(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("profile_code", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("planned_days", sa.SmallInteger(), nullable=False),
        sa.Column("pupils", postgresql.JSONB(), nullable=False),
        sa.Column("meals", postgresql.JSONB(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("announce_on", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)", name=op.f("ck_plan_line_withdrawn_with_a_reason")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_plan_line_amount_positive")),
        sa.CheckConstraint("planned_days > 0", name=op.f("ck_plan_line_days_positive")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_plan_line_starts_before_it_ends")),
        sa.ForeignKeyConstraint(
            ["organiser_id"], ["organisation.id"], name=op.f("fk_plan_line_organiser_id_organisation")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["organisation.id"], name=op.f("fk_plan_line_school_id_organisation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_line")),
    )
    op.create_index(op.f("ix_plan_line_school_id"), "plan_line", ["school_id"], unique=False)
    op.create_index("ix_plan_line_year", "plan_line", ["year", "organiser_id"], unique=False)
    op.create_table(
        "served_meals",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meal", sa.String(), nullable=False),
        sa.Column("age_group", sa.String(), nullable=False),
        sa.Column("meals", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("meals >= 0", name=op.f("ck_served_meals_not_negative")),
        sa.ForeignKeyConstraint(
            ["school_id"], ["organisation.id"], name=op.f("fk_served_meals_school_id_organisation")
        ),
        sa.PrimaryKeyConstraint("school_id", "day", "meal", "age_group", name=op.f("pk_served_meals")),
    )


def _make_tenders() -> None:
    """Tenders, their acts, the working copy and its published versions."""
    op.create_table(
        "tender",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organiser_id", sa.Uuid(), nullable=False),
        sa.Column("review_body_id", sa.Uuid(), nullable=True),
        sa.Column("profile_code", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("repeats_id", sa.Uuid(), nullable=True),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acts", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discussion_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bidding_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opening_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("awarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("standstill_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unsuccessful_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(published_at IS NULL) = (number IS NULL)", name=op.f("ck_tender_published_under_a_number")
        ),
        sa.CheckConstraint("(published_at IS NULL) = (version = 0)", name=op.f("ck_tender_published_in_a_version")),
        sa.CheckConstraint("opened_at IS NULL OR closed_at IS NOT NULL", name=op.f("ck_tender_opened_after_closing")),
        sa.CheckConstraint(
            "published_at IS NULL OR approved_at IS NOT NULL", name=op.f("ck_tender_published_after_review")
        ),
        sa.ForeignKeyConstraint(
            ["organiser_id"], ["organisation.id"], name=op.f("fk_tender_organiser_id_organisation")
        ),
        sa.ForeignKeyConstraint(["repeats_id"], ["tender.id"], name=op.f("fk_tender_repeats_id_tender")),
        sa.ForeignKeyConstraint(
            ["review_body_id"], ["organisation.id"], name=op.f("fk_tender_review_body_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender")),
        sa.UniqueConstraint("number", name=op.f("uq_tender_number")),
    )
    op.create_index(op.f("ix_tender_organiser_id"), "tender", ["organiser_id"], unique=False)
    op.create_index("ix_tender_published", "tender", ["published_at"], unique=False)
    op.create_table(
        "tender_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_kind", sa.String(), nullable=False),
        sa.Column("by_person", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("kind ~ '^[a-z]+(-[a-z]+)*$'", name=op.f("ck_tender_act_kind")),
        sa.CheckConstraint("number > 0", name=op.f("ck_tender_act_number_positive")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_tender_act_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender_act")),
        sa.UniqueConstraint("tender_id", "number", name=op.f("uq_tender_act_tender_id_number")),
    )
    op.create_index("ix_tender_act_kind", "tender_act", ["kind", "at"], unique=False)
    op.create_index("ix_tender_act_subject_id", "tender_act", ["subject_id"], unique=False)
    op.create_table(
        "tender_section",
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("edited_by", sa.Uuid(), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_tender_section_tender_id_tender")),
        sa.PrimaryKeyConstraint("tender_id", "about_id", "section", name=op.f("pk_tender_section")),
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("plan_line_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["plan_line_id"], ["plan_line.id"], name=op.f("fk_lot_plan_line_id_plan_line")),
        sa.ForeignKeyConstraint(["school_id"], ["organisation.id"], name=op.f("fk_lot_school_id_organisation")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_lot_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("tender_id", "id", name=op.f("uq_lot_tender_id_id")),
        sa.UniqueConstraint("tender_id", "position", name=op.f("uq_lot_tender_id_position")),
    )
    op.create_index(
        "uq_lot_school", "lot", ["tender_id", "school_id"], unique=True, postgresql_where=sa.text("removed_at IS NULL")
    )
    op.create_table(
        "lot_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("age_group", sa.String(), nullable=True),
        sa.Column("meal", sa.String(), nullable=True),
        sa.Column("goods", postgresql.JSONB(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("ceiling_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.CheckConstraint("(age_group IS NULL) = (meal IS NULL)", name=op.f("ck_lot_item_meal_of_an_age_group")),
        sa.CheckConstraint("(meal IS NULL) = (goods IS NOT NULL)", name=op.f("ck_lot_item_meal_or_goods")),
        sa.CheckConstraint("ceiling_minor > 0", name=op.f("ck_lot_item_ceiling_positive")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_lot_item_quantity_not_negative")),
        sa.ForeignKeyConstraint(
            ["tender_id", "lot_id"], ["lot.tender_id", "lot.id"], name=op.f("fk_lot_item_tender_id_lot_id_lot")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_item")),
        sa.UniqueConstraint("lot_id", "age_group", "meal", name=op.f("uq_lot_item_lot_id_age_group_meal")),
    )
    op.create_table(
        "tender_version",
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("rationale", postgresql.JSONB(), nullable=True),
        sa.Column("needs_confirmation", sa.Boolean(), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_tender_version_version_positive")),
        sa.ForeignKeyConstraint(["act_id"], ["tender_act.id"], name=op.f("fk_tender_version_act_id_tender_act")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_tender_version_tender_id_tender")),
        sa.PrimaryKeyConstraint("tender_id", "version", name=op.f("pk_tender_version")),
    )


def _make_notices() -> None:
    """What hangs on a tender's public page."""
    op.create_table(
        "tender_document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document_type", sa.String(), nullable=False),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_tender_document_size_not_negative")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_tender_document_lot_id_lot")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_tender_document_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender_document")),
        sa.UniqueConstraint("series_id", "version", name=op.f("uq_tender_document_series_id_version")),
    )
    op.create_index("ix_tender_document_tender_id", "tender_document", ["tender_id", "added_at"], unique=False)
    op.create_table(
        "enquiry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("asker_id", sa.Uuid(), nullable=False),
        sa.Column("asker_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('question', 'objection')", name=op.f("ck_enquiry_kind")),
        sa.ForeignKeyConstraint(
            ["asker_organisation_id"], ["organisation.id"], name=op.f("fk_enquiry_asker_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_enquiry_lot_id_lot")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_enquiry_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiry")),
    )
    op.create_index("ix_enquiry_tender_id", "enquiry", ["tender_id", "at"], unique=False)
    op.create_table(
        "enquiry_answer",
        sa.Column("enquiry_id", sa.Uuid(), nullable=False),
        sa.Column("text", postgresql.JSONB(), nullable=False),
        sa.Column("leads_to_amendment", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["enquiry_id"], ["enquiry.id"], name=op.f("fk_enquiry_answer_enquiry_id_enquiry")),
        sa.PrimaryKeyConstraint("enquiry_id", name=op.f("pk_enquiry_answer")),
    )
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=True),
        sa.Column("search", postgresql.JSONB(), nullable=True),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(tender_id IS NULL) = (search IS NOT NULL)", name=op.f("ck_subscription_tender_or_search")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_subscription_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_subscription_token_hash")),
    )
    op.create_index("ix_subscription_tender_id", "subscription", ["tender_id"], unique=False)


def _make_commissions() -> None:
    """The pool, the seats, declarations and the register of tenure."""
    op.create_table(
        "pool_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("surname", sa.String(), nullable=False),
        sa.Column("given_name", sa.String(), nullable=False),
        sa.Column("patronymic", sa.String(), nullable=False),
        sa.Column("constituency", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("employer", sa.String(), nullable=False),
        sa.Column("employer_identifier", sa.String(), nullable=False),
        sa.Column("founder_of", postgresql.JSONB(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "constituency IN ('parents', 'trustees', 'education', 'health', 'finance', 'entrepreneurs', 'ngo')",
            name=op.f("ck_pool_member_constituency"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_pool_member_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pool_member_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_member")),
    )
    op.create_index(
        "uq_pool_member_standing",
        "pool_member",
        ["organisation_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_table(
        "commission_seat",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("pool_member_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("constituency", sa.String(), nullable=True),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("appointed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_public", sa.String(), nullable=True),
        sa.Column("key_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(part = 'secretary') = (pool_member_id IS NULL)", name=op.f("ck_commission_seat_drawn_from_the_pool")
        ),
        sa.CheckConstraint(
            "part IN ('chair', 'deputy', 'member', 'secretary', 'alternate')", name=op.f("ck_commission_seat_part")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_commission_seat_ended_with_a_reason")
        ),
        sa.CheckConstraint(
            "(key_at IS NULL) = (key_public IS NULL)", name=op.f("ck_commission_seat_key_with_its_time")
        ),
        sa.CheckConstraint(
            "accepted_at IS NULL OR declined_at IS NULL", name=op.f("ck_commission_seat_accepted_or_declined")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_commission_seat_person_id_person")),
        sa.ForeignKeyConstraint(
            ["pool_member_id"], ["pool_member.id"], name=op.f("fk_commission_seat_pool_member_id_pool_member")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_commission_seat_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_seat")),
        sa.UniqueConstraint("tender_id", "person_id", name=op.f("uq_commission_seat_tender_id_person_id")),
        sa.UniqueConstraint("tender_id", "position", name=op.f("uq_commission_seat_tender_id_position")),
    )
    op.create_index(op.f("ix_commission_seat_person_id"), "commission_seat", ["person_id"], unique=False)
    op.create_table(
        "interest_declaration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("tenderer_id", sa.Uuid(), nullable=False),
        sa.Column("has_interest", sa.Boolean(), nullable=False),
        sa.Column("nature", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["seat_id"], ["commission_seat.id"], name=op.f("fk_interest_declaration_seat_id_commission_seat")
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_interest_declaration_tender_id_tender")),
        sa.ForeignKeyConstraint(
            ["tenderer_id"], ["organisation.id"], name=op.f("fk_interest_declaration_tenderer_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest_declaration")),
        sa.UniqueConstraint("seat_id", "tenderer_id", name=op.f("uq_interest_declaration_seat_id_tenderer_id")),
    )
    op.create_index(op.f("ix_interest_declaration_tender_id"), "interest_declaration", ["tender_id"], unique=False)
    op.create_table(
        "tenure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("noted_by", sa.Uuid(), nullable=True),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "office IN ('school-head', 'commission-chair', 'commission-member')", name=op.f("ck_tenure_office")
        ),
        sa.CheckConstraint("ended_on IS NULL OR started_on <= ended_on", name=op.f("ck_tenure_starts_before_it_ends")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_tenure_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_tenure_person_id_person")),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_tenure_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenure")),
    )
    op.create_index("ix_tenure_person", "tenure", ["person_id", "office"], unique=False)
    op.create_table(
        "tenure_exception",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("office", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reason", postgresql.JSONB(), nullable=False),
        sa.Column("document_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_tenure_exception_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_tenure_exception_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenure_exception")),
    )
    op.create_index(op.f("ix_tenure_exception_person_id"), "tenure_exception", ["person_id"], unique=False)
