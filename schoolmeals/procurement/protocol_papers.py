"""A protocol's papers: PDF/A-3 in three languages, each with the protocol's own JSON inside. The worker draws them.

Whoever has a paper has everything: the digest is on each page, the QR leads to the protocol's public page, and the
enclosed file is the protocol itself, whose SHA-256 is that digest.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import segno
from flask import current_app
from flask_babel import force_locale, gettext

from schoolmeals import audit
from schoolmeals.actors import SYSTEM
from schoolmeals.audit import Subject
from schoolmeals.database import reading, transaction
from schoolmeals.files import Enclosure, drawn
from schoolmeals.procurement.models import Protocol, ProtocolPaper
from schoolmeals.procurement.protocol_words import PROTOCOL_WORDS
from schoolmeals.procurement.protocols import TITLES
from schoolmeals.web import frame
from schoolmeals.web.formats import page_language

VARIANT: Final = "pdf/a-3u"
JSON_NAME: Final = "protocol.json"


def draw_protocol(protocol_id: str, language: str) -> None:
    """Draw one paper of a protocol, where it is not there yet."""
    now, wanted = frame().clock, UUID(protocol_id)
    with reading(SYSTEM, now()) as look:
        row = look.session.get_one(Protocol, wanted)
        text, sha256 = row.text, row.sha256.hex()
        if look.session.get(ProtocolPaper, (wanted, language)) is not None:
            return
    with force_locale(language):
        html = paper_html(json.loads(text), sha256)
        enclosed = Enclosure(JSON_NAME, gettext("The protocol itself, as JSON"), text)
    pdf = drawn(html, lambda _page: None, variant=VARIANT, enclosed=(enclosed,))
    with transaction(SYSTEM, now()) as work:
        sealed = hashlib.sha256(pdf).digest()
        work.session.add(ProtocolPaper(protocol_id=wanted, language=language, pdf=pdf, sha256=sealed, at=work.now))
        work.session.flush()
        told = {"language": language, "sha256": sealed.hex()}
        audit.record(work, "procurement.draw-protocol", Subject("protocol", wanted), told)


def paper_html(document: Mapping[str, Any], sha256: str) -> str:
    """The page that a paper is drawn from, in the language that is on. Needs an app context, and no request."""
    address, title = address_of(sha256), TITLES[document["kind"]]
    # Not render_template: its context processors speak of a request, and here is none.
    template = current_app.jinja_env.get_template("procurement/protocols/paper_protocol.html")
    return template.render(
        document=document,
        content=document["content"],
        part=f"procurement/protocols/{document['kind']}.html",
        title=gettext(title),
        sha256=sha256,
        address=address,
        qr=segno.make(address, error="m", micro=False).svg_data_uri(border=2, xmldecl=False),
        said=spoken_text,
        words=word,
        instant=datetime.fromisoformat,
    )


def address_of(sha256: str) -> str:
    """Where a protocol can be checked."""
    return f"{frame().settings.base_url.rstrip('/')}/protocols/{sha256}"


def spoken_text(texts: Mapping[str, str] | str | None) -> str:
    """A text in the paper's language, else in the first one that has it."""
    if isinstance(texts, str):
        return texts
    return next((texts[one] for one in (page_language(), "kk", "ru", "en") if texts.get(one)), "") if texts else ""


def word(code: str) -> str:
    """A code in words; the code itself where it has none."""
    return str(gettext(PROTOCOL_WORDS[code])) if code in PROTOCOL_WORDS else code
