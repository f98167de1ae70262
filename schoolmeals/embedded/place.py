"""Where an embedded server lives, and which user of the operating system runs it.

PostgreSQL refuses to run as root. For root the server runs as a system user without a shell; what that user cannot
reach is placed below ``/var/lib/schoolmeals``. The permissions of folders that are not ours are never touched.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

SYSTEM_USER: Final = "schoolmeals-db"
PORT: Final = 5432
"""Only a part of the socket's name: nothing listens on the network."""
_SHARED_HOME: Final = Path("/var/lib/schoolmeals")
_SHORT_HOME: Final = Path("/tmp")  # noqa: S108  entered only where the folder in it is ours alone
_SOCKET_PATH_BYTES: Final = 107


class EmbeddedError(Exception):
    """The embedded server cannot be had. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server lives, and the operating system's user it runs as."""

    home: Path
    user: pwd.struct_passwd
    throwaway: bool

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def socket(self) -> Path:
        """The socket's folder: in ``home``, or a short one of our own where the kernel could not take its name."""
        near = self.home / "socket"
        if len(os.fsencode(near / f".s.PGSQL.{PORT}.lock")) <= _SOCKET_PATH_BYTES:
            return near
        return _SHORT_HOME / f"schoolmeals-{self.user.pw_uid}-{hashlib.sha256(bytes(near)).hexdigest()[:12]}"


def place_for(folder: Path, *, throwaway: bool) -> Place:
    """``folder`` itself, or for root, where the server's user cannot enter it, the place it was moved to."""
    try:
        if os.geteuid() != 0:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return Place(folder, myself(), throwaway)
        # Entered by the server's user, listed by nobody else; what is inside keeps its own door shut.
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        user = _user_for_root(folder / "data")
        if _may_enter(user, folder):
            return Place(folder, user, throwaway)
        return Place(_moved_home(folder, throwaway=throwaway), user, throwaway)
    except PermissionError as error:
        raise EmbeddedError(
            f"{error.filename} belongs to somebody else; run as its owner or choose another folder."
        ) from error


def _moved_home(folder: Path, *, throwaway: bool) -> Path:
    """The place that stands in for ``folder``; the file ``moved-to`` in it remembers which."""
    sign = folder / "moved-to"
    if sign.is_file():
        return Path(sign.read_text(encoding="utf-8").strip())
    base = Path(tempfile.gettempdir()) if throwaway else shared_home()
    home = Path(tempfile.mkdtemp(prefix="postgres-", dir=base))
    home.chmod(0o711)
    sign.write_text(f"{home}\n", encoding="utf-8")
    return home


def shared_home() -> Path:
    _SHARED_HOME.mkdir(mode=0o711, exist_ok=True)
    return _SHARED_HOME


def myself() -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedError(
            f"User id {os.geteuid()} has no name on this machine, and PostgreSQL wants one; set DATABASE_URL instead."
        ) from None


def _user_for_root(data: Path) -> pwd.struct_passwd:
    """Who runs the server when we are root: the owner of the data that is there, else a system user of its own."""
    if data.is_dir() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
        if useradd is None:
            raise EmbeddedError(f"Add a system user named {SYSTEM_USER}, or do not run as root.") from None
        no_shell = ["--shell", "/usr/sbin/nologin", "--home-dir", "/nonexistent", "--no-create-home"]
        subprocess.run([useradd, "--system", "--user-group", *no_shell, SYSTEM_USER], check=True, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)


def run_as(user: pwd.struct_passwd, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run ``command`` as ``user``, with nothing of our environment."""
    return subprocess.run(
        command,
        cwd="/",
        env=clean_environment(),
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
        **become(user),
    )


class Identity(TypedDict):
    """The arguments of ``subprocess`` that change the user; all None where there is nothing to change."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def become(user: pwd.struct_passwd) -> Identity:
    """How a child process becomes ``user``, giving up every group of ours."""
    if os.geteuid() == user.pw_uid:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def clean_environment() -> dict[str, str]:
    """Fixed, so that no PGDATA, locale or time zone of a person leaks into the data."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _may_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    return run_as(user, ["/bin/sh", "-c", 'cd "$0"', folder]).returncode == 0


def give_to(user: pwd.struct_passwd, path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, user.pw_uid, user.pw_gid)
