"""The schema that the migrations make, held against the models and the rights of the app's role."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, create_engine, inspect, text

from schoolmeals.app import create_app
from schoolmeals.config import Settings
from schoolmeals.database import APP_ROLE, Model, db
from schoolmeals.web.health import MIGRATIONS

APPEND_ONLY = {
    "audit_event",
    "journal_entry",
    "posting",
    "payment_event",
    "sale",
    "sale_line",
    "sale_undo",
    "day_closing",
    "tender_act",
    "tender_version",
    "tender_document",
    "enquiry",
    "enquiry_answer",
    "interest_declaration",
    "tenure_exception",
    "sealed_row",
    "frozen_bid",
    "opening_share",
    "opened_bid",
    "protocol",
    "protocol_paper",
    "recheck",
    "complaint",
    "complaint_post",
    "complaint_file",
    "contract_document",
    "contract_item",
    "contract_price",
    "contract_signature",
    "lease",
    "register_import",
    "register_entry",
    "requirement_decision",
    "fix_request",
    "fix_answer",
    "fix_file",
    "evidence_contest",
    "score",
    "score_reveal",
    "low_price_request",
    "low_price_explanation",
    "low_price_vote",
    "score_sheet",
    "security",
    "security_end",
    "supplier_proof",
    "supplier_confirmation",
    "supplier_version",
}


def test_models_equal_migrations(app: Flask, owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _object, name, kind, *_: (
                    not (kind == "table" and name.startswith(("procrastinate_", "alembic_")))
                ),
            },
        )
        assert compare_metadata(context, Model.metadata) == []


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_an_append_only_table_is_guarded_by_grant_and_by_trigger(app: Flask, owner_engine: Engine, table: str) -> None:
    with owner_engine.connect() as connection:
        asked = text("SELECT has_table_privilege(:role, :table, :right)")
        rights = {
            right: connection.scalar(asked, {"role": APP_ROLE, "table": table, "right": right})
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
        }
        triggers = connection.scalar(
            text("SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only' AND tgrelid = CAST(:table AS regclass)"),
            {"table": table},
        )
    assert rights == {"SELECT": True, "INSERT": True, "UPDATE": False, "DELETE": False, "TRUNCATE": False}
    assert triggers == 1


def test_the_app_role_owns_nothing_and_is_no_superuser(app: Flask, owner_engine: Engine) -> None:
    with owner_engine.connect() as connection:
        assert connection.scalar(text(f"SELECT rolsuper FROM pg_roles WHERE rolname = '{APP_ROLE}'")) is False
        owned = text(f"SELECT count(*) FROM pg_class WHERE relowner = '{APP_ROLE}'::regrole")
        assert connection.scalar(owned) == 0


PUPIL_SIDE = {
    "account",
    "journal_entry",
    "posting",
    "pupil",
    "card",
    "guardianship",
    "claim_code",
    "listed_guardian",
    "pupil_allergen",
    "photo",
    "school_class",
    "purse",
    "top_up",
    "sale",
    "sale_line",
    "sale_undo",
    "menu",
    "menu_item",
    "sitting",
    "notice",
}


@pytest.mark.parametrize("table", sorted(PUPIL_SIDE))
def test_the_school_leads_every_key_on_the_pupils_side(app: Flask, owner_engine: Engine, table: str) -> None:
    look = inspect(owner_engine)
    keys: list[list[str | None]] = [list(look.get_pk_constraint(table)["constrained_columns"])]
    keys += [list(unique["column_names"]) for unique in look.get_unique_constraints(table)]
    keys += [list(index["column_names"]) for index in look.get_indexes(table) if index["unique"]]
    keys += [list(key["constrained_columns"]) for key in look.get_foreign_keys(table)]
    assert [key for key in keys if key[0] != "school_id"] == []


@pytest.fixture
def empty_database(settings: Settings) -> Iterator[Settings]:
    """Settings of a database in which nothing has been made yet."""
    name = "schoolmeals_migrations"
    admin = settings.database_owner_url.replace("+psycopg", "").rsplit("/", 1)
    address = f"{admin[0]}/postgres{admin[1][admin[1].index('?') :]}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
        current = admin[1].split("?")[0]
        yield replace(
            settings,
            database_url=settings.database_url.replace(current, name),
            database_owner_url=settings.database_owner_url.replace(current, name),
        )
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_migrations_go_up_and_down_and_up_again(empty_database: Settings) -> None:
    app = create_app(empty_database)
    engine = create_engine(empty_database.database_owner_url)
    with app.app_context():
        upgrade(directory=str(MIGRATIONS))
        made = set(inspect(engine).get_table_names())
        downgrade(directory=str(MIGRATIONS), revision="base")
        assert set(inspect(engine).get_table_names()) == {"alembic_version"}
        upgrade(directory=str(MIGRATIONS))
        assert set(inspect(engine).get_table_names()) == made
        db.engine.dispose()
    engine.dispose()
