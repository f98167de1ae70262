"""Documents to be attached, as bytes that are what they say."""

import io
import zipfile
from typing import Any
from uuid import UUID

from schoolmeals.procurement.rules.papers import NewDocument

PDF = b"%PDF-1.7\n% a very short document\n"


def a_document(id: UUID, **changes: Any) -> NewDocument:
    """A document that may be attached."""
    wanted = {
        "id": id,
        "document_type": "technicalSpecifications",
        "title": {"kk": "Техникалық ерекшелік", "ru": "Техническая спецификация"},
        "language": "ru",
        "file_name": "spec.pdf",
        "content": PDF,
        **changes,
    }
    return NewDocument(**wanted)


def packed(*names: str, mimetype: str = "") -> bytes:
    """An archive with files of these names."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "x")
    return into.getvalue()
