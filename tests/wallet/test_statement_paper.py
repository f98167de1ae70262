"""A statement as page, CSV and PDF: three forms of one object, which say the same sums in each language."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from schoolmeals import wallet
from schoolmeals.clock import MovableClock
from schoolmeals.files.models import KeptFile
from schoolmeals.identity.models import Person
from schoolmeals.web.formats import money
from schoolmeals.worker import run_worker
from tests.factories.identity import signed_in
from tests.factories.pdf import text_of
from tests.factories.wallet import CASH, Family, csrf_token, eat, new_family

Do = Callable[..., Any]
PERIOD = {"since": "2026-11-01", "until": "2026-11-30"}
TITLES = {
    "kk": "Әмиян бойынша үзінді көшірме",
    "ru": "Выписка по кошельку",
    "en": "Statement of the purse",
}


@pytest.fixture
def lived(do: Do, family: Family) -> tuple[int, int, int, int]:
    """Cash, meals from the purse and one on grace: opening, paid in, spent, closing in minor units."""
    for amount in (1_250_00, 3_000_00):
        do(
            wallet.take_cash,
            family.school_id,
            family.pupil_id,
            actor=family.office,
            top_up_id=uuid4(),
            amount_minor=amount,
            bounds=CASH,
        )
    for total in (850_00, 900_25, 850_00, 850_00, 850_00):
        do(eat, family.pupil_id, total, school_id=family.school_id)
    return 0, 4_250_00, 4_300_25, -50_25


def paper(app: Flask, browser: FlaskClient, family: Family) -> bytes:
    page = f"/pupil/{family.school_id}/{family.pupil_id}/statement"
    answer = browser.post(f"{page}/paper", data={"csrf_token": csrf_token(browser, page), **PERIOD})
    assert answer.status_code == 303
    run_worker(app, wait=False)
    assert page in browser.get(answer.location).text
    found = browser.get(f"{answer.location}/download")
    assert found.headers["Content-Disposition"] == "attachment; filename=statement-2026-11-01-2026-11-30.pdf"
    content: bytes = found.data
    return content


def sums_in(text: str, language: str) -> list[str]:
    """Every sum in a text, as people write it, with one kind of space."""
    number = r"−?\d{1,3}(?:,\d{3})*(?:\.\d\d)?" if language == "en" else r"−?\d{1,3}(?:\u00a0\d{3})*(?:,\d\d)?"
    return re.findall(rf"{number}\u00a0₸", text)


def in_minor(cell: str) -> int:
    return int(cell.replace(",", ""))


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_page_csv_and_pdf_tell_the_same_sums(
    app: Flask, do: Do, family: Family, parent: FlaskClient, lived: tuple[int, int, int, int], language: str
) -> None:
    do(lambda work: work.session.execute(update(Person).values(language=language)))
    opening, paid_in, spent, closing = lived
    assert opening + paid_in - spent == closing
    written = [money(minor, "KZT", language) for minor in lived]
    base = f"/pupil/{family.school_id}/{family.pupil_id}/statement"

    rows = list(csv.reader(io.StringIO(parent.get(f"{base}.csv", query_string=PERIOD).text), delimiter=";"))
    assert in_minor(rows[1][5]) == opening
    assert [in_minor(cell) for cell in rows[-1][3:]] == [paid_in, spent, closing]
    lines = rows[2:-1]

    page = parent.get(base, query_string=PERIOD).text
    assert [sums_in(part, language)[0] for part in page.split("<dd>")[1:5]] == written

    content = paper(app, parent, family)
    text = text_of(content)
    assert TITLES[language] in text
    found = sums_in(text, language)
    assert found[:4] == written
    told = [
        money(in_minor(cell), "KZT", language)
        for line in lines
        for cell in (line[3] if in_minor(line[3]) else line[4], line[5])
    ]
    assert found[4:] == told
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert pdf.open_metadata()["pdfuaid:part"] == "1"
        assert str(pdf.Root.Lang) == language
        assert TITLES[language] in str(pdf.docinfo["/Title"])


def test_a_strangers_statement_is_not_drawn(app: Flask, do: Do, family: Family, clock: MovableClock) -> None:
    other = new_family()
    assert other.parent.id is not None
    browser = signed_in(app, other.parent.id)
    own = f"/pupil/{other.school_id}/{other.pupil_id}/statement"
    theirs = f"/pupil/{family.school_id}/{family.pupil_id}/statement/paper"
    assert browser.post(theirs, data={"csrf_token": csrf_token(browser, own), **PERIOD}).status_code == 404
    assert do(lambda work: work.session.scalars(select(KeptFile.id)).all()) == []


def test_an_unusable_period_is_refused(parent: FlaskClient, family: Family, do: Do) -> None:
    page = f"/pupil/{family.school_id}/{family.pupil_id}/statement"
    typed = {"csrf_token": csrf_token(parent, page), "since": "2026-11-30", "until": "2026-11-01"}
    assert parent.post(f"{page}/paper", data=typed).status_code == 422
    assert do(lambda work: work.session.scalars(select(KeptFile.id)).all()) == []
