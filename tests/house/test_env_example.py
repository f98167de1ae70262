"""Every setting is explained in ``.env.example``, with the value it has when nothing is said."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from schoolmeals.config import Settings, variable_of

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"
OUTSIDE_SETTINGS = {"SCHOOLMEALS_PG_BIN", "SCHOOLMEALS_CHROMIUM"}
"""Read where there are no settings: by the launcher of the embedded server and by the browser tests."""
PRODUCTION = {"SCHOOLMEALS_SECRET_KEY": "s" * 32, "SCHOOLMEALS_BASE_URL": "https://meals.example"}
LINE = re.compile(r"^#([A-Z_]+)=(.*)$")


def explained() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := LINE.match(line))}


def test_every_setting_is_there_once_and_no_other() -> None:
    names = [found[1] for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if (found := LINE.match(line))]

    assert sorted(names) == sorted({variable_of(one.name) for one in fields(Settings)} | OUTSIDE_SETTINGS)


@pytest.mark.parametrize("field_name", [one.name for one in fields(Settings) if one.name != "secret_key"])
def test_what_is_written_is_what_is_the_case(field_name: str) -> None:
    variable = variable_of(field_name)
    rest = PRODUCTION if field_name == "demo" else {"SCHOOLMEALS_DEMO": "yes"}

    settings = Settings.from_environment({**rest, variable: explained()[variable]}, env_file=None)

    assert getattr(settings, field_name) == getattr(Settings(), field_name)
