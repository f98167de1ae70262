"""Pages of HTML drawn as PDF/UA by a child process with limits. Only the worker draws."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Final

from schoolmeals.errors import N_, Unavailable

SECONDS: Final = 100
_CHILD: Final = Path(__file__).with_name("paper_child.py")
_PAGE: Final = b"page "


def drawn(html: str, tell: Callable[[int], None]) -> bytes:
    """The PDF of a page. ``tell`` hears how many of its pages are laid out, again and again.

    Raises Unavailable ``paper-unavailable`` where it cannot be drawn here within the limits.
    """
    with TemporaryFile() as source, TemporaryFile() as target:
        source.write(html.encode())
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
