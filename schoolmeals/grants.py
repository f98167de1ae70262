"""What the app's database role may do with each table; used by the migrations, checked by the tests.

An append-only table is guarded twice: the app role is never given UPDATE, DELETE or TRUNCATE, and a trigger refuses
them to everybody, so that even the owner has to take the trigger away first, which shows in the schema.
"""

from typing import Final, Protocol

from schoolmeals.database import APP_ROLE


class Operations(Protocol):
    """The part of Alembic's ``op`` that is needed here."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""


MAKE_ROLE: Final = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
        CREATE ROLE {APP_ROLE} NOLOGIN;
        EXECUTE format('GRANT {APP_ROLE} TO %I', current_user);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION '% may not make the role {APP_ROLE}', current_user
        USING ERRCODE = 'insufficient_privilege',
              HINT = format('Let an administrator run: CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO %I;',
                            current_user);
END
$$
"""

MAKE_REFUSAL: Final = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed; a mistake is mended by a new row', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$
"""


def make_role(op: Operations) -> None:
    """Make the app role, where the server has none yet, and the function that append-only triggers call."""
    op.execute(MAKE_ROLE)
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
    # So that /readyz can tell whether the code and the database fit each other.
    op.execute(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")
    op.execute(MAKE_REFUSAL)


def unmake_role(op: Operations) -> None:
    """Take back what ``make_role`` did in this database. The role itself may serve other databases and stays."""
    op.execute("DROP FUNCTION refuse_change()")
    op.execute(f"REVOKE SELECT ON alembic_version FROM {APP_ROLE}")  # noqa: S608 (no data in it)
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {APP_ROLE}")


def let_app_work_on(op: Operations, *tables: str, rights: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Give the app role ``rights`` on ``tables``."""
    for table in tables:
        op.execute(f"GRANT {rights} ON {table} TO {APP_ROLE}")


def make_append_only(op: Operations, *tables: str) -> None:
    """Let the app role read and insert, and let nobody change or remove a row of ``tables``."""
    let_app_work_on(op, *tables, rights="SELECT, INSERT")
    for table in tables:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
