"""Keep what a supplier said of itself before it described itself anew, so that conflicts are sought there too."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from schoolmeals.grants import make_append_only

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; of suppliers that are there nothing earlier is known."""
    op.create_table(
        "supplier_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("addresses", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("phones", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("people", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("founders", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_supplier_version_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_version")),
    )
    op.create_index(
        "ix_supplier_version_organisation_id", "supplier_version", ["organisation_id", "held_until"], unique=False
    )
    make_append_only(op, "supplier_version")


def downgrade() -> None:
    """Forget what was said before."""
    op.drop_table("supplier_version")
