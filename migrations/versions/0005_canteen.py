"""Make menus and sales."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import let_app_work_on, make_append_only

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make menus and sales."""
    op.create_table(
        "day_closing",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("trial_balance", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("school_id", "day", name=op.f("pk_day_closing")),
    )
    op.create_table(
        "sitting",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("meal", sa.String(), nullable=False),
        sa.Column("shift", sa.SmallInteger(), nullable=False),
        sa.Column("opens_at", sa.Time(), nullable=False),
        sa.Column("closes_at", sa.Time(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'afternoon-snack', 'dinner')", name=op.f("ck_sitting_meal")),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_sitting_opens_before_it_closes")),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_sitting")),
    )
    op.create_table(
        "menu",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id", "sitting_id"],
            ["sitting.school_id", "sitting.id"],
            name=op.f("fk_menu_school_id_sitting_id_sitting"),
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_menu")),
        sa.UniqueConstraint("school_id", "day", "sitting_id", name=op.f("uq_menu_school_id_day_sitting_id")),
    )
    op.create_table(
        "menu_item",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("menu_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("age_group", sa.String(), nullable=True),
        sa.Column("name_kk", sa.String(), nullable=False),
        sa.Column("name_ru", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("dishes", postgresql.JSONB(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("portion_g", sa.BigInteger(), nullable=True),
        sa.Column("kcal", sa.BigInteger(), nullable=True),
        sa.Column("allergens", postgresql.JSONB(), nullable=False),
        sa.Column("contract_item_id", sa.Uuid(), nullable=True),
        sa.Column("from_version", sa.BigInteger(), nullable=False),
        sa.Column("until_version", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'set') = (age_group IS NOT NULL)", name=op.f("ck_menu_item_set_meals_have_an_age_group")
        ),
        sa.CheckConstraint("kind IN ('set', 'buffet')", name=op.f("ck_menu_item_kind")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_menu_item_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["school_id", "menu_id"], ["menu.school_id", "menu.id"], name=op.f("fk_menu_item_school_id_menu_id_menu")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "photo_id"],
            ["photo.school_id", "photo.id"],
            name=op.f("fk_menu_item_school_id_photo_id_photo"),
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_menu_item")),
    )
    op.create_index("ix_menu_item_menu", "menu_item", ["school_id", "menu_id"], unique=False)
    op.create_table(
        "sale",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("cashier_id", sa.Uuid(), nullable=True),
        sa.Column("pupil_id", sa.Uuid(), nullable=True),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("sitting_id", sa.Uuid(), nullable=False),
        sa.Column("menu_version", sa.BigInteger(), nullable=True),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("tapped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("warnings", postgresql.JSONB(), nullable=False),
        sa.Column("decisions", postgresql.JSONB(), nullable=False),
        sa.Column("declined", postgresql.JSONB(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("money_minor", sa.BigInteger(), nullable=False),
        sa.Column("grace_minor", sa.BigInteger(), nullable=False),
        sa.Column("courtesy_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(verdict = 'served') = (code IS NULL)", name=op.f("ck_sale_refused_with_a_code")),
        sa.CheckConstraint("verdict IN ('served', 'refused')", name=op.f("ck_sale_verdict")),
        sa.CheckConstraint(
            "total_minor = money_minor + grace_minor + courtesy_minor", name=op.f("ck_sale_shares_add_up")
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "entry_id"],
            ["journal_entry.school_id", "journal_entry.id"],
            name=op.f("fk_sale_school_id_entry_id_journal_entry"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"], name=op.f("fk_sale_school_id_pupil_id_pupil")
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_sale")),
        sa.UniqueConstraint("school_id", "device_id", "seq", name=op.f("uq_sale_school_id_device_id_seq")),
    )
    op.create_index("ix_sale_day", "sale", ["school_id", "service_day"], unique=False)
    op.create_index("ix_sale_pupil_day", "sale", ["school_id", "pupil_id", "service_day"], unique=False)
    op.create_table(
        "sale_line",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("menu_item_id", sa.Uuid(), nullable=False),
        sa.Column("is_set_meal", sa.Boolean(), nullable=False),
        sa.Column("quantity", sa.SmallInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("contract_item_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("quantity BETWEEN 1 AND 20", name=op.f("ck_sale_line_quantity")),
        sa.ForeignKeyConstraint(
            ["school_id", "menu_item_id"],
            ["menu_item.school_id", "menu_item.id"],
            name=op.f("fk_sale_line_school_id_menu_item_id_menu_item"),
        ),
        sa.ForeignKeyConstraint(
            ["school_id", "sale_id"], ["sale.school_id", "sale.id"], name=op.f("fk_sale_line_school_id_sale_id_sale")
        ),
        sa.PrimaryKeyConstraint("school_id", "sale_id", "line", name=op.f("pk_sale_line")),
    )
    op.create_table(
        "sale_undo",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id", "sale_id"], ["sale.school_id", "sale.id"], name=op.f("fk_sale_undo_school_id_sale_id_sale")
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_sale_undo")),
        sa.UniqueConstraint("school_id", "sale_id", name=op.f("uq_sale_undo_school_id_sale_id")),
    )
    let_app_work_on(op, "sitting", "menu", "menu_item")
    make_append_only(op, "sale", "sale_line", "sale_undo", "day_closing")


def downgrade() -> None:
    """Take the tables away again, with all that is in them."""
    op.drop_table("sale_undo")
    op.drop_table("sale_line")
    op.drop_table("sale")
    op.drop_table("menu_item")
    op.drop_table("menu")
    op.drop_table("sitting")
    op.drop_table("day_closing")
