"""The doctor names what is missing and what to do, and never falls ill itself."""

from pathlib import Path

import pytest

from schoolmeals import doctor
from schoolmeals.doctor import State, print_report, report
from schoolmeals.procurement import bundled

DEMO = {"SCHOOLMEALS_DEMO": "yes"}


def finding(name: str, environ: dict[str, str]) -> tuple[State, str, str]:
    (found,) = [one for one in report(environ) if one.name == name]
    return found.state, found.text, found.advice


def test_everything_is_looked_at() -> None:
    names = [one.name for one in report(DEMO)]

    assert names == [
        "Python",
        "settings",
        "PostgreSQL",
        "Pango",
        "fonts",
        "sealing",
        "Chromium",
        "letters",
        "clock",
        "disk",
    ]


def test_settings_that_cannot_serve_are_a_finding() -> None:
    state, text, advice = finding("settings", {"SCHOOLMEALS_SECRET_KEY": "short", "SCHOOLMEALS_DEMO": "no"})

    assert state is State.MISSING
    assert text.startswith("SCHOOLMEALS_SECRET_KEY must be at least 32 random characters outside the demo")
    assert advice == "See .env.example; the demo needs none."


def test_a_database_that_does_not_answer_is_a_finding(tmp_path: Path) -> None:
    environ = {**DEMO, "DATABASE_URL": f"postgresql+psycopg://nobody@/none?host={tmp_path}"}

    assert finding("PostgreSQL", environ)[0] is State.MISSING
    assert finding("clock", environ)[0] is State.NOTE


def test_a_missing_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_PANGO", {"libmissing.so.0": "libmissing0"})

    assert finding("Pango", DEMO) == (
        State.MISSING,
        "without libmissing0",
        "Papers cannot be printed: sudo apt-get install libmissing0",
    )


@pytest.mark.parametrize(
    ("is_bundled", "told"),
    [
        (True, (State.OK, "its scripts are bundled", "")),
        (
            False,
            (
                State.NOTE,
                "its scripts are not bundled",
                "Browsers can neither seal nor open bids: run script/bundle where npm can be reached, and start again.",
            ),
        ),
    ],
)
def test_what_browsers_seal_with_is_looked_for(
    is_bundled: bool, told: tuple[State, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "BUILT", tmp_path)
    if is_bundled:
        (tmp_path / "stamp").touch()
    assert finding("sealing", DEMO) == told


def test_a_missing_browser_keeps_nobody_from_serving() -> None:
    assert finding("Chromium", {**DEMO, "SCHOOLMEALS_CHROMIUM": "/nowhere/chromium"}) == (
        State.NOTE,
        "none",
        "Only the browser tests need it: sudo apt-get install chromium",
    )


def test_the_printed_report_tells_by_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    well = doctor.Finding("disk", State.OK, "84 GB free")
    left_out = doctor.Finding("Chromium", State.NOTE, "none", "Install it.")
    ill = doctor.Finding("fonts", State.MISSING, "none", "Install one.")

    monkeypatch.setattr(doctor, "report", lambda: [well, left_out])
    assert print_report(lines.append) == 0
    assert lines == [
        "ok       disk      84 GB free",
        "note     Chromium  none",
        "                   Install it.",
    ]

    monkeypatch.setattr(doctor, "report", lambda: [well, ill])
    assert print_report(lines.append) == 1


def test_an_installation_that_sends_no_letters_is_told_so() -> None:
    production = {
        "SCHOOLMEALS_DEMO": "no",
        "SCHOOLMEALS_SECRET_KEY": "s" * 32,
        "SCHOOLMEALS_BASE_URL": "https://meals.example",
    }
    state, text, advice = finding("letters", production)
    assert (state, text) == (State.NOTE, "none are sent")
    assert advice.startswith("Set SCHOOLMEALS_SMTP_URL and SCHOOLMEALS_MAIL_FROM.")
    server = {"SCHOOLMEALS_SMTP_URL": "smtps://mail.example", "SCHOOLMEALS_MAIL_FROM": "meals@example.kz"}
    assert finding("letters", {**production, **server}) == (State.OK, "sent as meals@example.kz", "")
    assert finding("letters", DEMO)[0] is State.OK
