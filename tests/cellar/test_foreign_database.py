"""A database of somebody else's: addresses as people write them, and what is missing told in a sentence."""

import os

import psycopg
import pytest
from click.testing import CliRunner, Result

from schoolmeals.cli import main
from schoolmeals.config import SettingError, Settings
from schoolmeals.database import APP_ROLE
from schoolmeals.grants import MAKE_ROLE


def settings_with(address: str) -> Settings:
    return Settings.from_environment({"SCHOOLMEALS_DEMO": "yes", "DATABASE_URL": address}, env_file=None)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_all_names_of_the_scheme_are_one(scheme: str) -> None:
    assert settings_with(f"{scheme}://me:x@host/meals").database_url == "postgresql+psycopg://me:x@host/meals"


@pytest.mark.parametrize("address", ["mysql://host/meals", "host/meals", "postgresql://", "sqlite:///meals.db"])
def test_what_is_no_address_of_postgresql_is_told(address: str) -> None:
    with pytest.raises(SettingError, match="DATABASE_URL must be an address like postgresql://"):
        settings_with(address)


def run(*arguments: str, database_url: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"SCHOOLMEALS_DEMO": "yes", "DATABASE_URL": database_url})


@pytest.mark.parametrize("command", ["migrate", "ledger check", "demo"])
def test_a_server_that_does_not_answer_is_told_without_a_traceback(command: str) -> None:
    result = run(*command.split(), database_url="postgresql://me@127.0.0.1:1/meals")
    assert result.exit_code == 1
    assert "Error: The database: connection failed" in result.stderr
    assert "Traceback" not in result.output


def test_a_database_that_is_not_there_is_told(database: str) -> None:
    result = run("ledger", "check", database_url=os.environ["SCHOOLMEALS_TEST_APP_URL"].replace("DATABASE", "nowhere"))
    assert result.exit_code == 1
    assert 'database "nowhere" does not exist' in result.stderr


def test_a_role_that_may_not_make_ours_is_told_what_an_administrator_types(database: str) -> None:
    address = os.environ["SCHOOLMEALS_TEST_OWNER_URL"].replace("DATABASE", database).replace("+psycopg", "")
    with psycopg.connect(address, user="postgres") as connection:
        connection.execute("CREATE ROLE powerless")
        connection.execute(f"ALTER ROLE {APP_ROLE} RENAME TO {APP_ROLE}_of_others")
        connection.execute("SET LOCAL ROLE powerless")
        with pytest.raises(
            psycopg.errors.InsufficientPrivilege, match=f"powerless may not make the role {APP_ROLE}"
        ) as told:
            connection.execute(MAKE_ROLE)
        connection.rollback()
    assert told.value.diag.message_hint == (
        f"Let an administrator run: CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {APP_ROLE} TO powerless;"
    )
