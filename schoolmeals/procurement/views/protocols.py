"""Protocols, for everybody: what each says, its papers, and whether a file is one of them."""

from datetime import datetime
from typing import Any

from flask import Response
from flask_babel import gettext

from schoolmeals.database import reading
from schoolmeals.procurement.protocol_papers import spoken_text, word
from schoolmeals.procurement.protocols import PAPER_LANGUAGES, TITLES
from schoolmeals.procurement.queries import protocols as protocol_queries
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.web import PUBLIC_POLICY, actor, guard, now, render


@pages.get("/protocols/<sha256>")
@guard(PUBLIC_POLICY)
def protocol(sha256: str) -> Any:
    """What a protocol says, its digest, its papers, and a place to check a file."""
    with reading(actor(), now()) as look:
        found = protocol_queries.protocol(look, sha256)
    title = TITLES[found.kind]
    return render(
        "procurement/protocol.html",
        protocol=found,
        document=found.document,
        content=found.document["content"],
        part=f"procurement/protocols/{found.kind}.html",
        title=gettext(title),
        languages=PAPER_LANGUAGES,
        said=spoken_text,
        words=word,
        instant=datetime.fromisoformat,
    )


@pages.get("/protocols/<sha256>/protocol.json")
@guard(PUBLIC_POLICY)
def protocol_json(sha256: str) -> Any:
    """The protocol's own bytes, whose SHA-256 is its digest."""
    with reading(actor(), now()) as look:
        found = protocol_queries.protocol(look, sha256)
    return _file(found.text.encode(), "application/json", f"protocol-{found.kind}-{found.sha256[:12]}.json")


@pages.get("/protocols/<sha256>/<language>.pdf")
@guard(PUBLIC_POLICY)
def protocol_pdf(sha256: str, language: str) -> Any:
    """The paper in one language."""
    with reading(actor(), now()) as look:
        pdf = protocol_queries.protocol_paper(look, sha256, language)
        found = protocol_queries.protocol(look, sha256)
    return _file(pdf, "application/pdf", f"protocol-{found.kind}-{found.sha256[:12]}-{language}.pdf")


def _file(content: bytes, media_type: str, name: str) -> Response:
    answer = Response(content, mimetype=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    # What a digest names never changes.
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer
