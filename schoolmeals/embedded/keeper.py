"""Holds one embedded server for as long as anybody uses it. Started by ``server.py``, as a program of its own.

Every user of the server holds a shared lock on the lease file; the kernel takes it back however that user ends. The
keeper waits for the exclusive lock: once it has it nobody is left, and the server is stopped. So the server outlives
the command that happened to start it while another needs it, and never outlives them all. A server that falls (killed,
out of memory) is started again as long as somebody uses it.

Only the standard library is imported: the keeper runs without site-packages, so that it is there within 30 ms.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1
_STOP_SECONDS: Final = 60
_PAUSE_SECONDS: Final = 0.25
_TRY_SECONDS: Final = 20.0
"""After a kill -9 the shared memory of the dead server is in the way for two seconds; later, trying helps no more."""
_STOOD_SECONDS: Final = 5.0
"""A server that lived this long had started well, and is worth as many tries again."""


class Keeper:
    """Runs the server that ``order`` describes; ``server.py`` writes the order."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._libc = ctypes.CDLL(None)
        self._process_id = os.getpid()
        self._server: subprocess.Popen[bytes] | None = None
        self._is_unused = threading.Event()
        self._changing = threading.Lock()

    def keep(self) -> int:
        """Keep the server up until nobody uses it; give back its last exit code."""
        threading.Thread(target=self._stop_when_unused, daemon=True).start()
        tries_end = time.monotonic() + _TRY_SECONDS
        code = 0
        while not self._is_unused.is_set() and time.monotonic() < tries_end:
            began = time.monotonic()
            with self._changing:
                if not self._is_unused.is_set():
                    self._server = self._start()
            code = self._server.wait() if self._server else 0
            if time.monotonic() - began > _STOOD_SECONDS:
                tries_end = time.monotonic() + _TRY_SECONDS
            self._is_unused.wait(_PAUSE_SECONDS)
        if self._order["throwaway"]:
            shutil.rmtree(self._order["throwaway"], ignore_errors=True)
        return code

    def _start(self) -> subprocess.Popen[bytes]:
        order = self._order
        return subprocess.Popen(
            order["command"],
            user=order["user"],
            group=order["group"],
            extra_groups=order["extra_groups"],
            umask=0o077,
            env=order["environment"],
            cwd="/",
            preexec_fn=self._die_with_keeper,
        )

    def _die_with_keeper(self) -> None:
        # Set after the change of user, which would clear it. SIGINT is PostgreSQL's fast, clean shutdown.
        if sys.platform == "linux":
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != self._process_id:
            os._exit(1)

    def _stop_when_unused(self) -> None:
        fcntl.flock(self._order["lease"], fcntl.LOCK_EX)
        with self._changing:
            self._is_unused.set()
        if self._server is None:
            return
        self._server.send_signal(signal.SIGQUIT if self._order["throwaway"] else signal.SIGINT)
        try:
            self._server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._server.send_signal(signal.SIGQUIT)


if __name__ == "__main__":
    sys.exit(Keeper(json.loads(sys.argv[1])).keep())
