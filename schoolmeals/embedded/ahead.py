"""Starts the server while the rest of the program is still being loaded: neither needs the other.

Whoever begins early (``begin``) does it in a thread; whoever needs the server (``server_of``) waits for that thread to
end, so that none is left when processes part.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from schoolmeals.embedded.server import EmbeddedServer

_BEGUN: Final[dict[Path, tuple[ThreadPoolExecutor, "Future[EmbeddedServer]"]]] = {}


def begin(folder: Path) -> None:
    """Begin to start the server of ``folder``. What goes wrong is raised where the server is asked for."""
    thread = ThreadPoolExecutor(max_workers=1)
    _BEGUN[folder.absolute()] = (thread, thread.submit(EmbeddedServer.start, folder))


def server_of(folder: Path) -> EmbeddedServer:
    """The server of ``folder``: the one that was begun, else started now. Raises EmbeddedError."""
    begun = _BEGUN.pop(folder.absolute(), None)
    if begun is None:
        return EmbeddedServer.start(folder)
    thread, found = begun
    thread.shutdown(wait=True)
    return found.result()
