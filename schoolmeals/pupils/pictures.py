"""Pictures from phones made small and harmless: turned upright, cut to 320 pixels, at most 20 kB, only pixels left."""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from schoolmeals.errors import N_, FieldProblem, Invalid

SIDE: Final = 320
LARGEST_BYTES: Final = 20_000
LARGEST_UPLOAD_BYTES: Final = 15_000_000
MOST_PIXELS: Final = 50_000_000
"""More than phones make; a picture of 400 million pixels fits into a 48 kB file."""
FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITIES: Final = (82, 72, 60, 48, 36, 24, 12)


def shrunk(upload: bytes) -> bytes:
    """``upload`` (JPEG, PNG or WebP) as WebP without its metadata. Raises Invalid ``photo`` with a field ``photo``.

    Only the header is read before the size is known, so a small file cannot unfold into much memory.
    """
    if len(upload) > LARGEST_UPLOAD_BYTES:
        raise _refused("photo-too-large", N_("The picture is too large. Take a smaller one, up to 15 MB."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(upload), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS or min(picture.size) < 1:
                    raise _refused("photo-too-large", N_("The picture is too large. Take a smaller one, up to 15 MB."))
                picture.draft("RGB", (SIDE * 2, SIDE * 2))
                upright = ImageOps.exif_transpose(picture)
                small = ImageOps.fit(upright.convert("RGB"), (SIDE, SIDE), Image.Resampling.LANCZOS)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        ValueError,
        SyntaxError,
    ) as error:
        sentence = N_("This file is not a picture that we can read. Send a JPEG, PNG or WebP.")
        raise _refused("photo-unreadable", sentence) from error
    return _as_webp(small)


def _as_webp(picture: Image.Image) -> bytes:
    # A new image takes the pixels and leaves EXIF, profiles and comments behind.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    content = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        bare.save(buffer, "WEBP", quality=quality, method=4)
        content = buffer.getvalue()
        if len(content) <= LARGEST_BYTES:
            return content
    return _as_webp(picture.resize((picture.width // 2, picture.height // 2)))


def _refused(code: str, sentence: str) -> Invalid:
    return Invalid(code, sentence, fields={"photo": [FieldProblem.of(code, sentence)]})
