"""The papers of a tender's text: one PDF in each language for every version, drawn by the worker from its data."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import segno
from flask import current_app

from schoolmeals.actors import SYSTEM
from schoolmeals.database import reading, transaction
from schoolmeals.files import drawn
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions.papers import keep_notice_paper
from schoolmeals.procurement.profiles import Profile
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.tenders import VersionFacts
from schoolmeals.procurement.rules.terms import terms_of
from schoolmeals.web import frame


def draw_notice(tender_id: str, version: int, language: str) -> None:
    """Draw one paper and keep it, where it is not there yet."""
    now, wanted = frame().clock, UUID(tender_id)
    with reading(SYSTEM, now()) as look:
        text = tender_queries.version(look, wanted, version)
    with spoken(language):
        html = notice_html(wanted, text, language)
    pdf = drawn(html, lambda _page: None)
    with transaction(SYSTEM, now()) as work:
        keep_notice_paper(work, wanted, version, language, pdf)


def notice_html(tender_id: UUID, text: VersionFacts, language: str) -> str:
    """The page that a paper is drawn from; within :func:`spoken`."""
    document = text.document
    profile = Profile.from_json(document["profile"])
    terms = terms_of(document)
    address = f"{frame().settings.base_url.rstrip('/')}/tenders/{tender_id}"
    template = current_app.jinja_env.get_template("procurement/papers/paper_notice.html")
    return template.render(
        language=language,
        document=document,
        version=text,
        title=showing.said(document["sections"]["notice"]["title"]),
        said=showing.said,
        sections=showing.shown_sections(document["sections"], profile.purpose, of_lot=False),
        lots=[_lot(lot, profile.purpose) for lot in document["lots"]],
        total_minor=sum(showing.ceiling_of(lot["items"]) for lot in document["lots"]),
        terms=[(name, showing.when(term.until)) for name, term in terms.items()],
        members=showing.member_rows(document),
        numbers=showing.procedure_rows(profile),
        criteria=showing.criteria_rows(profile),
        accelerator=profile.accelerator,
        address=address,
        qr=segno.make(address, error="m", micro=False).svg_data_uri(border=2, xmldecl=False),
    )


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Let words, numbers and dates be those of ``language``, as in a request of somebody who reads it."""
    with current_app.test_request_context("/", headers={"Accept-Language": language}):
        yield


def _lot(lot: Any, purpose: str) -> dict[str, Any]:
    return {
        "position": lot["position"],
        "school": showing.said(lot["school"]["name"]),
        "items": [(showing.item_name(item), item) for item in lot["items"]],
        "total_minor": showing.ceiling_of(lot["items"]),
        "sections": showing.shown_sections(lot["sections"], purpose, of_lot=True),
    }
