"""How Alembic reaches the database: as the owner role, one migration at a time, never waiting long for a lock."""

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool

from schoolmeals.database import db

config = context.config


def _owner_url() -> str:
    """The address as the role that owns the tables; the app's own role cannot migrate."""
    settings = current_app.extensions["schoolmeals"].settings
    return str(settings.database_owner_url or settings.database_url)


def _include(_object: object, name: str | None, kind: str, reflected: bool, _compare_to: object) -> bool:
    """Leave the job library's own tables to its own migrations."""
    return not (kind == "table" and reflected and (name or "").startswith("procrastinate_"))


def run() -> None:
    """Run the migrations in the database of the present app."""
    engine = create_engine(_owner_url(), poolclass=pool.NullPool, connect_args={"options": "-c lock_timeout=5000"})
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_object=_include,
            compare_type=True,
            compare_server_default=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
