"""What is printed for pupils: cards to cut out, and letters with claim codes."""

from dataclasses import dataclass
from typing import Final

import segno

PUPILS_AT_ONCE: Final = 150
CARDS_A_PAGE: Final = 10


@dataclass(frozen=True, slots=True)
class Paper:
    """What one pupil's card or letter shows. ``text`` is what the QR holds, ``code`` what people type, ``to`` whom the
    letter is for where the school's list names somebody.
    """

    name: str
    class_name: str
    text: str
    code: str = ""
    to: str = ""

    @property
    def qr(self) -> str:
        """The QR as a ``data:`` address of an SVG."""
        address: str = segno.make(self.text, error="m", micro=False).svg_data_uri(border=2, xmldecl=False)
        return address
