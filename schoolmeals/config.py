"""Every setting, in one frozen object, read once at the start. ``.env.example`` explains each of them.

Nothing else reads the environment. A setting's name in the environment is its field's name in capitals with the prefix
``SCHOOLMEALS_``, but for the names that the world already agreed on (``DATABASE_URL``).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dotenv import dotenv_values

DEMO_SECRET: Final = "demo-secret-not-for-production"  # noqa: S105 (production refuses to start with it)
MOST_ACCELERATED: Final = 100_000
"""Then twenty days last seventeen seconds."""
_AGREED_NAMES: Final = {"database_url": "DATABASE_URL", "database_owner_url": "DATABASE_OWNER_URL"}
_WORDS_FOR_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_WORDS_FOR_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


class SettingError(Exception):
    """A setting is missing or cannot be used. The message names the variable and says what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an installation decides for itself. Money is in minor units, spans in the unit of the name's ending."""

    demo: bool = False
    """Demo mode: demo people on the sign-in page, a hosted payment page of our own, plain cookie names on loopback."""
    secret_key: str = DEMO_SECRET
    """Keys everything derived: cookies, card hashes, one-time codes. At least 32 characters outside the demo."""
    database_url: str = ""
    """PostgreSQL 15 or newer, as the role that works. Empty: an embedded server under ``data_folder``."""
    database_owner_url: str = ""
    """The same database as the role that migrates. Empty: ``database_url`` migrates too, and works as
    schoolmeals_app.
    """
    database_pool_size: int = 5
    data_folder: Path = Path("var")
    """Where the embedded database and other local files live; ours alone."""
    base_url: str = "http://127.0.0.1:8000"
    """The address that people see, for links, payment returns and passkeys."""
    trusted_proxies: int = 0
    """How many reverse proxies of ours stand in front and set X-Forwarded-For."""
    time_zone: str = "Asia/Almaty"
    currency: str = "KZT"
    default_language: str = "kk"
    city_name: str = "Astana"

    stripe_secret_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api_base: str = ""
    """Another address for Stripe's API; the demo points it at its own double."""

    top_up_min_minor: int = 50_000
    top_up_max_minor: int = 10_000_000
    top_up_step_minor: int = 10_000
    """Top-ups are whole multiples of this sum."""
    top_up_suggestions_minor: tuple[int, ...] = (200_000, 500_000, 1_000_000)

    session_idle_minutes: int = 12 * 60
    session_longest_days: int = 30
    till_shift_hours: int = 10
    staff_second_factor: str = "auto"
    """Whether staff must have a second factor: yes, no, or auto, which is yes outside the demo."""
    smtp_url: str = ""
    """``smtp://user:password@host:port`` or ``smtps://...``. Empty: no letters are sent; the demo shows them."""
    mail_from: str = ""
    """The address that letters come from."""
    tender_accelerator: int = 1
    """By how much every term of a tender is divided that is published in the demo; 1 elsewhere."""
    ocid_prefix: str = "ocds-213czf"
    """The publisher's prefix of open contracting identifiers; the standard's own example until one is registered."""
    upload_max_bytes: int = 60_000_000
    metrics_hosts: tuple[str, ...] = ("127.0.0.1", "::1")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], env_file: Path | None = Path(".env")) -> "Settings":
        """The settings of ``environ``, with those of ``env_file`` below it. Raises SettingError."""
        below = dotenv_values(env_file) if env_file is not None and env_file.is_file() else {}
        known = {**{name: value for name, value in below.items() if value is not None}, **environ}
        given: dict[str, Any] = {}
        for one in fields(cls):
            variable = variable_of(one.name)
            if variable in known:
                given[one.name] = _read(variable, known[variable], one.default)
        for name in _AGREED_NAMES:
            if given.get(name):
                given[name] = _database_address(variable_of(name), given[name])
        settings = cls(**given)
        settings.check()
        return settings

    def check(self) -> None:
        """Raise SettingError where the settings together must not serve."""
        if not self.demo and (self.secret_key == DEMO_SECRET or len(self.secret_key) < 32):
            raise SettingError(
                f"{variable_of('secret_key')} must be at least 32 random characters outside the demo; "
                f"here is a fresh one: {secrets.token_urlsafe(48)}"
            )
        if not self.demo and not self.base_url.startswith("https://"):
            raise SettingError(f"{variable_of('base_url')} must start with https:// outside the demo")
        if not self.demo and self.stripe_api_base:
            raise SettingError(f"{variable_of('stripe_api_base')} is for the demo and tests only")
        if not 1 <= self.tender_accelerator <= MOST_ACCELERATED:
            raise SettingError(f"{variable_of('tender_accelerator')} must be from 1 to {MOST_ACCELERATED}")
        if not self.demo and self.tender_accelerator != 1:
            raise SettingError(f"{variable_of('tender_accelerator')} is for the demo only: the law's terms are whole")
        if self.stripe_secret_key and not self.stripe_webhook_secret:
            raise SettingError(f"{variable_of('stripe_webhook_secret')} is needed beside the secret key")
        if self.staff_second_factor not in ("auto", "yes", "no"):
            raise SettingError(f"{variable_of('staff_second_factor')} must be auto, yes or no")
        if self.smtp_url and not _is_mail_server(self.smtp_url):
            raise SettingError(
                f"{variable_of('smtp_url')} must be smtp://host or smtps://host, with user, password, port"
            )
        if self.smtp_url and "@" not in self.mail_from:
            raise SettingError(f"{variable_of('mail_from')} is needed beside the mail server: an e-mail address")

    @property
    def is_secure(self) -> bool:
        """Whether pages are served over https, so that cookies can be ``__Host-`` and Secure."""
        return self.base_url.startswith("https://")

    @property
    def sends_letters(self) -> bool:
        """Whether a letter reaches somebody: by a mail server, or in the demo by its page of letters."""
        return self.demo or bool(self.smtp_url)

    @property
    def demands_second_factor(self) -> bool:
        """Whether staff get no further than to setting up a second factor, until they have one."""
        return self.staff_second_factor == "yes" or (self.staff_second_factor == "auto" and not self.demo)


def variable_of(field_name: str) -> str:
    """The environment variable of a field of :class:`Settings`."""
    return _AGREED_NAMES.get(field_name, f"SCHOOLMEALS_{field_name.upper()}")


def _read(variable: str, text: str, default: object) -> object:
    """``text`` as the type of ``default``."""
    try:
        match default:
            case bool():
                return _as_bool(text)
            case int():
                return int(text)
            case Path():
                return Path(text)
            case tuple() if default and isinstance(default[0], int):
                return tuple(int(part) for part in text.split(","))
            case tuple():
                return tuple(part.strip() for part in text.split(","))
            case _:
                return text
    except ValueError as error:
        raise SettingError(f"{variable}={text!r} cannot be read: {error}") from error


def _database_address(variable: str, text: str) -> str:
    """``text`` for our driver: hosts and tools write ``postgres://`` and ``postgresql://`` for the same thing."""
    scheme, _, rest = text.partition("://")
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg") or not rest:
        raise SettingError(f"{variable} must be an address like postgresql://user:password@host/database")
    return f"postgresql+psycopg://{rest}"


def _is_mail_server(address: str) -> bool:
    try:
        server = urlsplit(address)
        return server.scheme in ("smtp", "smtps") and bool(server.hostname) and server.port != 0
    except ValueError:
        return False


def _as_bool(text: str) -> bool:
    word = text.strip().lower()
    if word in _WORDS_FOR_TRUE:
        return True
    if word in _WORDS_FOR_FALSE:
        return False
    raise ValueError("write yes or no")
