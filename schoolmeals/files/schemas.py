"""What programs are told of a paper that they have ordered."""

from typing import Any

import marshmallow as ma

from schoolmeals.files.rules import FileStage
from schoolmeals.web import Schema

_INSTANT: dict[str, Any] = {"format": "iso"}


class PaperSchema(Schema):
    """A PDF that was ordered: how far it is. It is kept for twelve hours, for whoever ordered it."""

    id = ma.fields.UUID(required=True)
    name = ma.fields.String(required=True)
    stage = ma.fields.Function(
        lambda paper: paper.stage.value,
        required=True,
        metadata={
            "type": "string",
            "enum": [stage.value for stage in (FileStage.MAKING, FileStage.READY, FileStage.FAILED)],
            "description": "ready: fetch its content",
        },
    )
    pages_done = ma.fields.Integer(required=True)
    pages_total = ma.fields.Integer(required=True, metadata={"description": "as far as that is known"})
    ordered_at = ma.fields.DateTime(required=True, attribute="kept_at", **_INSTANT)
    expires_at = ma.fields.DateTime(required=True, **_INSTANT)
    failure_code = ma.fields.String(required=True, allow_none=True)
