"""Holds one embedded server for as long as anybody uses it. Started by ``server.py``, as a program of its own.

Every user of the server holds a shared lock on the lease file; the kernel takes it back however that user ends. The
keeper waits for the exclusive lock: once it has it nobody is left, and the server is stopped. So the server outlives
the command that happened to start it while another needs it, and never outlives them all.

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
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1
_STOP_SECONDS: Final = 60


def keep(order: dict[str, Any]) -> int:
    """Run ``order["command"]`` until the lease is free; give back its exit code. ``server.py`` writes the order."""
    libc = ctypes.CDLL(None)
    keeper = os.getpid()

    def die_with_keeper() -> None:
        # Set after the change of user, which would clear it. SIGINT is PostgreSQL's fast, clean shutdown.
        if sys.platform == "linux":
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != keeper:
            os._exit(1)

    server = subprocess.Popen(
        order["command"],
        user=order["user"],
        group=order["group"],
        extra_groups=order["extra_groups"],
        umask=0o077,
        env=order["environment"],
        cwd="/",
        preexec_fn=die_with_keeper,
    )
    threading.Thread(target=_stop_when_unused, args=(order["lease"], server, order["throwaway"]), daemon=True).start()
    code = server.wait()
    if order["throwaway"]:
        shutil.rmtree(order["throwaway"], ignore_errors=True)
    return code


def _stop_when_unused(lease: int, server: subprocess.Popen[bytes], throwaway: str | None) -> None:
    fcntl.flock(lease, fcntl.LOCK_EX)
    server.send_signal(signal.SIGQUIT if throwaway else signal.SIGINT)
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)


if __name__ == "__main__":
    sys.exit(keep(json.loads(sys.argv[1])))
