"""Settings are read once, checked, and never fall back to something unsafe."""

from pathlib import Path

import pytest

from schoolmeals.config import SettingError, Settings

STRICT = {"SCHOOLMEALS_SECRET_KEY": "x" * 32, "SCHOOLMEALS_BASE_URL": "https://meals.example"}


def read(**environ: str) -> Settings:
    return Settings.from_environment(environ, env_file=None)


def test_the_demo_needs_nothing() -> None:
    assert read(SCHOOLMEALS_DEMO="yes").demo is True


@pytest.mark.parametrize(
    ("missing", "told"), [("SCHOOLMEALS_SECRET_KEY", "SECRET_KEY"), ("SCHOOLMEALS_BASE_URL", "https://")]
)
def test_production_does_not_start_unsafe(missing: str, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        read(**{name: value for name, value in STRICT.items() if name != missing})


@pytest.mark.parametrize("secret", ["demo-secret-not-for-production", "short", ""])
def test_production_refuses_a_known_or_short_secret(secret: str) -> None:
    with pytest.raises(SettingError, match="at least 32 random characters"):
        read(**{**STRICT, "SCHOOLMEALS_SECRET_KEY": secret})


def test_stripe_needs_both_its_secrets() -> None:
    with pytest.raises(SettingError, match="WEBHOOK_SECRET"):
        read(**STRICT, SCHOOLMEALS_STRIPE_SECRET_KEY="sk_test_1")


def test_production_talks_to_no_double() -> None:
    with pytest.raises(SettingError, match="demo and tests only"):
        read(**STRICT, SCHOOLMEALS_STRIPE_API_BASE="http://127.0.0.1:1")


def test_each_type_is_read_as_itself() -> None:
    settings = read(
        **STRICT,
        DATABASE_URL="postgresql+psycopg:///x",
        SCHOOLMEALS_TOP_UP_MIN_MINOR="100",
        SCHOOLMEALS_TOP_UP_SUGGESTIONS_MINOR="100,200",
        SCHOOLMEALS_DATA_FOLDER="/srv/meals",
        SCHOOLMEALS_METRICS_HOSTS="10.0.0.1, 10.0.0.2",
    )
    assert settings.database_url == "postgresql+psycopg:///x"
    assert settings.top_up_min_minor == 100
    assert settings.top_up_suggestions_minor == (100, 200)
    assert settings.data_folder == Path("/srv/meals")
    assert settings.metrics_hosts == ("10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize("variable", ["SCHOOLMEALS_TOP_UP_MIN_MINOR", "SCHOOLMEALS_TOP_UP_SUGGESTIONS_MINOR"])
def test_what_cannot_be_read_is_named(variable: str) -> None:
    with pytest.raises(SettingError, match=variable):
        read(**STRICT, **{variable: "many"})
    with pytest.raises(SettingError, match="SCHOOLMEALS_DEMO"):
        read(SCHOOLMEALS_DEMO="perhaps")


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SCHOOLMEALS_DEMO=yes\nSCHOOLMEALS_CITY_NAME=Almaty\n", encoding="utf-8")
    assert Settings.from_environment({}, env_file=file).city_name == "Almaty"
    assert Settings.from_environment({"SCHOOLMEALS_CITY_NAME": "Semey"}, env_file=file).city_name == "Semey"


MAIL = {"SCHOOLMEALS_SMTP_URL": "smtp://meals:p%40ss@mail.example:587", "SCHOOLMEALS_MAIL_FROM": "meals@example.kz"}


@pytest.mark.parametrize("address", ["mail.example", "http://mail.example", "smtp://", "smtp://mail.example:port"])
def test_what_is_no_mail_server_is_named(address: str) -> None:
    with pytest.raises(SettingError, match="SCHOOLMEALS_SMTP_URL"):
        read(**{**STRICT, **MAIL, "SCHOOLMEALS_SMTP_URL": address})


def test_a_mail_server_needs_a_sender() -> None:
    with pytest.raises(SettingError, match="SCHOOLMEALS_MAIL_FROM"):
        read(**{**STRICT, **MAIL, "SCHOOLMEALS_MAIL_FROM": ""})


def test_letters_are_sent_with_a_server_or_shown_in_the_demo() -> None:
    assert read(**STRICT, **MAIL).sends_letters is True
    assert read(**STRICT).sends_letters is False
    assert read(SCHOOLMEALS_DEMO="yes").sends_letters is True


@pytest.mark.parametrize(
    ("word", "in_production", "in_the_demo"), [("auto", True, False), ("yes", True, True), ("no", False, False)]
)
def test_who_demands_a_second_factor_of_staff(word: str, in_production: bool, in_the_demo: bool) -> None:
    assert read(**STRICT, SCHOOLMEALS_STAFF_SECOND_FACTOR=word).demands_second_factor is in_production
    assert read(SCHOOLMEALS_DEMO="yes", SCHOOLMEALS_STAFF_SECOND_FACTOR=word).demands_second_factor is in_the_demo
    with pytest.raises(SettingError, match="SCHOOLMEALS_STAFF_SECOND_FACTOR"):
        read(**STRICT, SCHOOLMEALS_STAFF_SECOND_FACTOR="maybe")


@pytest.mark.parametrize("times", ["0", "-1", "100001"])
def test_terms_are_divided_by_something_sensible(times: str) -> None:
    with pytest.raises(SettingError, match="SCHOOLMEALS_TENDER_ACCELERATOR must be from 1 to 100000"):
        read(SCHOOLMEALS_DEMO="yes", SCHOOLMEALS_TENDER_ACCELERATOR=times)


def test_the_laws_terms_are_whole_outside_the_demo() -> None:
    with pytest.raises(SettingError, match="for the demo only"):
        read(**STRICT, SCHOOLMEALS_TENDER_ACCELERATOR="1440")
    assert read(SCHOOLMEALS_DEMO="yes", SCHOOLMEALS_TENDER_ACCELERATOR="1440").tender_accelerator == 1440
