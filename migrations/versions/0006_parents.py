"""Make notices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import let_app_work_on

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make notices."""
    op.create_table(
        "notice",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id", "pupil_id"], ["pupil.school_id", "pupil.id"], name=op.f("fk_notice_school_id_pupil_id_pupil")
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "school_id", "person_id", "kind", "cause_id", name=op.f("uq_notice_school_id_person_id_kind_cause_id")
        ),
    )
    op.create_index("ix_notice_person", "notice", ["person_id", "id"], unique=False)
    let_app_work_on(op, "notice")


def downgrade() -> None:
    """Take the tables away again, with all that is in them."""
    op.drop_table("notice")
