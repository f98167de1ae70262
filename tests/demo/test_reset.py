"""``serve --reset`` forgets the demo, but never under somebody's feet."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from schoolmeals import cli
from schoolmeals.config import SettingError
from schoolmeals.embedded import EmbeddedServer


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that the server's user may enter, whoever runs the tests."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    """The demo's database, as libpq reads it, on a server that runs meanwhile."""
    with EmbeddedServer.start(folder / "postgres") as server:
        server.ensure_database(cli.DATABASE)
        yield server.app_url(cli.DATABASE).replace("+psycopg", "")


def reset(folder: Path, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Result:
    """Start anew, up to the point where the database would be made again."""

    def stop_here(*_: object, **__: object) -> None:
        raise SettingError("forgotten")

    monkeypatch.setattr(cli, "_prepare", stop_here)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "SCHOOLMEALS_DATA_FOLDER": str(folder),
        "SCHOOLMEALS_DEMO": "yes",
        "SCHOOLMEALS_BASE_URL": "http://localhost",
        "DATABASE_URL": "",
        **environment,
    }
    return CliRunner().invoke(cli.main, ["serve", "--demo", "--reset", "--port", str(port)], env=environment)


def test_a_demo_that_somebody_uses_is_not_forgotten(
    folder: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        result = reset(folder, monkeypatch)
        assert result.exit_code == 1
        assert "Error: School meals is running with this data. Stop it first, then reset." in result.stderr
        connection.execute("SELECT 1")


def test_what_nobody_uses_is_forgotten(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        before = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    (folder / "demo-bank").mkdir()
    (folder / "demo-bank" / "paid-before").touch()
    assert "Error: forgotten" in reset(folder, monkeypatch).stderr
    assert not (folder / "demo-bank" / "paid-before").exists()
    with psycopg.connect(address, autocommit=True) as connection:
        after = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert before != after


def test_a_database_of_ones_own_is_never_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = reset(folder, monkeypatch, DATABASE_URL="postgresql://me@127.0.0.1:1/meals")
    assert result.exit_code == 1
    assert "--reset forgets the embedded demo database only" in result.stderr
