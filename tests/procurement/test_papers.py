"""Documents: told by their content, kept in versions with digests, public with the text that brings them."""

import hashlib
import io
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from schoolmeals.actors import PUBLIC, SYSTEM, Actor
from schoolmeals.errors import Conflict, Invalid, NotFound, Refusal
from schoolmeals.ids import new_id
from schoolmeals.jobs import tasks_of
from schoolmeals.procurement import jobs
from schoolmeals.procurement.acting import deed_clock
from schoolmeals.procurement.actions import amending, papers
from schoolmeals.procurement.notice_papers import draw_notice
from schoolmeals.procurement.queries import papers as queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.papers import Series
from schoolmeals.procurement.rules.papers import (
    DRAW_NOTICE,
    ENDINGS,
    LARGEST_BYTES,
    MOST_DOCUMENTS,
    file_problem,
    kept_name,
    media_type_of,
)
from schoolmeals.procurement.rules.stages import TenderStage
from tests.canteen.pages import send
from tests.factories.identity import signed_in
from tests.factories.papers import PDF, a_document, packed
from tests.factories.pdf import text_of
from tests.factories.procurement import ALMATY, TITLE, Procurement
from tests.procurement.test_amending import WHY, wanted

WORD = packed("[Content_Types].xml", "word/document.xml")
EXCEL = packed("[Content_Types].xml", "xl/workbook.xml")


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (PDF, ".pdf"),
        (b"\x89PNG\r\n\x1a\n", ".png"),
        (b"\xff\xd8\xff\xe0", ".jpg"),
        (WORD, ".docx"),
        (EXCEL, ".xlsx"),
        (packed("content.xml", mimetype="application/vnd.oasis.opendocument.text"), ".odt"),
        (packed("content.xml", mimetype="application/vnd.oasis.opendocument.spreadsheet"), ".ods"),
        (packed("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), None),
        (packed("word/document.xml"), None),
        (packed("[Content_Types].xml", "setup.exe"), None),
        (packed("x", mimetype="text/html"), None),
        (b"PK\x03\x04 and no archive", None),
        (b"<html><script>", None),
        (b"MZ\x90\x00", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_content_is(content: bytes, ending: str | None) -> None:
    found = media_type_of(content)
    assert (ENDINGS[found] if found is not None else None) == ending


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("spec.exe", "spec.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\me\\Шарт №3.docx", "Шарт №3.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "a__Set-Cookie_ x.pdf"),
        (".pdf", "document.pdf"),
        ("x" * 500, "x" * 120 + ".pdf"),
    ],
)
def test_a_name_is_one_that_every_system_keeps(name: str, kept: str) -> None:
    assert kept_name(name, "application/pdf") == kept


def test_a_file_has_limits() -> None:
    too_large, too_many = file_problem(b"%PDF-" + b"x" * LARGEST_BYTES, 0), file_problem(PDF, MOST_DOCUMENTS)
    assert [one.code if one else None for one in (too_large, too_many)] == ["file-too-large", "too-many-documents"]


def refusal(world: Procurement, tender_id: UUID, document: Any) -> Refusal:
    before = world.look(tender_queries.acts, tender_id, actor=SYSTEM)
    with pytest.raises(Refusal) as told:
        world.do(papers.add_document, tender_id, document)
    assert world.look(tender_queries.acts, tender_id, actor=SYSTEM) == before
    return told.value


def seen(world: Procurement, tender_id: UUID, actor: Actor) -> list[Series]:
    found: list[Series] = world.look(queries.documents, tender_id, actor=actor)
    return found


def test_a_document_is_public_with_the_version_that_brings_it(world: Procurement) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    document = a_document(new_id(world.clock()))
    for _ in range(2):
        assert world.do(papers.add_document, tender_id, document) == document.id
    assert seen(world, tender_id, PUBLIC) == []
    assert len(seen(world, tender_id, world.editor)) == 1
    with pytest.raises(NotFound):
        world.look(queries.document_content, tender_id, document.id, actor=world.supplier)
    world.do(amending.explain_amendment, tender_id, WHY)
    amended = {"act_id": new_id(world.clock()), "seen": wanted(world, tender_id).seen, "zone": ALMATY}
    world.do(amending.publish_amendment, tender_id, **amended, clock=deed_clock, actor=world.officer)
    (series,) = seen(world, tender_id, PUBLIC)
    assert (series.latest.sha256, series.latest.size_bytes) == (hashlib.sha256(PDF).digest(), len(PDF))
    version = world.look(tender_queries.version, tender_id, actor=PUBLIC)
    assert [one["sha256"] for one in version.document["documents"]] == [hashlib.sha256(PDF).hexdigest()]
    assert world.look(queries.document_content, tender_id, document.id, actor=PUBLIC).content == PDF


def test_a_new_version_follows_and_the_old_one_stays(world: Procurement) -> None:
    tender_id = world.draft()
    first = world.do(papers.add_document, tender_id, a_document(new_id(world.clock())))
    newer = a_document(new_id(world.clock()), series_id=first, content=WORD, file_name="spec.docx")
    second = world.do(papers.add_document, tender_id, newer)
    (series,) = seen(world, tender_id, world.editor)
    assert (series.latest.id, series.latest.version) == (second, 2)
    assert [(one.id, one.version) for one in series.earlier] == [(first, 1)]
    assert world.look(queries.document_content, tender_id, first).content == PDF
    other = world.bare_draft()
    strange = refusal(world, other, a_document(new_id(world.clock()), series_id=first))
    assert isinstance(strange, NotFound)
    same_id = refusal(world, tender_id, a_document(second, content=EXCEL))
    assert (type(same_id), same_id.code) == (Conflict, "id-used")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": b""}, "file"),
        ({"content": b"MZ"}, "file"),
        ({"title": {"kk": "x"}}, "title.ru"),
        ({"document_type": "biddingDocuments"}, "document_type"),
        ({"language": "de"}, "language"),
    ],
)
def test_a_document_must_be_whole(world: Procurement, changes: dict[str, Any], field: str) -> None:
    wrong = refusal(world, world.bare_draft(), a_document(new_id(world.clock()), **changes))
    assert isinstance(wrong, Invalid)
    assert list(wrong.fields) == [field]


