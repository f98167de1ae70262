"""What a file is, told by its first bytes and never by its name. Pure."""

from typing import Final

_STARTS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)


def type_by_start(content: bytes) -> str | None:
    """The media type of a PDF, JPEG or PNG; None for anything else."""
    return next((media_type for start, media_type in _STARTS if content.startswith(start)), None)
