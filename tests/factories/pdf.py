"""What a PDF of ours says, read back by the table of letters that each of its fonts carries."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pikepdf


def text_of(content: bytes) -> str:
    """The words of all pages in the order in which they are drawn; no-break spaces are as they were."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        return "\n".join("".join(_page_text(page)) for page in pdf.pages)


def _page_text(page: Any) -> Iterator[str]:
    letters = {name: _letters(font) for name, font in page.Resources.Font.items()}
    font: dict[bytes, str] = {}
    for told in pikepdf.parse_content_stream(page):
        operands: Any = told.operands
        match str(told.operator):
            case "Tf":
                font = letters[str(operands[0])]
            case "Tj" | "TJ":
                parts = operands[0] if isinstance(operands[0], pikepdf.Array) else [operands[0]]
                for part in parts:
                    if isinstance(part, pikepdf.String):
                        code = bytes(part)
                        yield from (font.get(code[at : at + 2], "") for at in range(0, len(code), 2))
            case "ET":
                yield "\n"


def _letters(font: Any) -> dict[bytes, str]:
    """What each code of two bytes stands for."""
    table = font.ToUnicode.read_bytes().decode()
    pairs = re.findall(r"<([0-9a-fA-F]{4})>\s+<([0-9a-fA-F]+)>\s*\n", table)
    return {bytes.fromhex(code): bytes.fromhex(letter).decode("utf-16-be") for code, letter in pairs}
