"""The protocols of admission, evaluation and award as papers: archives with the protocol inside, readable and whole."""

import hashlib
import io
import json
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from flask import Flask

from schoolmeals.actors import SYSTEM
from schoolmeals.database import Work
from schoolmeals.procurement import protocol_papers
from schoolmeals.procurement.actions import awarding, evaluation, scoring
from schoolmeals.procurement.models import Protocol, ProtocolPaper
from schoolmeals.procurement.rules.stages import TenderStage
from tests.factories.evaluation import Table, plant
from tests.factories.pdf import text_of
from tests.factories.procurement import ALMATY, Procurement
from tests.procurement.test_opening_views import public
from tests.procurement.test_protocols import XMP

WORDS = {
    "admission": {
        "kk": "Конкурсқа жіберу хаттамасы",
        "ru": "Протокол допуска к конкурсу",
        "en": "Protocol of admission",
    },
    "evaluation": {
        "kk": "Өтінімдерді бағалау хаттамасы",
        "ru": "Протокол оценки заявок",
        "en": "Protocol of the evaluation of bids",
    },
    "award": {
        "kk": "Конкурс қорытындысы туралы хаттама",
        "ru": "Протокол итогов конкурса",
        "en": "Protocol of the award",
    },
}


def decided(world: Procurement) -> UUID:
    """A tender with two bids, one of them rejected, a contested document, and an award."""
    table = Table(world, world.tender_in(TenderStage.ADMISSION))
    good, bad = plant(world, table.tender_id), plant(world, table.tender_id, staff=[])
    table.declare(good, bad)
    cell = table.cell(bad, "resources")
    why: dict[str, Any] = {
        "reason_code": "staff-short",
        "reason": "Аспазшылар жетпейді",
        "evidence": list(cell.finding.evidence),
    }
    table.vote(bad, "resources", met=False, **why)
    table.admit(good, bad)
    contest: dict[str, Any] = {"reason_code": "illegible", "reason": "Мөрі көрінбейді", "actor": table.members[0]}
    world.do(scoring.contest_evidence, table.tender_id, good.id, good.files[0]["sha256"], **contest)
    table.score(good)
    reasons = {str(good.lot_id): "Бағасы нарыққа сай"}
    about: dict[str, Any] = {"zone": ALMATY, "actor": world.secretary, "single_reasons": reasons}
    world.do(evaluation.finish_evaluation, table.tender_id, **about)
    present = world.voters(table.tender_id)
    signing: dict[str, Any] = {"present": present, "zone": ALMATY, "reason": "Бағасы нарыққа сай"}
    world.do(awarding.sign_award, table.tender_id, actor=world.chair(table.tender_id), **signing)
    return table.tender_id


def protocol_of(world: Procurement, tender_id: UUID, kind: str) -> Protocol:
    def look(work: Work) -> Protocol:
        return work.session.query(Protocol).filter_by(tender_id=tender_id, kind=kind).one()

    found: Protocol = world.look(look, actor=SYSTEM)
    return found


@pytest.mark.parametrize("kind", list(WORDS))
def test_each_kind_is_drawn_in_three_languages_with_itself_inside(world: Procurement, kind: str) -> None:
    row = protocol_of(world, decided(world), kind)
    assert row.sha256 == hashlib.sha256(row.text.encode()).digest()
    for language, title in WORDS[kind].items():
        protocol_papers.draw_protocol(str(row.id), language)
        paper: ProtocolPaper = world.look(
            lambda work, at=(row.id, language): work.session.get_one(ProtocolPaper, at), actor=SYSTEM
        )
        with pikepdf.open(io.BytesIO(paper.pdf)) as pdf:
            with pdf.open_metadata() as about:
                assert (about[f"{{{XMP}}}part"], about[f"{{{XMP}}}conformance"]) == ("3", "U")
            assert str(pdf.Root.Lang) == language
            assert not pdf.is_encrypted
            (name,) = pdf.attachments
            assert (name, pdf.attachments[name].get_file().read_bytes()) == ("protocol.json", row.text.encode())
            pages = len(pdf.pages)
        words = text_of(paper.pdf).replace("\u00a0", " ").replace("\n", "")
        assert title in words
        assert words.count(row.sha256.hex()[:32]) >= pages
        assert f"/protocols/{row.sha256.hex()}" in words
        assert f"{pages} / {pages}" in words
        assert "{" not in words, "no placeholder is left"
        assert "%(" not in words


def test_what_they_say_is_what_was_decided(world: Procurement) -> None:
    tender_id = decided(world)
    admission, judged, award = (
        json.loads(protocol_of(world, tender_id, kind).text)["content"] for kind in ("admission", "evaluation", "award")
    )
    first, last = sorted(admission["bids"], key=lambda one: not one["admitted"])
    assert (first["admitted"], last["admitted"]) == (True, False)
    (told,) = {one["text"] for row in last["requirements"] for one in row["reasons"]}
    assert told == "Аспазшылар жетпейді"
    assert [(one["code"], one["fallen"]) for one in judged["contests"]] == [("illegible", False)]
    assert [len(lot["ranking"]) for lot in judged["lots"]] == [1]
    assert award["lots"][0]["award"]["rank"] == 1
    assert len(award["present"]) == 5


def test_their_pages_stack_on_a_phone_and_name_who_contested(app: Flask, world: Procurement) -> None:
    tender_id = decided(world)
    for kind in WORDS:
        sha256 = protocol_of(world, tender_id, kind).sha256.hex()
        shown = public(app).get(f"/protocols/{sha256}")
        assert shown.status_code == 200
        assert 'class="stack"' in shown.text
    judged = public(app).get(f"/protocols/{protocol_of(world, tender_id, 'evaluation').sha256.hex()}").text
    assert "Мөрі көрінбейді" in judged
    scores = public(app).get(f"/tenders/{tender_id}/scores").text
    assert "Contested by 1 of 5 members: not more than half, so it counts." in scores
    assert "neither what parents report nor penalties" in scores
