"""The JSON API of the files room: how far an ordered paper is, and the paper."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView

from schoolmeals.database import reading
from schoolmeals.errors import N_, NotNow
from schoolmeals.files.making import file_key
from schoolmeals.files.queries import content_of, paper
from schoolmeals.files.rules import PDF, FileStage, KeptFacts
from schoolmeals.files.schemas import PaperSchema
from schoolmeals.web import SIGNED_IN, ApiBlueprint, actor, guard, now

api = ApiBlueprint("files_api", __name__, url_prefix="/api", description=N_("Papers that were ordered"))


@api.route("/papers/<uuid:file_id>")
class Paper(MethodView):
    """A paper on its way."""

    @guard(SIGNED_IN)
    @api.response(200, PaperSchema)
    @api.alt_response(404, description="no paper of yours, or it is too old")
    def get(self, file_id: UUID) -> Any:
        """How far a paper is. Ask again every few seconds until its stage is ready or failed."""
        return ordered_paper(file_id)


@api.route("/papers/<uuid:file_id>/content")
class PaperContent(MethodView):
    """The paper itself."""

    @guard(SIGNED_IN)
    @api.response(200, {"type": "string", "format": "binary"}, content_type=PDF)
    @api.alt_response(404, description="no paper of yours, or it is too old")
    @api.alt_response(409, description="it is not ready, or it will not come")
    def get(self, file_id: UUID) -> Any:
        """The PDF, once the paper is ready."""
        with reading(actor(), now()) as look:
            found = paper(look, file_id)
            if found.stage is not FileStage.READY:
                raise NotNow("paper-not-ready", N_("This paper is not there yet. Ask again in a few seconds."))
            content = content_of(look, file_key(), file_id)
        answer = Response(content, mimetype=PDF)
        answer.headers.set("Content-Disposition", "attachment", filename=found.name)
        return answer


def ordered_paper(file_id: UUID) -> KeptFacts:
    """A paper of the actor's, to be told with ``PaperSchema``. Raises NotFound."""
    with reading(actor(), now()) as look:
        return paper(look, file_id)
