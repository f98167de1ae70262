"""``schoolmeals ledger export``: a whole file or none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from flask import Flask

from schoolmeals.ledger import commands
from schoolmeals.ledger.beancount import export, lines_to_come
from schoolmeals.web.frame import frame
from tests.ledger.test_beancount import posted


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["ledger", "export", *arguments])


def test_the_file_is_what_beancount_accepts(app: Flask, do: Any, tmp_path: Path) -> None:
    posted(do)
    result = run(app, str(tmp_path / "books.beancount"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["books.beancount"]
    entries, errors, _ = loader.load_file(str(tmp_path / "books.beancount"))
    assert entries
    assert errors == []


def test_without_a_name_the_books_go_to_standard_output(app: Flask, do: Any) -> None:
    posted(do)
    result = run(app)
    assert result.stdout.startswith('option "title" "School meals"\n')


def test_the_bar_knows_how_many_lines_there_will_be(app: Flask, do: Any) -> None:
    posted(do)
    given, told = do(lambda work: (len(list(export(work, frame().zone))), lines_to_come(work)))
    assert given == told > 20


@pytest.mark.parametrize("before", [None, "what was there before"])
def test_an_interruption_leaves_what_was_there(
    app: Flask, do: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    def interrupted(*_: object) -> Iterator[str]:
        yield "the first line"
        raise KeyboardInterrupt

    posted(do)
    file = tmp_path / "books.beancount"
    if before is not None:
        file.write_text(before, encoding="utf-8")
    monkeypatch.setattr(commands, "export", interrupted)
    assert run(app, str(file)).exit_code == 1
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ([before] if before else [])


def test_a_folder_that_is_not_there_is_told(app: Flask, do: Any, tmp_path: Path) -> None:
    result = run(app, str(tmp_path / "nowhere" / "books.beancount"))
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr
