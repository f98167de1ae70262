"""Documents of a tender: everybody fetches what is published, officers attach what comes with the next version."""

from typing import Any
from uuid import UUID

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext

from schoolmeals.database import reading, transaction
from schoolmeals.errors import Invalid, Refusal
from schoolmeals.ids import new_id
from schoolmeals.procurement import showing
from schoolmeals.procurement.actions import papers as deeds
from schoolmeals.procurement.queries import papers as paper_queries
from schoolmeals.procurement.queries import tenders as tender_queries
from schoolmeals.procurement.queries.papers import DocumentFacts, Series
from schoolmeals.procurement.rules.papers import ACCEPTED, KINDS, LARGEST_BYTES, NO_FILE, NewDocument
from schoolmeals.procurement.views.blueprint import pages
from schoolmeals.procurement.views.desk import READERS, WRITERS, again
from schoolmeals.procurement.views.drafts import form_id
from schoolmeals.procurement.words import DOCUMENT_NAMES, LANGUAGE_NAMES
from schoolmeals.web import PUBLIC_POLICY, actor, guard, language, now, render
from schoolmeals.web.formats import grouped


@pages.get("/tenders/<uuid:tender_id>/documents/<uuid:document_id>")
@guard(PUBLIC_POLICY)
def tender_document(tender_id: UUID, document_id: UUID) -> Any:
    """A document's own bytes, in any version that is published."""
    with reading(actor(), now()) as work:
        row = paper_queries.document_content(work, tender_id, document_id)
    answer = Response(row.content, mimetype=row.media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=row.file_name)
    answer.headers["Digest"] = f"sha-256={row.sha256.hex()}"
    return answer


@pages.get("/procurement/tenders/<uuid:draft_id>/documents")
@guard(READERS)
def draft_documents(draft_id: UUID) -> Any:
    """What is attached, and a form for one more."""
    return render("procurement/documents.html", **_documents(draft_id))


@pages.post("/procurement/tenders/<uuid:draft_id>/documents")
@guard(WRITERS)
def add_document(draft_id: UUID) -> Any:
    """Attach a document; the form's own number makes a second sending harmless."""
    try:
        with transaction(actor(), now()) as work:
            tender_queries.task_list(work, draft_id)
            deeds.add_document(work, draft_id, _typed())
    except Refusal as refusal:
        return again(refusal, "procurement/documents.html", **(_documents(draft_id) | {"typed": request.form}))
    flash(gettext("The document is attached. Everybody reads it with the next published version."), "good")
    return redirect(url_for("procurement.draft_documents", draft_id=draft_id), code=303)


def shown_documents(found: list[Series], tender_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Documents in words: the papers of the text, and what is attached."""
    shown = [_series(one, tender_id) for one in found]
    return {
        "notices": [one for one in shown if one["is_notice"]],
        "attached": [one for one in shown if not one["is_notice"]],
    }


def _series(one: Series, tender_id: UUID) -> dict[str, Any]:
    return {
        "is_notice": one.latest.is_notice,
        "series_id": one.latest.series_id,
        **_document(one.latest, tender_id),
        "earlier": [_document(each, tender_id) for each in one.earlier],
    }


def _document(one: DocumentFacts, tender_id: UUID) -> dict[str, Any]:
    spoken = gettext(LANGUAGE_NAMES[one.language]) if one.language else ""
    return {
        "title": showing.said(one.title),
        "kind": gettext(DOCUMENT_NAMES[one.document_type]),
        "language": spoken,
        "lang": one.language,
        "version": one.version,
        "from_version": one.from_version,
        "file_name": one.file_name,
        "size": _size(one.size_bytes),
        "sha256": one.sha256.hex(),
        "added_at": one.added_at,
        "href": url_for("procurement.tender_document", tender_id=tender_id, document_id=one.id),
    }


def _size(count: int) -> str:
    kilobytes = max(round(count / 1000), 1)
    return str(gettext("%(size)s kB", size=grouped(kilobytes, language())))


def _typed() -> NewDocument:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid(fields={"file": [NO_FILE]})
    series = request.form.get("series_id", "")
    return NewDocument(
        id=form_id("document_id"),
        document_type=request.form.get("document_type", ""),
        title={code: request.form.get(f"title.{code}", "").strip() for code in ("kk", "ru", "en")},
        language=request.form.get("language") or None,
        file_name=file.filename,
        # One byte more than may be: so much is enough to refuse the rest.
        content=file.stream.read(LARGEST_BYTES + 1),
        series_id=form_id("series_id") if series else None,
    )


def _documents(draft_id: UUID) -> dict[str, Any]:
    with reading(actor(), now()) as work:
        tender_queries.task_list(work, draft_id)
        view = tender_queries.tender(work, draft_id)
        found = paper_queries.documents(work, draft_id)
    shown = shown_documents(found, draft_id)
    return {
        "view": view,
        "draft_id": draft_id,
        "title": showing.said(view.line.title),
        **shown,
        "series": [(one["series_id"], one["title"]) for one in shown["attached"]],
        "kinds": [(code, gettext(DOCUMENT_NAMES[code])) for code in KINDS],
        "languages": [(code, gettext(LANGUAGE_NAMES[code])) for code in ("kk", "ru", "en")],
        "can_write": "add_document" in view.deeds,
        "accept": ACCEPTED,
        "largest": LARGEST_BYTES // 1_000_000,
        "document_id": new_id(now()),
        "typed": {},
    }
