"""A program of its own: reads a workbook from standard input and writes the filled rows of its first sheet as JSON.

It puts limits on itself before it opens anything. It must not import the rest of the product, which would cost more
memory than the workbook may take.
"""

import io
import json
import resource
import sys
from datetime import date, datetime
from typing import Any

MEMORY_BYTES = 512 * 1024 * 1024
MOST_LETTERS = 20_000_000


def main(limits: dict[str, int]) -> None:
    """Write ``[[line, [cell, ...]], ...]`` within ``limits``: rows, columns, letters of a cell, seconds."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["seconds"], limits["seconds"]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    # After the limits: they hold for the import too. defusedxml makes openpyxl refuse entities.
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(sys.stdin.buffer.read()), read_only=True, data_only=True, keep_links=False)
    sheet = book.worksheets[0]
    # What the file says of its size is often wrong and sometimes a trap.
    sheet.reset_dimensions()
    rows: list[Any] = []
    letters = 0
    for number, cells in enumerate(sheet.iter_rows(max_col=limits["columns"], values_only=True), 1):
        if number > limits["rows"] * 4 or len(rows) >= limits["rows"]:
            break
        filled = [place for place, cell in enumerate(cells, 1) if cell is not None]
        if filled:
            texts = [text_of(cell)[: limits["cell"]] for cell in cells[: filled[-1]]]
            letters += sum(map(len, texts))
            if letters > MOST_LETTERS:
                sys.exit(3)
            rows.append([number, texts])
    sys.stdout.write(json.dumps(rows))


def text_of(cell: object) -> str:
    """A cell as text: whole numbers without a point, days as 2015-05-31."""
    match cell:
        case None:
            return ""
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return cell.date().isoformat()
        case date():
            return cell.isoformat()
        case _:
            return str(cell)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
