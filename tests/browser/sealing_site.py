"""A site with the sealing scripts alone, under the policy that our pages have; it keeps what is put there."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

from schoolmeals.web.security import CONTENT_SECURITY_POLICY

ROOT: Final = Path(__file__).parents[2]
BUILT: Final = ROOT / "schoolmeals" / "procurement" / "static" / "built"
PAGE: Final = b"<!doctype html><html lang=en><meta charset=utf-8><title>Sealing</title><p>Sealing</p></html>"
LIBRARY: Final = """
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const text = (data) => btoa(String.fromCharCode(...data));
const put = (name, body) => fetch(`/kept/${name}`, { method: "PUT", body });
const kept = async (name) => (await fetch(`/kept/${name}`)).blob();
"""
"""What scripts of the tests have at hand to carry bytes in and out."""


class _Answers(BaseHTTPRequestHandler):
    kept: dict[str, bytes]

    def do_GET(self) -> None:
        if self.path.startswith("/built/"):
            file = BUILT / self.path.removeprefix("/built/")
            self._answer("text/javascript", file.read_bytes())
        elif self.path.startswith("/kept/"):
            self._answer("application/octet-stream", self.kept[self.path.removeprefix("/kept/")])
        else:
            self._answer("text/html", PAGE)

    def do_PUT(self) -> None:
        self.kept[self.path.removeprefix("/kept/")] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer("text/plain", b"")

    def _answer(self, media_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def make_bundle() -> None:
    """See to it that what is served is what the sources say; an instant where it is."""
    subprocess.run([ROOT / "script" / "bundle"], check=True, capture_output=True)


@contextmanager
def site(kept: dict[str, bytes]) -> Iterator[str]:
    """The address; what pages put there is in ``kept``."""
    # "localhost" is what browsers take for a safe place.
    server = ThreadingHTTPServer(("localhost", 0), type("Answers", (_Answers,), {"kept": kept}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


SCRIPT: Final = """async (given) => {
  const sealing = await import("/built/sealing.js");
  LIBRARY
  try {
    return await (async () => { SCRIPT })();
  } catch (error) {
    if (error instanceof sealing.SealingFault) return { fault: error.plain };
    throw error;
  }
}"""


def run(page: Page, script: str, given: Any = None) -> Any:
    """Run ``script`` in the page with ``sealing`` (the front door) and ``given`` at hand; what it returns. A fault that
    it throws comes back as ``{"fault": {...}}``."""
    return page.evaluate(SCRIPT.replace("LIBRARY", LIBRARY).replace("SCRIPT", script), given)
