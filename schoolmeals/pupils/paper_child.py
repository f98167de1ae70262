"""A program of its own: reads HTML from standard input and writes a PDF to standard output, within limits.

It fetches nothing but ``data:`` addresses, so no name on a roll can make it read a file or call another machine.
"""

import resource
import sys

MEMORY_BYTES = 1_500_000_000
SECONDS = 90


def main() -> None:
    """Write the PDF."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    # After the limits: they hold for the import too, which is heavy.
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    fetcher = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    document = HTML(string=sys.stdin.buffer.read().decode(), url_fetcher=fetcher)
    sys.stdout.buffer.write(document.write_pdf(pdf_variant="pdf/ua-1"))


if __name__ == "__main__":
    main()
