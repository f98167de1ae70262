"""A program of its own: reads a page of HTML, the kind of PDF and what goes into it as JSON from standard input, and
writes the PDF to standard output, within limits.

It fetches nothing but ``data:`` addresses, so no name on a roll can make it read a file or call another machine. On
standard error it says ``page 7`` when the seventh page is laid out. It must not import the rest of the product.
"""

import json
import logging
import resource
import sys

MEMORY_BYTES = 1_500_000_000
SECONDS = 90
LAYOUT = "Step 5"


class Told(logging.Handler):
    """Hands the progress of the layout on."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say which page is laid out; the record's only argument is its number."""
        if str(record.msg).startswith(LAYOUT) and isinstance(record.args, tuple) and record.args:
            sys.stderr.write(f"page {record.args[0]}\n")
            sys.stderr.flush()


def main() -> None:
    """Write the PDF."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    # After the limits: they hold for the import too, which is heavy.
    from weasyprint import HTML, Attachment
    from weasyprint.urls import URLFetcher

    progress = logging.getLogger("weasyprint.progress")
    progress.setLevel(logging.INFO)
    progress.propagate = False
    progress.addHandler(Told())
    fetcher = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    asked = json.loads(sys.stdin.buffer.read())
    enclosed = [
        Attachment(string=one["text"], name=one["name"], description=one["about"], relationship="Source")
        for one in asked["enclosed"]
    ]
    document = HTML(string=asked["html"], url_fetcher=fetcher)
    # Tags in every kind: a screen reader reads the archived paper as well.
    options = {"pdf_variant": asked["variant"], "pdf_tags": True, "attachments": enclosed}
    sys.stdout.buffer.write(document.write_pdf(**options))


if __name__ == "__main__":
    main()
