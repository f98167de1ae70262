"""Keep with a register's import who wanted it, so that what was dropped since two people agreed can be added up."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of imports that are there it stays unknown: they count as one person's."""
    op.add_column("register_import", sa.Column("wanted_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    """Forget it; the log still tells."""
    op.drop_column("register_import", "wanted_by")
