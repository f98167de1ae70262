"""Papers: ordered by a page, drawn by the worker, fetched by whoever ordered them and nobody else, then forgotten."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from schoolmeals import files
from schoolmeals.actors import person
from schoolmeals.clock import MovableClock
from schoolmeals.database import Work
from schoolmeals.errors import N_, Conflict, NotFound
from schoolmeals.files import DRAW, FileStage, PaperOrder, file_key, make_paper
from schoolmeals.files.jobs import forget_old_files
from schoolmeals.files.models import KeptFile
from schoolmeals.files.rules import KEPT_FOR
from schoolmeals.worker import run_worker
from tests.factories.files import new_kept_file
from tests.factories.identity import PersonFactory, signed_in

PAGE = '<!doctype html><html lang="kk"><title>Құжат</title><body><h1>Бірінші</h1>{}</body></html>'
BREAK = '<p style="break-before: page">Келесі бет</p>'


def order(html: str, **changes: Any) -> PaperOrder:
    values: dict[str, Any] = {"task": DRAW, "name": "paper.pdf", "back": "/me", "pages": 1, **changes}
    return PaperOrder(html=html, **values)


@pytest.fixture
def owner(app: Flask) -> UUID:
    found: UUID = PersonFactory.create().id
    return found


@pytest.fixture
def browser(app: Flask, owner: UUID) -> FlaskClient:
    return signed_in(app, owner)


def facts(do: Any, file_id: UUID) -> files.KeptFacts:
    found: files.KeptFacts = do(files.kept_file, file_id)
    return found


def kept(work: Work) -> int:
    return work.session.scalar(select(func.count()).select_from(KeptFile)) or 0


def test_a_paper_is_ordered_drawn_by_the_worker_and_fetched(
    app: Flask, do: Any, owner: UUID, browser: FlaskClient
) -> None:
    file_id = do(files.order_paper, file_key(), order(PAGE.format(BREAK * 5), pages=6), actor=person(owner))
    page = browser.get(f"/file/{file_id}")
    assert (page.status_code, page.headers["Refresh"]) == (200, "2")
    assert "The file is being made" in page.text
    assert browser.get(f"/file/{file_id}/download").status_code == 404
    run_worker(app, wait=False)
    page = browser.get(f"/file/{file_id}")
    assert "Refresh" not in page.headers
    assert f'href="/file/{file_id}/download"' in page.text
    answer = browser.get(f"/file/{file_id}/download")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == "attachment; filename=paper.pdf"
    with pikepdf.open(io.BytesIO(answer.data)) as pdf:
        assert len(pdf.pages) == 6
        assert pdf.open_metadata()["pdfuaid:part"] == "1"


def test_the_row_tells_how_far_it_is(do: Any, owner: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = do(files.order_paper, file_key(), order(PAGE.format(BREAK * 9), pages=8), actor=person(owner))
    seen: list[int] = []
    tell = files.making._tell

    def note(which: UUID, page: int) -> None:
        tell(which, page)
        seen.append(facts(do, which).pages_done)

    monkeypatch.setattr(files.making, "_tell", note)
    make_paper(file_id)
    # Every fifth page is written down, and never more pages than there were to be.
    assert (seen[:6], seen[9]) == ([0, 0, 0, 0, 5, 5], 8)


def test_what_is_kept_cannot_be_read_in_the_database(do: Any, owner: UUID) -> None:
    file_id = do(files.order_paper, file_key(), order(PAGE.format("secret-code")), actor=person(owner))
    stored = do(lambda work: work.session.get(KeptFile, file_id).content)
    assert b"secret-code" not in stored
    assert b"secret-code" in do(files.content_of, file_key(), file_id)


def test_a_paper_is_its_owners_alone_and_only_for_a_while(
    app: Flask, do: Any, owner: UUID, browser: FlaskClient, clock: MovableClock
) -> None:
    file_id = new_kept_file(owner, clock())
    stranger = signed_in(app, PersonFactory.create().id)
    for path in (f"/file/{file_id}", f"/file/{file_id}/download"):
        assert (browser.get(path).status_code, stranger.get(path).status_code) == (200, 404)
        assert app.test_client().get(path).status_code == 303
    clock.move(KEPT_FOR)
    browser = signed_in(app, owner)
    for path in (f"/file/{file_id}", f"/file/{file_id}/download"):
        assert browser.get(path).status_code == 404


def test_old_files_are_forgotten_at_night(do: Any, owner: UUID, clock: MovableClock) -> None:
    new_kept_file(owner, clock() - timedelta(hours=13))
    young = new_kept_file(owner, clock())
    forget_old_files()
    assert do(kept) == 1
    assert facts(do, young).stage is FileStage.READY


def test_a_paper_that_cannot_be_drawn_says_so_and_its_deed_is_not_done(
    do: Any, owner: UUID, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schoolmeals.files.papers.SECONDS", 0.001)
    file_id = do(files.order_paper, file_key(), order(PAGE), actor=person(owner))
    done: list[str] = []
    make_paper(file_id, lambda _work, _order: done.append("done"))
    assert done == []
    assert facts(do, file_id).failure_code == "paper-unavailable"
    assert "could not be made" in browser.get(f"/file/{file_id}").text
    with pytest.raises(NotFound):
        do(files.content_of, file_key(), file_id)


def test_a_refused_deed_leaves_no_paper_and_is_told(
    do: Any, owner: UUID, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.making, "drawn", lambda _html, _tell: b"%PDF")
    file_id = do(files.order_paper, file_key(), order(PAGE), actor=person(owner))

    def refuse(_work: Work, _order: files.KeptFacts) -> None:
        raise Conflict("card-taken", N_("Taken."))

    make_paper(file_id, refuse)
    assert (facts(do, file_id).stage, facts(do, file_id).failure_code) == (FileStage.FAILED, "card-taken")
    assert "Something has changed meanwhile" in browser.get(f"/file/{file_id}").text


def test_a_job_that_runs_twice_does_its_deed_once(do: Any, owner: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.making, "drawn", lambda _html, _tell: b"%PDF")
    file_id = do(files.order_paper, file_key(), order(PAGE), actor=person(owner))
    done: list[UUID] = []
    for _ in range(2):
        make_paper(file_id, lambda _work, one: done.append(one.id))
    assert done == [file_id]


def imported(root: Path) -> Iterator[str]:
    """The modules that a process has when its pages are up, or its worker."""
    code = "import schoolmeals.app, schoolmeals.worker, sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    yield from done.stdout.split()


def test_no_process_of_ours_loads_what_draws(app: Flask) -> None:
    # The child alone does, within its limits, and only the worker's tasks start it.
    found = set(imported(Path(__file__).parents[2]))
    assert "weasyprint" not in found
    assert "schoolmeals.files.papers" in found


def test_no_view_draws() -> None:
    package = Path(files.__file__).parents[1]
    drawing = [
        str(path.relative_to(package))
        for path in sorted(package.rglob("*.py"))
        if re.search(r"\bmake_paper\b|files\.papers", path.read_text("utf-8"))
    ]
    assert drawing == ["files/__init__.py", "files/jobs.py", "files/making.py", "pupils/jobs.py"]
