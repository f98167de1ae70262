"""Starting, joining and leaving a server."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from schoolmeals.embedded import keeper as keeper_program
from schoolmeals.embedded.binaries import Binaries, NoBinaries, find_binaries, readable_copy
from schoolmeals.embedded.place import (
    PORT,
    EmbeddedError,
    Place,
    become,
    clean_environment,
    give_to,
    myself,
    place_for,
    run_as,
    shared_home,
)

OWNER_ROLE: Final = "schoolmeals_owner"
APP_ROLE: Final = "schoolmeals_app"
_SUPERUSER: Final = "postgres"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 60.0
_LEAVE_SECONDS: Final = 1.0
_LOG_BYTES: Final = 5_000_000
_FAST: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "300"}
_BUILTIN_LOCALE_MAJOR: Final = 17
_KEEPERS: Final[list[subprocess.Popen[bytes]]] = []
"""Those that this process started. One may outlive our use of its server, so nobody waits for it."""


class EmbeddedServer:
    """A running server that we use. Leave it with :meth:`stop`, or use it in a ``with``."""

    def __init__(self, place: Place, lease: int) -> None:
        self._place = place
        self._lease: int | None = lease

    @classmethod
    def start(cls, folder: Path, *, unsafe_fast: bool = False) -> Self:
        """The server of ``folder``, joined where it runs, else started; made where there is none. Raises EmbeddedError.

        ``unsafe_fast`` is for tests alone: nothing survives a crash, and the data is removed when the last user leaves.
        """
        place = place_for(folder.absolute(), throwaway=unsafe_fast)
        with _locked(place.home / "start.lock"):
            lease = _open_lock(place.home / "lease")
            try:
                # Waits here while a keeper is stopping the server that the last user left.
                fcntl.flock(lease, fcntl.LOCK_SH)
                server = cls(place, lease)
                if not server.is_running():
                    _launch(place)
                server._ensure_roles()
            except BaseException:
                os.close(lease)
                raise
        return server

    def is_running(self) -> bool:
        """Whether the server answers now."""
        try:
            self._connect(_SUPERUSER, "postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def log(self) -> Path:
        """The file that the server writes what it has to say to."""
        return self._place.log

    @property
    def data(self) -> Path:
        """The folder with the data itself."""
        return self._place.data

    def app_url(self, database: str) -> str:
        """The address of ``database`` for the role that works: for SQLAlchemy, and for libpq without "+psycopg"."""
        return self._url(APP_ROLE, database)

    def owner_url(self, database: str) -> str:
        """The address of ``database`` for the role that migrates."""
        return self._url(OWNER_ROLE, database)

    def ensure_database(self, name: str) -> bool:
        """Make the database ``name``, owned by the owner role, where it is missing. Whether it was missing."""
        with self._connect(OWNER_ROLE, "postgres") as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return True

    def drop_database(self, name: str, *, even_in_use: bool = True) -> None:
        """Remove the database ``name`` where it exists, and put out whoever is connected to it.

        Without ``even_in_use`` it stays where somebody is: raises psycopg.errors.ObjectInUse.
        """
        force = sql.SQL("WITH (FORCE)" if even_in_use else "")
        with self._connect(OWNER_ROLE, "postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} {}").format(sql.Identifier(name), force))

    def stop(self) -> None:
        """Leave the server. The last to leave waits until it has stopped."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        fcntl.flock(lease, fcntl.LOCK_UN)
        # Whoever presses Ctrl-C here does not want to wait; the keeper finishes without us.
        with suppress(KeyboardInterrupt):
            if _keeper_took_over(lease):
                _wait_for_lock(lease, _STOP_SECONDS)
        os.close(lease)
        _KEEPERS[:] = [keeper for keeper in _KEEPERS if keeper.poll() is None]

    def let_go(self) -> None:
        """In a child that was forked from us: what is left of the lease is the parent's alone."""
        if self._lease is not None:
            # Closed and not unlocked: the lock is one for both.
            os.close(self._lease)
            self._lease = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _url(self, role: str, database: str) -> str:
        host = quote(str(self._place.socket), safe="")
        return f"postgresql+psycopg://{role}@/{quote(database, safe='')}?host={host}&port={PORT}"

    def _connect(self, role: str, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._place.socket), port=PORT, user=role, dbname=database, autocommit=True, connect_timeout=5
        )

    def _ensure_roles(self) -> None:
        """Two login roles without power over the server. The owner may also act as the one that works."""
        with self._connect(_SUPERUSER, "postgres") as connection:
            known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            if {OWNER_ROLE, APP_ROLE} <= known:
                return
            connection.execute(f"CREATE ROLE {APP_ROLE} LOGIN")
            connection.execute(f"CREATE ROLE {OWNER_ROLE} LOGIN CREATEDB IN ROLE {APP_ROLE}")


def _launch(place: Place) -> None:
    """Start the server of ``place`` and wait until it answers; the caller holds the start lock and a lease."""
    binaries = _binaries_for(place)
    if not place.data.is_dir():
        _make_data(place, binaries)
    _make_socket_folder(place)
    _write_access_rules(place)
    _remove_stale_pid_file(place.data)
    keeper = _start_keeper(place, binaries)
    _KEEPERS.append(keeper)
    _await_answer(place, keeper)


