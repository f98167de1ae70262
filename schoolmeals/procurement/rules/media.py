"""What a file is, told by its first bytes and never by its name; and a name that can stand for it. Pure."""

from typing import Final

_STARTS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)


def type_by_start(content: bytes) -> str | None:
    """The media type of a PDF, JPEG or PNG; None for anything else."""
    return next((media_type for start, media_type in _STARTS if content.startswith(start)), None)


def plain_name(file_name: str, media_type: str) -> str:
    """A name that can stand in an envelope: no path, no control characters, and the ending of what the file is."""
    ending = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}[media_type]
    name = file_name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    kept = "".join(one for one in name if one.isprintable() and one not in ":/\\").lstrip(".").strip()
    while len(kept.encode()) > 120:
        kept = kept[:-1]
    return (kept or "paper") + ending
