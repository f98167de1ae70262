"""What ``script/translations`` does. English texts in the code are the message ids; every room keeps its catalogues."""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = ROOT / "schoolmeals"
LANGUAGES: Final = ("kk", "ru")
COMMON_ROOM: Final = "web"
"""Its catalogues hold the texts of the cellar and the roof too."""
METHODS: Final = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "**/templates/**.html": {"silent": "false", "extensions": "jinja2.ext.do,jinja2.ext.loopcontrols"},
    "**/templates/**.txt": {"silent": "false", "extensions": "jinja2.ext.do,jinja2.ext.loopcontrols"},
}
LEFT_OUT: Final = re.compile(
    rb'"(POT-Creation-Date|PO-Revision-Date|Project-Id-Version|Report-Msgid-Bugs-To|Last-Translator|Language-Team): '
)
"""What the catalogue's format has a place for, and git or nobody knows."""
KEYWORDS: Final[dict[str, Any]] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "N_": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "npgettext": ((1, "c"), 2, 3),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
}
PLACEHOLDER: Final = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}|</?\w+[^>]*>")


def main(arguments: list[str]) -> int:
    """Run what ``arguments`` ask for; 0 where all is well."""
    match arguments:
        case []:
            return update() or check()
        case ["update"]:
            return update()
        case ["check"]:
            return check()
        case ["compile"]:
            return compile_all()
        case _:
            print("usage: script/translations [update | check | compile]", file=sys.stderr)
            return 2


def update() -> int:
    """Bring every catalogue to the texts of the code. Nothing is guessed: a changed text is a new one."""
    for room, template in texts_of_rooms().items():
        for language in LANGUAGES:
            path = catalogue_path(room, language)
            if not path.is_file() and not list(messages(template)):
                continue
            catalogue = read(path, language)
            catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
            catalogue.obsolete.clear()
            written = as_po(catalogue)
            if not path.is_file() or path.read_bytes() != written:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(written)
                print(f"wrote {path.relative_to(ROOT)}")
    return 0


def check() -> int:
    """Print every fault as ``file: fault: "text"``; 1 where there is one."""
    faults = 0
    count = 0
    for room, template in texts_of_rooms().items():
        for language in LANGUAGES:
            path = catalogue_path(room, language)
            catalogue = read(path, language)
            for fault in faults_of(template, catalogue):
                print(f"{path.relative_to(ROOT)}: {fault}")
                faults += 1
        count += len(list(messages(template)))
    print(f"translations: {count} texts, {' and '.join(LANGUAGES)}, {faults or 'no'} faults")
    return 1 if faults else 0


def compile_all() -> int:
    """Make the .mo files that are missing or older than their .po files."""
    for path in sorted(PACKAGE.glob("*/translations/*/LC_MESSAGES/*.po")):
        compiled = path.with_suffix(".mo")
        if not compiled.is_file() or compiled.stat().st_mtime <= path.stat().st_mtime:
            buffer = io.BytesIO()
            write_mo(buffer, read(path, path.parent.parent.name))
            beside = path.with_suffix(".mo.new")
            beside.write_bytes(buffer.getvalue())
            beside.replace(compiled)
    return 0


def texts_of_rooms() -> dict[str, Catalog]:
    """The texts of the code, by the room whose catalogues hold them."""
    rooms: dict[str, Catalog] = {}
    for name, _line, message, _comments, context in extract_from_dir(
        PACKAGE, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS
    ):
        rooms.setdefault(room_of(name), Catalog()).add(message, context=context)
    for path in PACKAGE.glob("*/translations"):
        rooms.setdefault(path.parent.name, Catalog())
    return dict(sorted(rooms.items()))


def room_of(name: str) -> str:
    """A folder with pages is a room and keeps its own texts; so does one that has begun to keep catalogues."""
    room = PACKAGE / Path(name).parts[0]
    keeps = any((room / mark).exists() for mark in ("translations", "templates", "models.py", "rules.py"))
    return room.name if room.is_dir() and keeps else COMMON_ROOM


def faults_of(template: Catalog, catalogue: Catalog) -> Iterator[str]:
    """What keeps ``catalogue`` from being whole."""
    wanted = {(message.id, message.context): message for message in messages(template)}
    there = {(message.id, message.context): message for message in messages(catalogue)}
    for key, message in wanted.items():
        translated = there.get(key)
        if translated is None or not all(forms(translated)):
            yield f'missing: "{first_line(message)}"'
        elif translated.fuzzy:
            yield f'fuzzy: "{first_line(message)}"'
        elif any(placeholders(form) not in allowed_placeholders(message) for form in forms(translated)):
            yield f'other placeholders: "{first_line(message)}"'
    for key, message in there.items():
        if key not in wanted:
            yield f'left over: "{first_line(message)}"'


def messages(catalogue: Catalog) -> Iterator[Message]:
    """Without the header."""
    return (message for message in catalogue if message.id)


def forms(message: Message) -> tuple[str, ...]:
    """One text, or one for each plural form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def allowed_placeholders(message: Message) -> list[list[str]]:
    """Those of the text; of a plural text, those of either form."""
    texts = (message.id,) if isinstance(message.id, str) else message.id
    return [placeholders(text) for text in texts]


def placeholders(text: str) -> list[str]:
    """Placeholders and tags, in a fixed order."""
    return sorted(PLACEHOLDER.findall(text))


def first_line(message: Message) -> str:
    """Enough of a text to find it."""
    text = message.id if isinstance(message.id, str) else message.id[0]
    return text.strip().split("\n")[0][:80]


def catalogue_path(room: str, language: str) -> Path:
    """Where the catalogue of ``room`` lies."""
    return PACKAGE / room / "translations" / language / "LC_MESSAGES" / "messages.po"


def read(path: Path, language: str) -> Catalog:
    """The catalogue in ``path``; an empty one where nobody has begun it."""
    if not path.is_file():
        about = f"# The {path.parents[2].parent.name} room's texts in {Locale(language).english_name}."
        return Catalog(locale=language, header_comment=about, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def as_po(catalogue: Catalog) -> bytes:
    """Without times, line numbers and blanks to fill in, so that a difference is always a difference of texts."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, sort_output=True, no_location=True, width=100, ignore_obsolete=True)
    return b"\n".join(line for line in buffer.getvalue().split(b"\n") if not LEFT_OUT.match(line))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