def _await_answer(place: Place, keeper: subprocess.Popen[bytes]) -> None:
    """Until the server answers. The keeper tries again by itself while a killed predecessor is in the way."""
    deadline = time.monotonic() + _START_SECONDS
    server = EmbeddedServer(place, -1)
    while not server.is_running():
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.terminate()
            keeper.wait(_STOP_SECONDS)
            raise EmbeddedError(f"PostgreSQL does not start. It says in {place.log}:\n{_last_lines(place.log)}")
        time.sleep(0.02)


def _binaries_for(place: Place) -> Binaries:
    version_file = place.data / "PG_VERSION"
    try:
        binaries = find_binaries(int(version_file.read_text(encoding="ascii")) if version_file.is_file() else None)
    except NoBinaries as error:
        raise EmbeddedError(str(error)) from error
    if run_as(place.user, ["/bin/sh", "-c", '"$0" --version', binaries.folder / "initdb"]).returncode == 0:
        return binaries
    return readable_copy(binaries, shared_home())


def _make_data(place: Place, binaries: Binaries) -> None:
    """An empty cluster. It gets its name only when it is whole, so that an interruption leaves nothing half made."""
    half = place.home / "data.unfinished"
    if half.exists():
        shutil.rmtree(half)
    half.mkdir(mode=0o700)
    give_to(place.user, half)
    locale = ["--locale=C.UTF-8"]
    if binaries.major >= _BUILTIN_LOCALE_MAJOR:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = ["--encoding=UTF8", "--data-checksums", "--auth=peer", f"--username={_SUPERUSER}", *locale]
    made = run_as(
        place.user, [binaries.folder / "initdb", *options, *(["--no-sync"] if place.throwaway else []), "-D", half]
    )
    if made.returncode != 0:
        raise EmbeddedError(f"initdb failed:\n{made.stderr.strip()}")
    half.rename(place.data)


def _make_socket_folder(place: Place) -> None:
    """Entered by the server's user alone. A foreign folder of that name in /tmp is refused."""
    folder = place.socket
    try:
        folder.mkdir(mode=0o700)
        give_to(place.user, folder)
    except FileExistsError:
        state = folder.lstat()
        if state.st_uid != place.user.pw_uid or state.st_mode & 0o170077 != 0o040000:
            raise EmbeddedError(f"{folder} is in the way: it is not ours alone. Remove it.") from None


def _write_access_rules(place: Place) -> None:
    """Who may come in: the server's user and we, known by the operating system, over the socket. Nobody else."""
    people = {place.user.pw_name, myself().pw_name}
    roles = (_SUPERUSER, OWNER_ROLE, APP_ROLE)
    _replace(place.home / "pg_hba.conf", "local all all peer map=ours\n")
    _replace(
        place.home / "pg_ident.conf", "".join(f'ours "{one}" {role}\n' for one in sorted(people) for role in roles)
    )


def _replace(path: Path, text: str) -> None:
    """Write beside and rename: a link that somebody laid there is replaced, not followed."""
    handle, beside = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), 0o644)
    Path(beside).replace(path)


def _remove_stale_pid_file(data: Path) -> None:
    """PostgreSQL believes a pid file whose number lives again as another process, as in a restarted container."""
    pid_file = data / "postmaster.pid"
    if not pid_file.is_file():
        return
    pid = pid_file.read_text(encoding="utf-8").split("\n", maxsplit=1)[0].strip()
    process = Path("/proc") / pid
    if process.is_dir() and bytes(data) not in (process / "cmdline").read_bytes():
        pid_file.unlink()


def _start_keeper(place: Place, binaries: Binaries) -> subprocess.Popen[bytes]:
    """A session of its own keeps the terminal's Ctrl-C away from the server, which has to stop last."""
    if place.log.is_file() and place.log.stat().st_size > _LOG_BYTES:
        place.log.replace(place.log.with_suffix(".log.old"))
    lease = _open_lock(place.home / "lease")
    order = {
        "command": _server_command(place, binaries),
        **become(place.user),
        "environment": clean_environment(),
        "lease": lease,
        "throwaway": str(place.home) if place.throwaway else None,
    }
    log = os.open(place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", keeper_program.__file__, json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            pass_fds=[lease],
        )
    finally:
        os.close(log)
        os.close(lease)


def _server_command(place: Place, binaries: Binaries) -> list[str]:
    quoted_socket = '"{}"'.format(str(place.socket).replace('"', '""'))
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": quoted_socket,
        "unix_socket_permissions": "0700",
        "hba_file": str(place.home / "pg_hba.conf"),
        "ident_file": str(place.home / "pg_ident.conf"),
        "timezone": "UTC",
        "log_timezone": "UTC",
        **(_FAST if place.throwaway else {}),
    }
    return [
        str(binaries.folder / "postgres"),
        "-D",
        str(place.data),
        *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
    ]


def _last_lines(log: Path, count: int = 8) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return "\n".join(re.split(r"\n", text.strip())[-count:])


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = _open_lock(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _keeper_took_over(lease: int) -> bool:
    """Whether the keeper got the lease after we let go: then nobody else uses the server and it is stopping."""
    deadline = time.monotonic() + _LEAVE_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(lease, fcntl.LOCK_UN)
        time.sleep(0.01)
    return False


def _wait_for_lock(lease: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return
