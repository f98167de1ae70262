"""``schoolmeals tender recompute``: the published file alone is enough, and nobody can change it unseen."""

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from schoolmeals.procurement.rules.sheet import sheet_of, sheet_text
from schoolmeals.procurement.score_commands import tender_commands
from tests.procurement.test_score_sheet import inputs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scores.json"
    path.write_text(sheet_text(sheet_of(inputs())), encoding="utf-8")
    return path


def run(file: Path) -> tuple[int, str]:
    done = CliRunner().invoke(tender_commands, ["recompute", str(file)])
    return done.exit_code, done.output


def test_a_published_sheet_computes_again(file: Path) -> None:
    code, said = run(file)
    assert code == 0
    assert hashlib.sha256(file.read_bytes()).hexdigest() in said
    assert "  1. x: 14 points" in said
    assert "  2. y: 14 points" in said
    assert "(experience)" in said


def test_a_changed_point_is_named(file: Path) -> None:
    sheet = json.loads(file.read_text("utf-8"))
    sheet["results"]["points"]["y"][0]["points_milli"] = 9000
    file.write_text(json.dumps(sheet), encoding="utf-8")
    code, said = run(file)
    assert code == 1
    assert "results.points.y.experience.points_milli: the file says 9000, computed is 3000" in said


@pytest.mark.parametrize("text", ["", "[]", "{}", "nothing", "[" * 100_000])
def test_what_is_no_sheet_is_refused_in_a_sentence(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    code, said = run(file)
    assert code == 1
    assert "Traceback" not in said
