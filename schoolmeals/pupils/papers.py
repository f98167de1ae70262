"""Papers as PDF: cards to cut out, and letters with claim codes. Made by a child process with limits."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import segno

from schoolmeals.errors import N_, Unavailable

PUPILS_AT_ONCE: Final = 150
SECONDS: Final = 100
_CHILD: Final = Path(__file__).with_name("paper_child.py")


@dataclass(frozen=True, slots=True)
class Paper:
    """What one pupil's card or letter shows. ``text`` is what the QR holds, ``code`` what people type."""

    name: str
    class_name: str
    text: str
    code: str = ""

    @property
    def qr(self) -> str:
        """The QR as a ``data:`` address of an SVG."""
        address: str = segno.make(self.text, error="m", micro=False).svg_data_uri(border=2, xmldecl=False)
        return address


def pdf_of(html: str) -> bytes:
    """The page as PDF/UA. Raises Unavailable ``paper-unavailable`` where it cannot be made here."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_CHILD)],
            input=html.encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _away() from error
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF"):
        raise _away()
    return done.stdout


def _away() -> Unavailable:
    sentence = N_("The paper could not be made. Nothing was changed. Try again with fewer pupils.")
    return Unavailable("paper-unavailable", sentence)
