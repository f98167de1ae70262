"""Make the job queue, from the library's own schema."""

from importlib import resources

from alembic import op

from schoolmeals.database import APP_ROLE

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DROP_ALL = """
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT oid::regclass AS name FROM pg_class
                WHERE relname LIKE 'procrastinate\\_%' AND relkind = 'r' AND relnamespace = 'public'::regnamespace
    LOOP EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', one.name); END LOOP;
    FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
                WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = 'public'::regnamespace
    LOOP EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', one.name); END LOOP;
    FOR one IN SELECT oid::regtype AS name FROM pg_type
                WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c')
                  AND typnamespace = 'public'::regnamespace
    LOOP EXECUTE format('DROP TYPE IF EXISTS %s CASCADE', one.name); END LOOP;
END
$$
"""


def upgrade() -> None:
    """Make the queue's tables and functions, and let the app role use them."""
    schema = resources.files("procrastinate").joinpath("sql/schema.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(schema)
    for table in (
        "procrastinate_jobs",
        "procrastinate_events",
        "procrastinate_periodic_defers",
        "procrastinate_workers",
    ):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")


def downgrade() -> None:
    """Drop everything that the library made, and the jobs with it."""
    op.execute(DROP_ALL)
