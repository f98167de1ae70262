"""A paper's page, which shows how far it is, and the paper itself. Both are its owner's alone."""

from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, url_for

from schoolmeals.database import reading
from schoolmeals.errors import NotFound
from schoolmeals.files.making import file_key
from schoolmeals.files.queries import content_of, paper
from schoolmeals.files.rules import PDF, FileStage
from schoolmeals.web import SIGNED_IN, NavItem, actor, guard, now, render

LOOKS_AGAIN_AFTER_S: Final = 2

pages = Blueprint("files", __name__, template_folder="templates")
navigation: tuple[NavItem, ...] = ()


@pages.get("/file/<uuid:file_id>")
@guard(SIGNED_IN)
def paper_page(file_id: UUID) -> Any:
    """How far a paper is, where to fetch it, or why there is none."""
    with reading(actor(), now()) as look:
        found = paper(look, file_id)
    answer = make_response(render("files/paper.html", file=found, stage=found.stage.value, as_of=now()))
    if found.stage is FileStage.MAKING:
        answer.headers["Refresh"] = str(LOOKS_AGAIN_AFTER_S)
    return answer


@pages.get("/file/<uuid:file_id>/download")
@guard(SIGNED_IN)
def download(file_id: UUID) -> Any:
    """The paper, to be saved and printed."""
    with reading(actor(), now()) as look:
        found = paper(look, file_id)
        if found.stage is not FileStage.READY:
            raise NotFound
        content = content_of(look, file_key(), file_id)
    answer = Response(content, mimetype=PDF)
    answer.headers.set("Content-Disposition", "attachment", filename=found.name)
    return answer


def to_paper(file_id: UUID) -> Response:
    """Off to the page of a paper that was just ordered."""
    return make_response(redirect(url_for("files.paper_page", file_id=file_id), code=303))
