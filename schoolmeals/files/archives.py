"""Zip files from strangers: looked at before they are unpacked, and unpacked no further than they promised."""

import io
import stat
import zipfile
import zlib
from typing import Final

from schoolmeals.errors import N_
from schoolmeals.files.rules import unusable

MOST_FILES: Final = 200
MOST_BYTES: Final = 60_000_000
"""Unpacked, all files together."""
LARGEST_RATIO: Final = 100
SMALL: Final = 1_000_000
"""Below this a high ratio does no harm: a short file of equal lines packs very well."""
_READ: Final = 65_536


def unpacked(content: bytes, wanted: frozenset[str]) -> dict[str, bytes]:
    """The files of ``wanted`` (lower-case base names) in the archive, wherever in one folder of it they lie.

    Raises Invalid ``zip-unreadable``, ``zip-too-large`` or ``zip-unsafe``. Other files are never unpacked, so an
    archive inside an archive stays closed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            check(entries, len(content))
            return {
                name: _read(archive, entry)
                for entry in entries
                if (name := entry.filename.rsplit("/", 1)[-1].lower()) in wanted
            }
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise unusable(
            "zip-unreadable", N_("This zip file cannot be opened. Make it again, without a password.")
        ) from error


def check(entries: list[zipfile.ZipInfo], packed_bytes: int, most_bytes: int = MOST_BYTES) -> None:
    """Raise Invalid where the archive's own list of contents says that it should not be opened."""
    total = sum(entry.file_size for entry in entries)
    ratio_is_high = total > SMALL and total > packed_bytes * LARGEST_RATIO
    if len(entries) > MOST_FILES or total > most_bytes or ratio_is_high:
        raise _too_large()
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        is_link = stat.S_ISLNK(entry.external_attr >> 16)
        if ".." in parts or parts[0] == "" or ":" in parts[0] or is_link:
            raise unusable(
                "zip-unsafe", N_("This zip file contains names that point outside of it. We did not open it.")
            )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """At most as many bytes as the entry promised, whatever else it holds."""
    pieces, size = [], 0
    with archive.open(entry) as file:
        while piece := file.read(_READ):
            size += len(piece)
            if size > entry.file_size:
                raise _too_large()
            pieces.append(piece)
    return b"".join(pieces)


def _too_large() -> Exception:
    return unusable(
        "zip-too-large", N_("This zip file unpacks to more than a school's roll can be. We did not open it.")
    )
