"""Pages of HTML drawn by a child process with limits, as PDF/UA or what the caller names. Only the worker draws."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Final

from schoolmeals.errors import N_, Unavailable

SECONDS: Final = 100
_CHILD: Final = Path(__file__).with_name("paper_child.py")
_PAGE: Final = b"page "


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file of text that is put into a PDF; its name says what it is."""

    name: str
    about: str
    text: str


def drawn(
    html: str, tell: Callable[[int], None], *, variant: str = "pdf/ua-1", enclosed: Sequence[Enclosure] = ()
) -> bytes:
    """The PDF of a page, with ``enclosed`` inside. ``tell`` hears how many of its pages are laid out, again and again.

    Raises Unavailable ``paper-unavailable`` where it cannot be drawn here within the limits.
    """
    asked = {"html": html, "variant": variant, "enclosed": [asdict(one) for one in enclosed]}
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(json.dumps(asked).encode())
        source.seek(0)
        if _run_child(source.fileno(), target.fileno(), tell) != 0:
            raise _away()
        target.seek(0)
        pdf = target.read()
    if not pdf.startswith(b"%PDF"):
        raise _away()
    return pdf


def _run_child(source: int, target: int, tell: Callable[[int], None]) -> int:
    command = [sys.executable, "-I", str(_CHILD)]
    with subprocess.Popen(command, stdin=source, stdout=target, stderr=subprocess.PIPE) as child:
        assert child.stderr is not None
        too_long = Timer(SECONDS, child.kill)
        too_long.start()
        try:
            for line in child.stderr:
                if line.startswith(_PAGE):
                    tell(int(line.removeprefix(_PAGE)))
            return child.wait()
        finally:
            too_long.cancel()
            child.kill()


def _away() -> Unavailable:
    sentence = N_("The file could not be made. Nothing was changed. Try again with fewer pupils or fewer days.")
    return Unavailable("paper-unavailable", sentence)
