"""What this machine has and lacks: the answers of ``schoolmeals doctor``. It changes nothing and needs no database."""

import ctypes
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import psycopg

from schoolmeals.clock import system_clock
from schoolmeals.config import SettingError, Settings
from schoolmeals.embedded import NoBinaries, find_binaries
from schoolmeals.procurement import bundled

OLDEST_PYTHON: Final = (3, 11)
OLDEST_POSTGRESQL: Final = 150_000
LARGEST_SKEW_S: Final = 2
"""Codes and signatures are good for minutes, but deeds are ordered by the clock."""
LEAST_FREE_BYTES: Final = 1_000_000_000
_PANGO: Final = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
_FONT_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class State(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    NOTE = "note"
    """Something is left out, and the product serves all the same."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, how it is, and what to do where it is not well."""

    name: str
    state: State
    text: str
    advice: str = ""


def report(environ: Mapping[str, str] = os.environ) -> list[Finding]:
    """Look at everything once. Never raises: what cannot be looked at is a finding."""
    settings, finding = _settings(environ)
    findings = [_python(), finding, _postgresql(settings), _pango(), _fonts(), _sealing(), _browser(environ)]
    if settings is not None:
        findings += [_letters(settings), _clock(settings), _disk(settings)]
    return findings


def print_report(echo: Callable[[str], object]) -> int:
    """Show every finding by ``echo``, one a line with its advice below; 1 where something is missing, else 0."""
    findings = report()
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        echo(f"{finding.state:8} {finding.name:{width}}  {finding.text}")
        if finding.advice:
            echo(f"{'':8} {'':{width}}  {finding.advice}")
    return 1 if any(finding.state is State.MISSING for finding in findings) else 0


def _settings(environ: Mapping[str, str]) -> tuple[Settings | None, Finding]:
    try:
        settings = Settings.from_environment(environ)
    except SettingError as error:
        return None, Finding("settings", State.MISSING, str(error), "See .env.example; the demo needs none.")
    return settings, Finding("settings", State.OK, "demo" if settings.demo else f"for {settings.base_url}")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding("Python", State.OK, f"{version} in {sys.prefix}")
    return Finding("Python", State.MISSING, version, f"Use {'.'.join(map(str, OLDEST_PYTHON))} or newer.")


def _postgresql(settings: Settings | None) -> Finding:
    if settings is not None and settings.database_url:
        return _named_database(settings)
    try:
        binaries = find_binaries()
    except NoBinaries as error:
        return Finding("PostgreSQL", State.MISSING, "none", str(error))
    return Finding("PostgreSQL", State.OK, f"{binaries.version}, embedded ({binaries.origin}: {binaries.folder})")


def _named_database(settings: Settings) -> Finding:
    try:
        with psycopg.connect(_libpq(settings), connect_timeout=5) as connection:
            number, version = connection.info.server_version, connection.info.parameter_status("server_version")
    except psycopg.Error as error:
        return Finding(
            "PostgreSQL", State.MISSING, f"DATABASE_URL does not answer: {_one_line(error)}", "Is it running?"
        )
    if number >= OLDEST_POSTGRESQL:
        return Finding("PostgreSQL", State.OK, f"{version}, named by DATABASE_URL")
    return Finding("PostgreSQL", State.MISSING, f"{version}, named by DATABASE_URL", "Use PostgreSQL 15 or newer.")


def _pango() -> Finding:
    missing = [package for library, package in _PANGO.items() if not _loads(library)]
    if missing:
        advice = f"Papers cannot be printed: sudo apt-get install {' '.join(missing)}"
        return Finding("Pango", State.MISSING, f"without {', '.join(missing)}", advice)
    return Finding("Pango", State.OK, "its libraries load")


def _fonts() -> Finding:
    for folder in _FONT_FOLDERS:
        for path in Path(folder).expanduser().rglob("*.[ot]tf"):
            return Finding("fonts", State.OK, f"such as {path.name}")
    return Finding(
        "fonts", State.MISSING, "none", "Papers would show no letters: sudo apt-get install fonts-dejavu-core"
    )


def _sealing() -> Finding:
    if bundled.can_seal():
        return Finding("sealing", State.OK, "its scripts are bundled")
    return Finding(
        "sealing",
        State.NOTE,
        "its scripts are not bundled",
        "Browsers can neither seal nor open bids: run script/bundle where npm can be reached, and start again.",
    )


def _browser(environ: Mapping[str, str]) -> Finding:
    named = environ.get("SCHOOLMEALS_CHROMIUM")
    for name in [named] if named else _BROWSERS:
        path = shutil.which(name)
        if path:
            return Finding("Chromium", State.OK, path)
    return Finding("Chromium", State.NOTE, "none", "Only the browser tests need it: sudo apt-get install chromium")


def _letters(settings: Settings) -> Finding:
    if settings.demo:
        return Finding("letters", State.OK, "kept on a page of the demo")
    if settings.smtp_url:
        return Finding("letters", State.OK, f"sent as {settings.mail_from}")
    return Finding(
        "letters",
        State.NOTE,
        "none are sent",
        "Set SCHOOLMEALS_SMTP_URL and SCHOOLMEALS_MAIL_FROM. Until then the office gives codes for new passwords.",
    )


def _clock(settings: Settings) -> Finding:
    if not settings.database_url:
        return Finding("clock", State.OK, "the embedded server shares this machine's")
    try:
        with psycopg.connect(_libpq(settings), connect_timeout=5, autocommit=True) as connection:
            before = system_clock()
            row = connection.execute("SELECT clock_timestamp()").fetchone()
            after = system_clock()
    except psycopg.Error as error:
        return Finding("clock", State.NOTE, f"not compared: {_one_line(error)}")
    assert row is not None
    skew_s = (row[0] - (before + (after - before) / 2)).total_seconds()
    if abs(skew_s) <= LARGEST_SKEW_S:
        return Finding("clock", State.OK, f"{skew_s:+.1f} s beside the database")
    return Finding("clock", State.MISSING, f"{skew_s:+.1f} s beside the database", "Set both clocks by NTP.")


def _disk(settings: Settings) -> Finding:
    folder = settings.data_folder.absolute()
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free under {folder}"
    if free >= LEAST_FREE_BYTES:
        return Finding("disk", State.OK, text)
    return Finding("disk", State.MISSING, text, f"Make room: at least {LEAST_FREE_BYTES / 1e9:.0f} GB.")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _libpq(settings: Settings) -> str:
    return settings.database_url.replace("postgresql+psycopg://", "postgresql://", 1)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
