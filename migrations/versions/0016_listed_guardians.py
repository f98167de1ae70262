"""List the guardians whom a roll's file names, and say for whom of them a claim code was made."""

import sqlalchemy as sa
from alembic import op

from schoolmeals.grants import let_app_work_on

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the list; codes that are there were made for nobody by name."""
    op.create_table(
        "listed_guardian",
        sa.Column("school_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pupil_id", sa.Uuid(), nullable=False),
        sa.Column("sourced_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unlisted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("relation IN ('parent', 'guardian', 'relative')", name=op.f("ck_listed_guardian_relation")),
        sa.ForeignKeyConstraint(
            ["school_id", "pupil_id"],
            ["pupil.school_id", "pupil.id"],
            name=op.f("fk_listed_guardian_school_id_pupil_id_pupil"),
        ),
        sa.PrimaryKeyConstraint("school_id", "id", name=op.f("pk_listed_guardian")),
        sa.UniqueConstraint(
            "school_id", "pupil_id", "sourced_id", name=op.f("uq_listed_guardian_school_id_pupil_id_sourced_id")
        ),
    )
    op.add_column("claim_code", sa.Column("listed_id", sa.Uuid(), nullable=True))
    # NOT VALID takes no long lock; every row that is there has NULL, so the check afterwards finds nothing.
    op.execute(
        "ALTER TABLE claim_code ADD CONSTRAINT fk_claim_code_school_id_listed_id_listed_guardian "
        "FOREIGN KEY (school_id, listed_id) REFERENCES listed_guardian (school_id, id) NOT VALID"
    )
    op.execute("ALTER TABLE claim_code VALIDATE CONSTRAINT fk_claim_code_school_id_listed_id_listed_guardian")
    let_app_work_on(op, "listed_guardian")


def downgrade() -> None:
    """Forget the list. Codes stay good, for whoever holds them."""
    op.drop_column("claim_code", "listed_id")
    op.drop_table("listed_guardian")