def test_the_text_becomes_a_paper_in_each_language_once(world: Procurement, client: FlaskClient) -> None:
    tender_id = world.tender_in(TenderStage.DISCUSSION)
    for _ in range(2):
        draw_notice(str(tender_id), 1, "kk")
    (series,) = seen(world, tender_id, PUBLIC)
    assert (series.latest.is_notice, series.latest.language, series.earlier) == (True, "kk", ())
    row = world.look(queries.document_content, tender_id, series.latest.id, actor=PUBLIC)
    words = text_of(row.content).replace("\xa0", " ")
    version = world.look(tender_queries.version, tender_id, actor=PUBLIC)
    assert TITLE["kk"] in words
    assert version.sha256[:32] in words
    assert "Түскі ас, 6-10 жас" in words or "Түскі ас" in words
    assert hashlib.sha256(row.content).digest() == row.sha256
    assert DRAW_NOTICE in {task.name for task in tasks_of(jobs)}
    assert version.document["documents"] == [], "a print of the text is no part of it"


# Pages


def browser(app: Flask, who: Actor) -> FlaskClient:
    assert who.id is not None
    return signed_in(app, who.id)


def test_officers_attach_and_everybody_fetches(world: Procurement, app: Flask, client: FlaskClient) -> None:
    tender_id = world.draft()
    editor, path = browser(app, world.editor), f"/procurement/tenders/{tender_id}/documents"
    form: dict[str, Any] = {
        "document_id": str(new_id(world.clock())),
        "document_type": "contractDraft",
        "title.kk": "Шарт жобасы",
        "title.ru": "Проект договора",
    }
    missing = send(editor, path, form, shown_at="/procurement/tenders")
    assert missing.status_code == 422
    assert 'href="#f-file"' in missing.get_data(as_text=True)
    sent = send(editor, path, {**form, "file": (io.BytesIO(PDF), "шарт.pdf")}, shown_at="/procurement/tenders")
    assert sent.status_code == 303
    (series,) = seen(world, tender_id, world.editor)
    address = f"/tenders/{tender_id}/documents/{series.latest.id}"
    assert client.get(address).status_code == 404
    answer = editor.get(address)
    assert (answer.data, answer.mimetype) == (PDF, "application/pdf")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "Not published yet" in editor.get(path, headers={"Accept-Language": "en"}).get_data(as_text=True)
